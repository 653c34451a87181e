package requests_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// strict has the origins send a Strict-Transport-Security field.
func (s *site) strict(fields ...string) {
	s.answering(func(w http.ResponseWriter, _ *http.Request) { w.Header()["Strict-Transport-Security"] = fields })
}

// TestHSTSLanes: a host that has asked for https gets nothing else, from any caller, over
// any protocol and proxy, by redirects as well.
func TestHSTSLanes(t *testing.T) {
	// With prior knowledge of HTTP/2 in the clear, https is spoken without asking.
	eachLaneOf(t, func(l lane) bool { return !l.h2 || l.scheme == "https" }, func(t *testing.T, l lane) {
		s := l.session(t)
		s.HSTS = requests.NewHSTS()
		visit := func(urls ...string) []string {
			t.Helper()
			for _, url := range urls {
				if _, err := l.send(t.Context(), s, "GET", url, nil, nil); err != nil {
					t.Fatal(err)
				}
			}
			var got []string
			for _, r := range l.site.took() {
				// A proxy repeats the URL, and an http.Request's host is sent in the case it has.
				got = append(got, strings.ToLower(strings.Replace(r.at, ".:80", "", 1)))
			}
			return got
		}
		l.site.strict("max-age=1000; includeSubDomains")
		got := visit(l.at("example.com", "/0"), "http://example.com/1", "http://sub.example.com/2", "http://EXAMPLE.com.:80/3?a:80")
		s.HSTS = requests.NewHSTS()
		l.site.strict("max-age=1000")
		got = append(got, visit("https://example.com/4", "http://sub.example.com/5", chain(302, "http://other.test/6", "http://example.com/7"))...)
		l.site.strict("max-age=0")
		got = append(got, visit("https://example.com/8", "http://example.com/9")...)
		first := "http"
		if l.scheme == "https" {
			first = "https"
		}
		want := []string{l.at("example.com", "/0"), first + "://example.com/1", first + "://sub.example.com/2", first + "://example.com/3",
			"https://example.com/4", "http://sub.example.com/5", "http://other.test/6", "https://example.com/7", "https://example.com/8", "http://example.com/9"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

// learned reports whether a session over HTTPS believes these fields.
func learned(t *testing.T, l lane, edit func(*requests.Session), host string, fields ...string) bool {
	t.Helper()
	l.site.strict(fields...)
	s := l.session(t)
	s.HSTS = requests.NewHSTS()
	edit(s)
	if _, err := s.Get(t.Context(), "https://"+host+"/"); err != nil {
		t.Fatal(err)
	}
	p, err := s.Prepare(&requests.Request{URL: "http://" + host + "/"})
	if err != nil {
		t.Fatal(err)
	}
	return strings.HasPrefix(p.URL, "https:")
}

// TestHSTSFields: which fields count (RFC 6797 sections 6.1 and 8.1), and which connections.
func TestHSTSFields(t *testing.T) {
	l := lane{newSite(t), "direct", "https", false, "Session"}
	nothing := func(*requests.Session) {}
	for field, want := range map[string]bool{
		"max-age=1": true, `MAX-AGE="1"`: true, "max-age = 1": true, ";; max-age=1;": true, "max-age=1; preload": true, `max-age=1; x="a;b\";c"`: true, "includeSubDomains; max-age=1": true,
		"max-age=99999999999999999999999999": true, "max-age=0": false, "": false, "max-age": false, "max-age=": false, "max-age=-1": false, "max-age=1s": false, "max-age=1 2": false,
		"max-age=1; max-age=1": false, "max-age=1; includeSubDomains; includeSubDomains": false, "includeSubDomains": false, "max-age=1, max-age=1": false, "max age=1": false,
		"max-age=+1": false, "max-age=1.5": false, "x=max-age=1": false,
	} {
		if got := learned(t, l, nothing, "example.com", field); got != want {
			t.Errorf("%q: %v, want %v", field, got, want)
		}
	}
	const field = "max-age=1000"
	for name, got := range map[string]bool{
		"the first field counts": !learned(t, l, nothing, "example.com", field, "max-age=0"),
		"not a later one":        learned(t, l, nothing, "example.com", "x", field),
		"verification off":       learned(t, l, func(s *requests.Session) { s.Verify = requests.Verify(false) }, "example.com", field),
		"opt-in":                 learned(t, l, func(s *requests.Session) { s.HSTS = nil }, "example.com", field),
	} {
		if got {
			t.Error(name)
		}
	}
	address := wiretest.Start(t, wiretest.Config{TLS: wiretest.TestCA().Server(), Replies: []wiretest.Reply{wiretest.Text(200, "", [2]string{"Strict-Transport-Security", field})}})
	s := l.session(t)
	s.HSTS = requests.NewHSTS()
	if _, err := s.Get(t.Context(), address.URL("/")); err != nil {
		t.Fatal(err)
	}
	if p, err := s.Prepare(&requests.Request{URL: "http://127.0.0.1/"}); err != nil || p.URL != "http://127.0.0.1/" {
		t.Errorf("an address: %v, %v", p, err)
	}
}

// TestHSTSFile: hosts are saved and loaded, in curl's format, and a broken file adds nothing.
func TestHSTSFile(t *testing.T) {
	prepared := func(h *requests.HSTS) (got []string) {
		s := newSession(t)
		s.HSTS = h
		for _, u := range []string{"http://a.test/x", "http://sub.a.test/", "http://b.test:8080/?q#f", "http://sub.b.test/", "http://u:p@b.test:80", "http://b\u00fccher.test/", "http://test/", "https://a.test:80/", "http://xa.test/"} {
			p, err := s.Prepare(&requests.Request{URL: u})
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, p.URL)
		}
		return got
	}
	want := []string{"https://a.test/x", "https://sub.a.test/", "https://b.test:8080/?q#f", "http://sub.b.test/", "https://u:p@b.test/", "https://xn--bcher-kva.test/", "http://test/", "https://a.test:80/", "http://xa.test/"}
	h := requests.NewHSTS()
	file := wiretest.File(t, "hsts", []byte("# curl's\n.A.test. \"29991231 10:00:00\"\n\nb.test \"unlimited\"\nb\u00fccher.test \"29991231 10:00:00\"\r\ngone.test \"20001231 10:00:00\"\n"))
	if err := h.Load(file); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, prepared(h)); diff != "" {
		t.Errorf("loaded (-want +got)\n%s", diff)
	}
	saved := filepath.Join(t.TempDir(), "saved")
	again := requests.NewHSTS()
	if err := errors.Join(h.Save(saved), again.Load(saved)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, prepared(again)); diff != "" {
		t.Errorf("saved and loaded (-want +got)\n%s", diff)
	}
	if info, err := os.Stat(saved); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	for _, text := range []string{"a.test", "a.test \"soon\"", "127.0.0.1 \"unlimited\"", "[::1] \"unlimited\"", "a.test:80 \"unlimited\"", "u@a.test \"unlimited\"", "a.test/x \"unlimited\"", " \"unlimited\"", "\x00 \"unlimited\"", strings.Repeat("x", 70_000)} {
		broken := requests.NewHSTS()
		if err := broken.Load(wiretest.File(t, "broken", []byte("b.test \"unlimited\"\n"+text+"\n"))); !errors.Is(err, requests.ErrFile) {
			t.Errorf("%.40q: %v", text, err)
		}
		if got := prepared(broken)[2]; got != "http://b.test:8080/?q#f" {
			t.Errorf("%.40q: %s", text, got)
		}
	}
	for _, err := range []error{h.Load(filepath.Join(t.TempDir(), "none")), h.Save(filepath.Join(t.TempDir(), "no", "dir")), (*requests.HSTS)(nil).Load(file)} {
		if err == nil {
			t.Error("no error")
		}
	}
}

// TestHSTSBounds: servers, and a file, cannot make it hold hosts without end; used at once by many.
func TestHSTSBounds(t *testing.T) {
	line := func(i int) string { return fmt.Sprintf("h%d.test \"29991231 10:00:00\"\n", i) }
	lines := func(n int) []byte {
		var b bytes.Buffer
		for i := range n {
			io.WriteString(&b, line(i))
		}
		return b.Bytes()
	}
	for n, good := range map[int]bool{9_999: true, 10_000: true, 10_001: false} {
		if err := requests.NewHSTS().Load(wiretest.File(t, "hsts", lines(n))); (err == nil) != good {
			t.Errorf("%d hosts: %v", n, err)
		}
	}
	h := requests.NewHSTS()
	if err := h.Load(wiretest.File(t, "hsts", lines(10_000))); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if err := h.Load(wiretest.File(t, fmt.Sprint("more", i), []byte("more.test \"unlimited\"\n"+line(20_000+i)))); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	saved := filepath.Join(t.TempDir(), "saved")
	if err := h.Save(saved); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(saved)
	if n := bytes.Count(data, []byte("\n")); err != nil || n > 10_001 || n < 9_000 || !bytes.Contains(data, []byte("h20007.test ")) {
		t.Errorf("%d lines, %v", n, err)
	}
}

// TestHSTSDowngrade: a redirect from https to a host that has asked for https is not a step down,
// one that an http.Client follows to another host is, whatever the URL it was given.
func TestHSTSDowngrade(t *testing.T) {
	l := lane{newSite(t), "direct", "https", false, "http.Client"}
	s := l.session(t)
	s.HSTS = requests.NewHSTS()
	l.site.strict("max-age=1000")
	if _, err := s.Get(t.Context(), "https://example.com/"); err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]error{"http://example.com/b": nil, "http://other.test/b": requests.ErrRedirectDowngrade} {
		for _, caller := range []string{"Session", "http.Client", "toolbelt"} {
			l.caller = caller
			if _, err := l.send(t.Context(), s, "GET", "http://example.com/?next="+url.QueryEscape(target), nil, nil); !errors.Is(err, want) {
				t.Errorf("%s to %s: %v", caller, target, err)
			}
		}
	}
}
