package requests_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

const (
	short = 150 * time.Millisecond
	// ample is when a test that should have ended by a short limit has failed.
	ample = time.Minute
)

// stage is a place at which a server can stall: the request that gets there.
type stage struct {
	name    string
	url     func(t *testing.T) string
	method  string
	options []requests.Option
	read    requests.Kind // what Timeouts.Read gives there, 0 if it does not count
}

// silent accepts connections and neither reads nor writes.
func silent(t *testing.T) *wiretest.Server {
	return wiretest.Start(t, wiretest.Config{Conn: func(c net.Conn) { <-t.Context().Done() }})
}

func stages() []stage {
	head := "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"
	origin := func(reply wiretest.Reply) func(t *testing.T) string {
		return func(t *testing.T) string { return wiretest.Origin(t, reply).URL("/") }
	}
	return []stage{
		{name: "connect", url: func(t *testing.T) string { return "http://" + wiretest.Blackhole(t) + "/" }},
		{name: "TLS", url: func(t *testing.T) string { return "https://" + silent(t).Addr() + "/" }, read: requests.ErrReadTimeout},
		{name: "write", url: func(t *testing.T) string { return silent(t).URL("/") }, method: "PUT",
			options: []requests.Option{requests.Body(make([]byte, 32<<20))}, read: requests.ErrWriteTimeout},
		{name: "head", url: origin(wiretest.Reply{}), read: requests.ErrReadTimeout},
		{name: "within the head", url: origin(wiretest.Send(head[:20])), read: requests.ErrReadTimeout},
		{name: "body", url: origin(wiretest.Send(head + "abc")), read: requests.ErrBodyTimeout},
		{name: "chunk", url: origin(wiretest.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab")), read: requests.ErrBodyTimeout},
		{name: "redirect body", url: origin(wiretest.Send("HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 10\r\n\r\nabc"))},
	}
}

func (s *stage) send(t *testing.T, ctx context.Context, limits requests.Timeouts) error {
	t.Helper()
	session := requests.NewSession()
	session.TrustEnv = false
	defer session.Close()
	method := s.method
	if method == "" {
		method = "GET"
	}
	start := time.Now()
	_, err := session.Request(ctx, method, s.url(t), append([]requests.Option{limits}, s.options...)...)
	if d := time.Since(start); d > ample {
		t.Errorf("took %v", d)
	}
	return err
}

// check holds err to its Kind and to the causes that must be reachable.
func check(t *testing.T, err error, kind requests.Kind, text string, causes ...error) {
	t.Helper()
	e, _ := errors.AsType[*requests.Error](err)
	if e == nil || e.Kind != kind || e.Request == nil {
		t.Errorf("got %v, want %v", err, kind)
		return
	}
	for _, cause := range causes {
		if !errors.Is(err, cause) {
			t.Errorf("%v is not %v", err, cause)
		}
	}
	if !strings.Contains(err.Error(), text) {
		t.Errorf("%q does not say %q", err, text)
	}
}

// tooBusy tells a limit that has ended the wait for the head, where the machine was to get as
// far as the body within it.
func tooBusy(err error, want requests.Kind) bool {
	return want == requests.ErrBodyTimeout && errors.Is(err, requests.ErrReadTimeout) && !errors.Is(err, want)
}

// TestTimeoutStages stalls at every stage, under every limit that counts there.
func TestTimeoutStages(t *testing.T) {
	for _, s := range stages() {
		if s.read != 0 {
			t.Run(s.name+"/read", func(t *testing.T) {
				t.Parallel()
				wiretest.Patiently(t, func(slower time.Duration) error {
					limit := slower * short
					err := s.send(t, t.Context(), requests.Timeouts{Read: limit})
					if tooBusy(err, s.read) {
						return err
					}
					check(t, err, s.read, limit.String()+" (Timeouts.Read)", requests.ErrTimeout, os.ErrDeadlineExceeded)
					if !err.(interface{ Timeout() bool }).Timeout() {
						t.Error("Timeout() is false")
					}
					return nil
				})
			})
		}
		t.Run(s.name+"/total", func(t *testing.T) {
			t.Parallel()
			err := s.send(t, t.Context(), requests.Timeouts{Total: short, Connect: ample, Read: ample})
			check(t, err, requests.ErrTotalTimeout, "Timeouts.Total", requests.ErrTimeout, os.ErrDeadlineExceeded)
		})
		t.Run(s.name+"/deadline", func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), short)
			defer cancel()
			check(t, s.send(t, ctx, requests.Timeouts{}), requests.ErrTotalTimeout, "", context.DeadlineExceeded)
		})
		t.Run(s.name+"/cancel", func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(short, func() { cancel(io.ErrNoProgress) })
			check(t, s.send(t, ctx, requests.Timeouts{Read: ample}), requests.ErrCanceled, "", context.Canceled, io.ErrNoProgress)
		})
	}
}

// TestTimeoutHTTP2 stalls an HTTP/2 stream in the head and in the body.
func TestTimeoutHTTP2(t *testing.T) {
	t.Parallel()
	server := h2Server(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/open":
			return
		case "/body":
			io.WriteString(w, "abc")
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
	})
	for path, read := range map[string]requests.Kind{"/head": requests.ErrReadTimeout, "/body": requests.ErrBodyTimeout} {
		s := h2Session(t, requests.HTTP2(true))
		if _, err := s.Get(t.Context(), server.URL+"/open"); err != nil { // so that no limit counts for the handshake
			t.Fatal(err)
		}
		wiretest.Patiently(t, func(slower time.Duration) error {
			_, err := s.Get(t.Context(), server.URL+path, requests.Timeouts{Read: slower * short})
			if tooBusy(err, read) {
				return err
			}
			check(t, err, read, "(Timeouts.Read)", requests.ErrTimeout, os.ErrDeadlineExceeded)
			return nil
		})
		_, err := s.Get(t.Context(), server.URL+path, requests.Timeouts{Total: short, Read: ample})
		check(t, err, requests.ErrTotalTimeout, "Timeouts.Total", os.ErrDeadlineExceeded)
		ctx, cancel := context.WithTimeout(t.Context(), short)
		_, err = s.Get(ctx, server.URL+path)
		check(t, err, requests.ErrTotalTimeout, "", context.DeadlineExceeded)
		cancel()
		cause, give := context.WithCancelCause(t.Context())
		time.AfterFunc(short, func() { give(io.ErrNoProgress) })
		_, err = s.Get(cause, server.URL+path)
		check(t, err, requests.ErrCanceled, "", context.Canceled, io.ErrNoProgress)
	}
}

func TestConnectTimeout(t *testing.T) {
	t.Parallel()
	s := stage{url: func(t *testing.T) string { return "http://" + wiretest.Blackhole(t) + "/" }}
	err := s.send(t, t.Context(), requests.Timeouts{Connect: short})
	check(t, err, requests.ErrConnectTimeout, "no connection within "+short.String()+" (Timeouts.Connect)", requests.ErrConnection, requests.ErrTimeout, os.ErrDeadlineExceeded)
	if !err.(*requests.Error).SafeToRetry() {
		t.Error("nothing was sent, and it is not safe to retry")
	}
}

// TestTimeoutTunnel: a proxy that does not answer CONNECT is a read timeout, as in Requests.
func TestTimeoutTunnel(t *testing.T) {
	t.Parallel()
	s := stage{url: func(t *testing.T) string { return "https://h.test/" }, options: []requests.Option{requests.Proxies{"https": silent(t).URL("")}}}
	check(t, s.send(t, t.Context(), requests.Timeouts{Read: short}), requests.ErrReadTimeout, short.String()+" (Timeouts.Read)")
}

// TestTimeoutBetweenBytes: the limit is for each wait, so that a slow reply passes, which takes longer as a whole.
func TestTimeoutBetweenBytes(t *testing.T) {
	t.Parallel()
	pieces := append([]string{"HTTP/1.1 200 OK\r\n", "Content-Length: 24\r\n\r\n"}, strings.Split("abcdefghijklmnopqrstuvwx", "")...)
	server := wiretest.Origin(t, wiretest.Slowly(20*time.Millisecond, pieces...))
	wiretest.Patiently(t, func(slower time.Duration) error {
		r, err := requests.Get(t.Context(), server.URL("/"), requests.Timeouts{Read: slower * 450 * time.Millisecond})
		if err != nil {
			return err
		}
		if text, _ := r.Text(); text != "abcdefghijklmnopqrstuvwx" {
			t.Errorf("got %q", text)
		}
		return nil
	})
}

// TestTimeoutWriteProgress: an upload may take longer than the limit as long as
// the server goes on taking it. What the system has in its buffers is taken at once in the
// end, so that the response does not wait for it.
func TestTimeoutWriteProgress(t *testing.T) {
	t.Parallel()
	slowly := func(c net.Conn) {
		if tcp, ok := c.(*net.TCPConn); ok {
			tcp.SetReadBuffer(16 << 10)
		}
		for range 12 {
			if _, err := io.CopyN(io.Discard, c, 64<<10); err != nil {
				return
			}
			time.Sleep(120 * time.Millisecond)
		}
		if _, err := io.CopyN(io.Discard, c, 7<<20); err != nil {
			return
		}
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	}
	server := wiretest.Start(t, wiretest.Config{Conn: slowly})
	wiretest.Patiently(t, func(slower time.Duration) error {
		_, err := requests.Put(t.Context(), server.URL("/"), requests.Body(bytes.NewReader(make([]byte, 9<<20))), requests.Timeouts{Read: slower * time.Second})
		return err
	})
}

// TestTimeoutStream: the limits go on while a streamed body is read.
func TestTimeoutStream(t *testing.T) {
	t.Parallel()
	server := wiretest.Origin(t, wiretest.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"))
	for limits, want := range map[requests.Timeouts]requests.Kind{
		{Read: short}:  requests.ErrBodyTimeout,
		{Total: short}: requests.ErrTotalTimeout,
	} {
		var r *requests.Response
		wiretest.Patiently(t, func(slower time.Duration) (err error) {
			r, err = requests.Get(t.Context(), server.URL("/"), requests.Stream(true), requests.Timeouts{Read: slower * limits.Read, Total: slower * limits.Total})
			return err
		})
		if r == nil {
			return
		}
		got, err := io.ReadAll(r)
		if string(got) != "abc" {
			t.Errorf("got %q", got)
		}
		check(t, err, want, "")
		_, again := r.Read(make([]byte, 1))
		if again != err {
			t.Errorf("then %v", again)
		}
	}
}

// TestTimeoutTotalOverRedirects: no single hop is too slow, the chain is.
func TestTimeoutTotalOverRedirects(t *testing.T) {
	t.Parallel()
	wiretest.Patiently(t, func(slower time.Duration) error {
		server := wiretest.Start(t, wiretest.Config{Handler: func(*wiretest.Request) wiretest.Reply {
			return wiretest.Reply{Parts: []wiretest.Part{{After: slower * 25 * time.Millisecond, Send: "HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n"}}}
		}})
		_, err := requests.Get(t.Context(), server.URL("/"), requests.Timeouts{Total: slower * 120 * time.Millisecond, Read: ample})
		check(t, err, requests.ErrTotalTimeout, "Timeouts.Total", os.ErrDeadlineExceeded)
		if n := len(server.Requests()); n < 2 || n > 6 {
			return fmt.Errorf("%d requests", n)
		}
		return nil
	})
}

// TestTimeoutPool: a full blocking pool is waited for as long as the limits say,
// and the connection that comes free is used.
func TestTimeoutPool(t *testing.T) {
	t.Parallel()
	server := wiretest.Origin(t)
	s := retrySession(t, requests.PoolMaxSize(1), requests.PoolBlock(true))
	held, err := s.Get(t.Context(), server.URL("/"), requests.Stream(true))
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Get(t.Context(), server.URL("/"), requests.Timeouts{Pool: short})
	check(t, err, requests.ErrPoolTimeout, short.String()+" (Timeouts.Pool): all connections", requests.ErrConnection, requests.ErrTimeout, os.ErrDeadlineExceeded)
	_, err = s.Get(t.Context(), server.URL("/"), requests.Timeouts{Total: short, Pool: ample})
	check(t, err, requests.ErrTotalTimeout, "Timeouts.Total", os.ErrDeadlineExceeded)
	ctx, cancel := context.WithTimeout(t.Context(), short)
	defer cancel()
	_, err = s.Get(ctx, server.URL("/"))
	check(t, err, requests.ErrTotalTimeout, "", context.DeadlineExceeded)
	time.AfterFunc(short, func() { held.Content() })
	if _, err := s.Get(t.Context(), server.URL("/"), requests.Timeouts{Pool: ample}); err != nil {
		t.Error(err)
	}
	if n := server.Accepted(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// TestTimeoutDefaults: the session's limit holds, Forever and NoTimeout lift it, a
// limit below zero is refused before anything is sent.
func TestTimeoutDefaults(t *testing.T) {
	t.Parallel()
	server := wiretest.Origin(t, wiretest.Slowly(400*time.Millisecond, "", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
	s := retrySession(t)
	s.Timeouts = requests.Timeouts{Read: short}
	_, err := s.Get(t.Context(), server.URL("/"))
	check(t, err, requests.ErrReadTimeout, "")
	for _, lifted := range []requests.Timeouts{{Read: requests.Forever}, requests.NoTimeout, {Read: ample}} {
		if _, err := s.Get(t.Context(), server.URL("/"), lifted); err != nil {
			t.Errorf("%v: %v", lifted, err)
		}
	}
	sent := len(server.Requests())
	for _, bad := range []requests.Timeouts{{Read: -1}, {Connect: -1}, {Total: -1}, {Pool: -1}} {
		if _, err := s.Get(t.Context(), server.URL("/"), bad); !errors.Is(err, requests.ErrInvalidTimeout) {
			t.Errorf("%v: %v", bad, err)
		}
	}
	if n := len(server.Requests()); n != sent {
		t.Errorf("%d requests for limits below zero", n-sent)
	}
}

// TestContextOver: a context that has ended before the request sends nothing.
func TestContextOver(t *testing.T) {
	t.Parallel()
	server := wiretest.Origin(t)
	s := retrySession(t)
	if _, err := s.Get(t.Context(), server.URL("/")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Get(ctx, server.URL("/"))
	check(t, err, requests.ErrCanceled, "", context.Canceled)
	if n := len(server.Requests()); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// TestCancelRace cancels requests at moments that move over the whole exchange.
// Each ends with its own answer or as canceled, and the next one is not harmed.
func TestCancelRace(t *testing.T) {
	t.Parallel()
	server := wiretest.Start(t, wiretest.Config{Handler: func(r *wiretest.Request) wiretest.Reply { return wiretest.Text(200, r.Target) }})
	s := retrySession(t, requests.PoolMaxSize(2))
	for i := range 400 {
		target := "/" + strings.Repeat("x", i)
		ctx, cancel := context.WithCancel(t.Context())
		timer := time.AfterFunc(time.Duration(i)*time.Microsecond, cancel)
		r, err := s.Get(ctx, server.URL(target), requests.Timeouts{Read: ample})
		timer.Stop()
		cancel()
		if err != nil {
			if !errors.Is(err, requests.ErrCanceled) || !errors.Is(err, context.Canceled) {
				t.Fatalf("%d: %v", i, err)
			}
			continue
		}
		if text, err := r.Text(); err != nil || text != target {
			t.Fatalf("%d: %q, %v", i, text, err)
		}
	}
}

// TestTimeoutLimits is the arithmetic of urllib3's Timeout, of which the parity
// suite has more.
func TestTimeoutLimits(t *testing.T) {
	got := [][2]time.Duration{}
	for _, limits := range []requests.Timeouts{{}, {Total: 5}, {Connect: 9, Read: 2, Total: 5}, {Connect: 1, Read: requests.Forever}} {
		connect, read := limits.Limits(4)
		got = append(got, [2]time.Duration{connect, read})
	}
	want := [][2]time.Duration{{requests.Forever, requests.Forever}, {5, 1}, {5, 1}, {1, requests.Forever}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
