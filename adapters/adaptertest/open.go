package adaptertest

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/secret"
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
	open := &openBodies{where: map[*openBody]string{}}
	s.OnResponse(open.watch)
	t.Cleanup(func() {
		for _, left := range open.left() {
			t.Errorf("%s: the response is left open: read it to its end, or Close it", left)
		}
	})
}

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
	b := &openBody{ReadCloser: r.Raw, all: o}
	if b.Remaining() == 0 {
		return r, nil
	}
	text := "a response"
	if p := r.Request; p != nil {
		text = p.Method + " " + secret.URL(p.URL)
	}
	o.mu.Lock()
	o.where[b] = text + caller()
	o.mu.Unlock()
	r.Raw = b
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

// openBody is a body that says when it is over. It can do what the one below it can.
type openBody struct {
	io.ReadCloser
	all *openBodies
}

func (b *openBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil || b.Remaining() == 0 {
		b.all.ended(b)
	}
	return n, err
}

func (b *openBody) Close() error {
	b.all.ended(b)
	return b.ReadCloser.Close()
}

// Remaining is what is left of the body, -1 if that is not known.
func (b *openBody) Remaining() int64 {
	if s, ok := b.ReadCloser.(interface{ Remaining() int64 }); ok {
		return s.Remaining()
	}
	return -1
}

// Trailers are the fields after the body.
func (b *openBody) Trailers() [][2]string {
	if s, ok := b.ReadCloser.(interface{ Trailers() [][2]string }); ok {
		return s.Trailers()
	}
	return nil
}

// Chunked reports whether the body comes in chunks.
func (b *openBody) Chunked() bool {
	s, ok := b.ReadCloser.(interface{ Chunked() bool })
	return ok && s.Chunked()
}

// ChunkRemaining is what is left of the current chunk.
func (b *openBody) ChunkRemaining() int64 {
	if s, ok := b.ReadCloser.(interface{ ChunkRemaining() int64 }); ok {
		return s.ChunkRemaining()
	}
	return 0
}

// LimitUntil has the body read until t at most.
func (b *openBody) LimitUntil(t time.Time) {
	if s, ok := b.ReadCloser.(interface{ LimitUntil(time.Time) }); ok {
		s.LimitUntil(t)
	}
}

// Verifiable reports whether the framing of the body says how long it is.
func (b *openBody) Verifiable() bool {
	s, ok := b.ReadCloser.(interface{ Verifiable() bool })
	return !ok || s.Verifiable()
}
