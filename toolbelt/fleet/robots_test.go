package fleet

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// TestRobotRules: RFC 9309 section 2.2, its examples and what servers have besides.
func TestRobotRules(t *testing.T) {
	tests := []struct{ name, text, agent, path, want string }{
		{"nothing", "", "bot", "/a", "true 0s"},
		{"all", "user-agent: *\ndisallow: /", "bot", "/a", "false 0s"},
		{"an empty rule", "User-agent: *\nDisallow:", "bot", "/a", "true 0s"},
		{"another's group", "user-agent: other\ndisallow: /", "bot", "/", "true 0s"},
		{"the own group", "user-agent: *\ndisallow: /\nuser-agent: BOT\nallow: /", "bot", "/a", "true 0s"},
		{"a longer name", "user-agent: bo\ndisallow: /", "bot", "/", "true 0s"},
		{"groups are one", "user-agent: bot\ndisallow: /a\n\nuser-agent: x\nuser-agent: bot\ndisallow: /b", "bot", "/b", "false 0s"},
		{"the longest", "user-agent: *\ndisallow: /a\nallow: /a/b", "bot", "/a/b/c", "true 0s"},
		{"as long", "user-agent: *\ndisallow: /a\nallow: /a", "bot", "/a", "true 0s"},
		{"a query", "user-agent: *\ndisallow: /*?q=", "bot", "/a?q=1", "false 0s"},
		{"an end", "user-agent: *\ndisallow: /*.gif$", "bot", "/a.gif", "false 0s"},
		{"not an end", "user-agent: *\ndisallow: /*.gif$", "bot", "/a.gif?", "false 0s"},
		{"behind an end", "user-agent: *\ndisallow: /*.gif$", "bot", "/a.gifs", "true 0s"},
		{"escapes", "user-agent: *\ndisallow: /%7Ea/\u00e9", "bot", "/~a/%C3%a9", "false 0s"},
		{"an escaped slash", "user-agent: *\ndisallow: /a%2fb", "bot", "/a/b", "true 0s"},
		{"bad lines", "disallow: /\nnonsense\n:\nuser-agent: bot # us\r\nsitemap: x\rdisallow: /a # there\x00", "bot", "/a", "false 0s"},
		{"no rule before an agent", "disallow: /\nuser-agent: x\nallow: /", "bot", "/", "true 0s"},
		{"a delay", "user-agent: bot\ncrawl-delay: 0.5\n", "bot", "/", "true 500ms"},
		{"bad delays", "user-agent: *\ncrawl-delay: 1e9\ncrawl-delay: -1\ncrawl-delay: NaN\ncrawl-delay: x", "bot", "/", "true 1h0m0s"},
		{"no agent", "user-agent: \ndisallow: /a\nuser-agent: *\ndisallow: /b", "", "/a", "true 0s"},
		{"a BOM", "\ufeffuser-agent: *\ndisallow: /", "bot", "/", "false 0s"},
	}
	for _, test := range tests {
		u, err := url.Parse("http://h.example" + test.path)
		if err != nil {
			t.Fatal(err)
		}
		rules := parseRobots(test.text)
		if got := fmt.Sprint(rules.allows(test.agent, u), " ", rules.delay(test.agent)); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

func TestProduct(t *testing.T) {
	for agent, want := range map[string]string{"bot/1.0 (+x)": "bot", "My-Bot_2": "My-Bot_2", "": "", "(x)": ""} {
		if got := product(agent); got != want {
			t.Errorf("%q: %q, want %q", agent, got, want)
		}
	}
}

func FuzzRobots(f *testing.F) {
	f.Add("user-agent: *\ndisallow: /*a*b$\nallow: /%C3", "/a%20b")
	f.Add("user-agent: \xe8", "0") // lower case is longer
	f.Fuzz(func(t *testing.T, text, path string) {
		rules := parseRobots(text)
		rules.allows("bot", &url.URL{Path: path})
		if once := normalPath(path); normalPath(once) != once {
			t.Errorf("%q: %q, then %q", path, once, normalPath(once))
		}
	})
}

// TestRobots: two members ask once, and what is refused is a result of its own kind.
func TestRobots(t *testing.T) {
	wiretest.NoLeak(t)
	o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			io.WriteString(w, "User-agent: crawler\nDisallow: /private\nUser-agent: *\nDisallow: /\n")
		}
	})
	one := open(t, Embedded(t.TempDir()))
	two := open(t, Connect(one.URL()))
	enqueue(t, one, slices.Values([]*requests.Request{{URL: o.URL + "/a"}, {URL: o.URL + "/b"}, {URL: o.URL + "/private/c"}}), 3)
	for _, f := range []*Fleet{one, two} {
		s := session(t)
		s.Headers.Set("User-Agent", "Crawler/1.0")
		s.Mount("http://", robotsOf(t, f)(requests.NewHTTPAdapter()))
		run(t, f, s)
		if _, err := s.Get(t.Context(), o.URL+"/private"); !errors.Is(err, ErrDisallowed) || !errors.Is(err, requests.ErrDenied) {
			t.Errorf("outside of Run: %v", err)
		}
		enqueue(t, f, slices.Values([]*requests.Request{{URL: o.URL + "/again"}}), map[*Fleet]int{one: 1}[f])
	}
	got := map[string]string{}
	for _, r := range results(t, one) {
		got[strings.TrimPrefix(r.URL, o.URL)] = fmt.Sprint(r.StatusCode, " ", r.Tries, " ", errors.Is(r.Err, ErrDisallowed), errors.Is(r.Err, requests.ErrDenied))
	}
	want := map[string]string{"/a": "200 1 false false", "/b": "200 1 false false", "/private/c": "0 1 true true", "/again": "200 1 false false"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	if n := o.counts()["GET /robots.txt 0"]; n != 1 || o.counts()["GET /private/c 0"] != 0 {
		t.Errorf("arrived: %v", o.counts())
	}
}

func robotsOf(t *testing.T, f *Fleet) requests.Wrapper {
	t.Helper()
	w, err := f.Robots(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestRobotsResponses: what a robots.txt allows that is not there (RFC 9309 section 2.3.1).
func TestRobotsResponses(t *testing.T) {
	wiretest.NoLeak(t)
	const closed = "User-agent: *\nDisallow: /\n"
	tests := map[string]struct {
		handle func(w http.ResponseWriter, r *http.Request)
		want   bool
	}{
		"404":        {func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(404) }, true},
		"403":        {func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(403) }, true},
		"503":        {func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) }, false},
		"cut off":    {func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) }, false},
		"a redirect": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/rules", http.StatusFound) }, false},
		"a loop":     {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/robots.txt", http.StatusFound) }, true},
		"elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", "file:///x")
			w.WriteHeader(302)
		}, false},
		"long": {func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, strings.Repeat("#", robotsSize)+"\n"+closed)
		}, true},
	}
	f := open(t, Embedded(t.TempDir()), SealWith(testKey))
	for name, test := range tests {
		o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/robots.txt":
				test.handle(w, r)
			case "/rules":
				io.WriteString(w, closed)
			}
		})
		s := session(t)
		s.Mount("http://", robotsOf(t, f)(requests.NewHTTPAdapter()))
		for range 2 {
			_, err := s.Get(t.Context(), o.URL+"/a")
			if allowed := err == nil; allowed != test.want || err != nil && !errors.Is(err, ErrDisallowed) {
				t.Errorf("%s: %v, want it to be allowed: %t", name, err, test.want)
			}
		}
		want := map[string]int{"GET /robots.txt 0": 1}
		if name == "a loop" {
			want["GET /robots.txt 0"] = robotsRedirects + 1
		}
		got := o.counts()
		delete(got, "GET /a 0")
		delete(got, "GET /rules 0")
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestCrawlDelay: members share the delay.
func TestCrawlDelay(t *testing.T) {
	o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			io.WriteString(w, "User-agent: *\nCrawl-delay: 3600\n")
		}
	})
	one := open(t, Embedded(t.TempDir()))
	two := open(t, Connect(one.URL()))
	for i, f := range []*Fleet{one, two} {
		s := session(t)
		s.Mount("http://", robotsOf(t, f)(requests.NewHTTPAdapter()))
		_, err := s.Get(t.Context(), o.URL+"/a", requests.Timeouts{Total: 60e9})
		if first := i == 0; first != (err == nil) || !first && !errors.Is(err, requests.ErrTotalTimeout) {
			t.Errorf("request %d: %v", i, err)
		}
	}
}
