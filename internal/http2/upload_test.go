package http2

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"

	"github.com/mountable/requests/internal/wire"
)

// TestFullDuplex: a response that begins before the request has been sent does not end the request.
func TestFullDuplex(t *testing.T) {
	c := goServer(t, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		w.WriteHeader(200)
		_ = http.NewResponseController(w).Flush()
		_, _ = io.Copy(flushing{w}, r.Body)
	})
	t.Run("echo", func(t *testing.T) {
		content := strings.Repeat("0123456789abcdef", 1<<19) // 8 MiB, more than every window
		resp, err := roundTrip(t.Context(), c, post("/", io.MultiReader(strings.NewReader(content))), nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		if err != nil || string(got) != content {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	})
	t.Run("dialogue", func(t *testing.T) {
		r, w := io.Pipe()
		resp, err := roundTrip(t.Context(), c, post("/", r), nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			say := fmt.Sprintf("%09d\n", i)
			if _, err := io.WriteString(w, say); err != nil {
				t.Fatal(err)
			}
			heard := make([]byte, len(say))
			if _, err := io.ReadFull(resp.Body, heard); err != nil || string(heard) != say {
				t.Fatalf("%q %v", heard, err)
			}
		}
		_ = w.Close()
		if n, err := resp.Body.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("%d %v", n, err)
		}
	})
}

type flushing struct{ http.ResponseWriter }

func (f flushing) Write(b []byte) (int, error) {
	n, err := f.ResponseWriter.Write(b)
	_ = http.NewResponseController(f.ResponseWriter).Flush()
	return n, err
}

// endless is a body of unknown length.
type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

// TestEarly: what ends an upload before its end, and what does not.
func TestEarly(t *testing.T) {
	for name, tt := range map[string]struct {
		script func(p *peer)
		want   string
		frames string // from the peer's view, after its response
	}{
		"refused": {func(p *peer) {
			p.head(1, false, ":status", "413")
			p.data(1, true, "no")
		}, "413 no", "RST_STREAM 1 CANCEL"},
		"complete, then not wanted": {func(p *peer) {
			p.head(1, false, ":status", "200")
			p.data(1, true, "ok")
			_ = p.WriteRSTStream(1, http2.ErrCodeNo)
			_ = p.WritePing(false, [8]byte{})
		}, "200 ok", "PING 0 ack"},
		"all of its length, then not wanted": {func(p *peer) {
			p.head(1, false, ":status", "200", "content-length", "2")
			p.data(1, false, "ok")
			_ = p.WriteRSTStream(1, http2.ErrCodeNo)
			_ = p.WritePing(false, [8]byte{})
		}, "200 ok", "PING 0 ack"},
		"reset": {func(p *peer) { _ = p.WriteRSTStream(1, http2.ErrCodeCancel); _ = p.WritePing(false, [8]byte{}) },
			"! waiting for the response: http2: the server reset the stream: CANCEL", "PING 0 ack"},
		"complete, window of 0": {func(p *peer) {
			p.head(1, false, ":status", "200")
			p.data(1, true, "ok")
		}, "200 ok", "RST_STREAM 1 CANCEL"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := make(chan string, 1)
				c := scripted(t, func(p *peer) {
					p.skipTo("DATA")
					tt.script(p)
					s := p.next()
					for strings.HasPrefix(s, "DATA") {
						s = p.next()
					}
					got <- s
					p.drain()
				})
				if diff := cmp.Diff(tt.want, outcome(t.Context(), c, post("/", endless{}))); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
				synctest.Wait()
				_ = c.Alive() // takes what comes behind the end of the response
				if s := <-got; s != tt.frames {
					t.Errorf("the peer got %q, want %q", s, tt.frames)
				}
				_ = c.Close()
			})
		})
	}
}

// TestContinue: a body is held back for a 100, a final response that decides otherwise, or as long as it may.
func TestContinue(t *testing.T) {
	for name, tt := range map[string]struct {
		script func(p *peer)
		want   string
		after  time.Duration
		frames string
	}{
		"100":     {func(p *peer) { p.head(1, false, ":status", "100") }, "200 ", 0, `DATA 1 "body" end`},
		"nothing": {func(p *peer) {}, "200 ", time.Second, `DATA 1 "body" end`},
		"417":     {func(p *peer) { p.head(1, true, ":status", "417") }, "417 ", 0, "RST_STREAM 1 CANCEL"},
		"302":     {func(p *peer) { p.head(1, true, ":status", "302") }, "302 ", 0, "RST_STREAM 1 CANCEL"},
		"200":     {func(p *peer) { p.head(1, false, ":status", "200") }, "200 ", 0, `DATA 1 "body" end`},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				c := scripted(t, func(p *peer) {
					p.skipTo("HEADERS")
					tt.script(p)
					if s := p.next(); s != tt.frames || time.Since(start) != tt.after {
						t.Errorf("the peer got %q after %v", s, time.Since(start))
					}
					switch name {
					case "200":
						p.data(1, true, "")
					case "100", "nothing":
						p.head(1, true, ":status", "200")
					}
					p.drain()
				})
				req := post("/", "body", [2]string{"Expect", "100-continue"})
				req.ContinueWait = time.Second
				if got := outcome(t.Context(), c, req); got != tt.want {
					t.Errorf("got %q, want %q", got, tt.want)
				}
				synctest.Wait()
				_ = c.Close()
			})
		})
	}
}

// TestBadBodies: a body that is not what was announced, or fails, is an error, and never taken for whole.
func TestBadBodies(t *testing.T) {
	broken := errors.New("broken")
	for name, tt := range map[string]struct {
		content any
		length  string
		want    string
	}{
		"too short": {io.MultiReader(strings.NewReader("body")), "5", "! writing the request: the body ended after 4 bytes of 5"},
		"too long":  {io.MultiReader(strings.NewReader("body")), "3", "! writing the request: the body is longer than the 3 bytes announced"},
		"lies":      {strings.NewReader("body"), "3", "! writing the request: Content-Length is 3, but the body has 4 bytes unwritten"},
		"fails":     {io.MultiReader(strings.NewReader("body"), failing{broken}), "", "! writing the request: the body could not be read to be sent: broken"},
	} {
		t.Run(name, func(t *testing.T) {
			frames := make(chan string, 1)
			c := scripted(t, func(p *peer) {
				p.skipTo("HEADERS")
				s := p.next()
				for strings.HasPrefix(s, "DATA") && !strings.HasSuffix(s, "end") {
					s = p.next()
				}
				frames <- s
				p.drain()
			})
			var fields [][2]string
			if tt.length != "" {
				fields = append(fields, [2]string{"Content-Length", tt.length})
			}
			got := outcome(t.Context(), c, post("/", tt.content, fields...))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if strings.HasSuffix(tt.want, "unwritten") {
				return
			}
			if s := <-frames; s != "RST_STREAM 1 CANCEL" {
				t.Errorf("the peer got %s", s)
			}
		})
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestPanic: a panic of the caller's code is the caller's, and leaves nothing behind.
func TestPanic(t *testing.T) {
	c := goServer(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	for name, call := range map[string]func(){
		"body": func() { _, _ = roundTrip(t.Context(), c, post("/", panicking{}), nil) },
		"interim": func() {
			c := scripted(t, func(p *peer) { p.skipTo("HEADERS"); p.head(1, false, ":status", "103"); p.drain() })
			req := get("/")
			req.Interim = func(int, [][2]string) error { panic("mine") }
			_, _ = roundTrip(t.Context(), c, req, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if v := recover(); v != "mine" {
					t.Errorf("recovered %v", v)
				}
			}()
			call()
			t.Error("no panic")
		})
	}
	if got := outcome(t.Context(), c, get("/")); got != "200 " {
		t.Error(got)
	}
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("mine") }

// TestWindows: a body is sent as the peer opens its windows, and waits for no longer than it may.
func TestWindows(t *testing.T) {
	t.Run("as they open", func(t *testing.T) {
		var got []string
		c := scriptedWith(t, Config{}, []http2.Setting{{ID: http2.SettingInitialWindowSize, Val: 3}}, func(p *peer) {
			p.skipTo("HEADERS")
			p.head(1, true, ":status", "200")
			p.skipTo("HEADERS")
			got = append(got, p.next())
			_ = p.WriteWindowUpdate(3, 2)
			got = append(got, p.next())
			_ = p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}) // the window is -3
			_ = p.WriteWindowUpdate(3, 4)
			got = append(got, p.next())
			_ = p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 100})
			got = append(got, p.next())
			p.head(3, true, ":status", "200")
			p.drain()
		})
		for _, req := range []*wire.Request{get("/"), post("/", "0123456789")} {
			if got := outcome(t.Context(), c, req); got != "200 " {
				t.Error(got)
			}
		}
		if diff := cmp.Diff([]string{`DATA 3 "012"`, `DATA 3 "34"`, `DATA 3 "5"`, `DATA 3 "6789" end`}, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
	for name, limits := range map[string]wire.Limits{
		"limit":    {Write: 500 * time.Millisecond},
		"deadline": {Write: time.Hour, Deadline: time.Now()},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				end := make(chan string, 1)
				c := scriptedWith(t, Config{}, []http2.Setting{{ID: http2.SettingInitialWindowSize, Val: 0}}, func(p *peer) {
					end <- p.skipTo("RST_STREAM")
					p.drain()
				})
				want := "! writing the request: " + "i/o timeout limit 2"
				if name == "deadline" {
					limits.Deadline = time.Now().Add(500 * time.Millisecond)
					want = "! writing the request: i/o timeout limit 3"
				}
				req := post("/", bytes.Repeat([]byte("x"), 8<<20))
				req.Limits = limits
				start := time.Now()
				got := outcome(t.Context(), c, req)
				if name == "deadline" {
					got = strings.Replace(got, "waiting for the response", "writing the request", 1) // whoever is first
				}
				if diff := cmp.Diff(want, got); diff != "" || time.Since(start) != 500*time.Millisecond {
					t.Errorf("after %v (-want +got)\n%s", time.Since(start), diff)
				}
				if s := <-end; s != "RST_STREAM 1 CANCEL" {
					t.Errorf("the peer got %q", s)
				}
				_ = c.Close()
			})
		})
	}
}

// TestUploadCanceled: cancelling ends an upload that waits for the peer, or for the caller.
func TestUploadCanceled(t *testing.T) {
	r, w := io.Pipe()
	defer func() { _ = w.Close() }()
	for name, content := range map[string]any{"waits for the peer": endless{}, "waits for the caller": r} {
		t.Run(name, func(t *testing.T) {
			c := scripted(t, func(p *peer) {
				p.skipTo("HEADERS")
				p.head(1, false, ":status", "200")
				p.skipTo("RST_STREAM")
				p.drain()
			})
			ctx, cancel := context.WithCancelCause(t.Context())
			done := make(chan bool, 1)
			resp, err := roundTrip(ctx, c, post("/", content), func() { done <- true })
			if err != nil {
				t.Fatal(err)
			}
			cause := errors.New("enough")
			cancel(cause)
			_, err = io.ReadAll(resp.Body)
			if !errors.Is(err, context.Canceled) || !errors.Is(err, cause) {
				t.Error(err)
			}
			<-done
		})
	}
}

// TestCanceledInAWrite: an upload that is canceled while the peer takes nothing ends at once for its caller, and costs the
// other streams their connection only if the peer goes on taking nothing.
func TestCanceledInAWrite(t *testing.T) {
	for name, tt := range map[string]struct {
		pause time.Duration // of the peer
		other string        // what comes of the other request
	}{
		"the peer goes on": {5 * time.Second, "200 whole"},
		"it does not":      {2 * pingWait, "! waiting for the response: http2: the connection takes no more bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stuck := make(chan struct{})
				c := scripted(t, func(p *peer) {
					p.skipTo("HEADERS 1")
					p.skipTo("DATA 3")
					close(stuck)
					time.Sleep(tt.pause)
					p.head(1, false, ":status", "200")
					p.data(1, true, "whole")
					p.drain()
				})
				other := make(chan string, 1)
				go func() { other <- outcome(t.Context(), c, get("/")) }()
				synctest.Wait()
				ctx, cancel := context.WithCancel(t.Context())
				canceled := make(chan string, 1)
				go func() { canceled <- outcome(ctx, c, post("/", endless{})) }()
				<-stuck
				synctest.Wait()
				start := time.Now()
				cancel()
				if got := <-canceled; !strings.HasSuffix(got, "context canceled") || time.Since(start) > 0 {
					t.Errorf("%q after %v", got, time.Since(start))
				}
				if diff := cmp.Diff(tt.other, <-other); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		})
	}
}
