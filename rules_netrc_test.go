package requests_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
)

// Rule 14: netrc is for the host of the parsed URL, not for redirect targets, not by
// "default", and not for another user than the URL's.
func TestRule14Netrc(t *testing.T) {
	const file = "machine good.test login ada password s\nmachine b.test login bob password t\ndefault login d password e\n"
	t.Setenv("NETRC", filepath.Join(t.TempDir(), "netrc"))
	if err := os.WriteFile(os.Getenv("NETRC"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	const ada, bob, evil = "Basic YWRhOnM=", "Basic Ym9iOnQ=", "Basic ZXZpbDo="
	for _, tt := range []struct {
		name   string
		policy requests.Policy
		urls   []string
		want   []string
	}{
		{"the host", requests.Policy{}, []string{"http://good.test:8080/"}, []string{ada}},
		{"the host as user", requests.Policy{}, []string{"http://good.test:@b.test/"}, []string{"Basic Z29vZC50ZXN0Og=="}},
		{"another user", requests.Policy{}, []string{"http://evil:@good.test/"}, []string{evil}},
		{"another user without password", requests.Policy{}, []string{"http://evil@good.test/"}, []string{"-"}},
		{"the same user", requests.Policy{}, []string{"http://ada@good.test/"}, []string{ada}},
		{"another user, allowed", requests.Policy{NetrcIgnoresUser: true}, []string{"http://evil:@good.test/"}, []string{ada}},
		{"a redirect", requests.Policy{}, []string{"http://good.test/", "http://b.test/"}, []string{ada, "-"}},
		{"a redirect, allowed", requests.Policy{NetrcOnRedirect: true}, []string{"http://good.test/", "http://b.test/"}, []string{ada, bob}},
		{"default", requests.Policy{}, []string{"http://other.test/"}, []string{"-"}},
		{"default, allowed", requests.Policy{NetrcDefault: true}, []string{"http://other.test/"}, []string{"Basic ZDpl"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newTestSession(t)
			s.TrustEnv, s.Policy = true, tt.policy
			if diff := cmp.Diff(tt.want, along(t, s, "Authorization", nil, tt.urls...)); diff != "" {
				t.Errorf("Authorization (-want +got):\n%s", diff)
			}
		})
	}
}

// Rule 15: an entry of netrc with nothing in it is not an auth, and keeps the default
// away.
func TestRule15EmptyEntryIsNoAuth(t *testing.T) {
	t.Setenv("NETRC", filepath.Join(t.TempDir(), "netrc"))
	const file = "machine h.test login \"\" password \"\"\ndefault login d password e\n"
	if err := os.WriteFile(os.Getenv("NETRC"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	s := newTestSession(t)
	s.TrustEnv, s.Policy = true, requests.PolicyRequests()
	if diff := cmp.Diff([]string{"-"}, along(t, s, "Authorization", nil, "http://h.test/")); diff != "" {
		t.Errorf("Authorization (-want +got):\n%s", diff)
	}
}

// The first netrc file that exists is the one, whatever is in it.
func TestNetrcSearch(t *testing.T) {
	const good = "machine h.test login u password p\n"
	for _, tt := range []struct {
		name, env, first, second string
		want                     string
	}{
		{"the first", "", good, "", "Basic dTpw"},
		{"the second", "", "", good, "Basic dTpw"},
		{"a broken first, read as Requests does", "", "nonsense\n", good, "-"},
		{"named and absent", "~/none", good, "", "-"},
		{"named and empty", "=", good, "", "-"},
		{"named under home", "~/_netrc", "nonsense\n", good, "Basic dTpw"},
		{"none", "", "", "", "-"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			home := t.TempDir()
			t.Setenv("HOME", home)
			t.Setenv("NETRC", strings.TrimPrefix(tt.env, "="))
			if tt.env == "" {
				os.Unsetenv("NETRC")
			}
			for name, text := range map[string]string{".netrc": tt.first, "_netrc": tt.second} {
				if text == "" {
					continue
				}
				if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			s := newTestSession(t)
			s.TrustEnv, s.Policy.NetrcAsRequests = true, true
			for range 2 {
				if diff := cmp.Diff([]string{tt.want}, along(t, s, "Authorization", nil, "http://h.test/")); diff != "" {
					t.Errorf("Authorization (-want +got):\n%s", diff)
				}
			}
		})
	}
}

// A file that changes is read again; one that is not UTF-8 is an error.
func TestNetrcChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "netrc")
	t.Setenv("NETRC", path)
	s := newTestSession(t)
	s.TrustEnv = true
	for _, user := range []string{"a", "bb"} {
		if err := os.WriteFile(path, fmt.Appendf(nil, "machine h.test login %s password p\n", user), 0o600); err != nil {
			t.Fatal(err)
		}
		got := &requests.PreparedRequest{}
		if err := requests.BasicAuth(user, "p").Authenticate(got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{got.Headers.Get("Authorization")}, along(t, s, "Authorization", nil, "http://h.test/")); diff != "" {
			t.Errorf("Authorization (-want +got):\n%s", diff)
		}
	}
	if err := os.WriteFile(path, []byte("machine h.test login \xff password p\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), "http://h.test/"); !errors.Is(err, requests.ErrFile) {
		t.Errorf("a file that is not UTF-8: %v", err)
	}
}
