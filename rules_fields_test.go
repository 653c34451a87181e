package requests_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt"
)

// writtenWays are the ways to send a request with fields that somebody wrote.
var writtenWays = map[string]func(ctx context.Context, s *requests.Session, url string, headers requests.Headers) error{
	"Get": func(ctx context.Context, s *requests.Session, url string, headers requests.Headers) error {
		_, err := s.Get(ctx, url, headers)
		return err
	},
	"session": func(ctx context.Context, s *requests.Session, url string, headers requests.Headers) error {
		for _, f := range headers {
			s.Headers.Set(f[0], f[1])
		}
		_, err := s.Get(ctx, url)
		return err
	},
	"http.Client": func(ctx context.Context, s *requests.Session, url string, headers requests.Headers) error {
		req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
		if err != nil {
			return err
		}
		for _, f := range headers {
			req.Header.Set(f[0], f[1])
		}
		r, err := (&http.Client{Transport: s.RoundTripper()}).Do(req)
		if err == nil {
			err = r.Body.Close()
		}
		return err
	},
	"Pool": func(ctx context.Context, s *requests.Session, url string, headers requests.Headers) error {
		_, exceptions, err := toolbelt.Map(ctx, []*requests.Request{{URL: url, Headers: headers}}, toolbelt.SharedSession(s))
		if err == nil {
			for e := range exceptions {
				err = e.Err
			}
		}
		return err
	},
}

// TestRule50WrittenFields: Authorization and Cookie that somebody wrote are not replaced by what netrc or the jar have, nor
// Proxy-Authorization by what the environment has, however the request is sent.
func TestRule50WrittenFields(t *testing.T) {
	t.Setenv("NETRC", wiretest.File(t, "netrc", []byte("machine h.test login nu password np")))
	for way, send := range writtenWays {
		proxy := wiretest.Origin(t)
		t.Setenv("http_proxy", proxy.URL(""))
		s := newSession(t)
		s.TrustEnv = true
		s.Cookies.Set(requests.Cookie{Name: "jar", Value: "1", Domain: "h.test", Path: "/"})
		written := requests.Headers{{"Authorization", "Bearer abc"}, {"Cookie", "own=1"}, {"Proxy-Authorization", "Basic dTpw"}}
		if err := send(t.Context(), s, "http://h.test/", written); err != nil {
			t.Fatal(way, err)
		}
		r := proxy.Requests()[0]
		got := []string{r.Get("Authorization"), r.Get("Cookie"), r.Get("Proxy-Authorization")}
		if diff := cmp.Diff([]string{"Bearer abc", "own=1", "Basic dTpw"}, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", way, diff)
		}
	}
}

// TestRule05NoProxy: a Proxy-Authorization field is not sent where there is no proxy, however the request is sent.
func TestRule05NoProxy(t *testing.T) {
	for way, send := range writtenWays {
		origin := wiretest.Origin(t)
		if err := send(t.Context(), newSession(t), origin.URL("/"), requests.Headers{{"Proxy-Authorization", "Basic dTpw"}}); err != nil {
			t.Fatal(way, err)
		}
		if diff := cmp.Diff([]string{"-"}, values(origin, "Proxy-Authorization")); diff != "" {
			t.Errorf("%s (-want +got)\n%s", way, diff)
		}
	}
}
