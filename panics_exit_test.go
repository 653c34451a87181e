package requests_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt"
)

// crash is what a callback does: it panics, or ends its goroutine as testing.T.FailNow does.
type crash func()

func crashes() map[string]crash {
	return map[string]crash{"panic": func() { panic(thePanic) }, "Goexit": runtime.Goexit}
}

func (c crash) Read([]byte) (int, error) { c(); return 0, io.EOF }

func (c crash) Write([]byte) (int, error) { c(); return 0, io.EOF }

// crashingHandler is a handler of log/slog.
type crashingHandler struct {
	slog.Handler
	crash
}

func (h crashingHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h crashingHandler) Handle(context.Context, slog.Record) error { h.crash(); return nil }

// crashingConn is a connection one method of which crashes from the fifth call on.
type crashingConn struct {
	net.Conn
	crash
	at    string
	calls *atomic.Int32
}

func (c crashingConn) Read(p []byte) (int, error) {
	if c.at == "Read" && c.calls.Add(1) > 4 {
		c.crash()
	}
	return c.Conn.Read(p)
}

func (c crashingConn) Write(p []byte) (int, error) {
	if c.at == "Write" && c.calls.Add(1) > 4 {
		c.crash()
	}
	return c.Conn.Write(p)
}

// crashingBody gives the responses of an adapter a body that crashes, above that of the connection.
func crashingBody(c crash) requests.Wrapper {
	return func(base requests.Adapter) requests.Adapter {
		return requests.AdapterFunc(func(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
			r, err := base.Send(ctx, p, opts)
			if err == nil {
				r.Raw = struct {
					io.Reader
					io.Closer
				}{c, r.Raw}
			}
			return r, err
		})
	}
}

func crashingSend(c crash) requests.Adapter {
	return requests.AdapterFunc(func(context.Context, *requests.PreparedRequest, requests.SendOptions) (*requests.Response, error) {
		c()
		return nil, nil
	})
}

func tracing(trace *httptrace.ClientTrace) func(*requests.Session, string) error {
	return func(s *requests.Session, url string) error {
		ctx := httptrace.WithClientTrace(context.Background(), trace)
		_, err := s.Post(ctx, url+"/", requests.Body(io.MultiReader(strings.NewReader("body"))))
		return err
	}
}

// below has the pool's adapter wrapped.
func below(w requests.Wrapper, run func(*requests.Session, string) error) func(*requests.Session, string) error {
	return setUp(func(s *requests.Session) {
		base, err := s.Adapter("https://")
		if err != nil {
			panic(err)
		}
		s.Mount("http://127.0.0.1", w(base))
		s.Mount("https://127.0.0.1", w(base))
	}, run)
}

// dialed sends over connections that crash.
func dialed(c crash, at string, run func(*requests.Session, string) error) func(*requests.Session, string) error {
	return setUp(func(s *requests.Session) {
		a := requests.NewHTTPAdapter(requests.HTTP2(true), adapters.Dialer(func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			return crashingConn{conn, c, at, new(atomic.Int32)}, err
		}))
		s.Mount("http://127.0.0.1", a)
		s.Mount("https://127.0.0.1", a)
	}, run)
}

func crashingPool(options ...requests.Option) func(*requests.Session, string) error {
	return func(s *requests.Session, url string) error {
		jobs := func(yield func(string) bool) {
			for n := 0; n < 3 && yield(url+"/"); n++ {
			}
		}
		p, err := toolbelt.FromURLs(iter.Seq[string](jobs), toolbelt.Workers(2), toolbelt.SharedSession(s), toolbelt.EachRequest(options...))
		if err != nil {
			return err
		}
		for r := range p.Results(context.Background()) {
			err = r.Err
		}
		return err
	}
}

func crashingCalls(c crash) []panickingCall {
	hook := requests.ReplaceHooks(func(context.Context, *requests.Response) (*requests.Response, error) { c(); return nil, nil })
	return []panickingCall{
		{"hook", panicGetting("/", hook)},
		{"body", panicPosting(c)},
		{"iterator", panicPosting(iter.Seq[[]byte](func(yield func([]byte) bool) { yield([]byte("x")); c() }))},
		{"trailers", panicPosting(io.MultiReader(strings.NewReader("x")), requests.OptionFunc(func(r *requests.Request) error {
			r.Trailers = func() requests.Headers { c(); return nil }
			return nil
		}))},
		{"trace of the connecting", tracing(&httptrace.ClientTrace{ConnectStart: func(string, string) { c() }})},
		{"trace of the connection", tracing(&httptrace.ClientTrace{ConnectDone: func(string, string, error) { c() }})},
		{"trace of the head", tracing(&httptrace.ClientTrace{WroteHeaders: func() { c() }})},
		{"trace of the request", tracing(&httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { c() }})},
		{"trace of the response", tracing(&httptrace.ClientTrace{GotFirstResponseByte: func() { c() }})},
		{"writer", streaming(func(r *requests.Response) { _, _ = r.WriteTo(c) })},
		{"connection, reading", dialed(c, "Read", streaming(func(r *requests.Response) { _, _ = r.Content() }))},
		{"connection, writing", dialed(c, "Write", panicPosting(io.MultiReader(strings.NewReader(strings.Repeat("x", 1<<20)))))},
		{"logger", below(adapters.Logging(slog.New(crashingHandler{crash: c})), panicGetting("/lines"))},
		{"adapter below SingleFlight", below(func(requests.Adapter) requests.Adapter { return adapters.SingleFlight()(crashingSend(c)) }, panicGetting("/"))},
		{"body below SingleFlight", below(func(a requests.Adapter) requests.Adapter { return adapters.SingleFlight()(crashingBody(c)(a)) }, panicGetting("/lines"))},
		{"adapter below Hedge", below(func(requests.Adapter) requests.Adapter { return adapters.Hedge(1)(crashingSend(c)) }, panicGetting("/"))},
		{"hook of a pool", crashingPool(hook)},
	}
}

// crashServer serves what panicServer does, over HTTP/1.1 or HTTP/2.
func crashServer(t *testing.T, http2 bool) string {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		text := "ok"
		if r.URL.Path == "/lines" {
			text = strings.Repeat("line\n", 1<<19)
		}
		_, _ = io.WriteString(w, text)
	}))
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	if server.EnableHTTP2 = http2; http2 {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return server.URL
}

// TestCrashes: whatever of the caller's panics or ends its goroutine, over HTTP/1.1 and HTTP/2, on whichever goroutine:
// the process goes on, nobody takes it for success, and no connection is in use or open.
func TestCrashes(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // the collector closes sockets that are lost
	for how, crash := range crashes() {
		for _, http2 := range []bool{false, true} {
			for _, c := range append(crashingCalls(crash), moreCrashes(crash)...) {
				name := how + " in " + c.name
				if http2 {
					name += " over HTTP/2"
				}
				t.Run(name, func(t *testing.T) {
					url := crashServer(t, http2)
					wiretest.NoLeak(t)
					s := newTestSession(t)
					s.Verify = requests.Verify(false)
					a := requests.NewHTTPAdapter(requests.HTTP2(true), requests.PoolMaxSize(1), requests.PoolBlock(true))
					s.Mount("http://", a)
					s.Mount("https://", a)
					succeeded, got, failed := true, any(nil), error(nil)
					done := make(chan struct{})
					go func() {
						defer close(done)
						succeeded = false
						defer func() { got = recover() }()
						err := c.run(s, url)
						failed = err
						succeeded = err == nil
					}()
					<-done
					late := c.name == "trace of the request" && got == nil // the response may have been there by then
					switch {
					case late:
					case how == "panic" && got != thePanic:
						t.Errorf("the panic that went on is %v, the error %v", got, failed)
					case how == "Goexit" && got != nil:
						t.Errorf("a panic: %v", got)
					case succeeded:
						t.Error("it was taken for success")
					}
					if own, err := s.Adapter(url); err == nil {
						if dialed, ok := own.(*requests.HTTPAdapter); ok {
							a = dialed
						}
					}
					for end := time.Now().Add(20 * time.Second); late && a.Stats().InUse > 0 && time.Now().Before(end); {
						time.Sleep(time.Millisecond)
					}
					if n := a.Stats().InUse; n != 0 {
						t.Errorf("%d connections are in use", n)
					}
				})
			}
		}
	}
}

// TestCrashWithoutDeadlines: a dial function's connection that has no deadlines is read by a goroutine of its own, and so
// its Read may panic there.
func TestCrashWithoutDeadlines(t *testing.T) {
	for how, crash := range crashes() {
		wiretest.NoLeak(t)
		s := newTestSession(t)
		a := requests.NewHTTPAdapter(adapters.Dialer(func(context.Context, string, string) (net.Conn, error) {
			conn, far := net.Pipe()
			go func() { _, _ = io.Copy(io.Discard, far) }()
			return withoutDeadlines{crashingConn{conn, crash, "Read", new(atomic.Int32)}}, nil
		}))
		s.Mount("http://", a)
		var err error
		got := any(nil)
		func() {
			defer func() { got = recover() }()
			_, err = s.Get(t.Context(), "http://h.test/")
		}()
		if how == "panic" && got != thePanic || how == "Goexit" && (got != nil || err == nil) {
			t.Errorf("%s: panic %v, error %v", how, got, err)
		}
	}
}

type withoutDeadlines struct{ crashingConn }

func (withoutDeadlines) SetDeadline(time.Time) error { return errors.ErrUnsupported }

func (c withoutDeadlines) Read([]byte) (int, error) { c.crash(); return 0, io.EOF }
