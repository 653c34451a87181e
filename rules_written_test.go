package requests_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// Rule 50: neither netrc nor the user info of a URL replaces an Authorization field that
// somebody wrote, for a call, a session or an http.Request. With Requests' Policy they do.
func TestRule50NetrcAndUserInfo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "netrc")
	if err := os.WriteFile(path, []byte("machine 127.0.0.1 login nu password np\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("NETRC", path)
	server := wiretest.Origin(t, ok)
	withUser := strings.Replace(server.URL("/"), "://", "://u:p@", 1)
	calls := map[string]func(s *requests.Session, url string) error{
		"call": func(s *requests.Session, url string) error {
			_, err := s.Get(t.Context(), url, requests.Headers{{"AUTHORIZATION", "Bearer written"}})
			return err
		},
		"session": func(s *requests.Session, url string) error {
			s.Headers.Set("Authorization", "Bearer written")
			_, err := s.Get(t.Context(), url)
			return err
		},
		"http.Request": func(s *requests.Session, url string) error {
			req, err := http.NewRequest("GET", url, nil)
			if err != nil {
				return err
			}
			req.Header.Set("Authorization", "Bearer written")
			resp, err := (&http.Client{Transport: s.RoundTripper()}).Do(req)
			if err == nil {
				resp.Body.Close()
			}
			return err
		},
	}
	for name, call := range calls {
		for _, url := range []string{server.URL("/"), withUser} {
			for _, policy := range []requests.Policy{{}, requests.PolicyRequests()} {
				before := len(server.Requests())
				s := newTestSession(t)
				s.TrustEnv, s.Policy = true, policy
				if err := call(s, url); err != nil {
					t.Fatal(err)
				}
				got := values(server, "Authorization")[before:]
				if want := !policy.NetrcReplacesAuthorization; len(got) != 1 || got[0] == "Bearer written" != want {
					t.Errorf("%s, %s, %t: sent %q", name, url, want, got)
				}
			}
		}
	}
	s := newTestSession(t)
	s.TrustEnv = true
	if _, err := s.Get(t.Context(), server.URL("/")); err != nil {
		t.Fatal(err)
	}
	if all := values(server, "Authorization"); cmp.Diff("Basic bnU6bnA=", all[len(all)-1]) != "" {
		t.Errorf("netrc alone: sent %q", all[len(all)-1])
	}
}
