package fleet

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mountable/requests"
)

// stamping is a listener whose connections say when requests arrived.
type stamping struct {
	net.Listener
	t testing.TB
}

func (l stamping) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		c = stamp(l.t, c)
	}
	return c, err
}

type connKey struct{}

// newStamped is a server, not started yet, that tells its handler when each request arrived.
func newStamped(t testing.TB, handle func(w http.ResponseWriter, r *http.Request, at time.Time)) *httptest.Server {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := r.Context().Value(connKey{}).(net.Conn)
		if secure, ok := c.(*tls.Conn); ok {
			c = secure.NetConn()
		}
		handle(w, r, c.(*stamped).arrived())
	}))
	s.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context { return context.WithValue(ctx, connKey{}, c) }
	s.Listener = stamping{s.Listener, t}
	t.Cleanup(s.Close)
	return s
}

// TestRateOnWire: what happens between a moment and the write does not bunch requests together.
func TestRateOnWire(t *testing.T) {
	const rate, jobs, interval = 5, 16, time.Second / 5
	for name, c := range map[string]struct {
		handshake func(n int64) time.Duration // of the n-th connection
		respond   func(n int64) time.Duration
		adapter   []requests.AdapterOption
	}{
		"connecting takes long": {
			handshake: func(n int64) time.Duration { return time.Duration(3-n%4) * interval },
			adapter:   []requests.AdapterOption{requests.PoolMaxSize(16)},
		},
		"the pool is full": {
			respond: func(n int64) time.Duration { return time.Duration((4-n%4)/4*3) * interval },
			adapter: []requests.AdapterOption{requests.PoolMaxSize(1), requests.PoolBlock(true)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var arrivals []time.Time
			o := newStamped(t, func(w http.ResponseWriter, _ *http.Request, at time.Time) {
				mu.Lock()
				n := int64(len(arrivals))
				arrivals = append(arrivals, at)
				mu.Unlock()
				if c.respond != nil {
					time.Sleep(c.respond(n))
				} else {
					w.Header().Set("Connection", "close")
				}
				io.WriteString(w, "ok")
			})
			if c.handshake == nil {
				o.Start()
			} else {
				var n atomic.Int64
				o.TLS = &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
					time.Sleep(c.handshake(n.Add(1) - 1))
					return nil, nil
				}}
				o.StartTLS()
			}
			f := open(t, Embedded(t.TempDir()))
			s := session(t)
			s.Verify = requests.Verify(false)
			wrap, err := f.RateLimit(t.Context(), rate)
			if err != nil {
				t.Fatal(err)
			}
			s.Mount(o.URL, wrap(requests.NewHTTPAdapter(c.adapter...)))
			enqueue(t, f, gets(o.URL, jobs), jobs)
			run(t, f, s, Workers(8))
			if n := excess(arrivals, rate); len(arrivals) != jobs || n > 1 {
				t.Errorf("%d arrived, %d above the rate", len(arrivals), n)
			}
		})
	}
}

// TestClocks: members whose clocks are wrong share a rate all the same.
func TestClocks(t *testing.T) {
	const rate, each = 5, 8
	var mu sync.Mutex
	var arrivals []time.Time
	o := newStamped(t, func(w http.ResponseWriter, _ *http.Request, at time.Time) {
		mu.Lock()
		defer mu.Unlock()
		arrivals = append(arrivals, at)
	})
	o.Start()
	f := open(t, Embedded(t.TempDir()))
	var senders sync.WaitGroup
	for _, wrong := range []time.Duration{-10 * time.Minute, 0, 10 * time.Minute} {
		wrap, err := f.RateLimit(t.Context(), rate)
		if err != nil {
			t.Fatal(err)
		}
		a := wrap(requests.NewHTTPAdapter(requests.PoolMaxSize(each))).(*limited)
		a.limits.clock.local = func() time.Time { return time.Now().Add(wrong) }
		if err := a.limits.clock.set(t.Context()); err != nil {
			t.Fatal(err)
		}
		s := session(t)
		s.Mount("http://", a)
		for range each {
			senders.Go(func() {
				if _, err := s.Get(t.Context(), o.URL, requests.Timeouts{Total: 5 * time.Minute}); err != nil {
					t.Errorf("a clock that is wrong by %v: %v", wrong, err)
				}
			})
		}
	}
	senders.Wait()
	if n := excess(arrivals, rate); len(arrivals) != 3*each || n > 1 {
		t.Errorf("%d arrived, %d above the rate", len(arrivals), n)
	}
}
