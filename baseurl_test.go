package requests_test

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt"
)

// TestBaseURL: relative URLs are resolved, whatever sends the request.
func TestBaseURL(t *testing.T) {
	server := wiretest.Origin(t, wiretest.Text(200, "{}"))
	base := server.URL("/v1/")
	pooled := func(s *requests.Session) error {
		pool, err := toolbelt.FromURLs(slices.Values([]string{"users"}), toolbelt.SharedSession(s))
		if err != nil {
			return err
		}
		return pool.Join(t.Context())
	}
	ways := map[string]func(*requests.Session) error{
		"Get": func(s *requests.Session) error { _, err := s.Get(t.Context(), "users"); return err },
		"Do": func(s *requests.Session) error {
			_, err := s.Do(t.Context(), &requests.Request{URL: "users"})
			return err
		},
		"GetJSON": func(s *requests.Session) error { _, err := requests.GetJSON[any](t.Context(), s, "users"); return err },
		"toolbelt": func(s *requests.Session) error {
			s.BaseURL = toolbelt.NewBaseURLSession(base).BaseURL
			return pooled(s)
		},
		"Pool": pooled,
		"RoundTripper": func(s *requests.Session) error {
			r, err := (&http.Client{Transport: s.RoundTripper()}).Do(&http.Request{Method: "GET", URL: &url.URL{Path: "users"}})
			if err == nil {
				r.Body.Close()
			}
			return err
		},
	}
	for name, send := range ways {
		t.Run(name, func(t *testing.T) {
			s := newTestSession(t)
			s.BaseURL = base
			before := len(server.Requests())
			if err := send(s); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff("/v1/users", server.Requests()[before].Target); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestBaseURLCredentials: what a session adds stays with the origin of its BaseURL, also
// after a redirect over there; what a call has goes along.
func TestBaseURLCredentials(t *testing.T) {
	for name, c := range map[string]struct {
		url    string
		policy requests.Policy
		want   []string // URL, then Authorization, Cookie, X-Api-Key, User-Agent of each request
	}{
		"relative":           {"x", requests.Policy{}, []string{"http://api.test/v1/x?key=k", "Bearer s", "own=1; mine=1; yours=1", "k", "me"}},
		"absolute":           {"http://api.test:80/x", requests.Policy{}, []string{"http://api.test:80/x?key=k", "Bearer s", "own=1; mine=1; yours=1", "k", "me"}},
		"upgrade":            {"https://api.test/x", requests.Policy{}, []string{"https://api.test/x?key=k", "Bearer s", "own=1; mine=1; yours=1", "k", "me"}},
		"other host":         {"http://cdn.test/x", requests.Policy{}, []string{"http://cdn.test/x", "-", "yours=1", "-", "me"}},
		"without scheme":     {"//cdn.test/x", requests.Policy{}, []string{"http://cdn.test/x", "-", "yours=1", "-", "me"}},
		"subdomain":          {"http://a.api.test/x", requests.Policy{}, []string{"http://a.api.test/x", "-", "own=1; yours=1", "-", "me"}},
		"other port":         {"http://api.test:81/x", requests.Policy{}, []string{"http://api.test:81/x", "-", "own=1; yours=1", "-", "me"}},
		"Requests' way":      {"http://cdn.test/x", requests.PolicyRequests(), []string{"http://cdn.test/x?key=k", "Bearer s", "mine=1; yours=1", "k", "me"}},
		"by a field of ours": {"http://cdn.test/x", requests.Policy{SettingsBeyondBase: true}, []string{"http://cdn.test/x?key=k", "Bearer s", "mine=1; yours=1", "k", "me"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTestSession(t)
			s.Policy = c.policy
			s.BaseURL, s.Auth, s.Params = "http://api.test/v1/", requests.BearerAuth("s"), requests.Params{{"key", "k"}}
			s.Headers = requests.Headers{{"X-Api-Key", "k"}, {"User-Agent", "me"}}
			for _, cookie := range []requests.Cookie{{Name: "own", Value: "1", Domain: "api.test", Path: "/"}, {Name: "mine", Value: "1"}} {
				if err := s.Cookies.Set(cookie); err != nil {
					t.Fatal(err)
				}
			}
			var got []string
			line := requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
				got = append(got, p.URL)
				for _, field := range []string{"Authorization", "Cookie", "X-Api-Key", "User-Agent"} {
					got = append(got, or(p.Headers.Get(field), "-"))
				}
				if len(got) > 5 {
					return requests.NewResponse(p, 200, nil, nil), nil
				}
				return requests.NewResponse(p, 302, requests.Headers{{"Location", p.URL}}, nil), nil
			})
			s.Mount("http://", line)
			s.Mount("https://", line)
			if _, err := s.Get(t.Context(), c.url, requests.Cookies{{"yours", "1"}}); err != nil {
				t.Fatal(err)
			}
			want := slices.Concat(c.want, c.want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
	s := newTestSession(t)
	s.BaseURL, s.Auth = "http://api.test/", requests.BearerAuth("s")
	p, err := s.Prepare(&requests.Request{URL: "http://cdn.test/", Auth: s.Auth, Headers: requests.Headers{{"X-Api-Key", "k"}}})
	if err != nil || p.Headers.Get("Authorization") != "Bearer s" || p.Headers.Get("X-Api-Key") != "k" {
		t.Errorf("what the call asks for: %v, %v", p, err)
	}
}
