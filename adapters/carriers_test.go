package adapters_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

// answer is what a test looks at of a response.
type answer struct {
	Status  int
	Type    string
	Content string
}

func ask(t *testing.T, a requests.Adapter, method, url string, headers ...[2]string) answer {
	t.Helper()
	s := requests.NewSession()
	s.Mount("", a)
	defer s.Close()
	r, err := s.Request(t.Context(), method, url, requests.Headers(headers), requests.AllowRedirects(false))
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	content, err := r.Content()
	if err != nil {
		t.Fatal(err)
	}
	return answer{r.StatusCode, r.Headers.Get("Content-Type"), string(content)}
}

func TestData(t *testing.T) {
	const plain = "text/plain;charset=US-ASCII"
	for url, want := range map[string]answer{
		"data:,Hello%2C%20World":                 {200, plain, "Hello, World"},
		"data:text/html;charset=utf-8,<p>%C3%BC": {200, "text/html;charset=utf-8", "<p>ü"},
		"data:;base64,aGk=":                      {200, plain, "hi"},
		"data:image/png;base64,aG%6B":            {200, "image/png", "hi"},
		"data:;BASE64,aGk":                       {200, plain, "hi"},
		"data:;base64,_-8":                       {200, plain, "\xff\xef"},
		"data:;charset=x,a#fragment":             {200, "text/plain;charset=x", "a"},
		"DATA:,a,b%zz%":                          {200, plain, "a,b%zz%"},
		"data:,":                                 {200, plain, ""},
	} {
		if diff := cmp.Diff(want, ask(t, adapters.Data(), "GET", url)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", url, diff)
		}
	}
	if diff := cmp.Diff(answer{200, plain, ""}, ask(t, adapters.Data(), "HEAD", "data:,x")); diff != "" {
		t.Errorf("HEAD (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(answer{405, "", ""}, ask(t, adapters.Data(), "POST", "data:,x")); diff != "" {
		t.Errorf("POST (-want +got)\n%s", diff)
	}
	for _, url := range []string{"data:", "data:text/plain", "data:;base64,a", "data:;base64,!!!!", "data:a%0d%0ab,x", "x:,a"} {
		if _, err := adapters.Data().Send(t.Context(), get(url), requests.SendOptions{}); !errors.Is(err, requests.ErrInvalidURL) {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	root := filepath.Join(dir, "root")
	for name, content := range map[string]string{"root/a b.txt": "text", "root/sub/p.html": "<p>", "root/index.html": "index", "secret": "secret", "root/empty": ""} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(content), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Symlink("../secret", filepath.Join(root, "out")), os.Symlink("sub/p.html", filepath.Join(root, "in.html"))); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	a := must[requests.Adapter](t)(adapters.File(root))
	const html, text = "text/html; charset=utf-8", "text/plain; charset=utf-8"
	for url, want := range map[string]answer{
		"file:///a%20b.txt":          {200, text, "text"},
		"file://localhost/a%20b.txt": {200, text, "text"},
		"file:///sub/p.html?q#f":     {200, html, "<p>"},
		"file:///index.html":         {200, html, "index"},
		"file:///in.html":            {200, html, "<p>"},
		"file:///empty":              {200, text, ""},
		"file:///none":               {404, text, "Not Found\n"},
		"file:///sub":                {403, text, "Forbidden\n"},
		"file:///":                   {403, text, "Forbidden\n"},
		"file:///out":                {403, text, "Forbidden\n"},
		"file:///../secret":          {403, text, "Forbidden\n"},
		"file:///sub/../../secret":   {403, text, "Forbidden\n"},
		"file:///%2e%2e/secret":      {403, text, "Forbidden\n"},
		"file:///..%2fsecret":        {403, text, "Forbidden\n"},
	} {
		got := ask(t, a, "GET", url)
		if diff := cmp.Diff(want, got); diff != "" && got.Status != 404 && strings.Contains(url, "..") || diff != "" && !strings.Contains(url, "..") {
			t.Errorf("%s (-want +got)\n%s", url, diff)
		}
		if strings.Contains(got.Content, "secret") {
			t.Errorf("%s leads out of the root", url)
		}
	}
	if diff := cmp.Diff(answer{206, text, "ex"}, ask(t, a, "GET", "file:///a%20b.txt", [2]string{"Range", "bytes=1-2"})); diff != "" {
		t.Errorf("range (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff(405, ask(t, a, "PUT", "file:///new").Status); diff != "" {
		t.Errorf("PUT (-want +got)\n%s", diff)
	}
	for _, url := range []string{"file://evil.test/a", "file:a"} {
		if _, err := a.Send(t.Context(), get(url), requests.SendOptions{}); !errors.Is(err, requests.ErrInvalidURL) {
			t.Errorf("%s: %v", url, err)
		}
	}
	for _, bad := range []string{filepath.Join(root, "none"), filepath.Join(root, "empty")} {
		if _, err := adapters.File(bad); !errors.Is(err, requests.ErrInvalidArgument) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// TestUnixSession asks over sockets named in the adapter and in the URL, letter case included.
func TestUnixSession(t *testing.T) {
	path := servedUnix(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s %s", r.Host, r.RequestURI)
	}))
	upper := filepath.Join(filepath.Dir(path), "Upper.Sock")
	if err := os.Rename(path, upper); err != nil {
		t.Fatal(err)
	}
	s := requests.NewSession()
	defer s.Close()
	s.Proxies = requests.Proxies{"all": "http://127.0.0.1:1"}
	s.Mount("http+unix://", adapters.UnixURLs())
	s.Mount("http://docker/", must[requests.Adapter](t)(adapters.Unix(upper)))
	escaped := "http+unix://" + strings.ReplaceAll(upper, "/", "%2F")
	for url, want := range map[string]string{
		"http://docker/v1.43/info?x=1": "docker /v1.43/info?x=1",
		escaped + "/v1.43/info?x=1":    "localhost /v1.43/info?x=1",
		escaped + "/":                  "localhost /",
	} {
		r, err := s.Get(t.Context(), url)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		text, _ := r.Text()
		if diff := cmp.Diff([2]string{want, url}, [2]string{text, r.URL}); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
	for _, bad := range []string{"", strings.Repeat("x", 200), "a\x00b"} {
		if _, err := adapters.Unix(bad); !errors.Is(err, requests.ErrInvalidArgument) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := s.Get(t.Context(), "http+unix:///x"); !errors.Is(err, requests.ErrInvalidURL) {
		t.Errorf("no socket: %v", err)
	}
}

// TestHandlerAsServer compares what a handler sees and what becomes of its reply with a real server.
func TestHandlerAsServer(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/sniffed":
			io.WriteString(w, "<html>")
		case "/long":
			io.WriteString(w, strings.Repeat("x", 5000))
		case "/typed":
			w.Header().Set("Content-Type", "a/b")
			w.WriteHeader(201)
		case "/trailer":
			w.Header().Set("Trailer", "X")
			io.WriteString(w, "x")
		case "/empty":
		case "/overrun":
			w.Header().Set("Content-Length", "3")
			for _, piece := range []string{"ab", "cd", "e"} {
				if n, err := io.WriteString(w, piece); (n == 2) != (err == nil) {
					t.Errorf("%s: %d, %v", piece, n, err)
				}
			}
		case "/nobody":
			w.WriteHeader(204)
			_, err := io.WriteString(w, "x")
			w.Header().Set("X-Late", fmt.Sprint(err))
		case "/seen":
			body, err := io.ReadAll(r.Body)
			fmt.Fprint(w, r.Method, r.RequestURI, r.URL, r.Proto, r.ContentLength, r.TransferEncoding, r.Header["X-A"], r.Header["Content-Length"], string(body), err, r.TLS != nil)
		}
	})
	server := served(t, handler)
	type seen struct {
		Status  int
		Headers requests.Headers
		Content string
	}
	look := func(a requests.Adapter, base, method, path string) seen {
		var body any
		if method == "POST" {
			body = "body"
		}
		p, err := (&requests.Request{Method: method, URL: base + path, Headers: requests.Headers{{"X-A", "1"}, {"X-A", "2"}}, Body: body}).Prepare()
		if err != nil {
			t.Fatal(err)
		}
		r, err := a.Send(t.Context(), p, requests.SendOptions{})
		if err != nil {
			t.Fatal(err)
		}
		content, err := r.Content()
		if err != nil {
			content = []byte("cut short")
		}
		r.Headers.Del("Date")
		return seen{r.StatusCode, sortedHeaders(r.Headers), string(content)}
	}
	real := requests.NewHTTPAdapter()
	defer real.Close()
	for _, path := range []string{"/sniffed", "/long", "/typed", "/empty", "/overrun", "/nobody", "/trailer", "/seen?a=%20&b"} {
		for _, method := range []string{"GET", "HEAD", "POST"} {
			want := look(real, server.URL, method, path)
			got := look(adapters.Handler(handler), "http://in.process", method, path)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s %s (-want +got)\n%s", method, path, diff)
			}
		}
	}
}

// TestHandlerContext: the handler's context ends with the client's interest, and its values are not the client's.
func TestHandlerContext(t *testing.T) {
	type key struct{}
	ended := make(chan bool, 1)
	a := adapters.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Context().Value(key{}) != nil {
			t.Error("the client's values reached the handler")
		}
		<-r.Context().Done()
		ended <- true
	}))
	ctx, cancel := context.WithTimeout(context.WithValue(t.Context(), key{}, 1), 10*time.Millisecond)
	defer cancel()
	if _, err := a.Send(ctx, get("http://h/"), requests.SendOptions{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	<-ended
}

func sortedHeaders(h requests.Headers) requests.Headers {
	h = h.Clone()
	slices.SortStableFunc(h, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	return h
}

// TestRoundTripperNamesNobody: where a request has no User-Agent, net/http does not name itself.
func TestRoundTripperNamesNobody(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%q", slices.Sorted(maps.Keys(r.Header)))
	}))
	defer server.Close()
	s := requests.NewSession()
	defer s.Close()
	s.Mount("http://", adapters.RoundTripper(&http.Transport{DisableKeepAlives: true}))
	r, err := s.Get(t.Context(), server.URL, requests.WithoutHeader("User-Agent"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := r.Text()
	if diff := cmp.Diff([]any{`["Accept" "Accept-Encoding" "Connection"]`, nil}, []any{text, err}); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
