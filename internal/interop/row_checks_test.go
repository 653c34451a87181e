package interop

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/http/httputil"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// rowChecks are about what earlier versions did otherwise than net/http, as far as the other
// checks are not.
var rowChecks = []check{
	{name: "host", serve: echo, run: forEach(func(t *testing.T, base string) []*http.Request {
		var all []*http.Request
		for _, host := range []string{"other.test", "Other.Test", "other.test:80", "bücher.test", "[::1]:8080"} {
			req := get(t, "GET", base+"/", nil)
			req.Host = host
			req.Header["Host"] = []string{"ignored.test"}
			all = append(all, req)
		}
		return all
	})},
	{name: "host with a zone", protocols: []string{"tls", "h2"}, serve: echo, run: forEach(func(t *testing.T, base string) []*http.Request {
		req := get(t, "GET", base+"/", nil)
		req.Host = "[fe80::1%25eth0]"
		return []*http.Request{req}
	})},
	{name: "OPTIONS *", serve: echo, run: forEach(func(t *testing.T, base string) []*http.Request {
		req := get(t, "OPTIONS", base, nil)
		req.URL.Path = "*"
		return []*http.Request{req}
	})},
	{name: "bodies both ways", serve: echoAsItComes, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		pattern := bytes.Repeat([]byte("0123456789abcdef"), 8<<20/16)
		file := tempFile(t, 0)
		if err := os.WriteFile(file.Name(), pattern, 0o600); err != nil {
			return err
		}
		pr, pw := io.Pipe()
		go func() {
			for part := range slices.Chunk(pattern[:320<<10], 10<<10) {
				if _, err := pw.Write(part); err != nil {
					return
				}
			}
			pw.Close()
		}()
		var out []string
		for _, body := range []io.ReadCloser{io.NopCloser(bytes.NewReader(pattern)), file, pr} {
			req := get(t, "POST", base+"/", body)
			if body == io.ReadCloser(file) {
				req.ContentLength = int64(len(pattern))
			}
			resp, err := rt.RoundTrip(req.WithContext(limited(t)))
			if err != nil {
				return err
			}
			sum := sha256.New()
			n, err := io.Copy(sum, resp.Body)
			resp.Body.Close()
			out = append(out, fmt.Sprintf("%d %x %v", n, sum.Sum(nil)[:4], err))
		}
		_, err := file.Stat()
		_, err2 := pw.Write([]byte("x"))
		return append(out, fmt.Sprint(errors.Is(err, os.ErrClosed), err2))
	}},
	{name: "responses to a body that waits", serve: func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		status := 200
		_, _ = fmt.Sscan(r.URL.Query().Get("status"), &status)
		w.Header().Set("Connection", "close")
		w.WriteHeader(status)
		io.WriteString(w, "ok")
	}, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		var out []string
		for _, status := range []int{200, 403, 413, 500} {
			resp, err := rt.RoundTrip(get(t, "POST", fmt.Sprint(base, "/?status=", status), waiting(t)).WithContext(limited(t)))
			if err != nil {
				return err
			}
			text, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			out = append(out, fmt.Sprint(resp.StatusCode, " ", string(text), err))
		}
		return out
	}},
	{name: "transfer encoding of the request", protocols: []string{"h1", "tls"}, serve: echo, run: forEach(func(t *testing.T, base string) []*http.Request {
		var all []*http.Request
		for _, te := range [][]string{{"chunked"}, {}} {
			for _, length := range []int64{4, 0, -1} {
				req := get(t, "POST", base+"/", io.NopCloser(strings.NewReader("body")))
				req.TransferEncoding, req.ContentLength = te, length
				all = append(all, req)
			}
		}
		return all
	})},
	{name: "CONNECT by the caller", protocols: []string{"h1", "tls"}, except: forwarded, serve: tunnel, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		u, _ := url.Parse(base)
		var out []string
		for _, target := range []*url.URL{u, {Scheme: u.Scheme, Host: u.Host, Opaque: u.Host}} {
			pr, pw := io.Pipe()
			req := (&http.Request{Method: "CONNECT", URL: target, Header: http.Header{}, Body: pr}).WithContext(limited(t))
			resp, err := rt.RoundTrip(req)
			if err != nil {
				return err
			}
			for _, word := range []string{"one", "two"} {
				io.WriteString(pw, word)
				back := make([]byte, len(word))
				_, err = io.ReadFull(resp.Body, back)
				out = append(out, fmt.Sprint(resp.StatusCode, string(back), err))
			}
			pw.Close()
			resp.Body.Close()
		}
		return out
	}},
	{name: "close idle connections", serve: echo, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		var reused []bool
		trace := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { reused = append(reused, i.Reused) }}
		exchange(t, traced{rt, trace}, get(t, "GET", base+"/", nil))
		exchange(t, traced{rt, trace}, get(t, "GET", base+"/", nil))
		for try := 0; try < 100 && (try == 0 || reused[2]); try++ { // net/http's HTTP/2 may not know yet that it is idle
			reused = reused[:2]
			(&http.Client{Transport: rt}).CloseIdleConnections()
			exchange(t, traced{rt, trace}, get(t, "GET", base+"/", nil))
		}
		return reused
	}},
	{name: "many fields", serve: func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, len(r.Header) >= 8000) },
		run: forEach(func(t *testing.T, base string) []*http.Request {
			req := get(t, "GET", base+"/", nil)
			for i := range 8000 {
				req.Header.Set(fmt.Sprint("X-", i), "v")
			}
			return []*http.Request{req}
		})},
	{name: "cause in the body", serve: func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "part")
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		cause := errors.New("the cause")
		ctx, cancel := context.WithCancelCause(limited(t))
		defer cancel(nil)
		resp, err := rt.RoundTrip(get(t, "GET", base+"/", nil).WithContext(ctx))
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		time.AfterFunc(20*time.Millisecond, func() { cancel(cause) })
		text, err := io.ReadAll(resp.Body)
		return fmt.Sprint(string(text), errors.Is(err, cause))
	}},
	{name: "cut chunks", serve: func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "part")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		resp, err := rt.RoundTrip(get(t, "GET", base+"/", nil).WithContext(limited(t)))
		if err != nil {
			return "early " + class(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		_, again := resp.Body.Read(make([]byte, 1))
		return fmt.Sprint(string(text), class(err), class(again))
	}},
	{name: "dumped response", serve: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", "Mon, 01 Jan 2024 00:00:00 GMT")
		switch r.URL.Path {
		case "/trailer":
			w.Header().Set("Trailer", "X-Sum")
			io.WriteString(w, "body")
			w.(http.Flusher).Flush()
			w.Header().Set("X-Sum", "42")
		case "/close":
			w.Header().Set("Connection", "close")
			io.WriteString(w, "body")
		case "/304":
			w.WriteHeader(304)
		case "/long":
			w.Header().Set("Content-Length", "3000")
			w.Write(make([]byte, 3000))
		}
	}, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		var out []string
		for _, path := range []string{"/trailer", "/close", "/304", "/long", "/"} {
			for _, method := range []string{"GET", "HEAD"} {
				resp, err := rt.RoundTrip(get(t, method, base+path, nil).WithContext(limited(t)))
				if err != nil {
					return err
				}
				dump, err := httputil.DumpResponse(resp, true)
				var written bytes.Buffer
				failed := resp.Write(&written)
				out = append(out, fmt.Sprintf("%q %v %q %v %v", dump, err, written.String(), failed, resp.Trailer))
			}
		}
		return out
	}},
}

// tunnel takes CONNECT, for its own address, and sends back what comes in upper case.
func tunnel(w http.ResponseWriter, r *http.Request) {
	c, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer c.Close()
	if r.RequestURI != r.Host {
		fmt.Fprintf(c, "HTTP/1.1 400 %s\r\n\r\n", r.RequestURI)
		return
	}
	io.WriteString(c, "HTTP/1.1 200 Connection established\r\n\r\n")
	block := make([]byte, 100)
	for err == nil {
		var n int
		n, err = rw.Read(block)
		c.Write(bytes.ToUpper(block[:n]))
	}
}

// echoAsItComes sends back what it reads while it reads.
func echoAsItComes(w http.ResponseWriter, r *http.Request) {
	_ = http.NewResponseController(w).EnableFullDuplex()
	w.WriteHeader(200)
	w.(http.Flusher).Flush()
	io.Copy(w, r.Body)
}

// waiting is a body that gives nothing until the test has ended.
func waiting(t *testing.T) io.Reader {
	pr, pw := io.Pipe()
	t.Cleanup(func() { pw.Close() })
	return pr
}

// traced has each request of a transport traced.
type traced struct {
	http.RoundTripper
	trace *httptrace.ClientTrace
}

func (t traced) RoundTrip(req *http.Request) (*http.Response, error) {
	return t.RoundTripper.RoundTrip(req.WithContext(httptrace.WithClientTrace(req.Context(), t.trace)))
}
