package oauth1

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

// log is what the origins of a test have got.
type log struct {
	t      *testing.T
	config Config

	// mu protects the fields below.
	mu     sync.Mutex
	hops   []string // method, path, the caller's body, and whether the signature is right and new
	nonces map[string]bool
}

// site is an origin that redirects by the path, "/307/?to=rest" to rest.
func (l *log) site() string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.add(r)
		status := 0
		if _, err := fmt.Sscanf(r.URL.Path, "/%d/", &status); err == nil {
			w.Header().Set("Location", r.URL.Query().Get("to"))
			w.WriteHeader(status)
		}
	}))
	l.t.Cleanup(server.Close)
	return server.URL
}

func (l *log) add(r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hops = append(l.hops, r.Method+" "+r.URL.Path+" "+ours.ReplaceAllString(string(body), "")+": "+l.verdict(r, string(body)))
}

var (
	ours    = regexp.MustCompile(`&?oauth_[a-z_]+=[^&]*`)
	nonceOf = regexp.MustCompile(`oauth_nonce="?(\w+)`)
)

// verdict signs what has come once more, with the nonce that it has.
func (l *log) verdict(r *http.Request, body string) string {
	sent := r.Header.Get("Authorization") + body
	if !strings.Contains(sent, "oauth_") {
		return "unsigned"
	}
	nonce := nonceOf.FindStringSubmatch(sent)[1]
	again := at(l.config, nonce, 7)
	p := prepare(l.t, r.Method, "http://"+r.Host+r.URL.String(), requests.Headers{{"Content-Type", r.Header.Get("Content-Type")}}, requests.Body(ours.ReplaceAllString(body, "")))
	sign(l.t, again, p)
	signed, _ := p.Body()
	switch {
	case p.Headers.Get("Authorization")+string(signed) != sent:
		return "wrong"
	case l.nonces[nonce]:
		return "used"
	}
	l.nonces[nonce] = true
	return "new"
}

// TestRedirects: a redirect within the origin is signed anew, and no other origin gets what was signed.
func TestRedirects(t *testing.T) {
	for _, c := range []struct {
		name, path                  string // HOME and OTHER stand for the origins
		inHeader, inBody, fromMount []string
	}{
		{"within the origin", "/307/?to=/b", []string{"POST /307/ a=b: new", "POST /b a=b: new"}, []string{"POST /307/ a=b: new", "POST /b a=b: new"}, []string{"POST /307/ a=b: new", "POST /b a=b: new"}},
		{"twice", "/308/?to=" + url.QueryEscape("/307/?to=/c"), []string{"POST /308/ a=b: new", "POST /307/ a=b: new", "POST /c a=b: new"}, []string{"POST /308/ a=b: new", "POST /307/ a=b: new", "POST /c a=b: new"}, []string{"POST /308/ a=b: new", "POST /307/ a=b: new", "POST /c a=b: new"}},
		{"to another one", "/307/?to=OTHER/x", []string{"POST /307/ a=b: new", "POST /x a=b: unsigned"}, []string{"POST /307/ a=b: new", "POST /x a=b: unsigned"}, []string{"POST /307/ a=b: new", "POST /x a=b: unsigned"}},
		{"and back", "/308/?to=OTHER" + url.QueryEscape("/307/?to=") + "HOME/y", []string{"POST /308/ a=b: new", "POST /307/ a=b: unsigned", "POST /y a=b: unsigned"}, []string{"POST /308/ a=b: new", "POST /307/ a=b: unsigned", "POST /y a=b: unsigned"}, []string{"POST /308/ a=b: new", "POST /307/ a=b: unsigned", "POST /y a=b: new"}},
		{"as a GET", "/303/?to=/g", []string{"POST /303/ a=b: new", "GET /g : new"}, []string{"POST /303/ a=b: new", "GET /g : unsigned"}, []string{"POST /303/ a=b: new"}},
	} {
		for _, way := range []struct {
			placement Placement
			mounted   bool
			want      []string
		}{{InHeader, false, c.inHeader}, {InBody, false, c.inBody}, {InBody, true, c.fromMount}} {
			l := &log{t: t, nonces: map[string]bool{}}
			l.config = at(Config{ConsumerKey: "key", ConsumerSecret: "secret", Placement: way.placement}, "", 7)
			l.config.Nonce = nil
			a, err := New(l.config)
			if err != nil {
				t.Fatal(err)
			}
			home, other := l.site(), l.site()
			s := requests.NewSession()
			s.TrustEnv = false
			if s.Auth = a; way.mounted {
				s.Auth = nil
				s.Mount(home, adapters.Authenticate(a)(requests.NewHTTPAdapter()))
			}
			path := strings.NewReplacer("HOME", home, "OTHER", other).Replace(c.path)
			if _, err := s.Post(t.Context(), home+path, requests.Form{{"a", "b"}}); err != nil && len(way.want) > 1 {
				t.Errorf("%s: %v", c.name, err)
			}
			if diff := cmp.Diff(way.want, l.hops); diff != "" {
				t.Errorf("%s, placement %d, mounted %v (-want +got)\n%s", c.name, way.placement, way.mounted, diff)
			}
			_ = s.Close()
		}
	}
}

// TestNext: what is not followed has the same next request.
func TestNext(t *testing.T) {
	for _, c := range []struct{ to, want string }{
		{"/b", "a=b&oauth_consumer_key"}, {"//h.test:80/", "a=b&oauth_consumer_key"}, {"http://other.test/", "a=b"}, {"//h.test:81/", "a=b"},
	} {
		a, err := New(Config{ConsumerKey: "key", Placement: InBody})
		if err != nil {
			t.Fatal(err)
		}
		s := requests.NewSession()
		s.Mount("http://", adapters.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", c.to)
			w.WriteHeader(307)
		})))
		r, err := s.Post(t.Context(), "http://h.test/", requests.Form{{"a", "b"}}, requests.Authenticate(a), requests.AllowRedirects(false))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := r.Next.Body()
		got, _, _ := strings.Cut(string(body), "=key")
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%q (-want +got)\n%s", c.to, diff)
		}
		_ = s.Close()
	}
}

// TestRoundTripper: what is signed goes out, or the caller is told.
func TestRoundTripper(t *testing.T) {
	for placement, want := range map[Placement]error{InHeader: nil, InQuery: requests.ErrInvalidArgument} {
		l := &log{t: t, nonces: map[string]bool{}}
		l.config = at(Config{ConsumerKey: "key", ConsumerSecret: "secret", Placement: placement}, "", 7)
		l.config.Nonce = nil
		a, err := New(l.config)
		if err != nil {
			t.Fatal(err)
		}
		s := requests.NewSession()
		s.TrustEnv, s.Auth = false, a
		client := &http.Client{Transport: s.RoundTripper()}
		resp, err := client.Get(l.site() + "/a?b=c")
		if !errors.Is(err, want) || err == nil && l.hops[0] != "GET /a : new" {
			t.Errorf("%d: %v, %q", placement, err, l.hops)
		}
		if err == nil {
			_ = resp.Body.Close()
		}
		_ = s.Close()
	}
}
