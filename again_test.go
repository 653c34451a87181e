package requests_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/toolbelt"
)

// The table of this file: every kind of body × every reason to send a request again × the
// protocols, for a session and for a session under an http.Client. A cell is one of
//
//	whole         it arrived twice
//	dropped       the second request is a GET without it
//	unrewindable  ErrUnrewindableBody, and there was no second request
//	once          the redirect is the response, as net/http does with a body that has no GetBody
//
// and which one follows from two facts: whether the body can be read again, and whether the
// reason keeps it.

// askingTwice is a server that asks for every request a second time.
type askingTwice struct {
	*httptest.Server
	first func(w http.ResponseWriter, r *http.Request)

	mu   sync.Mutex
	seen []string // method and body
}

type connKey struct{}

func newAskingTwice(t *testing.T, first func(w http.ResponseWriter, r *http.Request)) *askingTwice {
	a := &askingTwice{first: first}
	a.Server = httptest.NewUnstartedServer(a)
	a.Config.Protocols = new(http.Protocols)
	a.Config.Protocols.SetHTTP1(true)
	a.Config.Protocols.SetUnencryptedHTTP2(true)
	a.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) }
	a.Start()
	t.Cleanup(a.Close)
	return a
}

func (a *askingTwice) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/warm" {
		return
	}
	body, err := received(r)
	if err != nil {
		return // it was not whole
	}
	a.mu.Lock()
	a.seen = append(a.seen, r.Method+" "+body)
	first := len(a.seen) == 1
	a.mu.Unlock()
	if first {
		a.first(w, r)
	}
}

// received is the body, or name and content of its parts.
func received(r *http.Request) (string, error) {
	kind, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "multipart/form-data" {
		body, err := io.ReadAll(r.Body)
		return string(body), err
	}
	var got strings.Builder
	in := multipart.NewReader(r.Body, params["boundary"])
	for {
		part, err := in.NextPart()
		if err == io.EOF {
			_, err = io.Copy(io.Discard, r.Body)
			return got.String(), err
		}
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&got, "%s=", part.FormName())
		if _, err := io.Copy(&got, part); err != nil {
			return "", err
		}
	}
}

// cell is a request on its way, by a session or by an http.Client above it.
type cell struct {
	*testing.T
	session *requests.Session
	req     *requests.Request
	client  bool
}

// do sends the request once.
func (c *cell) do(auth requests.Auth) error {
	if !c.client {
		c.req.Auth = auth
		return errorOf(c.session.Do(c.Context(), c.req))
	}
	c.session.Auth = auth
	body, _ := c.req.Body.(io.Reader)
	req, err := http.NewRequestWithContext(c.Context(), c.req.Method, c.req.URL, body)
	if err != nil {
		c.Fatal(err)
	}
	for _, field := range c.req.Headers {
		req.Header.Set(field[0], field[1])
	}
	resp, err := (&http.Client{Transport: c.session.RoundTripper()}).Do(req)
	if err == nil {
		resp.Body.Close()
	}
	return err
}

// secondSend is a reason to send a request again.
type secondSend struct {
	first func(w http.ResponseWriter, r *http.Request)
	send  func(c *cell) error
	code  int    // of a redirect
	only  string // the one method it is for
	anew  bool   // the second request is another one, which an http.Client's cannot be
}

// drops reports whether the second request has no body: what RFC 9110 section 15.4 says, and
// net/http of PUT.
func (s secondSend) drops(method string, client bool) bool {
	return s.code == 303 || (s.code == 301 || s.code == 302) && (method == "POST" || client)
}

func status(code int, fields ...string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i < len(fields); i += 2 {
			w.Header().Set(fields[i], fields[i+1])
		}
		w.WriteHeader(code)
	}
}

// secondSends returns every reason to send a request again, over connections of a protocol.
func secondSends(protocol requests.AdapterOption) map[string]secondSend {
	basic := status(401, "WWW-Authenticate", `Basic realm="r"`)
	digest := status(401, "WWW-Authenticate", digestChallenge)
	ways := map[string]secondSend{
		"Digest":          {first: digest, send: func(c *cell) error { return c.do(requests.DigestAuth("u", "p")) }},
		"Guess of Basic":  {first: basic, send: func(c *cell) error { return c.do(toolbelt.GuessAuth("u", "p")) }},
		"Guess of Digest": {first: digest, send: func(c *cell) error { return c.do(toolbelt.GuessAuth("u", "p")) }},
		"GuessProxy":      {first: digest, send: func(c *cell) error { return c.do(toolbelt.GuessProxyAuth("u", "p", "v", "q")) }},
		"AuthHandler": {first: digest, send: func(c *cell) error {
			return c.do(toolbelt.NewAuthHandler(toolbelt.Strategy{Domain: c.req.URL, Auth: requests.DigestAuth("u", "p")}))
		}},
		"Refresh": {first: basic, send: func(c *cell) error { return c.do(requests.RefreshAuth(&rotating{})) }},
		"Authenticate": {first: digest, send: func(c *cell) error {
			c.session.Mount("http://", adapters.Chain(requests.NewHTTPAdapter(protocol), adapters.Authenticate(requests.DigestAuth("u", "p"))))
			return c.do(nil)
		}},
		"Retry": {first: status(503), send: func(c *cell) error {
			retry := requests.Retry{Total: 1, AnyMethod: true, StatusForcelist: []int{503}}
			c.session.Mount("http://", requests.NewHTTPAdapter(protocol, requests.Retries(retry)))
			return c.do(nil)
		}},
		"second Send": {first: status(200), send: sendTwice, anew: true},
		"second Do":   {first: status(200), send: func(c *cell) error { return errors.Join(c.do(nil), c.do(nil)) }, anew: true},
		"dead":        {first: dies, send: func(c *cell) error { c.warm(); return c.do(nil) }, only: "PUT"},
		"dead, with a key": {first: dies, only: "POST", send: func(c *cell) error {
			c.warm()
			c.req.Headers.Set("Idempotency-Key", "k")
			return c.do(nil)
		}},
		"dead under Retry": {first: dies, only: "PUT", send: func(c *cell) error {
			c.session.Mount("http://", requests.NewHTTPAdapter(protocol, requests.MaxRetries(1)))
			return c.do(nil)
		}},
	}
	for _, code := range []int{301, 302, 303, 307, 308} {
		ways[fmt.Sprint(code)] = secondSend{first: status(code, "Location", "/n"), code: code, send: func(c *cell) error { return c.do(nil) }}
	}
	return ways
}

// proxySends are the reasons that a proxy has, which is spoken to over HTTP/1.1.
func proxySends() map[string]secondSend {
	through := func(auth func() requests.Auth) func(*cell) error {
		return func(c *cell) error {
			c.session.Proxies = requests.Proxies{"http": c.req.URL}
			c.req.URL = "http://origin.test/"
			return c.do(auth())
		}
	}
	guess := func() requests.Auth { return toolbelt.GuessProxyAuth("u", "p", "v", "q") }
	basic := status(407, "Proxy-Authenticate", `Basic realm="r"`)
	digest := status(407, "Proxy-Authenticate", digestChallenge)
	return map[string]secondSend{
		"proxy's Digest":         {first: digest, send: through(func() requests.Auth { return toolbelt.HTTPProxyDigestAuth("u", "p") })},
		"proxy's guessed Digest": {first: digest, send: through(guess)},
		"proxy's guessed Basic":  {first: basic, send: through(guess)},
	}
}

// dies closes the connection instead of a response.
func dies(_ http.ResponseWriter, r *http.Request) {
	r.Context().Value(connKey{}).(net.Conn).Close()
	panic(http.ErrAbortHandler)
}

// warm leaves a connection in the pool.
func (c *cell) warm() {
	if _, err := c.session.Get(c.Context(), c.req.URL+"/warm"); err != nil {
		c.Fatal(err)
	}
}

func sendTwice(c *cell) error {
	p, err := c.session.Prepare(c.req)
	if err != nil {
		return err
	}
	for range 2 {
		if _, err = c.session.Send(c.Context(), p, requests.SendOptions{}); err != nil {
			return err
		}
	}
	return nil
}

// TestNoEmptyBodies: a body is sent again whole, or dropped with the method it belongs to, or
// refused; nothing else is ever sent instead of it.
func TestNoEmptyBodies(t *testing.T) {
	for name, protocol := range map[string]requests.AdapterOption{"HTTP/1.1": requests.HTTP2(false), "HTTP/2": requests.HTTP2PriorKnowledge()} {
		ways := secondSends(protocol)
		if name == "HTTP/1.1" {
			maps.Copy(ways, proxySends())
		}
		for reason, way := range ways {
			for _, method := range []string{"POST", "PUT"} {
				if way.only != "" && way.only != method || name == "HTTP/2" && method == "PUT" && way.code == 0 {
					continue // the method matters to redirects, and to both protocols alike
				}
				for kind, body := range sentBodies() {
					t.Run(fmt.Sprint(name, "/", kind, "/", reason, "/", method), func(t *testing.T) {
						way.test(t, reason, protocol, body, method, false)
					})
				}
				for kind, again := range httpBodies {
					if !way.anew {
						t.Run(fmt.Sprint(name, "/http.Request of ", kind, "/", reason, "/", method), func(t *testing.T) {
							way.test(t, reason, protocol, plainBody(again, contents[kind].give), method, true)
						})
					}
				}
			}
		}
	}
}

// httpBodies are those of http.Requests, and whether net/http gives them a GetBody.
var httpBodies = map[string]bool{
	"bytes.Buffer": true, "bytes.Reader": true, "strings.Reader": true,
	"*os.File": false, "io.SectionReader": false, "io.MultiReader": false, "io.Pipe": false,
}

func (s secondSend) test(t *testing.T, reason string, protocol requests.AdapterOption, body sentBody, method string, client bool) {
	const text = "some data"
	server := newAskingTwice(t, s.first)
	c := &cell{t, newTestSession(t), &requests.Request{Method: method, URL: server.URL}, client}
	c.session.Mount("http://", requests.NewHTTPAdapter(protocol))
	if err := body.give(t, text).Apply(c.req); err != nil {
		t.Fatal(err)
	}
	err := s.send(c)
	want := "unrewindable"
	switch {
	case s.drops(method, client):
		want = "dropped"
	case body.again && reason != "second Do" || body.anew && reason == "second Do":
		want = "whole"
	case client && s.code != 0:
		want = "once"
	}
	if got := server.cell(method+" "+body.want(text), err); got != want {
		t.Errorf("%.1000s, want %s", got, want)
	}
}

// cell says what came of a body that arrives as want, if whole.
func (a *askingTwice) cell(want string, err error) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case cmp.Equal(a.seen, []string{want, want}) && err == nil:
		return "whole"
	case cmp.Equal(a.seen, []string{want, "GET "}) && err == nil:
		return "dropped"
	case cmp.Equal(a.seen, []string{want}) && errors.Is(err, requests.ErrUnrewindableBody):
		return "unrewindable"
	case cmp.Equal(a.seen, []string{want}) && err == nil:
		return "once"
	}
	return fmt.Sprintf("%q, %v", a.seen, err)
}
