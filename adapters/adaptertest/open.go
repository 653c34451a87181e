package adaptertest

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/secret"
	"github.com/mountable/requests/internal/wire"
)

// CheckClosed fails t at its end for each response of s that has been left open: a streamed
// body that was neither read to its end nor closed holds a connection. It names the
// request, and the line that made it. One call is enough:
//
//	s := requests.NewSession()
//	adaptertest.CheckClosed(t, s)
//
// It adds a hook to s, and so does not see the calls that have hooks of their own. What is
// cleaned up by t.Cleanup after the call counts as closed.
func CheckClosed(t testing.TB, s *requests.Session) {
	t.Helper()
	if s == nil {
		t.Fatal("CheckClosed: the session is nil")
	}
	open := &openBodies{where: map[*openBody]string{}}
	s.OnResponse(open.watch)
	t.Cleanup(func() {
		for _, left := range open.left() {
			t.Errorf("%s: the response is left open: read it to its end, or Close it", left)
		}
	})
}

// openBody stands for a body that nobody has ended yet.
type openBody struct{ _ byte } // not of size 0: each has an address of its own

// openBodies are the bodies that nobody has ended yet.
type openBodies struct {
	// mu protects the fields below.
	mu    sync.Mutex
	where map[*openBody]string
}

// watch is a hook.
func (o *openBodies) watch(_ context.Context, r *requests.Response) (*requests.Response, error) {
	if r.Raw == nil || r.StatusCode == http.StatusSwitchingProtocols {
		return r, nil // an upgraded connection is the caller's as it is
	}
	b := new(openBody)
	text := "a response"
	if p := r.Request; p != nil {
		text = p.Method + " " + secret.URL(p.URL)
	}
	o.mu.Lock()
	o.where[b] = text + caller()
	o.mu.Unlock()
	r.Raw = wire.OnEnd(r.Raw, func(error) { o.ended(b) })
	return r, nil
}

func (o *openBodies) ended(b *openBody) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.where, b)
}

// left says what is open still, in an order that stays.
func (o *openBodies) left() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Sorted(maps.Values(o.where))
}

const module = "github.com/mountable/requests"

// caller is the first line on the stack that is not of this module.
func caller() string {
	var pcs [64]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		ours := strings.HasPrefix(f.Function, module+".") || strings.HasPrefix(f.Function, module+"/")
		if f.Function != "" && (!ours || strings.HasSuffix(f.File, "_test.go")) {
			return fmt.Sprintf(" (%s:%d)", f.File, f.Line)
		}
		if !more {
			return ""
		}
	}
}
