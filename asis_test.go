package requests_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
)

// TestAsIs: path and query reach the server, or a proxy, as they are written; what a redirect leads to does not.
func TestAsIs(t *testing.T) {
	targets := map[string]string{
		"/a/../b": "/a/../b", "/a/./%2e%2E//b": "/a/./%2e%2E//b", "/%7Euser?q=[1]|{x}": "/%7Euser?q=[1]|{x}", "/é?ü": "/é?ü",
		"": "/", "?": "/?", "?q=a#f": "/?q=a", "//x/../y?": "//x/../y?", "/x/../go": "/there", "/\"<>^`\\": "/\"<>^`\\",
	}
	// AsIs is an option of a call; TestAsIsForwarded is about what a proxy gets.
	eachLaneOf(t, func(l lane) bool { return l.bySession() && !l.forwarded() }, func(t *testing.T, l lane) {
		l.site.answering(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.RequestURI, "/go") {
				http.Redirect(w, r, "/b/../there", http.StatusFound)
			}
			io.WriteString(w, r.RequestURI)
		})
		s := l.session(t)
		s.Params = requests.Params{{"session", "1"}}
		got := map[string]string{}
		for written := range targets {
			got[written] = text(t, must(s.Get(t.Context(), "", requests.AsIs(l.at("example.com", written)))))
		}
		if diff := cmp.Diff(targets, got); diff != "" {
			t.Errorf("targets (-want +got):\n%s", diff)
		}
	})
}

// TestAsIsForwarded: a proxy that forwards gets them behind the origin.
func TestAsIsForwarded(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.RequestURI) }))
	defer proxy.Close()
	s := requests.NewSession()
	defer s.Close()
	s.Proxies = requests.Proxies{"http": proxy.URL}
	got := text(t, must(s.Get(t.Context(), "", requests.AsIs("http://u:p@H.test:80/a/../é?\"#f"))))
	if want := "http://h.test:80/a/../é?\""; got != want {
		t.Errorf("target %s, want %s", got, want)
	}
}

// TestAsIsHolds: the target is that of the URL it was given with, of no other.
func TestAsIsHolds(t *testing.T) {
	s := requests.NewSession()
	prepare := func(options ...requests.Option) (*requests.PreparedRequest, error) {
		r := &requests.Request{}
		for _, o := range options {
			if err := o.Apply(r); err != nil {
				return nil, err
			}
		}
		return s.Prepare(r)
	}
	p := must(prepare(requests.AsIs("http://User@H.test:80/a/../b?q=[]")))
	edited := p.Clone()
	edited.URL = "http://h.test/other"
	got := []string{p.URL, p.Target(), p.Clone().Target(), edited.Target()}
	want := []string{"http://User@h.test:80/b?q=%5B%5D", "/a/../b?q=[]", "/a/../b?q=[]", "/other"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for url, kind := range map[string]error{
		"http://h/a b": requests.ErrInvalidURL, "http://h/a\nb": requests.ErrInvalidURL, "http://h/?\x7f": requests.ErrInvalidURL,
		"/relative": requests.ErrMissingSchema, "": requests.ErrMissingSchema, "http:///x": requests.ErrInvalidURL, "ftp:x": requests.ErrInvalidURL,
	} {
		if _, err := prepare(requests.AsIs(url)); !errors.Is(err, kind) {
			t.Errorf("%q: %v, want %v", url, err, kind)
		}
	}
	s.BaseURL = "http://h.test/"
	if p, err := prepare(requests.AsIs("/a?u=http://b.test/c")); !errors.Is(err, requests.ErrInvalidURL) {
		t.Errorf("relative: %v, %v", p, err)
	}
	if _, err := prepare(requests.AsIs("http://h/"), requests.Params{{"a", "b"}}); !errors.Is(err, requests.ErrInvalidArgument) {
		t.Errorf("with Params: %v", err)
	}
}

// TestAsIsProxyCredentials: a proxy's credentials are made for the target that it gets.
func TestAsIsProxyCredentials(t *testing.T) {
	r := &requests.Request{}
	if err := requests.AsIs("http://h.test/a/../b").Apply(r); err != nil {
		t.Fatal(err)
	}
	p := must(r.Prepare())
	p.SetProxyCredentials(targetCredentials{})
	if got := must(p.ProxyAuthorization("http://p.test:80")); got != "/a/../b" {
		t.Errorf("for %s", got)
	}
}

type targetCredentials struct{}

func (targetCredentials) ProxyAuthorization(_ string, _ *requests.PreparedRequest, target string) (string, error) {
	return target, nil
}

func (targetCredentials) ProxyChallenge(string, *requests.Response) (bool, error) { return false, nil }

// TestCurlPathAsIs: the flags of curl about the path and about redirects.
func TestCurlPathAsIs(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "/")
		w.WriteHeader(http.StatusFound)
		io.WriteString(w, r.RequestURI)
	}))
	defer server.Close()
	s := requests.NewSession()
	defer s.Close()
	r := must(requests.FromCurl("curl --path-as-is " + server.URL + "/a/../b"))
	if got := text(t, must(s.Do(t.Context(), r))); got != "/a/../b" {
		t.Errorf("target %s", got)
	}
	r = must(requests.FromCurl("curl -L --max-redirs 3 " + server.URL))
	var e *requests.Error
	if _, err := s.Do(t.Context(), r); !errors.Is(err, requests.ErrTooManyRedirects) || !errors.As(err, &e) || len(e.Response.History) != 3 {
		t.Errorf("%v", err)
	}
	for _, command := range []string{"curl --max-redirs x http://h/", "curl --max-redirs"} {
		if _, err := requests.FromCurl(command); !errors.Is(err, requests.ErrInvalidArgument) {
			t.Errorf("%s: %v", command, err)
		}
	}
	if r := must(requests.FromCurl("curl -L --max-redirs -1 http://h/")); r.Send.Redirects != requests.On {
		t.Errorf("%+v", r.Send)
	}
}
