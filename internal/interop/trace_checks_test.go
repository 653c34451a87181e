package interop

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// traceChecks compare what a trace is told, call by call.
var traceChecks = []check{
	{name: "trace of several requests", serve: traceable, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		e := newEvents(base)
		for _, req := range []*http.Request{
			get(t, "GET", base+"/", nil), get(t, "GET", base+"/", nil), get(t, "HEAD", base+"/", nil),
			get(t, "POST", base+"/", strings.NewReader("body")), get(t, "POST", base+"/", io.MultiReader(strings.NewReader("body"))),
			get(t, "GET", base+"/204", nil),
		} {
			e.send(t, &http.Client{Transport: rt}, req)
		}
		return e.shown()
	}},
	{name: "trace of a redirect", serve: traceable, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		e := newEvents(base)
		e.requests = 2
		e.send(t, &http.Client{Transport: rt}, get(t, "GET", base+"/redirect", nil))
		return e.shown()
	}},
	{name: "trace of a name", serve: traceable, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		e := newEvents(base)
		u, _ := url.Parse(base)
		if u.Scheme == "https" {
			return "" // the certificate is for an address
		}
		u.Host = "localhost:" + u.Port()
		e.send(t, &http.Client{Transport: rt}, get(t, "GET", u.String(), nil))
		return e.shown()
	}},
	{name: "trace of a held back body", serve: traceable, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		e := newEvents(base)
		for _, path := range []string{"/", "/early"} {
			req := get(t, "POST", base+path, strings.NewReader("body"))
			req.Header.Set("Expect", "100-continue")
			e.send(t, &http.Client{Transport: rt}, req)
		}
		return e.shown()
	}},
	{name: "trace of another try", serve: lastOfConnection, protocols: []string{"h1", "tls"}, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		e := newEvents(base)
		e.send(t, &http.Client{Transport: rt}, get(t, "GET", base+"/", nil))
		e.requests = 2
		e.send(t, &http.Client{Transport: rt}, get(t, "GET", base+"/", nil))
		return e.shown()
	}},
	{name: "trace of a failure", serve: func(w http.ResponseWriter, r *http.Request) { panic(http.ErrAbortHandler) },
		protocols: []string{"h1", "tls"}, run: func(t *testing.T, rt http.RoundTripper, base string) any {
			e := newEvents(base)
			e.send(t, &http.Client{Transport: rt}, get(t, "POST", base+"/", strings.NewReader("body")))
			return e.shown()
		}},
}

// traceable answers in several ways.
func traceable(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/redirect":
		http.Redirect(w, r, "/", http.StatusFound)
		return
	case "/204":
		w.WriteHeader(204)
		return
	case "/early":
		w.Header().Set("Connection", "close")
		w.WriteHeader(403)
		return
	}
	w.Header().Set("Link", "</style.css>")
	if r.Method == "GET" {
		w.WriteHeader(103)
	}
	io.Copy(w, r.Body)
	io.WriteString(w, "ok")
}

// lastOfConnection ends every connection, without a word, at its second request.
func lastOfConnection(w http.ResponseWriter, r *http.Request) {
	c, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer c.Close()
	io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	rw.ReadByte() // of the second request
}

// events records what a trace is told.
type events struct {
	base     string
	requests int           // how often WroteRequest is told of a request
	wrote    chan struct{} // for each of these

	// mu protects the fields below.
	mu     sync.Mutex
	seen   []string
	pseudo []string
	all    []string
}

func newEvents(base string) *events {
	u, _ := url.Parse(base)
	return &events{base: u.Host, requests: 1, wrote: make(chan struct{}, 10)}
}

func (e *events) add(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seen = append(e.seen, strings.ReplaceAll(fmt.Sprintf(format, args...), e.base, "HOST"))
}

// send sends a request, and takes what is told of it, until all of it has been written. What
// the connection is read by tells beside what writes to it: these calls come last.
func (e *events) send(t *testing.T, c *http.Client, req *http.Request) {
	resp, err := c.Do(req.WithContext(httptrace.WithClientTrace(limited(t), e.trace())))
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	for range e.requests {
		<-e.wrote
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var writing, reading []string
	for _, s := range e.seen {
		if strings.HasPrefix(s, "Got1xx") || s == "GotFirstResponseByte" || strings.HasPrefix(s, "PutIdleConn") || s == "Got100Continue" {
			reading = append(reading, s)
		} else {
			writing = append(writing, s)
		}
	}
	e.all = append(append(append(e.all, fmt.Sprint(req.Method, " ", req.URL.Path, " ", class(err))), writing...), reading...)
	e.seen = nil
}

func (e *events) shown() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Join(e.all, "\n")
}

// where shows an address without what differs from run to run.
func (e *events) where(addr string) string {
	switch {
	case addr == e.base:
		return "server"
	case strings.HasPrefix(addr, "localhost:"):
		return "localhost"
	}
	return "proxy"
}

func (e *events) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn: func(hostPort string) { e.add("GetConn %s", e.where(hostPort)) },
		GotConn: func(i httptrace.GotConnInfo) {
			idle := fmt.Sprint(i.WasIdle)
			if c, ok := i.Conn.(*tls.Conn); ok && c.ConnectionState().NegotiatedProtocol == "h2" {
				idle = "-" // net/http ends a stream beside its caller, who may ask before that
			}
			e.add("GotConn %T %s reused=%t idle=%s", i.Conn, e.where(i.Conn.RemoteAddr().String()), i.Reused, idle)
		},
		PutIdleConn:          func(err error) { e.add("PutIdleConn %t", err == nil) },
		GotFirstResponseByte: func() { e.add("GotFirstResponseByte") },
		Got100Continue:       func() { e.add("Got100Continue") },
		Got1xxResponse: func(code int, h textproto.MIMEHeader) error {
			e.add("Got1xxResponse %d %v", code, h["Link"])
			return nil
		},
		DNSStart:          func(i httptrace.DNSStartInfo) { e.add("DNSStart %s", i.Host) },
		DNSDone:           func(i httptrace.DNSDoneInfo) { e.add("DNSDone %t %v", len(i.Addrs) > 0, i.Err) },
		ConnectStart:      func(network, addr string) { e.add("ConnectStart %s %s", network, e.where(addr)) },
		ConnectDone:       func(network, addr string, err error) { e.add("ConnectDone %s %s %v", network, e.where(addr), err) },
		TLSHandshakeStart: func() { e.add("TLSHandshakeStart") },
		TLSHandshakeDone:  func(s tls.ConnectionState, err error) { e.add("TLSHandshakeDone %q %v", s.NegotiatedProtocol, err) },
		WroteHeaderField:  e.wroteField,
		WroteHeaders:      func() { e.add("WroteHeaders") },
		Wait100Continue:   func() { e.add("Wait100Continue") },
		WroteRequest: func(i httptrace.WroteRequestInfo) {
			e.add("WroteRequest %t", i.Err == nil)
			e.wrote <- struct{}{}
		},
	}
}

// wroteField notes the fields that every request has: over HTTP/2 in an order of its own.
func (e *events) wroteField(name string, values []string) {
	switch name {
	case "Host":
		e.add("WroteHeaderField %s %v", name, values)
	case ":authority", ":method", ":path", ":scheme":
		e.mu.Lock()
		defer e.mu.Unlock()
		e.pseudo = append(e.pseudo, strings.ReplaceAll(fmt.Sprint(name, values), e.base, "HOST"))
		if len(e.pseudo) == 4 {
			slices.Sort(e.pseudo)
			e.seen = append(e.seen, fmt.Sprint("WroteHeaderField ", e.pseudo))
			e.pseudo = nil
		}
	}
}
