package nethttp

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests/internal/wiretest"
)

func TestMain(m *testing.M) { wiretest.Main(m) }

// TestTarget: the target of the request line, and the URL that decides where a request goes.
func TestTarget(t *testing.T) {
	for _, c := range []struct {
		method string
		url    url.URL
		host   string
		target string
		plain  string
	}{
		{"GET", url.URL{Scheme: "http", Host: "h.test"}, "", "/", "http://h.test"},
		{"GET", url.URL{Scheme: "http", Host: "h.test", Path: "/a b", RawQuery: "q=%zz"}, "", "/a%20b?q=%zz", "http://h.test/a%20b?q=%zz"},
		{"GET", url.URL{Scheme: "http", Host: "h.test", Path: "/a/b", RawPath: "/a%2fb"}, "", "/a%2fb", "http://h.test/a%2fb"},
		{"OPTIONS", url.URL{Scheme: "http", Host: "h.test", Path: "*"}, "", "*", "http://h.test/"},
		{"GET", url.URL{Scheme: "http", Host: "h.test", Opaque: "//h.test/%2f"}, "", "http://h.test/%2f", "http://h.test/"},
		{"CONNECT", url.URL{Scheme: "http", Host: "h.test:443"}, "", "h.test:443", "http://h.test:443"},
		{"CONNECT", url.URL{Scheme: "http", Host: "h.test:443"}, "o.test:1", "o.test:1", "http://h.test:443"},
		{"CONNECT", url.URL{Scheme: "http", Host: "h.test:443", Opaque: "p.test:2"}, "o.test:1", "p.test:2", "http://h.test:443/"},
	} {
		got := []string{Target(&http.Request{Method: c.method, URL: &c.url, Host: c.host}, Text(PlainURL(&c.url))), Text(PlainURL(&c.url))}
		if diff := cmp.Diff([]string{c.target, c.plain}, got); diff != "" {
			t.Errorf("%s %v (-want +got)\n%s", c.method, &c.url, diff)
		}
	}
}

// TestText: a host that is not ASCII is written as it is looked up.
func TestText(t *testing.T) {
	for host, want := range map[string]string{"h.test": "http://h.test/x", "bücher.test": "http://xn--bcher-kva.test/x", "bücher.test:8080": "http://xn--bcher-kva.test:8080/x"} {
		if got := Text(&url.URL{Scheme: "http", Host: host, Path: "/x"}); got != want {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
}

// TestFields: names are sorted, values trimmed, and what the http.Request says itself is not
// taken from its Header.
func TestFields(t *testing.T) {
	req := &http.Request{
		URL: &url.URL{Scheme: "http", Host: "h.test"}, Host: "other.test", Close: true,
		Header:  http.Header{"X-B": {" 1 ", "2\t"}, "X-A": {"3"}, "Host": {"x"}, "Content-Length": {"9"}, "Transfer-Encoding": {"x"}, "Trailer": {"x"}, "User-Agent": {}},
		Trailer: http.Header{"X-Sum": {"1"}, "X-End": {"2"}},
	}
	want := [][2]string{{"Host", "other.test"}, {"Connection", "close"}, {"User-Agent", ""}, {"X-A", "3"}, {"X-B", "1"}, {"X-B", "2"}, {"Trailer", "X-End, X-Sum"}}
	if diff := cmp.Diff(want, Fields(nil, req)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	trailers := Trailers[[][2]string](req)
	req.Trailer["X-Sum"] = []string{"3"} // while the body is read
	if diff := cmp.Diff([][2]string{{"X-End", "2"}, {"X-Sum", "3"}}, trailers()); diff != "" {
		t.Errorf("trailers (-want +got)\n%s", diff)
	}
	if Trailers[[][2]string](&http.Request{}) != nil {
		t.Error("trailers that nobody has announced")
	}
}

// TestHeader: names in net/http's form, all values of a name in their order, and a value that grows in the caller's
// hands does not reach the next.
func TestHeader(t *testing.T) {
	got := Header([][2]string{{"set-cookie", "a=1"}, {"X-ONE", " v\t"}, {"Set-Cookie", "b=2"}, {"SET-COOKIE", "c=3"}})
	got["X-One"] = append(got["X-One"], "more")
	want := http.Header{"Set-Cookie": {"a=1", "b=2", "c=3"}, "X-One": {"v", "more"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
}

// TestFrame: what becomes of the fields about framing, and whether the connection ends.
func TestFrame(t *testing.T) {
	type framed struct {
		Encoding []string
		Trailer  http.Header
		Close    bool
		Header   http.Header
	}
	for name, c := range map[string]struct {
		minor   int
		status  int
		length  int64
		chunked bool
		header  http.Header
		want    framed
	}{
		"length":                    {1, 200, 3, false, http.Header{"Content-Length": {"3"}}, framed{Header: http.Header{"Content-Length": {"3"}}}},
		"chunked":                   {1, 200, -1, true, http.Header{"Transfer-Encoding": {"chunked"}, "Trailer": {"x-a, X-B"}}, framed{Encoding: []string{"chunked"}, Trailer: http.Header{"X-A": nil, "X-B": nil}, Header: http.Header{}}},
		"until close":               {1, 200, -1, false, http.Header{}, framed{Close: true, Header: http.Header{}}},
		"switching protocols":       {1, 101, -1, false, http.Header{}, framed{Header: http.Header{}}},
		"close":                     {1, 200, 0, false, http.Header{"Connection": {"x, Close"}}, framed{Close: true, Header: http.Header{}}},
		"HTTP/1.0":                  {0, 200, 0, false, http.Header{}, framed{Close: true, Header: http.Header{}}},
		"HTTP/1.0 that keeps alive": {0, 200, 0, false, http.Header{"Connection": {"keep-alive"}}, framed{Header: http.Header{"Connection": {"keep-alive"}}}},
	} {
		resp := &http.Response{ProtoMajor: 1, ProtoMinor: c.minor, StatusCode: c.status, ContentLength: c.length, Header: c.header, Request: &http.Request{Method: "GET"}}
		Frame(resp, c.chunked)
		if diff := cmp.Diff(c.want, framed{resp.TransferEncoding, resp.Trailer, resp.Close, resp.Header}); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
	for text, want := range map[string]int64{"": -1, "0": 0, "12": 12, "-1": -1, "x": -1, "1, 1": -1} {
		if got := AnnouncedLength(http.Header{"Content-Length": {text}}); got != want {
			t.Errorf("Content-Length %q: %d, want %d", text, got, want)
		}
	}
}

// closer counts how often it is closed.
type closer struct {
	io.Reader
	closed int
}

func (c *closer) Close() error { c.closed++; return nil }

func begun(req *http.Request) *Transit {
	x := new(Transit)
	x.Begin(req)
	return x
}

// TestTransit: a request's body is closed once: at its end, when its upload ends, or with the
// transit; and begins again with GetBody.
func TestTransit(t *testing.T) {
	for name, use := range map[string]func(x *Transit){
		"read to its end":  func(x *Transit) { _, _ = io.Copy(io.Discard, &httpBody{x.Request.Body, x}); x.End() },
		"its upload ends":  func(x *Transit) { x.EndUpload(); x.End() },
		"the transit ends": func(x *Transit) { x.End(); x.End() },
		"it begins again":  func(x *Transit) { b := &httpBody{x.Request.Body, x}; _ = b.rewind(); x.End() },
		"it cannot any more": func(x *Transit) {
			x.Request.GetBody = func() (io.ReadCloser, error) { return nil, io.ErrClosedPipe }
			b := &httpBody{x.Request.Body, x}
			_ = b.rewind()
			x.End()
		},
	} {
		first, second := &closer{Reader: strings.NewReader("abc")}, &closer{Reader: strings.NewReader("abc")}
		req, err := http.NewRequestWithContext(t.Context(), "POST", "http://h.test/", first)
		if err != nil {
			t.Fatal(err)
		}
		req.GetBody = func() (io.ReadCloser, error) { return second, nil }
		use(begun(req))
		if first.closed != 1 || second.closed > 1 || strings.Contains(name, "again") != (second.closed == 1) {
			t.Errorf("%s: closed %d and %d times", name, first.closed, second.closed)
		}
	}
}

// TestLength: what is announced of a request's body.
func TestLength(t *testing.T) {
	for _, c := range []struct {
		length   int64
		encoding []string
		want     int64
	}{{3, nil, 3}, {0, nil, -1}, {-1, nil, -1}, {3, []string{"chunked"}, -1}, {3, []string{"identity"}, 3}} {
		x := &Transit{Request: &http.Request{ContentLength: c.length, TransferEncoding: c.encoding}}
		if got := (&httpBody{nil, x}).length(); got != c.want {
			t.Errorf("%d, %v: %d, want %d", c.length, c.encoding, got, c.want)
		}
	}
	for _, none := range []io.ReadCloser{nil, http.NoBody} {
		if begun(&http.Request{Body: none}).Body() != nil {
			t.Errorf("%v is a body", none)
		}
	}
}

// TestFile: a file is found as it is and in what io.NopCloser returns, and in nothing else.
func TestFile(t *testing.T) {
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	type wrapped struct{ io.ReadCloser }
	for what, c := range map[string]struct {
		body io.ReadCloser
		want *os.File
	}{
		"a file":                      {f, f},
		"kept open":                   {io.NopCloser(f), f},
		"a part, kept open":           {io.NopCloser(io.LimitReader(f, 1)), nil},
		"another reader kept open":    {io.NopCloser(strings.NewReader("a")), nil},
		"nothing, kept open":          {io.NopCloser(nil), nil},
		"wrapped by the caller":       {wrapped{f}, nil},
		"kept open and wrapped again": {wrapped{io.NopCloser(f)}, nil},
	} {
		if got := (&httpBody{Reader: c.body}).File(); got != c.want {
			t.Errorf("%s: %v, want %v", what, got, c.want)
		}
	}
}

// TestCancel: Request.Cancel ends the context, as programs know it.
func TestCancel(t *testing.T) {
	cancel := make(chan struct{})
	req := (&http.Request{}).WithContext(t.Context())
	//lint:ignore SA1019 the contract still has it
	req.Cancel = cancel
	x := begun(req)
	close(cancel)
	<-x.Context.Done()
	if cause := context.Cause(x.Context); cause == nil || cause.Error() != "net/http: request canceled" {
		t.Error(cause)
	}
	x.End()
}

// read is a response's body as a test plays it.
type read struct {
	io.Reader
	closed, stopped int
}

func (r *read) Close() error          { r.closed++; return nil }
func (r *read) Stop() error           { r.stopped++; return nil }
func (r *read) Trailers() [][2]string { return [][2]string{{"x-sum", "1"}} }
func (r *read) Bare(err error) error  { return errors.Unwrap(err) }

// TestBody is the table at Body: reading and closing.
func TestBody(t *testing.T) {
	body := func(r io.Reader) (*Body, *read, *http.Response, *closer) {
		source, resp, upload := &read{Reader: r}, &http.Response{}, &closer{}
		b := new(Body)
		b.Begin(source, resp, begun(&http.Request{Body: upload}))
		return b, source, resp, upload
	}
	b, source, resp, upload := body(strings.NewReader("abc"))
	if content, err := io.ReadAll(b); string(content) != "abc" || err != nil || resp.Trailer.Get("X-Sum") != "1" || upload.closed != 1 {
		t.Errorf("%q, %v, trailers %v, the upload closed %d times", content, err, resp.Trailer, upload.closed)
	}
	if err := b.Close(); err != nil || source.closed != 1 || source.stopped != 0 {
		t.Errorf("%v, closed %d, stopped %d times", err, source.closed, source.stopped)
	}
	if _, err := b.Read(make([]byte, 1)); err != http.ErrBodyReadAfterClose {
		t.Error(err)
	}

	failing, cause := io.Pipe()
	cause.CloseWithError(&url.Error{Err: io.ErrUnexpectedEOF})
	b, _, _, upload = body(failing)
	if _, err := b.Read(make([]byte, 1)); err != io.ErrUnexpectedEOF || upload.closed != 1 {
		t.Errorf("%v, the upload closed %d times", err, upload.closed)
	}

	slow, writer := io.Pipe()
	b, source, _, _ = body(slow)
	ended := make(chan error)
	go func() {
		_, err := b.Read(make([]byte, 1))
		ended <- err
	}()
	for reading := false; !reading; {
		b.mu.Lock()
		reading = b.reading
		b.mu.Unlock()
		runtime.Gosched()
	}
	if err := b.Close(); err != nil || source.stopped != 1 || source.closed != 0 {
		t.Errorf("%v, closed %d, stopped %d times", err, source.closed, source.stopped)
	}
	writer.Close()
	if err := <-ended; err != http.ErrBodyReadAfterClose || source.closed != 1 {
		t.Errorf("%v, closed %d times", err, source.closed)
	}
}

// TestTargetInText: what stands in the request line is what net/http writes, and a part of the URL's text where it is there.
func TestTargetInText(t *testing.T) {
	for _, tt := range []struct {
		url  string
		part bool
	}{
		{"http://h.example/path?q=1", true},
		{"http://h.example/", true},
		{"http://h.example/a%2Fb?", false},
		{"http://h.example/a%2Fb?c?d", true},
		{"http://h.example", false},
		{"http://h.example?q", false},
		{"http://h.example/p?q#f", false},
		{"http://h.example//p", true},
		{"http://h.example/ä?ä", false},
		{"http:opaque", false},
		{"http://h.example/path?path?path", true},
	} {
		u, err := url.Parse(tt.url)
		if err != nil {
			t.Fatal(err)
		}
		text, req := Text(PlainURL(u)), &http.Request{Method: "GET", URL: u}
		got := Target(req, text)
		part := unsafe.StringData(got) == unsafe.StringData(text[max(len(text)-len(got), 0):])
		if got != u.RequestURI() || part != tt.part {
			t.Errorf("%s: %q, a part of the text: %v; want %q, %v", tt.url, got, part, u.RequestURI(), tt.part)
		}
	}
}
