package requests_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt"
)

// TestChallengeNeverEmptiesTheBody walks the bodies and the schemes: each cell is the
// whole body twice, or ErrUnrewindableBody with the response in reach.
func TestChallengeNeverEmptiesTheBody(t *testing.T) {
	once := func() io.Reader { return io.MultiReader(strings.NewReader("body")) }
	bodies := []struct {
		name  string
		make  func() any
		whole bool
	}{
		{"text", func() any { return "body" }, true},
		{"bytes", func() any { return []byte("body") }, true},
		{"seeker", func() any { return strings.NewReader("body") }, true},
		{"plain reader", func() any { return once() }, false},
		{"pipe", func() any { r, w := io.Pipe(); go func() { w.Write([]byte("body")); w.Close() }(); return r }, false},
		{"iterator", func() any { return func(yield func([]byte) bool) { yield([]byte("body")) } }, false},
	}
	proxied := func(r *wiretest.Request) wiretest.Reply {
		if r.Get("Proxy-Authorization") != "" {
			return ok
		}
		return wiretest.Text(407, "", [2]string{"Proxy-Authenticate", digestChallenge})
	}
	for name, scheme := range map[string]struct {
		auth    func() requests.Auth
		handler func(*wiretest.Request) wiretest.Reply
	}{
		"digest":       {func() requests.Auth { return requests.DigestAuth("u", "p") }, challenging(digestChallenge)},
		"guess digest": {func() requests.Auth { return toolbelt.GuessAuth("u", "p") }, challenging(digestChallenge)},
		"guess basic":  {func() requests.Auth { return toolbelt.GuessAuth("u", "p") }, challenging(`Basic realm="r"`)},
		"guess proxy":  {func() requests.Auth { return toolbelt.GuessProxyAuth("u", "p", "u", "p") }, proxied},
		"proxy digest": {func() requests.Auth { return toolbelt.HTTPProxyDigestAuth("u", "p") }, proxied},
	} {
		for _, b := range bodies {
			t.Run(name+"/"+b.name, func(t *testing.T) {
				server := wiretest.Start(t, wiretest.Config{Handler: scheme.handler})
				s := newTestSession(t)
				s.Proxies = requests.Proxies{"http": "http://" + server.Addr()}
				r, err := s.Post(t.Context(), "http://far.test/", requests.Body(b.make()), requests.Authenticate(scheme.auth()))
				checkSentAgain(t, server, b.whole, r, err)
			})
		}
	}
}

func checkSentAgain(t *testing.T, server *wiretest.Server, whole bool, r *requests.Response, err error) {
	t.Helper()
	if whole {
		if err != nil || !r.OK() {
			t.Fatal(r, err)
		}
	} else if e, is := errors.AsType[*requests.Error](err); !is || !errors.Is(err, requests.ErrUnrewindableBody) || e.Response == nil || e.Response.StatusCode/100 != 4 {
		t.Fatalf("error %v, want ErrUnrewindableBody with the response", err)
	}
	for _, got := range bodies(server) {
		if got != "body" {
			t.Errorf("sent %q", bodies(server))
		}
	}
}

// An http.Request without GetBody cannot be sent again either.
func TestChallengeUnderAnHTTPClient(t *testing.T) {
	server := wiretest.Start(t, wiretest.Config{Handler: challenging(digestChallenge)})
	s := newTestSession(t)
	s.Auth = requests.DigestAuth("u", "p")
	client := &http.Client{Transport: s.RoundTripper()}
	for _, again := range []bool{false, true} {
		req, err := http.NewRequest("POST", server.URL("/"), strings.NewReader("body"))
		if err != nil {
			t.Fatal(err)
		}
		if !again {
			req.Body, req.GetBody = io.NopCloser(io.MultiReader(req.Body)), nil
		}
		resp, err := client.Do(req)
		if errors.Is(err, requests.ErrUnrewindableBody) == again {
			t.Errorf("with GetBody %t: error %v", again, err)
		}
		if err == nil {
			resp.Body.Close()
		}
	}
	for _, got := range bodies(server) {
		if got != "body" {
			t.Errorf("sent %q", bodies(server))
		}
	}
}

// A server that insists on nonce counts in order calls the nonces of others stale: the
// answer is given again with the new one, as often as StaleRejects says.
func TestDigestStale(t *testing.T) {
	for _, tt := range []struct {
		rejects, limit, want int
		status               int
	}{{0, 3, 2, 200}, {3, 3, 5, 200}, {4, 3, 5, 401}, {1, 0, 2, 401}, {9, 20, 11, 200}} {
		sent := 0
		server := wiretest.Start(t, wiretest.Config{Handler: func(r *wiretest.Request) wiretest.Reply {
			if sent++; sent > tt.rejects+1 {
				return ok
			}
			return wiretest.Text(401, "", [2]string{"WWW-Authenticate", fmt.Sprintf(`Digest realm="r", nonce="%d", qop="auth", stale=%t`, sent, sent > 1)})
		}})
		d := requests.DigestAuth("u", "p")
		d.StaleRejects = tt.limit
		r, err := newTestSession(t).Get(t.Context(), server.URL("/"), requests.Authenticate(d))
		if err != nil || r.StatusCode != tt.status || sent != tt.want {
			t.Errorf("%d rejects, at most %d: %v, %v after %d requests, want %d after %d", tt.rejects, tt.limit, r, err, sent, tt.status, tt.want)
		}
	}
}

// TestDigestInOrder has sixty-four goroutines share one object against a server that
// takes each nonce once: everybody comes through, and no nonce and count twice.
func TestDigestInOrder(t *testing.T) {
	const workers = 64
	var mu sync.Mutex
	nonce, counts := 0, map[string]bool{}
	server := wiretest.Start(t, wiretest.Config{Handler: func(r *wiretest.Request) wiretest.Reply {
		mu.Lock()
		defer mu.Unlock()
		sent := r.Get("Authorization")
		if sent != "" && counts[sent] {
			t.Errorf("sent twice: %s", sent)
		}
		counts[sent] = true
		if strings.Contains(sent, fmt.Sprintf(`nonce="%d"`, nonce)) {
			nonce++
			return ok
		}
		return wiretest.Text(401, "", [2]string{"WWW-Authenticate", fmt.Sprintf(`Digest realm="r", nonce="%d", qop="auth", stale=%t`, nonce, sent != "")})
	}})
	s := newTestSession(t)
	d := requests.DigestAuth("u", "p")
	d.StaleRejects = 2 * workers
	s.Auth = d
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			if r, err := s.Get(t.Context(), server.URL("/")); err != nil || !r.OK() {
				t.Error(r, err)
			}
		})
	}
	wg.Wait()
}

// TestFoldedChallenge answers a challenge whose field is folded over lines.
func TestFoldedChallenge(t *testing.T) {
	server := wiretest.Start(t, wiretest.Config{Handler: func(r *wiretest.Request) wiretest.Reply {
		if r.Get("Authorization") != "" {
			return ok
		}
		return wiretest.Send("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nWWW-Authenticate: Digest realm=\"R\",\r\n nonce=\"n\",\r\n\tqop=\"auth\"\r\n\r\n")
	}})
	for name, auth := range map[string]requests.Auth{"digest": requests.DigestAuth("u", "p"), "guess": toolbelt.GuessAuth("u", "p")} {
		if r, err := newTestSession(t).Get(t.Context(), server.URL("/"), requests.Authenticate(auth)); err != nil || !r.OK() {
			t.Error(name, r, err)
		}
	}
}
