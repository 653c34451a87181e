package requests_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
)

// TestPages: where a chain of pages leads, and how it ends.
func TestPages(t *testing.T) {
	asked := map[string]int{}
	s, url := serveText(t, func(w http.ResponseWriter, r *http.Request) {
		asked[r.URL.RequestURI()]++
		link := map[string]string{
			"/a?q=1": `<b?page=2>; rel="next"`, "/b?page=2": `</c/>; REL=Next, <x>; rel=prev`, "/c/": `<?page=3>; rel="last"`,
			"/round": `<round2>; rel=next`, "/round2": `<round>; rel=next`, "/self": `<>; rel=next`, "/fragment": `<#2>; rel=next`,
			"/gone": `<missing>; rel=next`, "/ftp": `<ftp://h.test/>; rel=next`, "/bad": `<http://[>; rel=next`,
		}[r.URL.RequestURI()]
		w.Header().Set("Link", link)
		if r.URL.Path == "/missing" {
			w.WriteHeader(http.StatusNotFound)
		}
		fmt.Fprint(w, r.URL.RequestURI())
	})
	s.Params = requests.Params{{"q", "1"}}
	for _, c := range []struct {
		first string
		only  bool // without the session's params
		want  []string
		ends  requests.Kind
	}{
		{"/a", false, []string{"/a?q=1", "/b?page=2", "/c/"}, 0},
		{"/c/", true, []string{"/c/"}, 0},
		{"/round", true, []string{"/round", "/round2"}, requests.ErrTooManyRedirects},
		{"/fragment", true, []string{"/fragment"}, requests.ErrTooManyRedirects},
		{"/self", true, []string{"/self"}, requests.ErrTooManyRedirects},
		{"/gone", true, []string{"/gone"}, requests.ErrHTTP},
		{"/missing", true, nil, requests.ErrHTTP},
		{"/ftp", true, []string{"/ftp"}, requests.ErrRedirectScheme},
		{"/bad", true, []string{"/bad"}, requests.ErrInvalidURL},
	} {
		for _, stream := range []bool{false, true} {
			options := []requests.Option{requests.Stream(stream)}
			if c.only {
				options = append(options, requests.WithoutParam("q"))
			}
			var got []string
			var ends error
			for r, err := range requests.Pages(t.Context(), s, url+c.first, options...) {
				if ends = err; err == nil {
					got = append(got, text(t, r))
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" || c.ends == 0 && ends != nil || c.ends != 0 && !errors.Is(ends, c.ends) {
				t.Errorf("%s: %v, want %v (-want +got)\n%s", c.first, ends, c.ends, diff)
			}
		}
	}
	want := map[string]int{"/a?q=1": 2, "/b?page=2": 2, "/c/": 4, "/round": 2, "/round2": 2, "/fragment": 2, "/self": 2, "/gone": 2, "/missing": 4, "/ftp": 2, "/bad": 2}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("asked for (-want +got)\n%s", diff)
	}
	if _, err := collected(requests.Pages(t.Context(), nil, url)); !errors.Is(err, requests.ErrInvalidArgument) {
		t.Errorf("without a session: %v", err)
	}
	if all, err := collected(requests.PagesBy(t.Context(), s, url, nil)); len(all) > 0 || !errors.Is(err, requests.ErrInvalidArgument) {
		t.Errorf("without a function: %v, %v", all, err)
	}
}

// TestPagesIfChanged: the validators are for the first page, and a 304 leads on to where the page led.
func TestPagesIfChanged(t *testing.T) {
	s, url := serveText(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"same"`)
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		if r.URL.Path == "/1" {
			w.Header().Set("Link", `</2>; rel=next`)
		}
		fmt.Fprint(w, "page ", r.URL.Path)
	})
	first, err := s.Get(t.Context(), url+"/1")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for r, err := range requests.Pages(t.Context(), s, url+"/1", requests.IfChanged(first)) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(r.StatusCode, " ", text(t, r)))
	}
	if diff := cmp.Diff([]string{"304 page /1", "200 page /2"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func text(t *testing.T, r *requests.Response) string {
	t.Helper()
	text, err := r.Text()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestPagesOrigins: what is meant for the origin of the first page does not reach another one,
// nor a third that is linked from there; the first gets it on each page.
func TestPagesOrigins(t *testing.T) {
	show := func(w http.ResponseWriter, r *http.Request) {
		c, _ := r.Cookie("call")
		fmt.Fprintf(w, "%v|%s|%s|%s|%v", r.URL, r.Header.Get("Authorization"), r.Header.Get("X-Api-Key"), r.Header.Get("Accept"), c)
	}
	var home string
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "<"+home+"/3>; rel=next")
		show(w, r)
	}))
	defer other.Close()
	s, url := serveText(t, func(w http.ResponseWriter, r *http.Request) {
		next := map[string]string{"/1": "/2", "/2": strings.Replace(other.URL, "127.0.0.1", "localhost", 1) + "/o"}[r.URL.Path]
		if next != "" {
			w.Header().Set("Link", "<"+next+">; rel=next")
		}
		show(w, r)
	})
	home = url
	s.Auth = requests.BearerAuth("t")
	s.Headers.Set("X-Api-Key", "k")
	var got []string
	for r, err := range requests.Pages(t.Context(), s, url+"/1", requests.Headers{{"Accept", "a/b"}}, requests.Cookies{{"call", "1"}}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, text(t, r))
	}
	want := []string{"/1|Bearer t|k|a/b|call=1", "/2|Bearer t|k|a/b|call=1", "/o|||a/b|", "/3|||a/b|call=1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestPagesBody: the body of a GET goes along from page to page, as it does from hop to hop.
func TestPagesBody(t *testing.T) {
	s, url := serveText(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/3" {
			w.Header().Set("Link", fmt.Sprintf("</%c?q=2>; rel=next", r.URL.Path[1]+1))
		}
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%v|%s|%s|%v", r.URL, body, r.Header.Get("Content-Type"), err)
	})
	var got []string
	for r, err := range requests.Pages(t.Context(), s, url+"/1", requests.JSON([]int{7}), requests.Params{{"q", "1"}}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, text(t, r))
	}
	want := []string{"/1?q=1|[7]|application/json|<nil>", "/2?q=2|[7]|application/json|<nil>", "/3?q=2|[7]|application/json|<nil>"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestPagesBy: a cursor in the body, an error of the function's, and a loop that is left or panics.
func TestPagesBy(t *testing.T) {
	s, url := serveText(t, func(w http.ResponseWriter, r *http.Request) {
		n := len(r.FormValue("cursor"))
		fmt.Fprintf(w, `{"n": %d, "next": %q}`, n, strings.Repeat("x", (n+1)%4))
	})
	type page struct {
		N    int
		Next string
	}
	broken := errors.New("broken")
	next := func(r *requests.Response) (string, error) {
		var p page
		if err := r.JSON(&p); err != nil || p.Next == "" {
			return "", err
		}
		return "?cursor=" + p.Next, nil
	}
	n := 0
	for r, err := range requests.PagesBy(t.Context(), s, url, next) {
		var p page
		if err != nil || r.JSON(&p) != nil || p.N != n {
			t.Fatalf("%v: %v, %v", n, p, err)
		}
		n++
	}
	if n != 4 {
		t.Errorf("%d pages", n)
	}
	fails := func(r *requests.Response) (string, error) { return "/", broken }
	if pages, err := collected(requests.PagesBy(t.Context(), s, url, fails)); err != broken || len(pages) != 1 {
		t.Errorf("%d pages, %v", len(pages), err)
	}
	var last *requests.Response
	func() {
		defer func() { _ = recover() }()
		for r := range requests.PagesBy(t.Context(), s, url, next, requests.Stream(true)) {
			last = r
			panic("mine")
		}
	}()
	if _, err := last.Content(); !errors.Is(err, requests.ErrStreamConsumed) {
		t.Errorf("after a panic: %v", err)
	}
}

// TestRaiseForStatusOfSession: a status from 400 on is an error of the call, with what the body
// says; others are not, and nothing is below an http.Client.
func TestRaiseForStatusOfSession(t *testing.T) {
	s, url := serveText(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", r.FormValue("type"))
		if r.FormValue("long") != "" {
			w.WriteHeader(500)
			fmt.Fprint(w, strings.Repeat("long ", 1000))
			return
		}
		var status int
		_, _ = fmt.Sscan(r.URL.Path[1:], &status)
		w.WriteHeader(status)
		fmt.Fprint(w, r.FormValue("body"))
	})
	s.RaiseForStatus = true
	for _, stream := range []bool{false, true} {
		for _, c := range []struct {
			path, body, contentType string
			snippet, ends           string
			problem                 *requests.Problem
		}{
			{"/404", "no such user", "text/plain", "no such user", `: "no such user"`, nil},
			{"/500", `{"password":"hunter2","a":1}`, "application/json", `{"password":"***","a":1}`, `1}"`, nil},
			{"/404", "", "", "", "404", nil},
			{"/422", `{"title":"No","detail":"too young","age":7}`, "Application/Problem+JSON; charset=utf-8", `{"title":"No","detail":"too young","age":7}`, ": No: too young",
				&requests.Problem{Type: "about:blank", Title: "No", Detail: "too young", Extensions: map[string]json.RawMessage{"age": json.RawMessage("7")}}},
			{"/422", `nope`, "application/problem+json", "nope", `"nope"`, nil},
		} {
			_, err := s.Get(t.Context(), url+c.path, requests.Params{{"body", c.body}, {"type", c.contentType}}, requests.Stream(stream))
			e, ok := errors.AsType[*requests.Error](err)
			if !ok || e.Kind != requests.ErrHTTP || e.Response == nil {
				t.Fatalf("%s: %v", c.path, err)
			}
			problem, _ := errors.AsType[*requests.Problem](err)
			if diff := cmp.Diff(c.problem, problem); diff != "" || e.Snippet != c.snippet || !strings.Contains(err.Error(), c.ends) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: %q, %v (-want +got)\n%s", c.body, e.Snippet, err, diff)
			}
			if content, err := e.Response.Content(); string(content) != c.body || err != nil {
				t.Errorf("%s: %q, %v", c.path, content, err)
			}
		}
		_, err := s.Get(t.Context(), url+"/500", requests.Params{{"long", "1"}}, requests.Stream(stream))
		if e, ok := errors.AsType[*requests.Error](err); !ok || len(e.Snippet) > 1<<10+4 || len(e.Snippet) < 1000 {
			t.Errorf("a long body: %v", err)
		}
		for _, path := range []string{"/200", "/204", "/304", "/600"} {
			if r, err := s.Get(t.Context(), url+path, requests.Stream(stream)); err != nil || r.Close() != nil {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
	req, _ := http.NewRequestWithContext(context.Background(), "GET", url+"/404", nil)
	if resp, err := (&http.Client{Transport: s.RoundTripper()}).Do(req); err != nil || resp.StatusCode != 404 || resp.Body.Close() != nil {
		t.Errorf("below an http.Client: %v", err)
	}
}
