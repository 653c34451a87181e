package requests_test

import (
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

const (
	hammers = 64
	blows   = 12
)

// TestHammer uses one Session from 64 goroutines for everything it can do at once: cookies set and read, Digest whose
// nonces run out, redirects, hooks, bodies that are streamed or abandoned, calls that are canceled. Every answer is the
// one to its own question, and in the end no cookie is lost. It is meant for the race detector.
func TestHammer(t *testing.T) {
	wiretest.NoLeak(t)
	guard := &digestGuard{used: map[string]bool{}}
	server := wiretest.Start(t, wiretest.Config{Handler: anvil(guard)})
	s := newTestSession(t)
	s.OnResponse(sealed)
	s.Mount("http://", requests.NewHTTPAdapter(requests.PoolMaxSize(24), requests.PoolBlock(true)))
	digest := requests.DigestAuth("ada", "secret")
	var wg sync.WaitGroup
	for id := range hammers {
		wg.Go(func() {
			h := &hammer{t: t, s: s, url: server.URL(""), id: strconv.Itoa(id), digest: digest, random: rand.New(rand.NewPCG(1, uint64(id)))}
			for blow := range blows {
				h.strike(strconv.Itoa(blow))
			}
		})
	}
	wg.Wait()
	want := map[string]string{}
	for id := range hammers {
		want[fmt.Sprint("c", id)] = strconv.Itoa(blows - 1)
	}
	got := s.Cookies.Map("", "")
	maps.DeleteFunc(got, func(name, _ string) bool { return name[0] != 'c' })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cookies (-want +got)\n%s", diff)
	}
	if n := guard.replays.Load(); n > 0 {
		t.Errorf("%d answers to a nonce came with a count that had been used", n)
	}
}

// sealed is the session's hook: it marks a reply with what its own call has in the context.
func sealed(ctx context.Context, r *requests.Response) (*requests.Response, error) {
	r.Headers.Set("X-Seal", fmt.Sprint(ctx.Value(sealKey{})))
	return r, nil
}

type sealKey struct{}

// hammer is one goroutine.
type hammer struct {
	t       *testing.T
	s       *requests.Session
	url, id string
	digest  *requests.Digest
	random  *rand.Rand
}

func (h *hammer) strike(blow string) {
	ctx := context.WithValue(h.t.Context(), sealKey{}, h.id+"-"+blow)
	h.expect(ctx, "/set?name=c"+h.id+"&value="+blow, "set", blow)
	h.expect(ctx, "/cookie?name=c"+h.id, blow, blow)
	h.expect(ctx, "/hop?left=3&then="+url.QueryEscape("/cookie?name=c"+h.id), blow, blow)
	h.expect(ctx, "/digest?say="+h.id+"."+blow, h.id+"."+blow, blow, requests.Body("body"), requests.Authenticate(h.digest))
	h.stream(ctx, blow)
	h.abandon(ctx)
	h.cancel(ctx)
}

// expect makes a call whose answer is known.
func (h *hammer) expect(ctx context.Context, path, want, blow string, options ...requests.Option) {
	r, err := h.s.Post(ctx, h.url+path, options...)
	if err != nil {
		h.t.Error(err)
		return
	}
	text, err := r.Text()
	got := []string{text, r.Headers.Get("X-Seal")}
	if diff := cmp.Diff([]string{want, h.id + "-" + blow}, got); diff != "" || err != nil {
		h.t.Errorf("%s: %d %v (-want +got)\n%s", path, r.StatusCode, err, diff)
	}
}

// stream reads a body line by line.
func (h *hammer) stream(ctx context.Context, blow string) {
	word := h.id + "." + blow
	r, err := h.s.Get(ctx, h.url+"/lines?say="+word, requests.Stream(true))
	if err != nil {
		h.t.Error(err)
		return
	}
	n := 0
	for line, err := range r.Lines() {
		if err != nil || line != word {
			h.t.Errorf("line %d of %s: %q, %v", n, word, line, err)
		}
		n++
	}
	if n != lines {
		h.t.Errorf("%d lines of %d", n, lines)
	}
}

// abandon leaves a body after its first line, or without looking at it.
func (h *hammer) abandon(ctx context.Context) {
	r, err := h.s.Get(ctx, h.url+"/lines?say=left", requests.Stream(true))
	if err != nil {
		h.t.Error(err)
		return
	}
	defer r.Close()
	if h.random.IntN(2) == 0 {
		for line, err := range r.Lines() {
			if err != nil || line != "left" {
				h.t.Errorf("%q, %v", line, err)
			}
			break
		}
	}
}

// cancel gives up at any moment of a call; either it was canceled or the answer is right.
func (h *hammer) cancel(ctx context.Context) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	timer := time.AfterFunc(time.Duration(h.random.IntN(3000))*time.Microsecond, stop)
	defer timer.Stop()
	r, err := h.s.Get(ctx, h.url+"/slow")
	if err != nil {
		if !errors.Is(err, requests.ErrCanceled) || !errors.Is(err, context.Canceled) {
			h.t.Errorf("after a cancel: %v", err)
		}
		return
	}
	if text, err := r.Text(); text != "slow" || err != nil {
		h.t.Errorf("%q, %v", text, err)
	}
}

const lines = 40

// anvil is the server.
func anvil(guard *digestGuard) func(*wiretest.Request) wiretest.Reply {
	return func(r *wiretest.Request) wiretest.Reply {
		u, err := url.Parse(r.Target)
		if err != nil {
			return wiretest.Text(400, err.Error())
		}
		q := u.Query()
		switch u.Path {
		case "/set":
			return wiretest.Text(200, "set", [2]string{"Set-Cookie", q.Get("name") + "=" + q.Get("value")})
		case "/cookie":
			return wiretest.Text(200, cookieOf(r, q.Get("name")))
		case "/hop":
			return hop(q)
		case "/digest":
			return guard.answer(r, q.Get("say"))
		case "/lines":
			return wiretest.Chunks(strings.Repeat(q.Get("say")+"\n", lines/2), strings.Repeat(q.Get("say")+"\n", lines/2))
		case "/slow":
			return wiretest.Slowly(time.Millisecond, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", "sl", "ow")
		}
		return wiretest.Text(404, "")
	}
}

func cookieOf(r *wiretest.Request, name string) string {
	for pair := range strings.SplitSeq(r.Get("Cookie"), "; ") {
		if key, value, _ := strings.Cut(pair, "="); key == name {
			return value
		}
	}
	return "none"
}

// hop redirects as often as it is asked to, setting a cookie each time, and then to another place.
func hop(q url.Values) wiretest.Reply {
	left, _ := strconv.Atoi(q.Get("left"))
	next := fmt.Sprintf("/hop?left=%d&then=%s", left-1, url.QueryEscape(q.Get("then")))
	if left == 0 {
		next = q.Get("then")
	}
	return wiretest.Text(302, "on", [2]string{"Location", next}, [2]string{"Set-Cookie", "hop=" + strconv.Itoa(left)})
}

// digestGuard asks for Digest. A nonce is good for 100 answers, and its three predecessors are as well; each count of one
// is good for one.
type digestGuard struct {
	mu      sync.Mutex
	answers int
	used    map[string]bool
	replays atomic.Int32
}

func (g *digestGuard) answer(r *wiretest.Request, say string) wiretest.Reply {
	field := r.Get("Authorization")
	nonce, nc, cnonce := digestParam(field, "nonce"), digestParam(field, "nc"), digestParam(field, "cnonce")
	hash := func(parts ...string) string { return fmt.Sprintf("%x", md5.Sum([]byte(strings.Join(parts, ":")))) }
	want := hash(hash("ada", "r", "secret"), nonce, nc, cnonce, "auth", hash(r.Method, r.Target))
	g.mu.Lock()
	defer g.mu.Unlock()
	age := g.answers/100 - atoi(nonce)
	switch {
	case field == "" || age > 3:
		return wiretest.Text(401, "no", [2]string{"WWW-Authenticate", fmt.Sprintf(`Digest realm="r", nonce="%d", qop="auth", stale=%v`, g.answers/100, field != "")})
	case digestParam(field, "response") != want || r.Body != "body":
		return wiretest.Text(403, "wrong")
	case g.used[nonce+"/"+nc]:
		g.replays.Add(1)
	}
	g.used[nonce+"/"+nc] = true
	g.answers++
	return wiretest.Text(200, say)
}

func atoi(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

func digestParam(field, name string) string {
	for part := range strings.SplitSeq(strings.TrimPrefix(field, "Digest "), ", ") {
		if value, ok := strings.CutPrefix(part, name+"="); ok {
			return strings.Trim(value, `"`)
		}
	}
	return ""
}
