package requests_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// These tests break connections in every way at every point. Each exchange has to
// end with the right answer or the right Kind, in time, with nothing left behind,
// and no request may come twice that was not safe to repeat: the server counts.

// peer is the server's end of one connection.
type peer struct {
	net.Conn
	in     *bufio.Reader
	number int64 // of the connection, from 1
	seen   *atomic.Int64
}

// request reads one request and counts it; false if it did not come whole.
func (p *peer) request() bool {
	r, err := http.ReadRequest(p.in)
	if err != nil {
		return false
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		return false
	}
	p.seen.Add(1)
	return true
}

func (p *peer) does(what func(p *peer)) {
	if what != nil {
		what(p)
	}
}

func (p *peer) reset() {
	p.Conn.(*net.TCPConn).SetLinger(0)
	p.Close()
}

func (p *peer) send(s string) { io.WriteString(p, s) }

// linger keeps the connection open until the client closes it.
func (p *peer) linger() { io.Copy(io.Discard, p) }

// chaosServer runs script on each connection, and counts the requests that came whole.
func chaosServer(t *testing.T, script func(p *peer)) (server *wiretest.Server, seen *atomic.Int64) {
	seen = new(atomic.Int64)
	var number atomic.Int64
	server = wiretest.Start(t, wiretest.Config{Conn: func(c net.Conn) {
		script(&peer{c, bufio.NewReader(c), number.Add(1), seen})
	}})
	return server, seen
}

// chaosSession has limits that end every case, and checks at the end that all of
// its connections are gone.
func chaosSession(t *testing.T, server *wiretest.Server, options ...requests.AdapterOption) *requests.Session {
	s := retrySession(t, options...)
	s.Timeouts = requests.Timeouts{Connect: ample, Read: ample, Total: ample}
	t.Cleanup(func() {
		s.Close()
		if server != nil && !server.WaitOpen(0) {
			t.Error("a connection is left open")
		}
	})
	return s
}

// fetch sends one request and returns what became of it: the body, or the Kind.
func fetch(t *testing.T, s *requests.Session, method, url string, options ...requests.Option) (string, requests.Kind) {
	t.Helper()
	start := time.Now()
	if method == "POST" {
		options = append(options, requests.Body("payload"))
	}
	r, err := s.Request(t.Context(), method, url, options...)
	if d := time.Since(start); d > ample/2 {
		t.Errorf("%s %s took %v", method, url, d)
	}
	if err != nil {
		e, ok := errors.AsType[*requests.Error](err)
		if !ok {
			t.Fatalf("%T is no *Error: %v", err, err)
		}
		return "", e.Kind
	}
	text, err := r.Text()
	if err != nil {
		t.Errorf("reading a buffered body: %v", err)
	}
	return text, 0
}

const (
	lengthReply  = "HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 6\r\n\r\nabcdef"
	chunkedReply = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3;x=y\r\ndef\r\n0\r\nX-T: u\r\n\r\n"
)

// wantCut is how a reply ends of which only so many bytes came.
func wantCut(reply string, sent int) (string, requests.Kind) {
	switch {
	case sent == len(reply):
		return "abcdef", 0
	case sent < strings.Index(reply, "\r\n\r\n")+4:
		return "", requests.ErrConnection
	}
	return "", requests.ErrChunkedEncoding
}

// TestChaosCutReply closes or resets the connection after every byte of the reply.
// Bytes before a reset may be lost, so that the reply then ends at any earlier point.
func TestChaosCutReply(t *testing.T) {
	wiretest.NoLeak(t)
	for _, reply := range []string{lengthReply, chunkedReply} {
		for _, method := range []string{"GET", "POST"} {
			for sent := range len(reply) + 1 {
				server, seen := chaosServer(t, func(p *peer) {
					if p.request() {
						p.send(reply[:sent])
					}
				})
				got, kind := fetch(t, chaosSession(t, server), method, server.URL("/"))
				if want, wantKind := wantCut(reply, sent); got != want || kind != wantKind || seen.Load() != 1 {
					t.Errorf("%s, %q: %q, %v, %d requests", method, reply[:sent], got, kind, seen.Load())
				}
			}
		}
		for sent := range len(reply) {
			server, seen := chaosServer(t, func(p *peer) {
				if p.request() {
					p.send(reply[:sent])
					p.reset()
				}
			})
			got, kind := fetch(t, chaosSession(t, server), "GET", server.URL("/"))
			_, latest := wantCut(reply, sent)
			if kind != latest && kind != requests.ErrConnection || got != "" || seen.Load() != 1 {
				t.Errorf("reset after %q: %q, %v, %d requests", reply[:sent], got, kind, seen.Load())
			}
		}
	}
}

// TestChaosCutRequest closes the connection after every byte of the request, read
// or unread.
func TestChaosCutRequest(t *testing.T) {
	wiretest.NoLeak(t)
	const whole = 170 // about the length of the request
	for read := 0; read < whole; read += 3 {
		server, seen := chaosServer(t, func(p *peer) { io.CopyN(io.Discard, p, int64(read)) })
		_, kind := fetch(t, chaosSession(t, server), "POST", server.URL("/"))
		if kind != requests.ErrConnection || seen.Load() != 0 || server.Accepted() != 1 {
			t.Errorf("after %d bytes: %v, %d connections", read, kind, server.Accepted())
		}
	}
}

// TestChaosStall stops after every byte of the reply.
func TestChaosStall(t *testing.T) {
	wiretest.NoLeak(t)
	var wg sync.WaitGroup
	for _, reply := range []string{lengthReply, chunkedReply} {
		for sent := range len(reply) {
			wg.Go(func() {
				wiretest.Patiently(t, func(slower time.Duration) error {
					server, seen := chaosServer(t, func(p *peer) { // one for each try, which sees no late request of another
						if p.request() {
							p.send(reply[:sent])
							p.linger()
						}
					})
					_, kind := fetch(t, chaosSession(t, server), "GET", server.URL("/"), requests.Timeouts{Read: slower * 400 * time.Millisecond})
					want := requests.ErrReadTimeout
					if _, cut := wantCut(reply, sent); cut == requests.ErrChunkedEncoding {
						want = requests.ErrBodyTimeout
					}
					if n := seen.Load(); kind != want || n != 1 {
						return fmt.Errorf("stalled after %q: %v, want %v, %d requests", reply[:sent], kind, want, n)
					}
					return nil
				})
			})
		}
	}
	wg.Wait()
}

// TestChaosPooled breaks a connection while it is idle, or just as the second
// request comes. Where the second request cannot have been taken it goes over a new
// connection whatever its method; where it can, only if it may be repeated.
func TestChaosPooled(t *testing.T) {
	wiretest.NoLeak(t)
	half := func(p *peer) { p.Conn.(*net.TCPConn).CloseWrite() }
	onRequest := func(then func(p *peer)) func(p *peer) {
		return func(p *peer) { p.request(); then(p) }
	}
	for name, tt := range map[string]struct {
		idle      func(p *peer) // after the first reply
		then      func(p *peer)
		taken     bool // the second request came over the old connection
		postFails bool
	}{
		"closed":               {func(p *peer) { p.Close() }, nil, false, false},
		"reset":                {(*peer).reset, nil, false, false},
		"half-closed":          {half, (*peer).linger, false, false},
		"unasked bytes":        {func(p *peer) { p.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil") }, (*peer).linger, false, false},
		"closed on request":    {nil, onRequest(func(p *peer) { p.Close() }), true, true},
		"reset on request":     {nil, onRequest((*peer).reset), true, true},
		"half-close on it":     {nil, onRequest(func(p *peer) { half(p); p.linger() }), true, true},
		"cut within the reply": {nil, onRequest(func(p *peer) { p.send("HTTP/1.1 2") }), true, true},
	} {
		for _, method := range []string{"GET", "POST"} {
			broken := make(chan struct{}) // the connection is, while it is idle
			server, seen := chaosServer(t, func(p *peer) {
				if p.request() {
					p.send(lengthReply)
					if p.number == 1 {
						p.does(tt.idle)
						close(broken)
						p.does(tt.then)
						return
					}
					p.linger()
				}
			})
			s := chaosSession(t, server)
			if got, kind := fetch(t, s, "GET", server.URL("/1")); got != "abcdef" {
				t.Fatalf("%s: first: %v", name, kind)
			}
			<-broken
			got, kind := fetch(t, s, method, server.URL("/2"))
			fails := method == "POST" && tt.postFails || name == "cut within the reply"
			wantSeen := int64(2)
			if tt.taken && !fails {
				wantSeen = 3
			}
			if fails != (kind == requests.ErrConnection) || !fails && got != "abcdef" || seen.Load() != wantSeen {
				t.Errorf("%s, %s: %q, %v, %d requests, want %d", name, method, got, kind, seen.Load(), wantSeen)
			}
		}
	}
}

// TestChaosHalfClosed: a server may end its side with the reply; before that it is
// an end of the connection.
func TestChaosHalfClosed(t *testing.T) {
	wiretest.NoLeak(t)
	for sent := range len(lengthReply) + 1 {
		server, _ := chaosServer(t, func(p *peer) {
			if p.request() {
				p.send(lengthReply[:sent])
				p.Conn.(*net.TCPConn).CloseWrite()
				p.linger()
			}
		})
		s := chaosSession(t, server)
		for range 2 {
			got, kind := fetch(t, s, "GET", server.URL("/"))
			if want, wantKind := wantCut(lengthReply, sent); got != want || kind != wantKind {
				t.Errorf("%q: %q, %v", lengthReply[:sent], got, kind)
			}
		}
	}
}

// TestChaosSlowLoris: a server that sends a byte now and then is not stopped by
// the limit for each wait, but by the one for all.
func TestChaosSlowLoris(t *testing.T) {
	wiretest.NoLeak(t)
	for name, endless := range map[string][2]string{
		"head":    {"HTTP/1.1 200 OK\r\nX: ", "a"},
		"headers": {"HTTP/1.1 200 OK\r\n", "X: a\r\n"},
		"interim": {"", "HTTP/1.1 102 Processing\r\n\r\n"},
		"body":    {"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n", "a"},
		"chunks":  {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\na\r\n"},
		"close":   {"HTTP/1.1 200 OK\r\n\r\n", "a"},
	} {
		wiretest.Patiently(t, func(slower time.Duration) error {
			server, seen := chaosServer(t, func(p *peer) {
				p.request()
				for _, err := io.WriteString(p, endless[0]); err == nil; _, err = io.WriteString(p, endless[1]) {
					time.Sleep(10 * time.Millisecond)
				}
			})
			_, kind := fetch(t, chaosSession(t, server), "GET", server.URL("/"), requests.Timeouts{Read: ample, Total: slower * 150 * time.Millisecond})
			if n := seen.Load(); kind != requests.ErrTotalTimeout || n != 1 {
				return fmt.Errorf("%s: %v, %d requests", name, kind, n)
			}
			return nil
		})
	}
}

// zeros is a body of a known length that takes no memory.
type zeros struct {
	io.LimitedReader
	sent atomic.Int64
}

func newZeros(n int64) *zeros { return &zeros{LimitedReader: io.LimitedReader{R: zero{}, N: n}} }

func (z *zeros) Len() int64 { return z.N }

func (z *zeros) Read(b []byte) (int, error) {
	n, err := z.LimitedReader.Read(b)
	z.sent.Add(int64(n))
	return n, err
}

// TestChaosEarlyReply: 413 comes while 100 MiB are on their way, and the server
// reads no further; or ends its side, reads on, or closes.
func TestChaosEarlyReply(t *testing.T) {
	wiretest.NoLeak(t)
	const reply = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig"
	for name, then := range map[string]func(p *peer){
		"stops reading": func(p *peer) { time.Sleep(1500 * time.Millisecond) },
		"half-closes":   func(p *peer) { p.Conn.(*net.TCPConn).CloseWrite(); time.Sleep(1500 * time.Millisecond) },
		"reads on":      func(p *peer) { p.linger() },
		"closes":        func(p *peer) {}, // with bytes unread: the reset may overtake the reply
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // two of them wait most of the time
			server, _ := chaosServer(t, func(p *peer) {
				p.in.ReadString('\n')
				p.send(reply)
				then(p)
			})
			body := newZeros(100 << 20)
			got, kind := fetch(t, chaosSession(t, server), "PUT", server.URL("/"), requests.Body(body))
			lost := name == "closes" && kind == requests.ErrConnection
			if got != "big" && !lost || server.Accepted() != 1 {
				t.Errorf("%q, %v, %d connections, %d bytes sent", got, kind, server.Accepted(), body.sent.Load())
			}
		})
	}
}

// TestChaosConnect has the proxy die after every byte of its answer to CONNECT, and
// in the handshake behind it.
func TestChaosConnect(t *testing.T) {
	wiretest.NoLeak(t)
	const established = "HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n"
	for sent := range len(established) + 1 {
		for _, end := range []func(p *peer){func(*peer) {}, (*peer).reset} {
			proxy, seen := chaosServer(t, func(p *peer) {
				if _, err := http.ReadRequest(p.in); err == nil {
					p.seen.Add(1)
					p.send(established[:sent])
					end(p)
				}
			})
			s := chaosSession(t, proxy)
			_, kind := fetch(t, s, "POST", "https://h.test/", requests.Proxies{"https": proxy.URL("")})
			if sent < len(established) && kind != requests.ErrProxy && kind != requests.ErrSSL || !kind.Is(requests.ErrConnection) || seen.Load() != 1 {
				t.Errorf("after %q: %v, %d tries", established[:sent], kind, seen.Load())
			}
		}
	}
	stalled, _ := chaosServer(t, func(p *peer) { p.linger() })
	_, kind := fetch(t, chaosSession(t, stalled), "GET", "https://h.test/", requests.Proxies{"https": stalled.URL("")}, requests.Timeouts{Read: short})
	if kind != requests.ErrReadTimeout {
		t.Errorf("stalled: %v", kind)
	}
}

// TestChaosTLS cuts a TLS connection after so many bytes of what the server sends,
// in the handshake, the head and the body.
func TestChaosTLS(t *testing.T) {
	wiretest.NoLeak(t)
	origin := wiretest.Start(t, wiretest.Config{TLS: wiretest.TestCA().Server(), Replies: []wiretest.Reply{wiretest.Send(lengthReply)}})
	ca := wiretest.File(t, "ca.pem", wiretest.TestCA().PEM())
	whole := 0
	for limit := int64(1 << 20); ; {
		answered := cutTLS(t, origin, ca, limit, &whole)
		switch {
		case limit == 1<<20 && !answered:
			t.Fatal("the whole connection gave no answer")
		case limit == 1<<20:
			limit = 0
		case limit >= int64(whole):
			return
		default:
			limit += int64(min(61, max(1, whole-int(limit))))
		}
	}
}

// cutTLS sends a request through a relay that closes after limit bytes from the server.
func cutTLS(t *testing.T, origin *wiretest.Server, ca string, limit int64, whole *int) bool {
	t.Helper()
	var relayed atomic.Int64
	relay, _ := chaosServer(t, func(p *peer) {
		up, err := net.Dial("tcp", origin.Addr())
		if err != nil {
			return
		}
		defer up.Close()
		go func() { io.Copy(up, p); up.(*net.TCPConn).CloseWrite() }()
		n, _ := io.CopyN(p, up, limit)
		relayed.Store(n)
	})
	s := retrySession(t)
	s.Timeouts = requests.Timeouts{Read: ample, Total: ample}
	got, kind := fetch(t, s, "GET", "https://"+relay.Addr()+"/", requests.CABundle(ca))
	s.Close()
	relay.Close()
	if limit == 1<<20 {
		*whole = int(relayed.Load())
	}
	if got != "abcdef" && !kind.Is(requests.ErrConnection) && kind != requests.ErrChunkedEncoding {
		t.Errorf("cut after %d bytes: %q, %v", limit, got, kind)
	}
	return got == "abcdef"
}

// TestChaosRetries lets each of the first four connections fail in its own way: with
// retries a GET arrives, and a POST is tried once only where it has been read.
func TestChaosRetries(t *testing.T) {
	wiretest.NoLeak(t)
	ends := []func(p *peer){
		func(p *peer) { p.request() },
		func(p *peer) { p.request(); p.send("HTTP/1.1 20"); p.reset() },
		func(p *peer) { p.request(); p.linger() },
		func(p *peer) { p.request(); p.send("nonsense\r\n\r\n") },
	}
	script := func(p *peer) {
		if int(p.number) <= len(ends) {
			ends[p.number-1](p)
			return
		}
		if p.request() {
			p.send(lengthReply)
			p.linger()
		}
	}
	for method, want := range map[string]string{"GET": "abcdef 5", "POST": " 1", "PUT": "abcdef 5"} {
		wiretest.Patiently(t, func(slower time.Duration) error {
			server, seen := chaosServer(t, script)
			s := chaosSession(t, server, requests.Retries(requests.Retry{Total: 6}))
			text, _ := fetch(t, s, method, server.URL("/"), requests.Timeouts{Read: slower * 300 * time.Millisecond})
			if got := fmt.Sprint(text, " ", seen.Load()); got != want {
				return fmt.Errorf("%s: %q, want %q", method, got, want)
			}
			return nil
		})
	}
}
