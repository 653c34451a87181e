package interop

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// echo shows the request as the server has it.
func echo(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var fields []string
	for name, values := range r.Header {
		switch name {
		case "User-Agent", "Accept-Encoding", "Connection", "Accept":
			continue
		}
		fields = append(fields, fmt.Sprint(name, values))
	}
	slices.Sort(fields)
	var trailers []string
	for name, values := range r.Trailer {
		trailers = append(trailers, fmt.Sprint(name, values))
	}
	fmt.Fprintf(w, "%s %s host=%s fields=%v length=%d te=%v body=%.40q/%d trailers=%v %v",
		r.Method, r.RequestURI, r.Host, fields, r.ContentLength, r.TransferEncoding, body, len(body), trailers, err)
}

// exchange sends a request and shows status and body, or the error.
func exchange(t *testing.T, rt http.RoundTripper, req *http.Request) string {
	resp, err := rt.RoundTrip(req.WithContext(limited(t)))
	if err != nil {
		return "error " + class(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return fmt.Sprintf("%d %s %v", resp.StatusCode, masked(string(body), req), class(err))
}

// masked takes the port out of a text.
func masked(s string, req *http.Request) string {
	if req.URL == nil {
		return s
	}
	return strings.ReplaceAll(s, req.URL.Host, "HOST")
}

// class names an error by what programs ask of it.
func class(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "deadline"
	case errors.Is(err, http.ErrBodyReadAfterClose):
		return "read after close"
	case err == io.ErrUnexpectedEOF:
		return "unexpected EOF"
	}
	return "failed"
}

func get(t *testing.T, method, target string, body io.Reader) *http.Request {
	req, err := http.NewRequest(method, target, body)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// forEach shows what several requests came to.
func forEach(requests func(t *testing.T, base string) []*http.Request) func(*testing.T, http.RoundTripper, string) any {
	return func(t *testing.T, rt http.RoundTripper, base string) any {
		var out []string
		for _, req := range requests(t, base) {
			out = append(out, exchange(t, rt, req))
		}
		return strings.Join(out, "\n")
	}
}

var checks = []check{
	{name: "request line", serve: echo, run: forEach(func(t *testing.T, base string) []*http.Request {
		var all []*http.Request
		for _, path := range []string{"", "/", "/b/../k", "/b/./k", "/b/%2e%2e/k", "/b/k?", "/b/%41", "/a%2fb", "/%7Euser", "/?x=%2f", "/?x=[1]", "/?q=é", "/?q=caf\xe9", "/?a=b&&c", "/caf%C3%A9", "//x//y", "/a;b=c", "/?q=a+b%20c", "/x#frag"} {
			all = append(all, get(t, "GET", base+path, nil))
		}
		opaque := get(t, "GET", base, nil)
		opaque.URL.Opaque = "//" + opaque.URL.Host + "/%2F/%61"
		raw := get(t, "GET", base, nil)
		raw.URL.Path, raw.URL.RawPath = "/a/b c", "/a%2Fb%20c"
		lower := get(t, "get", base+"/", nil)
		return append(all, opaque, raw, lower, get(t, "PROPFIND", base+"/x", nil))
	})},
	{name: "bodies", serve: echo, run: forEach(func(t *testing.T, base string) []*http.Request {
		unknown := get(t, "POST", base+"/", io.NopCloser(strings.NewReader("abc")))
		none := get(t, "POST", base+"/", http.NoBody)
		empty := get(t, "PUT", base+"/", strings.NewReader(""))
		nilBody := get(t, "DELETE", base+"/", nil)
		short := get(t, "POST", base+"/", io.NopCloser(strings.NewReader("abc")))
		short.ContentLength = 3
		withGet := get(t, "GET", base+"/", strings.NewReader("body"))
		return []*http.Request{unknown, none, empty, nilBody, short, withGet, get(t, "POST", base+"/", bytes.NewBufferString("buffer")), get(t, "POST", base+"/", bytes.NewReader(make([]byte, 1<<20)))}
	})},
	{name: "lengths that lie", serve: echo, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		var out []string
		for _, announced := range []int64{3, 4, 6, 5, 100} { // of 5
			req := get(t, "POST", base+"/", io.NopCloser(strings.NewReader("abcde")))
			req.ContentLength = announced
			resp, err := rt.RoundTrip(req.WithContext(limited(t)))
			if err == nil {
				resp.Body.Close()
			}
			out = append(out, fmt.Sprint(announced, err != nil))
		}
		return out
	}},
	{name: "headers", serve: echo, run: forEach(func(t *testing.T, base string) []*http.Request {
		req := get(t, "GET", base+"/", nil)
		req.Header = http.Header{"X-Two": {"a", "b"}, "X-Blank": {" v "}, "Host": {"ignored.test"}, "X-Empty": {""}, "Transfer-Encoding": {"chunked"}, "Content-Length": {"7"}}
		lower := get(t, "GET", base+"/", nil)
		lower.Header["x-lower"] = []string{"v"}
		return []*http.Request{req, lower}
	})},
	{name: "bad headers", serve: echo, run: forEach(func(t *testing.T, base string) []*http.Request {
		var all []*http.Request
		for _, h := range []http.Header{{"X": {"a\nb"}}, {"X": {"a\x00"}}, {"X": {"\x01"}}, {"bad name": {"x"}}, {"": {"x"}}} {
			req := get(t, "GET", base+"/", nil)
			req.Header = h
			all = append(all, req)
		}
		method := get(t, "GET", base+"/", nil)
		method.Method = "BAD METHOD"
		return append(all, method)
	})},
	{name: "bad requests close their body", protocols: []string{"h1"}, serve: echo, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		var out []string
		for _, target := range []string{"", "ftp://h.test/", "httpss://h.test/", "wss://h.test/", "foo://h.test:1/"} {
			u, _ := url.Parse(target)
			if target == "" {
				u = nil
			}
			body := &closing{Reader: strings.NewReader("x")}
			_, err := rt.RoundTrip((&http.Request{Method: "POST", URL: u, Header: http.Header{}, Body: body}).WithContext(limited(t)))
			out = append(out, fmt.Sprint(err != nil, body.closed()))
		}
		_, err := rt.RoundTrip(&http.Request{})
		return append(out, fmt.Sprint(err != nil))
	}},
	{name: "suppressed user agent", protocols: []string{"h1", "h2"}, serve: func(w http.ResponseWriter, r *http.Request) { fmt.Fprintf(w, "%q", r.Header["User-Agent"]) },
		run: forEach(func(t *testing.T, base string) []*http.Request {
			req := get(t, "GET", base+"/", nil)
			req.Header["User-Agent"] = nil
			own := get(t, "GET", base+"/", nil)
			own.Header.Set("User-Agent", "own/1")
			empty := get(t, "GET", base+"/", nil)
			empty.Header.Set("User-Agent", "")
			return []*http.Request{req, own, empty}
		})},
	{name: "HEAD", serve: func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/gzip" {
			w.Header().Set("Content-Encoding", "gzip")
		}
		if r.URL.Path != "/unknown" {
			w.Header().Set("Content-Length", "12345")
		}
	}, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		var out []string
		for _, path := range []string{"/known", "/unknown", "/gzip"} {
			resp, err := rt.RoundTrip(get(t, "HEAD", base+path, nil).WithContext(limited(t)))
			if err != nil {
				return err
			}
			body, err := io.ReadAll(resp.Body)
			out = append(out, fmt.Sprint(resp.StatusCode, resp.ContentLength, resp.Header["Content-Length"], resp.Header["Content-Encoding"], len(body), err, resp.Uncompressed))
		}
		return out
	}},
	{name: "gzip", serve: zipped, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		var out []string
		for _, edit := range []func(*http.Request){func(*http.Request) {}, func(r *http.Request) { r.Header.Set("Range", "bytes=0-9") }, func(r *http.Request) { r.Header.Set("Accept-Encoding", "gzip") }} {
			req := get(t, "GET", base+"/", nil)
			edit(req)
			if req.Header.Get("Accept-Encoding") == "" && req.Header.Get("Range") == "" {
				continue // decoding by default differs on purpose between a Session and an adapter
			}
			resp, err := rt.RoundTrip(req.WithContext(limited(t)))
			if err != nil {
				return err
			}
			body, err := io.ReadAll(resp.Body)
			out = append(out, fmt.Sprintf("%d %q %v %v %v", resp.StatusCode, body, resp.Header["Content-Encoding"], resp.Uncompressed, err))
		}
		return out
	}},
	{name: "response", serve: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-A", "one  ")
		w.Header().Add("X-B", "1")
		w.Header().Add("X-B", "2")
		w.Header().Set("Date", "Mon, 01 Jan 2024 00:00:00 GMT")
		w.WriteHeader(203)
		io.WriteString(w, "body")
	}, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		req := get(t, "GET", base+"/", nil)
		resp, err := rt.RoundTrip(req.WithContext(limited(t)))
		if err != nil {
			return err
		}
		dump, err := httputil.DumpResponse(resp, true)
		return fmt.Sprintf("%s %v %v %d %v %v %q %v", resp.Status, resp.Proto, resp.ProtoMajor, resp.ContentLength, resp.Close, resp.TransferEncoding, dump, err)
	}},
	{name: "chunked response", serve: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum, X-Other")
		w.Header().Set("Date", "Mon, 01 Jan 2024 00:00:00 GMT")
		io.WriteString(w, "first")
		w.(http.Flusher).Flush()
		io.WriteString(w, "second")
		w.Header().Set("X-Sum", "42")
	}, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		resp, err := rt.RoundTrip(get(t, "GET", base+"/", nil).WithContext(limited(t)))
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		before := fmt.Sprint(resp.ContentLength, resp.TransferEncoding, resp.Header, resp.Trailer)
		body, err := io.ReadAll(resp.Body)
		return fmt.Sprint(before, string(body), err, resp.Trailer)
	}},
	{name: "request trailers", serve: echo, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		req := get(t, "POST", base+"/", io.NopCloser(strings.NewReader("body")))
		req.Trailer = http.Header{"X-Sum": {"42"}}
		return exchange(t, rt, req)
	}},
	{name: "connection close", protocols: []string{"h1", "tls"}, serve: func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/close" {
			w.Header().Set("Connection", "close")
		}
		fmt.Fprint(w, r.Close)
	}, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		var out []string
		for i, path := range []string{"/close", "/keep", "/keep"} {
			req := get(t, "GET", base+path, nil)
			req.Close = i == 2
			resp, err := rt.RoundTrip(req.WithContext(limited(t)))
			if err != nil {
				return err
			}
			body, _ := io.ReadAll(resp.Body)
			out = append(out, fmt.Sprint(resp.Close, string(body), resp.Header["Connection"]))
		}
		return out
	}},
	{name: "read after close", serve: echo, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		resp, err := rt.RoundTrip(get(t, "POST", base+"/", strings.NewReader("x")).WithContext(limited(t)))
		if err != nil {
			return err
		}
		resp.Body.Close()
		n, err := resp.Body.Read(make([]byte, 10))
		return fmt.Sprint(n, err != nil && err != io.EOF)
	}},
	{name: "empty responses", serve: func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/204" {
			w.WriteHeader(204)
		}
	}, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		var out []string
		for _, path := range []string{"/204", "/empty"} {
			var reused []bool
			for range 2 { // the Body is never closed
				trace := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { reused = append(reused, i.Reused) }}
				req := get(t, "GET", base+path, nil)
				resp, err := rt.RoundTrip(req.WithContext(httptrace.WithClientTrace(limited(t), trace)))
				if err != nil {
					return err
				}
				out = append(out, fmt.Sprint(resp.StatusCode, resp.ContentLength, resp.Body == http.NoBody))
			}
			out = append(out, fmt.Sprint(len(reused) == 2 && reused[1]))
		}
		return out
	}},
	{name: "cut body", protocols: []string{"h1", "tls"}, serve: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "10")
		io.WriteString(w, "abc")
		panic(http.ErrAbortHandler)
	}, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		resp, err := rt.RoundTrip(get(t, "GET", base+"/", nil).WithContext(limited(t)))
		if err != nil {
			return "early " + class(err)
		}
		body, err := io.ReadAll(resp.Body)
		return fmt.Sprintf("%s %s", body, class(err))
	}},
	{name: "no response", protocols: []string{"h1", "tls"}, serve: func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) },
		run: func(t *testing.T, rt http.RoundTripper, base string) any {
			_, err := rt.RoundTrip(get(t, "POST", base+"/", strings.NewReader("x")).WithContext(limited(t)))
			return fmt.Sprint(err != nil, errors.Is(err, io.EOF))
		}},
}

func zipped(w http.ResponseWriter, r *http.Request) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, "hello, hello, hello")
	z.Close()
	if r.Header.Get("Range") != "" {
		w.WriteHeader(206)
		io.WriteString(w, "0123456789")
		return
	}
	w.Header().Set("Content-Encoding", "gzip")
	w.Write(b.Bytes())
}
