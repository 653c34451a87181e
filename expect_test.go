package requests_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// TestExpectContinue: the body waits for 100, but not for ever, and is not sent where the
// server refuses it.
func TestExpectContinue(t *testing.T) {
	const head = "HTTP/1.1 %s\r\nContent-Length: 2\r\n\r\nok"
	for name, c := range map[string]struct {
		first  string // sent when the head of the request has come
		waits  time.Duration
		status int
		body   string // as the server got it
		early  bool   // the body came before first was sent
	}{
		"100":                  {"HTTP/1.1 100 Continue\r\n\r\n", time.Minute, 200, "data", false},
		"102, then 100":        {"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n", time.Minute, 200, "data", false},
		"nothing":              {"", 30 * time.Millisecond, 200, "data", false},
		"417":                  {fmt.Sprintf(head, "417 No"), time.Minute, 417, "", false},
		"302":                  {fmt.Sprintf(head, "302 Found"), time.Minute, 302, "", false},
		"401":                  {fmt.Sprintf(head, "401 No"), time.Minute, 401, "", false},
		"200, which keeps":     {fmt.Sprintf(head, "200 OK"), time.Minute, 200, "data", false},
		"forever is no limit ": {"HTTP/1.1 100 Continue\r\n\r\n", requests.Forever, 200, "data", false},
	} {
		for kind, body := range map[string]any{"text": "data", "reader": io.MultiReader(strings.NewReader("data"))} {
			got := make(chan string, 1)
			server := wiretest.Start(t, wiretest.Config{Conn: func(c1 net.Conn) {
				in := bufio.NewReader(c1)
				req, err := http.ReadRequest(in)
				if err != nil {
					return
				}
				fmt.Fprint(c1, c.first)
				if c.status >= 300 {
					rest, _ := io.ReadAll(in)
					got <- string(rest)
					return
				}
				content, _ := io.ReadAll(req.Body)
				if !strings.Contains(c.first, "200") {
					fmt.Fprintf(c1, head, "200 OK")
				}
				got <- string(content)
			}})
			r, err := newTestSession(t).Post(t.Context(), server.URL("/"), requests.Body(body),
				requests.Headers{{"Expect", "100-continue"}}, requests.Timeouts{Continue: c.waits, Read: 10 * time.Second})
			if err != nil {
				t.Errorf("%s, %s: %v", name, kind, err)
				continue
			}
			if diff := cmp.Diff([]any{c.status, c.body}, []any{r.StatusCode, <-got}); diff != "" {
				t.Errorf("%s, %s (-want +got)\n%s", name, kind, diff)
			}
		}
	}
}

// events records what a trace is told.
type events struct {
	wrote chan struct{} // gets one for each WroteRequest, if it is made

	mu   sync.Mutex
	seen []string
}

func (e *events) add(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.seen = append(e.seen, fmt.Sprintf(format, args...))
}

func (e *events) take() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	seen := e.seen
	e.seen = nil
	return seen
}

func (e *events) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GetConn:              func(hostPort string) { e.add("GetConn %t", hostPort != "") },
		GotConn:              func(i httptrace.GotConnInfo) { e.add("GotConn %t %t %t", i.Conn != nil, i.Reused, i.WasIdle) },
		PutIdleConn:          func(err error) { e.add("PutIdleConn %v", err) },
		GotFirstResponseByte: func() { e.add("GotFirstResponseByte") },
		Got100Continue:       func() { e.add("Got100Continue") },
		Got1xxResponse:       func(code int, _ textproto.MIMEHeader) error { e.add("Got1xxResponse %d", code); return nil },
		DNSStart:             func(i httptrace.DNSStartInfo) { e.add("DNSStart %s", i.Host) },
		DNSDone:              func(i httptrace.DNSDoneInfo) { e.add("DNSDone %v", i.Err) },
		ConnectStart:         func(network, addr string) { e.add("ConnectStart %s", network) },
		ConnectDone:          func(network, addr string, err error) { e.add("ConnectDone %s %v", network, err) },
		TLSHandshakeStart:    func() { e.add("TLSHandshakeStart") },
		TLSHandshakeDone:     func(s tls.ConnectionState, err error) { e.add("TLSHandshakeDone %t %v", s.HandshakeComplete, err) },
		WroteHeaderField:     func(name string, values []string) { e.add("WroteHeaderField") },
		WroteHeaders:         func() { e.add("WroteHeaders") },
		Wait100Continue:      func() { e.add("Wait100Continue") },
		WroteRequest: func(i httptrace.WroteRequestInfo) {
			e.add("WroteRequest %v", i.Err)
			select {
			case e.wrote <- struct{}{}:
			default:
			}
		},
	}
}

// compact makes one of repeated events: the number of fields is not the same everywhere.
func compact(seen []string) (out []string) {
	for i, e := range seen {
		if i == 0 || e != seen[i-1] {
			out = append(out, e)
		}
	}
	return out
}

// TestTrace: a trace is told the same as by http.Transport.
func TestTrace(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 1 || r.ContentLength == 0 { // over HTTP/2 net/http's server sends no 100 behind it
			w.WriteHeader(103)
		}
		_, _ = io.Copy(w, r.Body)
	})
	plain, secure, http2 := httptest.NewServer(handler), httptest.NewTLSServer(handler), httptest.NewUnstartedServer(handler)
	http2.EnableHTTP2 = true
	http2.StartTLS()
	defer plain.Close()
	defer secure.Close()
	defer http2.Close()
	s := newTestSession(t)
	s.Verify = requests.Verify(false)
	s.Mount(http2.URL, requests.NewHTTPAdapter(requests.HTTP2(true)))
	for _, url := range []string{plain.URL, secure.URL, http2.URL, strings.Replace(plain.URL, "127.0.0.1", "localhost", 1)} {
		var told [2][][]string
		for i, rt := range []http.RoundTripper{&http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ExpectContinueTimeout: time.Minute, ForceAttemptHTTP2: url == http2.URL}, s.RoundTripper()} {
			for _, body := range []string{"", "", "data"} {
				e := events{wrote: make(chan struct{}, 1)}
				ctx := httptrace.WithClientTrace(t.Context(), e.trace())
				req, _ := http.NewRequestWithContext(ctx, "POST", url, strings.NewReader(body))
				if body != "" {
					req.Header.Set("Expect", "100-continue")
				}
				resp, err := (&http.Client{Transport: rt}).Do(req)
				if err != nil {
					t.Fatal(err)
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
				<-e.wrote // who sends the body may tell it when the response is over
				seen := compact(e.take())
				slices.Sort(seen) // either transport may hear of the response before it has told what it wrote
				told[i] = append(told[i], seen)
			}
		}
		if diff := cmp.Diff(told[0], told[1]); diff != "" {
			t.Errorf("%s: not as by http.Transport (-want +got)\n%s", url, diff)
		}
	}
}

// exploding is a body whose reading panics after some bytes.
type exploding struct{ left int }

func (p *exploding) Read(b []byte) (int, error) {
	if p.left <= 0 {
		panic("mine")
	}
	n := min(p.left, len(b))
	p.left -= n
	return n, nil
}

type explodingStreamer struct{ exploding }

func (p *explodingStreamer) Len() int64                         { return 1 << 20 }
func (p *explodingStreamer) Rewind() error                      { return nil }
func (p *explodingStreamer) WriteTo(w io.Writer) (int64, error) { panic("mine") }

// TestPanicsLeakNothing: what panics is let go, and the panic goes on to who called. The
// pool has one connection, and the next request gets one.
func TestPanicsLeakNothing(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(103)
		_, _ = io.Copy(w, r.Body)
	})
	plain, secure := httptest.NewServer(handler), httptest.NewTLSServer(handler)
	defer plain.Close()
	defer secure.Close()
	boom := func() { panic("mine") }
	traced := func(tr *httptrace.ClientTrace) func(context.Context) context.Context {
		return func(ctx context.Context) context.Context { return httptrace.WithClientTrace(ctx, tr) }
	}
	for name, c := range map[string]struct {
		option requests.Option
		ctx    func(context.Context) context.Context
	}{
		"Read at once": {option: requests.Body(&exploding{})},
		"Read later":   {option: requests.Body(&exploding{1 << 20})},
		"WriteTo":      {option: requests.Body(&explodingStreamer{})},
		"iterator":     {option: requests.Body(iter.Seq[[]byte](func(yield func([]byte) bool) { yield([]byte("x")); boom() }))},
		"OnInterim":    {option: requests.OnInterim(func(int, requests.Headers) error { boom(); return nil })},
		"Trailers": {option: requests.OptionFunc(func(r *requests.Request) error {
			r.Trailers = func() requests.Headers { boom(); return nil }
			r.Body = io.MultiReader(strings.NewReader("x"))
			return nil
		})},
		"GetConn":              {ctx: traced(&httptrace.ClientTrace{GetConn: func(string) { boom() }})},
		"GotConn":              {ctx: traced(&httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { boom() }})},
		"PutIdleConn":          {ctx: traced(&httptrace.ClientTrace{PutIdleConn: func(error) { boom() }})},
		"GotFirstResponseByte": {ctx: traced(&httptrace.ClientTrace{GotFirstResponseByte: boom})},
		"Got1xxResponse":       {ctx: traced(&httptrace.ClientTrace{Got1xxResponse: func(int, textproto.MIMEHeader) error { boom(); return nil }})},
		"TLSHandshakeStart":    {ctx: traced(&httptrace.ClientTrace{TLSHandshakeStart: boom})},
		"TLSHandshakeDone":     {ctx: traced(&httptrace.ClientTrace{TLSHandshakeDone: func(tls.ConnectionState, error) { boom() }})},
		"WroteHeaderField":     {ctx: traced(&httptrace.ClientTrace{WroteHeaderField: func(string, []string) { boom() }})},
		"WroteHeaders":         {ctx: traced(&httptrace.ClientTrace{WroteHeaders: boom})},
		"WroteHeaders, upload": {option: requests.Body(strings.NewReader(strings.Repeat("x", 1<<20))), ctx: traced(&httptrace.ClientTrace{WroteHeaders: boom})},
		"WroteRequest":         {ctx: traced(&httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { boom() }})},
		"WroteRequest, upload": {option: requests.Body(strings.NewReader(strings.Repeat("x", 1<<20))), ctx: traced(&httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { boom() }})},
	} {
		for _, url := range []string{plain.URL, secure.URL} {
			if strings.HasPrefix(name, "TLS") && url == plain.URL {
				continue
			}
			t.Run(name+" "+url[:5], func(t *testing.T) {
				s := newTestSession(t)
				s.Verify = requests.Verify(false)
				for _, prefix := range []string{"http://", "https://"} {
					s.Mount(prefix, requests.NewHTTPAdapter(requests.PoolMaxSize(1), requests.PoolBlock(true)))
				}
				ctx := t.Context()
				if c.ctx != nil {
					ctx = c.ctx(ctx)
				}
				if got := panicOf(func() {
					r, err := s.Post(ctx, url, c.option, requests.Timeout(10*time.Second))
					t.Errorf("no panic: %v, %v", r, err)
				}); got != "mine" {
					t.Errorf("panicked with %v", got)
				}
				_, err := s.Post(t.Context(), url, requests.Timeouts{Pool: 5 * time.Second})
				if err != nil {
					t.Errorf("afterwards: %v", err)
				}
				if errors.Is(err, requests.ErrPoolTimeout) {
					t.Error("the connection stayed in use")
				}
			})
		}
	}
}

func panicOf(f func()) (v any) {
	defer func() { v = recover() }()
	f()
	return nil
}
