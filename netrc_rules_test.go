package requests_test

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// TestNetrcComments: what stands in a comment is nobody's credentials, wherever the comment stands.
func TestNetrcComments(t *testing.T) {
	const good = "Basic bmV3Omdvb2Q=" // new:good
	for name, text := range map[string]string{
		"an old entry behind": "machine 127.0.0.1 login new password good\n\n# machine 127.0.0.1 login old password secret\n",
		"an empty line first": "\n# HTTP\nmachine 127.0.0.1 login new password good\n",
		"between entries":     "machine a.test login x password y\n\n# two words\nmachine 127.0.0.1 login new password good\n",
		"within the entry":    "machine 127.0.0.1\n  # login old\n  login new\n\n  # password secret\n  password good\n",
		"behind the words":    "machine 127.0.0.1 login new password good # machine 127.0.0.1 login old password secret\n",
		"without a blank":     "#machine 127.0.0.1 login old password secret\nmachine 127.0.0.1 login new password good\n#machine 127.0.0.1 login old",
		"with a quote":        "# don't use \"this\nmachine 127.0.0.1 login new password \"good\"\n",
		"in a macro":          "machine 127.0.0.1 login new password good\nmacdef init\n# machine 127.0.0.1 login old password secret\n\n",
		"CR LF":               "# machine 127.0.0.1 login old password secret\r\n\r\n# x\r\nmachine 127.0.0.1\r\nlogin new\r\npassword good\r\n",
	} {
		t.Setenv("NETRC", wiretest.File(t, "netrc", []byte(text)))
		for way, send := range map[string]func(s *requests.Session, url string) error{
			"Get": func(s *requests.Session, url string) error { _, err := s.Get(t.Context(), url); return err },
			"http.Client": func(s *requests.Session, url string) error {
				r, err := (&http.Client{Transport: s.RoundTripper()}).Get(url)
				if err == nil {
					r.Body.Close()
				}
				return err
			},
		} {
			origin := wiretest.Origin(t)
			s := newSession(t)
			s.TrustEnv = true
			if err := send(s, origin.URL("/")); err != nil {
				t.Errorf("%s, %s: %v", name, way, err)
			}
			if diff := cmp.Diff([]string{good}, values(origin, "Authorization")); diff != "" {
				t.Errorf("%s, %s (-want +got)\n%s", name, way, diff)
			}
		}
	}
}

// TestNetrcUsers: a host may have an entry for each user, and the URL's user chooses.
func TestNetrcUsers(t *testing.T) {
	t.Setenv("NETRC", wiretest.File(t, "netrc", []byte("machine 127.0.0.1 login a password 1 machine 127.0.0.1 login b password 2")))
	origin := wiretest.Origin(t)
	s := newSession(t)
	s.TrustEnv = true
	for _, user := range []string{"", "a@", "b@", "c@", "a:x@"} {
		if _, err := s.Get(t.Context(), "http://"+user+origin.Addr()+"/"); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"Basic Yjoy", "Basic YTox", "Basic Yjoy", "-", "Basic YTox"}
	if diff := cmp.Diff(want, values(origin, "Authorization")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestNetrcTold: a netrc that cannot be used is an error of the request it was to serve, and of no other.
func TestNetrcTold(t *testing.T) {
	unreadable := wiretest.File(t, "secret", []byte("machine 127.0.0.1 login a password b"))
	if err := os.Chmod(unreadable, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadFile(unreadable); err == nil {
		unreadable = t.TempDir() // this user reads everything
	}
	large := wiretest.File(t, "large", make([]byte, 5<<20))
	origin := wiretest.Origin(t)
	for name, path := range map[string]string{
		"malformed": wiretest.File(t, "bad", []byte("machine 127.0.0.1 login a password b c")), "unreadable": unreadable,
		"directory": t.TempDir(), "large": large, "not text": wiretest.File(t, "bytes", []byte("machine \xff")),
	} {
		t.Setenv("NETRC", path)
		s := newSession(t)
		s.TrustEnv = true
		for range 2 {
			if _, err := s.Get(t.Context(), origin.URL("/")); !errors.Is(err, requests.ErrFile) {
				t.Errorf("%s: %v", name, err)
			}
		}
		for way, option := range map[string]requests.Option{"auth": requests.Authenticate(requests.BasicAuth("u", "p")), "header": requests.Headers{{"Authorization", "x"}}} {
			if _, err := s.Get(t.Context(), origin.URL("/"), option); err != nil {
				t.Errorf("%s, with %s: %v", name, way, err)
			}
		}
		if s.TrustEnv = false; true {
			if _, err := s.Get(t.Context(), origin.URL("/")); err != nil {
				t.Errorf("%s, without TrustEnv: %v", name, err)
			}
		}
		s.TrustEnv, s.Policy.NetrcAsRequests = true, true
		if _, err := s.Get(t.Context(), origin.URL("/")); err != nil && name != "not text" {
			t.Errorf("%s, as Requests: %v", name, err)
		}
	}
}

// TestNetrcReplaced: a file that was put instead of another is noticed, though size and time are the same.
func TestNetrcReplaced(t *testing.T) {
	path := wiretest.File(t, "netrc", []byte("machine 127.0.0.1 login a password b"))
	t.Setenv("NETRC", path)
	origin := wiretest.Origin(t)
	s := newSession(t)
	s.TrustEnv = true
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := s.Get(t.Context(), origin.URL("/")); err != nil {
			t.Fatal(err)
		}
		other := filepath.Join(filepath.Dir(path), "other")
		write(t, other, []byte("machine 127.0.0.1 login c password d"))
		os.Chtimes(other, info.ModTime(), info.ModTime())
		if err := os.Rename(other, path); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"Basic YTpi", "Basic Yzpk"}, values(origin, "Authorization")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
