package adaptertest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mountable/requests"
)

func testTarget(t *testing.T, s *suite) {
	a, base := s.open(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Seen", r.Method+" "+r.RequestURI)
		io.WriteString(w, r.Method+" "+r.RequestURI)
	})
	methods := []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"}
	if s.lacks(Methods) {
		methods = methods[:6]
	}
	for _, method := range methods {
		for _, target := range []string{"/", "/a/b", "/a%20b/%C3%BC", "/x?q=1&q=2&z=%2F%26", "/p?", "/s/?e="} {
			p := prepare(t, method, base+target)
			want := method + " " + strings.TrimSuffix(target, "?")
			r, content := fetch(t, a, p)
			seen := strings.TrimSuffix(r.Headers.Get("X-Seen"), "?")
			if seen != want || method != "HEAD" && strings.TrimSuffix(content, "?") != want || method == "HEAD" && content != "" {
				t.Errorf("%s %s: the server saw %q, the body is %q", method, target, seen, content)
			}
			if r.Request == nil || r.URL != p.URL || r.StatusCode != 200 || r.Proto == "" {
				t.Errorf("%s: request %v, URL %q, status %d, protocol %q", method, r.Request, r.URL, r.StatusCode, r.Proto)
			}
		}
	}
}

func testHeaders(t *testing.T, s *suite) {
	a, base := s.open(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header()["X-Many"] = []string{"1", "2"}
		fmt.Fprintf(w, "%q %q %q", r.Header["X-One"], r.Header["X-Two"], r.Header["X-Empty"])
	})
	p := prepare(t, "GET", base+"/")
	p.Headers = append(p.Headers, requests.Headers{{"X-One", "a, b"}, {"x-two", "1"}, {"X-Two", "2"}, {"X-Empty", ""}}...)
	r, content := fetch(t, a, p)
	if want := `["a, b"] ["1" "2"] [""]`; content != want {
		t.Errorf("the server saw %s, want %s", content, want)
	}
	if got := r.Headers.Values("x-many"); len(got) != 2 {
		t.Errorf("X-Many came as %q", got)
	}
}

func testHost(t *testing.T, s *suite) {
	a, base := s.open(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Host) })
	p := prepare(t, "GET", base+"/", requests.Headers{{"Host", "other.test"}})
	if _, content := fetch(t, a, p); content != "other.test" {
		t.Errorf("the server saw the host %q", content)
	}
}

// echo answers with the body it was sent.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("X-Length", fmt.Sprint(r.ContentLength))
	w.Write(body)
}

// unsized hides what a reader knows of its length.
type unsized struct{ io.Reader }

func testBodies(t *testing.T, s *suite) {
	a, base := s.open(t, echo)
	pieces := iter.Seq[[]byte](func(yield func([]byte) bool) {
		for _, piece := range []string{"pie", "", "ces"} {
			if !yield([]byte(piece)) {
				return
			}
		}
	})
	for name, c := range map[string]struct {
		body         any
		want, length string
	}{
		"none":     {nil, "", "0"},
		"bytes":    {[]byte("abc"), "abc", "3"},
		"text":     {"abc", "abc", "3"},
		"reader":   {strings.NewReader("reader"), "reader", "6"},
		"stream":   {unsized{strings.NewReader("stream")}, "stream", "-1 6"}, // a carrier may have to know
		"iterator": {pieces, "pieces", "-1 6"},
	} {
		r, content := fetch(t, a, prepare(t, "POST", base+"/", requests.Body(c.body)))
		if content != c.want || !slices.Contains(strings.Fields(c.length), r.Headers.Get("X-Length")) {
			t.Errorf("%s: the server saw %q of length %s", name, content, r.Headers.Get("X-Length"))
		}
	}
}

func testLongBodies(t *testing.T, s *suite) {
	a, base := s.open(t, echo)
	long := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	for name, body := range map[string]any{"bytes": long, "reader": bytes.NewReader(long), "stream": unsized{bytes.NewReader(long)}} {
		if _, content := fetch(t, a, prepare(t, "POST", base+"/", requests.Body(body))); content != string(long) {
			t.Errorf("%s: %d bytes came back of %d", name, len(content), len(long))
		}
	}
}

func testStatuses(t *testing.T, s *suite) {
	a, base := s.open(t, func(w http.ResponseWriter, r *http.Request) {
		var status int
		fmt.Sscanf(r.URL.Path, "/%d", &status)
		w.WriteHeader(status)
		if status != 204 && status != 304 {
			fmt.Fprint(w, "body of ", status)
		}
	})
	for _, status := range []int{200, 201, 204, 304, 400, 404, 418, 500, 503, 599} {
		r, content := fetch(t, a, prepare(t, "GET", fmt.Sprint(base, "/", status)))
		want := fmt.Sprint("body of ", status)
		if status == 204 || status == 304 {
			want = ""
		}
		if r.StatusCode != status || content != want {
			t.Errorf("%d: got %d with %q", status, r.StatusCode, content)
		}
	}
}

func testLeftToSession(t *testing.T, s *suite) {
	a, base := s.open(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Set-Cookie", "a=1")
		w.Header().Add("Set-Cookie", "b=2")
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(302)
		io.WriteString(w, r.Header.Get("Cookie"))
	})
	for range 2 {
		r, content := fetch(t, a, prepare(t, "GET", base+"/"))
		if r.StatusCode != 302 || r.Headers.Get("Location") != "/elsewhere" || len(r.History) != 0 {
			t.Errorf("status %d, Location %q, history %v", r.StatusCode, r.Headers.Get("Location"), r.History)
		}
		if got := r.Headers.Values("Set-Cookie"); len(got) != 2 || content != "" {
			t.Errorf("Set-Cookie came as %q; the cookies sent are %q", got, content)
		}
	}
}

func testCoding(t *testing.T, s *suite) {
	a, base := s.open(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			io.WriteString(w, "plain")
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		io.WriteString(z, "squeezed")
		z.Close()
	})
	accept := requests.Headers{{"Accept-Encoding", "gzip"}}
	r, content := fetch(t, a, prepare(t, "GET", base+"/", accept))
	if content != "squeezed" || r.Headers.Get("Content-Encoding") != "gzip" {
		t.Errorf("the content is %q, in %q", content, r.Headers.Get("Content-Encoding"))
	}
	r, err := a.Send(t.Context(), prepare(t, "GET", base+"/", accept), requests.SendOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if raw, err := io.ReadAll(r.Raw); err != nil || !bytes.HasPrefix(raw, []byte{0x1f, 0x8b}) {
		t.Errorf("Raw is %q, %v: expected gzip", raw, err)
	}
	if _, content := fetch(t, a, prepare(t, "GET", base+"/")); content != "plain" {
		t.Errorf("without Accept-Encoding the content is %q", content)
	}
}

func testUnchanged(t *testing.T, s *suite) {
	a, base := s.open(t, echo)
	p := prepare(t, "POST", base+"/?a=b", requests.Headers{{"x-lower", "1"}, {"Accept", "*/*"}}, requests.Body("body"))
	before := fmt.Sprint(p.Method, p.URL, p.Headers, p.ContentLength())
	fetch(t, a, p)
	if after := fmt.Sprint(p.Method, p.URL, p.Headers, p.ContentLength()); after != before {
		t.Errorf("before: %s\nafter:  %s", before, after)
	}
}

func testAgain(t *testing.T, s *suite) {
	a, base := s.open(t, echo)
	for name, body := range map[string]any{"bytes": "again", "reader": strings.NewReader("again")} {
		p := prepare(t, "PUT", base+"/", requests.Body(body))
		for i := range 3 {
			if _, content := fetch(t, a, p); content != "again" {
				t.Errorf("%s, time %d: %q", name, i+1, content)
			}
			if err := p.Rewind(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func testConcurrent(t *testing.T, s *suite) {
	a, base := s.open(t, echo)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			for j := range 5 {
				want := strings.Repeat(fmt.Sprint(i, ".", j, " "), 300)
				r, err := a.Send(t.Context(), prepare(t, "POST", base+"/", requests.Body(want)), requests.SendOptions{})
				if err != nil {
					t.Error(err)
					return
				}
				if content, err := r.Content(); err != nil || string(content) != want {
					t.Errorf("%d.%d: %q, %v", i, j, content, err)
				}
				r.Close()
			}
		})
	}
	wg.Wait()
}
