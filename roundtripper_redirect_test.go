package requests_test

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
)

// TestRule03RoundTripperRedirects: redirects that an http.Client follows over a session
// get neither the session's auth nor its own headers on another origin, and coming back
// does not bring them back (rules 1 to 4).
func TestRule03RoundTripperRedirects(t *testing.T) {
	var seen []string
	var home, away *httptest.Server
	serve := func(name string, steps map[string]func() string) *httptest.Server {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _, auth := r.BasicAuth()
			seen = append(seen, fmt.Sprintf("%s%s auth=%t key=%s agent=%t own=%s", name, r.URL, auth, r.Header.Get("X-Api-Key"), r.UserAgent() != "", r.Header.Get("X-Own")))
			if to := steps[r.URL.Path]; to != nil {
				http.Redirect(w, r, to(), http.StatusFound)
			}
		}))
		t.Cleanup(server.Close)
		return server
	}
	home = serve("home", map[string]func() string{"/": func() string { return "/same" }, "/same": func() string { return away.URL + "/" }})
	away = serve("away", map[string]func() string{"/": func() string { return home.URL + "/back" }})
	s := requests.NewSession()
	defer s.Close()
	s.Auth, s.Params = requests.BasicAuth("ada", "secret"), requests.Params{{"team", "x"}}
	s.Headers.Set("X-Api-Key", "k")
	client := &http.Client{Transport: s.RoundTripper()}
	req, _ := http.NewRequestWithContext(t.Context(), "GET", home.URL+"/", nil)
	req.Header.Set("X-Own", "o")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	want := []string{
		"home/?team=x auth=true key=k agent=true own=o",
		"home/same auth=true key=k agent=true own=o",
		"away/ auth=false key= agent=true own=",
		"home/back auth=false key= agent=true own=",
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestRule01SessionHeaders: Authorization and Cookie among the session's headers go no further than those of a request where
// an http.Client follows redirects over the session, whatever the policy of headers. What CheckRedirect sets is for the target.
func TestRule01SessionHeaders(t *testing.T) {
	for _, policy := range []requests.Policy{{}, {KeepCrossOriginHeaders: true}} {
		var seen []string
		var to []string
		serve := func(name string) *httptest.Server {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				seen = append(seen, fmt.Sprintf("%s auth=%s cookie=%s accept=%s", name, r.Header.Get("Authorization"), r.Header.Get("Cookie"), r.Header.Get("Accept")))
				if len(to) > 0 {
					next := to[0]
					to = to[1:]
					http.Redirect(w, r, next, http.StatusFound)
				}
			}))
			t.Cleanup(server.Close)
			return server
		}
		home, away := serve("home"), serve("away")
		to = []string{"/same", away.URL, "/own", home.URL}
		s := requests.NewSession()
		defer s.Close()
		s.Policy = policy
		s.Headers.Set("AUTHORIZATION", "secret")
		s.Headers.Set("cookie", "c=secret")
		s.Headers.Set("Accept", "x/y")
		client := &http.Client{Transport: s.RoundTripper(), CheckRedirect: func(req *http.Request, _ []*http.Request) error {
			req.Header.Del("Authorization")
			if req.URL.Path == "/own" {
				req.Header.Set("Authorization", "own")
			}
			return nil
		}}
		resp, err := client.Get(home.URL)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		want := []string{
			"home auth=secret cookie=c=secret accept=x/y",
			"home auth=secret cookie=c=secret accept=x/y",
			"away auth= cookie= accept=x/y",
			"away auth=own cookie= accept=x/y",
			"home auth= cookie= accept=x/y",
		}
		if diff := cmp.Diff(want, seen); diff != "" {
			t.Errorf("%+v (-want +got)\n%s", policy.KeepCrossOriginHeaders, diff)
		}
	}
}

// TestRoundTripperCookies: each cookie goes out once, whether the client has a jar,
// the session has, or both.
func TestRoundTripperCookies(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/set" {
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "1", Path: "/"})
			return
		}
		fmt.Fprint(w, r.Header.Get("Cookie"))
	}))
	defer server.Close()
	for _, jars := range []string{"client", "session", "both", "none"} {
		s := requests.NewSession()
		client := &http.Client{Transport: s.RoundTripper()}
		if jars == "client" || jars == "none" {
			s.Cookies = nil
		}
		if jars == "client" || jars == "both" {
			client.Jar, _ = cookiejar.New(nil)
		}
		var got string
		for _, path := range []string{"/set", "/show"} {
			resp, err := client.Get(server.URL + path)
			if err != nil {
				t.Fatal(err)
			}
			var body [100]byte
			n, _ := resp.Body.Read(body[:])
			got = string(body[:n])
			resp.Body.Close()
		}
		want := map[string]string{"client": "a=1", "session": "a=1", "both": "a=1", "none": ""}[jars]
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", jars, diff)
		}
		s.Close()
	}
}
