package requests_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// world is every host there is, http and https, on two real sockets. A request to
// "/?next=URL&status=307" is redirected to URL with that status; everything else is
// answered with 200. "set=a%3D1" sets a cookie.
type world struct {
	plain, secure *wiretest.Server

	mu    sync.Mutex
	calls []call
}

// call is what one hop received.
type call struct {
	at     string // scheme, Host and path
	fields [][2]string
	body   string
}

// worldHosts are the names that lead to the world's sockets, with every port that tests use.
var worldHosts = []string{"example.com", "example.com.", "sub.example.com", "other.test", "www.shop.co.uk", "www.shop.co.uk.", "bank.co.uk", "co.uk",
	"me.github.io", "you.github.io", "xn--55qx5d.cn", "www.xn--85x722f.xn--55qx5d.cn"}

func newWorld(t *testing.T) *world {
	w := &world{}
	w.plain = wiretest.Start(t, wiretest.Config{Handler: func(r *wiretest.Request) wiretest.Reply { return w.reply("http", r) }})
	w.secure = wiretest.Start(t, wiretest.Config{
		TLS:     wiretest.TestCA().Server(),
		Handler: func(r *wiretest.Request) wiretest.Reply { return w.reply("https", r) },
	})
	return w
}

func (w *world) reply(scheme string, r *wiretest.Request) wiretest.Reply {
	w.mu.Lock()
	defer w.mu.Unlock()
	path, query, _ := strings.Cut(r.Target, "?")
	w.calls = append(w.calls, call{scheme + "://" + r.Get("Host") + path, r.Fields, r.Body})
	values, _ := url.ParseQuery(query)
	var fields [][2]string
	for _, cookie := range values["set"] {
		fields = append(fields, [2]string{"Set-Cookie", cookie})
	}
	if next := values.Get("next"); next != "" {
		status := 302
		fmt.Sscan(values.Get("status"), &status)
		return wiretest.Text(status, "moved", append(fields, [2]string{"Location", next})...)
	}
	return wiretest.Text(200, "ok", fields...)
}

// took returns the hops so far and forgets them.
func (w *world) took() []call {
	w.mu.Lock()
	defer w.mu.Unlock()
	calls := w.calls
	w.calls = nil
	return calls
}

// values lists a field of each hop, "-" where there was none.
func (w *world) values(name string) []string {
	var got []string
	for _, c := range w.took() {
		got = append(got, c.get(name))
	}
	return got
}

func (c *call) get(name string) string {
	var values []string
	for _, f := range c.fields {
		if strings.EqualFold(f[0], name) {
			values = append(values, f[1])
		}
	}
	return or(strings.Join(values, ", "), "-")
}

// session returns a session for which the world's hosts are real.
func (w *world) session(t *testing.T, options ...requests.AdapterOption) *requests.Session {
	s := newSession(t)
	hosts := map[string]string{}
	for _, h := range worldHosts {
		for _, port := range []string{"80", "8080"} {
			hosts[h+":"+port] = w.plain.Addr()
		}
		for _, port := range []string{"443", "8443"} {
			hosts[h+":"+port] = w.secure.Addr()
		}
	}
	options = append([]requests.AdapterOption{requests.ResolveTo(hosts)}, options...)
	s.Mount("http://", requests.NewHTTPAdapter(options...))
	s.Mount("https://", requests.NewHTTPAdapter(options...))
	s.Verify = requests.CABundlePEM(wiretest.TestCA().PEM())
	return s
}

// chain is the URL that leads from each of these places to the next.
func chain(status int, places ...string) string {
	if len(places) == 1 {
		return places[0]
	}
	return fmt.Sprintf("%s?status=%d&next=%s", places[0], status, url.QueryEscape(chain(status, places[1:]...)))
}

// walker goes along a chain of redirects in one of the ways there are.
type walker func(ctx context.Context, s *requests.Session, method, url string, headers requests.Headers) error

var walkers = map[string]walker{
	"session": func(ctx context.Context, s *requests.Session, method, url string, headers requests.Headers) error {
		_, err := s.Request(ctx, method, url, headers, requests.Body("body"))
		return err
	},
	"streamed": func(ctx context.Context, s *requests.Session, method, url string, headers requests.Headers) error {
		r, err := s.Request(ctx, method, url, headers, requests.Stream(true))
		if err == nil {
			r.Close()
		}
		return err
	},
	"edited after Prepare": func(ctx context.Context, s *requests.Session, method, url string, headers requests.Headers) error {
		p, err := s.Prepare(&requests.Request{Method: method, URL: url})
		if err != nil {
			return err
		}
		for name, value := range headers.All() {
			p.Headers.Add(name, value)
		}
		_, err = s.Send(ctx, p, requests.SendOptions{})
		return err
	},
	"Next by hand":   walkByHand,
	"a hook resends": walkByHook,
	"http.Client":    walkByClient,
}

func walkByHand(ctx context.Context, s *requests.Session, method, url string, headers requests.Headers) error {
	r, err := s.Request(ctx, method, url, headers, requests.AllowRedirects(false))
	for err == nil && r.Next != nil {
		r, err = s.Send(ctx, r.Next, requests.SendOptions{Redirects: requests.Off})
	}
	return err
}

// walkByHook has each hop sent once more by a hook.
func walkByHook(ctx context.Context, s *requests.Session, method, url string, headers requests.Headers) error {
	again := func(ctx context.Context, r *requests.Response) (*requests.Response, error) {
		return r.Auth().Answer(ctx, func(*requests.PreparedRequest) error { return nil })
	}
	_, err := s.Request(ctx, method, url, headers, requests.ReplaceHooks(again))
	return err
}

func walkByClient(ctx context.Context, s *requests.Session, method, url string, headers requests.Headers) error {
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader("body"))
	if err != nil {
		return err
	}
	for name, value := range headers.All() {
		req.Header[name] = append(req.Header[name], value)
	}
	resp, err := (&http.Client{Transport: s.RoundTripper()}).Do(req)
	if err == nil {
		resp.Body.Close()
	}
	return err
}
