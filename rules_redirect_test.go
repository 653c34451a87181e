package requests_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// TestRule04CrossOriginHeaders: only headers that every server may know travel to
// another origin; Policy.KeepCrossOriginHeaders lets all others travel too.
func TestRule04CrossOriginHeaders(t *testing.T) {
	cases := map[string]struct {
		policy requests.Policy
		field  string
		to     string
		want   []string
	}{
		"secret":             {requests.Policy{}, "X-Api-Key", "http://b.test/", []string{"k", "-"}},
		"secret, other port": {requests.Policy{}, "X-Api-Key", "http://a.test:81/", []string{"k", "-"}},
		"secret, same":       {requests.Policy{}, "X-Api-Key", "http://a.test:80/x", []string{"k", "k"}},
		"harmless":           {requests.Policy{}, "Accept-Language", "http://b.test/", []string{"en", "en"}},
		"Requests' way":      {requests.PolicyRequests(), "X-Api-Key", "http://b.test/", []string{"k", "k"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := newTestSession(t)
			s.Policy = c.policy
			options := []requests.Option{requests.Headers{{"x-api-KEY", "k"}, {"Accept-Language", "en"}}}
			got := along(t, s, c.field, options, "http://a.test/", c.to)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestRule10BareAfterRedirect: a POST that becomes a GET arrives without its body
// and without a word about it.
func TestRule10BareAfterRedirect(t *testing.T) {
	for _, status := range []int{301, 302, 303} {
		server := wiretest.Start(t, wiretest.Config{Replies: []wiretest.Reply{wiretest.Text(status, "", [2]string{"Location", "/next"}), ok}})
		s := newTestSession(t)
		s.Headers = requests.Headers{{"User-Agent", "me"}, {"Accept-Encoding", "gzip"}}
		headers := requests.Headers{{"Content-Type", "text/x"}, {"Content-Encoding", "zip"}, {"Trailer", "T"}, {"Expect", "x"}}
		if _, err := s.Post(t.Context(), server.URL("/"), headers, requests.Body("body")); err != nil {
			t.Fatal(err)
		}
		want := "GET /next HTTP/1.1\r\nHost: " + server.Addr() + "\r\nUser-Agent: me\r\nAccept-Encoding: gzip\r\n\r\n"
		if diff := cmp.Diff(want, server.Raw()[1]); diff != "" {
			t.Errorf("%d (-want +got)\n%s", status, diff)
		}
	}
}

// TestRule11NothingOfTheLastRequest: a session that has sent a body sends none with
// the next request.
func TestRule11NothingOfTheLastRequest(t *testing.T) {
	server := wiretest.Origin(t)
	s := newTestSession(t)
	s.Headers = requests.Headers{{"User-Agent", "me"}, {"Accept-Encoding", "gzip"}}
	if _, err := s.Put(t.Context(), server.URL("/"), requests.Body("secret"), requests.Headers{{"X-Once", "1"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), server.URL("/")); err != nil {
		t.Fatal(err)
	}
	want := "GET / HTTP/1.1\r\nHost: " + server.Addr() + "\r\nUser-Agent: me\r\nAccept-Encoding: gzip\r\n\r\n"
	if diff := cmp.Diff(want, server.Raw()[1]); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestRule13Downgrade: https does not lead to http, unless Policy says so.
func TestRule13Downgrade(t *testing.T) {
	s := newTestSession(t)
	h := &hops{urls: []string{"https://a.test/", "http://a.test/"}}
	s.Mount("http://", h)
	s.Mount("https://", h)
	_, err := s.Get(t.Context(), "https://a.test/")
	if !errors.Is(err, requests.ErrRedirectDowngrade) || len(h.lines) != 1 {
		t.Errorf("got %v after %d requests", err, len(h.lines))
	}
	s.Policy.AllowDowngrade = true
	if got := along(t, s, "X", nil, "https://a.test/", "http://a.test/"); len(got) != 2 {
		t.Errorf("%d requests with AllowDowngrade", len(got))
	}
}

// TestRule42RedirectSchemes: a redirect never reaches an adapter of another scheme,
// mounted though it is.
func TestRule42RedirectSchemes(t *testing.T) {
	for _, target := range []string{"file:///etc/passwd", "data:,x", "unix:/run/x", "FILE:///etc/passwd", "http+unix://%2Frun%2Fx/", "ftp://a.test/", "mailto:x"} {
		s := newTestSession(t)
		reached := false
		all := requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
			reached = true
			return requests.NewResponse(p, 200, nil, nil), nil
		})
		scheme, _, _ := strings.Cut(strings.ToLower(target), ":")
		s.Mount(scheme+":", all)
		h := &hops{urls: []string{"http://a.test/", target}}
		s.Mount("http://", h)
		_, err := s.Get(t.Context(), "http://a.test/")
		if !errors.Is(err, requests.ErrInvalidSchema) || reached {
			t.Errorf("%s: %v, reached: %v", target, err, reached)
		}
	}
}

// TestRule30ContinueThenFinal: a final status instead of 100 leaves a
// connection that works, or none.
func TestRule30ContinueThenFinal(t *testing.T) {
	t.Parallel() // it waits for 100 most of the time
	server := wiretest.Start(t, wiretest.Config{Replies: []wiretest.Reply{
		wiretest.Text(417, "no"), wiretest.Send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"),
	}})
	s := newTestSession(t)
	var got []string
	for range 3 {
		r, err := s.Post(t.Context(), server.URL("/"), requests.Headers{{"Expect", "100-continue"}}, requests.Body("data"))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := r.Text()
		got = append(got, text)
	}
	if diff := cmp.Diff([]string{"no", "yes", "yes"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for _, r := range server.Requests() {
		if r.Method != "POST" || r.Body != "data" {
			t.Errorf("the server saw %q", r.Raw)
		}
	}
}

// TestRule46ProxyRequestLine: what goes to a proxy is built from the parsed URL; a
// line break in it starts no second request.
func TestRule46ProxyRequestLine(t *testing.T) {
	proxy := wiretest.Origin(t)
	s := newTestSession(t)
	s.Proxies = requests.Proxies{"http": proxy.URL("")}
	for _, url := range []string{"http://a.test/x\r\nGET /evil HTTP/1.1", "http://a.test/?q=\r\nX: y", "http://u:p@a.test/p#f"} {
		if _, err := s.Get(t.Context(), url); err != nil && !errors.Is(err, requests.ErrInvalidURL) {
			t.Errorf("%q: %v", url, err)
		}
	}
	p := &requests.PreparedRequest{Method: "GET", URL: "http://a.test/\r\nX: y"}
	if _, err := s.Send(t.Context(), p, requests.SendOptions{}); !errors.Is(err, requests.ErrInvalidURL) {
		t.Errorf("edited URL: %v", err)
	}
	var got []string
	for _, r := range proxy.Requests() {
		got = append(got, r.Target)
	}
	want := []string{"http://a.test/x%0D%0AGET%20/evil%20HTTP/1.1", "http://a.test/?q=%0D%0AX:%20y", "http://a.test/p"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
