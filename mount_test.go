package requests_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
)

// named is an adapter that can be told from others.
type named string

func (n named) Send(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
	return requests.NewResponse(p, 200, requests.Headers{{"X-Adapter", string(n)}}, nil), nil
}

func (n named) Close() error { return nil }

// TestMountLookup: the longest prefix wins, in any letter case; an old prefix is
// replaced in its place; the prefix is plain text, not a path.
func TestMountLookup(t *testing.T) {
	cases := []struct {
		name   string
		mounts []string
		url    string
		want   string // "" for ErrInvalidSchema
	}{
		{"scheme", []string{"http://", "https://"}, "http://h/", "http://"},
		{"longer", []string{"http://", "http://h/", "http://h/a"}, "http://h/abc", "http://h/a"},
		{"longer, mounted first", []string{"http://h/a", "http://h/", "http://"}, "http://h/abc", "http://h/a"},
		{"falls back", []string{"http://", "http://h/abc"}, "http://h/abd", "http://"},
		{"splits a label", []string{"http://h/abc", "http://h/ab", "http://h/axy"}, "http://h/abz", "http://h/ab"},
		{"case of the URL", []string{"http://h/a"}, "HTTP://H/A", "http://h/a"},
		{"case of the prefix", []string{"HTTP://H/"}, "http://h/x", "HTTP://H/"},
		{"first of two cases", []string{"http://h/", "HTTP://H/"}, "http://h/", "http://h/"},
		{"an address in octal", []string{"http://", "http://127.0.0.1/a"}, "http://0177.0.0.1/ab", "http://127.0.0.1/a"},
		{"an address in hexadecimal", []string{"http://", "http://127.0.0.1:8080/"}, "HTTP://u:p@0x7f.1:8080/", "http://127.0.0.1:8080/"},
		{"a number", []string{"https://", "https://127.0.0.1/"}, "https://2130706433/", "https://127.0.0.1/"},
		{"a short address", []string{"http://", "http://127.0.0.1"}, "http://127.1", "http://127.0.0.1"},
		{"a dot at its end", []string{"http://", "http://127.0.0.1/"}, "http://127.0.0.1./", "http://127.0.0.1/"},
		{"an old address mounted", []string{"http://", "http://0x7f.0.0.1/"}, "http://127.0.0.1/", "http://0x7f.0.0.1/"},
		{"a name of digits", []string{"http://", "http://1and1.test/"}, "http://1and1.test/", "http://1and1.test/"},
		{"everything", []string{""}, "gopher://x", ""},
		{"nothing fits", []string{"https://"}, "http://h/", ""},
		{"shorter than the prefix", []string{"http://h/abc"}, "http://h/", ""},
		{"not ASCII", []string{"http://h/é"}, "http://h/é1", "http://h/é"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := &requests.Session{}
			for _, prefix := range c.mounts {
				s.Mount(prefix, named(prefix))
			}
			got, err := s.Adapter(c.url)
			if c.name == "everything" {
				if err != nil {
					t.Fatal("the empty prefix carries every URL: ", err)
				}
				return
			}
			if c.want == "" {
				if !errors.Is(err, requests.ErrInvalidSchema) {
					t.Fatalf("got %v, %v", got, err)
				}
				return
			}
			if diff := cmp.Diff(named(c.want), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestMountBorders: what is mounted for a host is for that host, whatever a URL begins with.
// Policy.MountsAsRequests compares texts.
func TestMountBorders(t *testing.T) {
	cases := []struct{ prefix, url, want, asRequests string }{
		{"http://a.test", "http://a.test/x", "it", "it"},
		{"http://a.test", "http://a.test", "it", "it"},
		{"http://a.test", "HTTP://A.Test?q=1", "it", "it"},
		{"http://a.test", "http://a.test#f", "it", "it"},
		{"http://a.test", "http://a.test:8080/", "it", "it"},
		{"http://a.test:", "http://a.test:8080/", "it", "it"},
		{"http://a.test", "http://a.test@evil/", "", "it"},
		{"http://a.test", "http://a.test:x@evil/", "", "it"},
		{"http://a.test:80", "http://a.test:80@evil/", "", "it"},
		{"http://a.test", "http://a.test:@a.test.evil/", "", "it"},
		{"http://a.test", "http://a.test.evil/", "", "it"},
		{"http://a.test", "http://a.test-evil/", "", "it"},
		{"http://a.test", "http://a.test%2eevil/", "", "it"},
		{"http://a", "http://a.test/", "", "it"},
		{"http://a.test:80", "http://a.test:8080/", "", "it"},
		{"http://a.test:80", "http://a.test:80/x", "it", "it"},
		{"http://a.test/", "http://a.test:80/x", "it", ""},
		{"http://a.test/x", "http://a.test:080/x", "it", ""},
		{"http://a.test/x", "HTTP://u@a.test:/x", "it", ""},
		{"https://a.test/", "https://a.test:443", "", ""},
		{"https://a.test/", "https://a.test:443/", "it", ""},
		{"https://a.test:443/x", "https://a.test/x", "it", ""},
		{"https://a.test:443", "https://a.test", "it", ""},
		{"https://a.test:443/", "https://a.test:8443/", "", ""},
		{"https://a.test/", "https://a.test:80/", "", ""},
		{"https://[::1]/", "https://[::1]:443/", "it", ""},
		{"https://u:p@a.test:443/", "https://u:p@a.test/x", "it", ""},
		{"http://10.0.0.1", "http://10.0.0.10/", "", "it"},
		{"http://[::1]", "http://[::1]:8080/", "it", "it"},
		{"http://[::1", "http://[::1]/", "", "it"},
		{"http://[:", "http://[::1]/", "", "it"},
		{"http://[::1]:80", "http://[::1]:8080/", "", "it"},
		{"http://a.test", "http://u:p@a.test:1/x", "it", ""},
		{"http://a.test", "http://@a.test/", "it", ""},
		{"http://a.test/x", "http://u@a.test/xy", "it", ""},
		{"http://u:p@a.test", "http://u:p@a.test/", "it", "it"},
		{"http://u:p@a.test", "http://u:p@a.test.evil/", "", "it"},
		{"http://u:p@a.test", "http://a.test/", "", ""},
		{"http://u:p@", "http://u:p@evil/", "", "it"},
		{"http://u", "http://u@evil/", "", "it"},
		{"http", "http://evil/", "it", "it"},
		{"http://", "http://u@evil/", "it", "it"},
		{"", "http://evil/", "it", "it"},
		{"mailto:", "mailto:a@b", "it", "it"},
		{"data:a", "data:ab://c", "it", "it"},
		{"http+unix://%2Frun%2Fd.sock", "http+unix://%2Frun%2Fd.sock/x", "it", "it"},
		{"http+unix://%2Frun%2Fd.sock", "http+unix://%2Frun%2Fd.sock2/x", "", "it"},
	}
	for _, c := range cases {
		for _, policy := range []requests.Policy{{}, requests.PolicyRequests()} {
			want := c.want
			if policy.MountsAsRequests {
				want = c.asRequests
			}
			s := &requests.Session{Policy: policy}
			s.Mount(c.prefix, named("it"))
			a, _ := s.Adapter(c.url)
			if got, _ := a.(named); string(got) != want {
				t.Errorf("Mount(%q) and %q, as Requests %v: got %q, want %q", c.prefix, c.url, policy.MountsAsRequests, got, want)
			}
		}
	}
}

// TestMountedCredentials: a redirect to a host that merely looks like that of a mount does
// not get what the mount adds.
func TestMountedCredentials(t *testing.T) {
	for _, to := range []string{"http://api.test@evil.test/", "http://api.test:x@evil.test/", "http://api.test.evil.test/", "http://api.test:8@api.test.evil.test/"} {
		for _, caller := range []string{"Session", "http.Client"} {
			s := requests.NewSession()
			s.TrustEnv = false
			var got []string
			send := func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
				if p.URL == "http://a.test/" {
					return requests.NewResponse(p, 302, requests.Headers{{"Location", to}}, nil), nil
				}
				got = append(got, p.URL)
				return requests.NewResponse(p, 200, nil, nil), nil
			}
			s.Mount("http://", requests.AdapterFunc(send))
			s.Mount("http://api.test", requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
				t.Errorf("%s: the mount has got %s", caller, p.URL)
				return requests.NewResponse(p, 200, nil, nil), nil
			}))
			var err error
			if caller == "Session" {
				_, err = s.Get(t.Context(), "http://a.test/")
			} else {
				_, err = (&http.Client{Transport: s.RoundTripper()}).Get("http://a.test/")
			}
			if err != nil || len(got) != 1 {
				t.Errorf("%s to %s: %v, %v", caller, to, got, err)
			}
		}
	}
}

func TestMountReplacesInPlace(t *testing.T) {
	s := &requests.Session{}
	for _, prefix := range []string{"b://", "aa://", "c://"} {
		s.Mount(prefix, named(prefix))
	}
	s.Mount("b://", named("again"))
	got, _ := s.Adapter("b://x")
	if diff := cmp.Diff(named("again"), got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"aa://", "b://", "c://"}, s.Prefixes()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestMountWhileLooking mounts and looks up at the same time, for the race detector.
func TestMountWhileLooking(t *testing.T) {
	s := &requests.Session{}
	s.Mount("x://", named("x://"))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range 200 {
			s.Mount(fmt.Sprintf("x://%d/", i%17), named("other"))
		}
	}()
	for range 200 {
		if _, err := s.Adapter("x://nobody/"); err != nil {
			t.Error(err)
		}
	}
	<-done
}

// manyMounts is a session with 10,000 prefixes.
func manyMounts() *requests.Session {
	s := &requests.Session{}
	for i := range 10_000 {
		prefix := fmt.Sprintf("https://host%d.example.com/api/v%d/", i, i%7)
		s.Mount(prefix, named(prefix))
	}
	return s
}

// TestMountLookupAllocates: never, however many there are.
func TestMountLookupAllocates(t *testing.T) {
	s := manyMounts()
	n := testing.AllocsPerRun(100, func() {
		if _, err := s.Adapter("https://host7777.example.com/api/v0/users/1"); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkMountLookup(b *testing.B) {
	s := manyMounts()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Adapter("https://host7777.example.com/api/v0/users/1"); err != nil {
			b.Fatal(err)
		}
	}
}

// TestMountPanics: a prefix that no URL can have is a mistake of the program.
func TestMountPanics(t *testing.T) {
	for prefix, want := range map[string]bool{
		"API.test/": true, "api.test:8080/": true, "localhost:8080/": true, "/path": true, "127.0.0.1/": true, "//api.test/": true,
		"": false, "http": false, "https://": false, "HTTP://api.test/": false, "mailto:": false, "http+unix://": false,
	} {
		func() {
			defer func() {
				got := recover()
				if text := fmt.Sprint(got); (got != nil) != want || want && !strings.Contains(text, prefix) {
					t.Errorf("Mount(%q): %v", prefix, text)
				}
			}()
			new(requests.Session).Mount(prefix, named("x"))
		}()
	}
}

// TestMountNil: a nil adapter carries nothing, and is not named among those that could.
func TestMountNil(t *testing.T) {
	s := requests.NewSession()
	s.Mount("http://", nil)
	_, err := s.Adapter("http://h.test/")
	want := `no adapter is mounted for "http://h.test/", only for https://`
	if diff := cmp.Diff(want, fmt.Sprint(err)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
