package http2

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/mountable/requests/internal/wire"
)

// slowly gives n bytes a Read.
type slowly struct {
	net.Conn
	n int
}

func (s slowly) Read(b []byte) (int, error) { return s.Conn.Read(b[:min(s.n, len(b))]) }

// TestPieces: a response may come in pieces of any size.
func TestPieces(t *testing.T) {
	for n := range 40 {
		client, server := net.Pipe()
		c := New(slowly{client, n + 1}, Config{})
		var running sync.WaitGroup
		running.Go(func() {
			p := newPeer(t, server)
			defer func() { _ = p.Conn.Close() }()
			if p.greet(nil) != nil {
				return
			}
			p.skipTo("HEADERS")
			p.head(1, false, ":status", "100")
			_ = p.WritePing(false, [8]byte{})
			p.head(1, false, ":status", "200", "a", "b")
			_ = p.WriteDataPadded(1, false, []byte("some"), make([]byte, 3))
			p.data(1, false, "thing")
			p.head(1, true, "c", "d")
			p.drain()
		})
		if got := outcome(t.Context(), c, get("/")); got != "200 something" {
			t.Errorf("in pieces of %d: %s", n+1, got)
		}
		_ = c.Close()
		running.Wait()
	}
}

// TestHammer: many requests at once, of which some are canceled, closed early, or fail, all end and leave nothing
// behind.
func TestHammer(t *testing.T) {
	c := goServer(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/slow":
			<-r.Context().Done()
		case "/early":
			w.WriteHeader(413)
		case "/reset":
			panic(http.ErrAbortHandler)
		default:
			n, _ := io.Copy(io.Discard, r.Body)
			_, _ = w.Write(make([]byte, n))
		}
	})
	var all sync.WaitGroup
	var mu sync.Mutex
	opened, ended := 0, 0
	for i := range 16 {
		all.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(i)))
			for range 60 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(1+r.IntN(20))*time.Millisecond)
				path := []string{"/", "/", "/slow", "/early", "/reset"}[r.IntN(5)]
				req := post(path, io.LimitReader(endless{}, int64(r.IntN(1<<17))))
				if r.IntN(2) == 0 {
					req = get(path)
				}
				mu.Lock()
				opened++
				mu.Unlock()
				resp, err := roundTrip(ctx, c, req, func() {
					mu.Lock()
					ended++
					mu.Unlock()
				})
				if err == nil {
					if r.IntN(3) > 0 {
						_, _ = io.Copy(io.Discard, resp.Body)
					}
					_ = resp.Body.Close()
				}
				cancel()
			}
		})
	}
	all.Wait()
	for range 1000 {
		mu.Lock()
		done := opened == ended
		mu.Unlock()
		if done {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	mu.Lock()
	defer mu.Unlock()
	if opened != ended {
		t.Errorf("%d of %d ended", ended, opened)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.streams) != 0 || c.failed != nil || c.uploads != 0 {
		t.Errorf("%d streams, %d uploads, %v", len(c.streams), c.uploads, c.failed)
	}
}

// FuzzFrames: whatever a peer sends, requests end, nothing panics and nothing spins.
func FuzzFrames(f *testing.F) {
	var b bytes.Buffer
	p := &peer{Framer: http2.NewFramer(&b, nil)}
	_ = p.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 100})
	_ = p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0x88}, EndHeaders: true})
	_ = p.WriteDataPadded(1, false, []byte("body"), make([]byte, 3))
	_ = p.WriteWindowUpdate(0, 1000)
	_ = p.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: []byte{0x88, 0x40, 1, 'a', 1, 'b'}, EndHeaders: false})
	_ = p.WriteContinuation(3, true, []byte{0xbe})
	_ = p.WriteRSTStream(1, 0)
	_ = p.WriteGoAway(3, 0, []byte("bye"))
	_ = p.WritePing(false, [8]byte{1})
	f.Add(b.Bytes())
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	f.Fuzz(func(t *testing.T, sent []byte) {
		client, server := net.Pipe()
		c := New(client, Config{})
		var running sync.WaitGroup
		running.Go(func() { _, _ = io.Copy(io.Discard, server) })
		running.Go(func() {
			_, _ = server.Write(sent)
			_ = server.Close()
		})
		for _, req := range []*wire.Request{get("/"), post("/", endless{})} {
			req.Limits.Deadline = time.Now().Add(10 * time.Second)
			running.Go(func() {
				if got := outcome(context.Background(), c, req); strings.HasSuffix(got, "limit 3") {
					t.Error(got)
				}
			})
		}
		running.Wait()
		_ = c.Close()
	})
}
