package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
)

// kept and broken are what a measure says.
const kept, broken = "yes", "no"

var promises = []promise{
	{"Authorization that the caller wrote stays with host and port", func(c client) string { return forwarded(c, "Authorization") }},
	{"a Cookie header that the caller wrote stays with host and port", func(c client) string { return forwarded(c, "Cookie") }},
	{"an API key in a header stays with host and port", func(c client) string { return forwarded(c, "X-Api-Key") }},
	{"no redirect from https to http", downgrade},
	{"no redirect to file:", toFile},
	{"a PUT that is redirected with 301 arrives with its body, or not at all", movedPut},
	{"a bomb of 100 MiB in 100 KiB of gzip is not unpacked", bomb},
	{"gzip that is cut short is an error", cutGzip},
	{"a body shorter than its Content-Length is an error", func(c client) string { return refused(c, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc") }},
	{"a head that does not end is an error", func(c client) string { return endless(c, "X: "+strings.Repeat("y", 1000)+"\r\n") }},
	{"interim responses that do not end are an error", func(c client) string { return endless(c, "\r\nHTTP/1.1 103 Early Hints\r\n") }},
	{"a line end in a header's value is refused", injected},
	{"no Referer is made up on a redirect", referer},
	{"a POST that a redirect makes a GET arrives without a word of its body", bare},
	{"a response with two lengths is an error", func(c client) string {
		return refused(c, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd")
	}},
	{"six content codings are an error", func(c client) string {
		return refused(c, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip, gzip, gzip, gzip, gzip\r\nContent-Length: 0\r\n\r\n")
	}},
	{"2,000 fields in a head are an error", func(c client) string {
		return refused(c, "HTTP/1.1 200 OK\r\n"+strings.Repeat("X: y\r\n", 2000)+"Content-Length: 0\r\n\r\n")
	}},
	{"a subdomain gets no Authorization that the caller wrote for the domain", subdomain},
	{"a redirect's cookie goes to the host that set it alone", func(c client) string { return cookie(c, "host.test", "other.test", "") }},
	{"a cookie for co.uk is not kept", func(c client) string { return cookie(c, "one.co.uk", "two.co.uk", "; Domain=co.uk") }},
	{"a cookie for another host is not kept", func(c client) string { return cookie(c, "host.test", "other.test", "; Domain=other.test") }},
	{"a Secure cookie does not go over http", func(c client) string { return cookie(c, "host.test", "host.test", "; Secure") }},
	{"a certificate of an unknown authority is refused", func(c client) string { return certified(c, certificate{unknown: true}) }},
	{"a certificate for another name is refused", func(c client) string { return certified(c, certificate{host: "other.test"}) }},
	{"a certificate that names the host as common name alone is refused", func(c client) string { return certified(c, certificate{commonName: true}) }},
	{"an expired certificate is refused", func(c client) string { return certified(c, certificate{expired: true}) }},
	{"a server that knows TLS 1.1 at most is refused", func(c client) string { return certified(c, certificate{version: tls.VersionTLS11}) }},
	{"a proxy's password does not go through its tunnel", func(c client) string { return tunneled(c, "Proxy-Authorization") }},
	{"Authorization for the server of a tunnel is not shown to the proxy", func(c client) string { return tunneled(c, "Authorization") }},
	{"a proxy's password does not follow a redirect past the proxy", bypassed},
	{"a certificate of an https proxy for another name is refused", proxyCertificate},
}

// send calls the client with a limit of time.
func send(c client, method, url string, headers [][2]string, body string) (n int64, ok, late bool) {
	return do(c, ask{method: method, url: url, headers: headers, body: body})
}

func do(c client, a ask) (n int64, ok, late bool) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	n, ok = c.send(ctx, a)
	return n, ok, ctx.Err() != nil
}

func verdict(good bool) string {
	if good {
		return kept
	}
	return broken
}

// target is where redirects lead: it keeps the last request.
type target struct {
	*httptest.Server
	mu   sync.Mutex // mu protects the fields below.
	last *http.Request
	body string
}

func newTarget() *target {
	t := &target{}
	t.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		t.mu.Lock()
		defer t.mu.Unlock()
		t.last, t.body = r, string(body)
	}))
	return t
}

func (t *target) got() (*http.Request, string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last, t.body
}

func forwarded(c client, name string) string {
	to := newTarget()
	defer to.Close()
	from := httptest.NewServer(http.RedirectHandler(to.URL, http.StatusFound))
	defer from.Close()
	send(c, "GET", from.URL, [][2]string{{name, "secret"}}, "")
	last, _ := to.got()
	return verdict(last == nil || last.Header.Get(name) == "")
}

func downgrade(c client) string {
	to := newTarget()
	defer to.Close()
	from := httptest.NewTLSServer(http.RedirectHandler(to.URL, http.StatusFound))
	defer from.Close()
	send(c, "GET", from.URL, nil, "")
	last, _ := to.got()
	return verdict(last == nil)
}

func toFile(c client) string {
	from := httptest.NewServer(http.RedirectHandler("file:///etc/passwd", http.StatusFound))
	defer from.Close()
	_, ok, _ := send(c, "GET", from.URL, nil, "")
	return verdict(!ok)
}

func movedPut(c client) string {
	to := newTarget()
	defer to.Close()
	from := httptest.NewServer(http.RedirectHandler(to.URL, http.StatusMovedPermanently))
	defer from.Close()
	send(c, "PUT", from.URL, nil, "body")
	last, body := to.got()
	if last != nil && last.Method == "GET" {
		return "no: it becomes a GET"
	}
	return verdict(last == nil || body == "body")
}

func zipped(n int64) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.CopyN(z, zeros{}, n)
	z.Close()
	return b.Bytes()
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

func bomb(c client) string {
	data := zipped(100 << 20)
	n, ok, _ := raw(c, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(data), data), false)
	return verdict(!ok && n < 64<<20)
}

func cutGzip(c client) string {
	data := zipped(1 << 20)
	data = data[:len(data)/2]
	return refused(c, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", len(data), data))
}

func refused(c client, response string) string {
	_, ok, _ := raw(c, response, false)
	return verdict(!ok)
}

func endless(c client, more string) string {
	_, ok, late := raw(c, "HTTP/1.1 103 Early Hints\r\n"+strings.Repeat(more, 16), true)
	switch {
	case late:
		return "no: it went on for " + patience.String()
	case ok:
		return "no: what came passed for a response"
	}
	return kept
}

// raw has a server write the response, once or for ever.
func raw(c client, response string, forEver bool) (n int64, ok, late bool) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, false, false
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go serve(conn, response, forEver)
		}
	}()
	return send(c, "GET", "http://"+l.Addr().String(), nil, "")
}

func serve(conn net.Conn, response string, forEver bool) {
	defer conn.Close()
	_, _ = conn.Read(make([]byte, 4<<10))
	rest := response
	for {
		if _, err := io.WriteString(conn, rest); err != nil || !forEver {
			return
		}
		_, rest, _ = strings.Cut(response, "\r\n")
	}
}

func injected(c client) string {
	to := newTarget()
	defer to.Close()
	send(c, "GET", to.URL, [][2]string{{"X", "a\r\nInjected: b"}}, "")
	last, _ := to.got()
	return verdict(last == nil || last.Header.Get("Injected") == "")
}

// redirected sends a request that a redirect leads to the target, and returns what that got.
func redirected(c client, method string, headers [][2]string, body string) *http.Request {
	to := newTarget()
	defer to.Close()
	from := httptest.NewServer(http.RedirectHandler(to.URL, http.StatusFound))
	defer from.Close()
	send(c, method, from.URL+"/?secret=1", headers, body)
	last, _ := to.got()
	return last
}

func referer(c client) string {
	last := redirected(c, "GET", nil, "")
	return verdict(last != nil && last.Header.Get("Referer") == "")
}

func bare(c client) string {
	last := redirected(c, "POST", [][2]string{{"Content-Type", "text/x"}, {"Content-Encoding", "x"}}, "body")
	return verdict(last != nil && last.ContentLength <= 0 && last.Header.Get("Content-Type") == "" && last.Header.Get("Content-Encoding") == "")
}
