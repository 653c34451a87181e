package http2

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"

	"github.com/mountable/requests/internal/wire"
)

// TestLimits: each wait for the peer ends in time, resets the stream, and leaves the connection to others.
func TestLimits(t *testing.T) {
	const limit = 500 * time.Millisecond
	head := func(p *peer) { p.head(1, false, ":status", "200"); p.data(1, false, "some") }
	slow := func(p *peer) {
		p.head(1, false, ":status", "200")
		for range 4 {
			time.Sleep(limit - 1)
			p.data(1, false, "x")
		}
		p.data(1, true, "")
	}
	for name, tt := range map[string]struct {
		script func(p *peer)
		limits func(now time.Time) wire.Limits
		want   string
		after  time.Duration
	}{
		"head":                 {func(p *peer) {}, read, "! waiting for the response: i/o timeout limit 1", limit},
		"body":                 {head, read, "200 some! reading the response: i/o timeout limit 1", limit},
		"slow":                 {slow, read, "200 xxxx", 4 * (limit - 1)},
		"deadline":             {func(p *peer) {}, total, "! waiting for the response: i/o timeout limit 3", limit},
		"deadline in the body": {slow, total, "200 x! reading the response: i/o timeout limit 3", limit},
		"none":                 {func(p *peer) { time.Sleep(time.Hour); p.head(1, true, ":status", "200") }, none, "! waiting for the response: http2: the server does not answer a PING unanswered", pingAfter + pingWait},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := scripted(t, func(p *peer) {
					p.skipTo("HEADERS")
					tt.script(p)
					if strings.Contains(tt.want, "!") {
						p.skipTo("RST_STREAM 1 CANCEL")
						p.skipTo("HEADERS")
						p.head(3, true, ":status", "204")
					}
					p.drain()
				})
				start := time.Now()
				req := get("/")
				req.Limits = tt.limits(start)
				if diff := cmp.Diff(tt.want, outcome(t.Context(), c, req)); diff != "" || time.Since(start) != tt.after {
					t.Errorf("after %v (-want +got)\n%s", time.Since(start), diff)
				}
				if name == "none" || name == "slow" {
					return
				}
				if got := outcome(t.Context(), c, get("/")); got != "204 " {
					t.Errorf("then %s", got)
				}
			})
		})
	}
}

func read(time.Time) wire.Limits { return wire.Limits{Read: 500 * time.Millisecond} }
func total(now time.Time) wire.Limits {
	return wire.Limits{Read: time.Hour, Deadline: now.Add(500 * time.Millisecond)}
}
func none(time.Time) wire.Limits { return wire.Limits{} }

// TestLimitUntil ends a Read that is under way.
func TestLimitUntil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := scripted(t, func(p *peer) {
			p.skipTo("HEADERS")
			p.head(1, false, ":status", "200")
			p.drain()
		})
		resp, err := roundTrip(t.Context(), c, get("/"), nil)
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		time.AfterFunc(time.Second, func() { resp.Body.LimitUntil(start.Add(3 * time.Second)) })
		_, err = resp.Body.Read(make([]byte, 1))
		if e, ok := errors.AsType[*wire.Error](err); !ok || e.Limit != wire.Deadline || time.Since(start) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

// TestReadLimitBehindUpload: the wait for the response begins when the request has been sent.
func TestReadLimitBehindUpload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := scripted(t, func(p *peer) { p.drain() })
		r, w := io.Pipe()
		go func() {
			for range 5 {
				time.Sleep(time.Second)
				_, _ = w.Write([]byte("x"))
			}
			_ = w.Close()
		}()
		req := post("/", r)
		req.Limits = read(time.Now())
		start := time.Now()
		got := outcome(t.Context(), c, req)
		if want := "! waiting for the response: i/o timeout limit 1"; got != want || time.Since(start) != 5500*time.Millisecond {
			t.Errorf("%s after %v", got, time.Since(start))
		}
	})
}

// TestCancel ends a request at any point, of who leads and of who follows, and leaves the connection to others.
func TestCancel(t *testing.T) {
	for _, where := range []string{"head", "body"} {
		for _, leads := range []bool{true, false} {
			t.Run(fmt.Sprint(where, " leads ", leads), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var other chan string
					reset := make(chan string, 1)
					c := scripted(t, func(p *peer) {
						if !leads {
							p.skipTo("HEADERS 1")
						}
						id := uint32(1)
						if !leads {
							id = 3
						}
						p.skipTo("HEADERS")
						if where == "body" {
							p.head(id, false, ":status", "200")
						}
						reset <- p.skipTo("RST_STREAM")
						p.head(id, true, ":status", "200") // too late
						if !leads {
							p.head(1, true, ":status", "201")
						}
						p.drain()
					})
					if !leads {
						other = make(chan string, 1)
						go func() { other <- outcome(t.Context(), c, get("/")) }()
						synctest.Wait()
					}
					ctx, cancel := context.WithCancelCause(t.Context())
					go func() {
						synctest.Wait()
						cancel(errors.New("enough"))
					}()
					_, err := text(ctx, c, get("/"))
					if !errors.Is(err, context.Canceled) || !strings.HasSuffix(err.Error(), "context canceled: enough") {
						t.Error(err)
					}
					if got := <-reset; !strings.HasSuffix(got, "CANCEL") {
						t.Errorf("the peer got %s", got)
					}
					if other != nil {
						if got := <-other; got != "201 " {
							t.Errorf("the other one got %s", got)
						}
					}
				})
			})
		}
	}
	t.Run("before", func(t *testing.T) {
		c := scripted(t, func(p *peer) { p.drain() })
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := text(ctx, c, get("/")); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// TestHealth: a silent peer is asked, and given up when it does not answer.
func TestHealth(t *testing.T) {
	t.Run("answers", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			pings := 0
			c := scripted(t, func(p *peer) {
				p.skipTo("HEADERS")
				for range 10 {
					p.skipTo("PING")
					pings++
					time.Sleep(pingWait - 1)
					_ = p.WritePing(true, pingData)
				}
				p.head(1, true, ":status", "200")
				p.drain()
			})
			if got := outcome(t.Context(), c, get("/")); got != "200 " || pings != 10 {
				t.Errorf("%s after %d", got, pings)
			}
		})
	})
	t.Run("idle for long", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			c := scripted(t, func(p *peer) {
				p.skipTo("HEADERS")
				p.head(1, true, ":status", "200")
				_, _ = io.Copy(io.Discard, p.Conn)
			})
			_ = outcome(t.Context(), c, get("/"))
			time.Sleep(time.Minute)
			if !c.Alive() {
				t.Fatal("not alive")
			}
			start := time.Now()
			got := outcome(t.Context(), c, get("/"))
			if want := "! waiting for the response: http2: the server does not answer a PING unanswered"; got != want || time.Since(start) > pingWait {
				t.Errorf("%s after %v", got, time.Since(start))
			}
			if c.Alive() || c.Capacity() != 0 {
				t.Error("still alive")
			}
		})
	})
}

// TestCaretaker: a peer that asks whether we are there is answered, though nobody reads.
func TestCaretaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answered := make(chan time.Duration, 1)
		c := scripted(t, func(p *peer) {
			p.skipTo("HEADERS")
			p.head(1, false, ":status", "200")
			time.Sleep(time.Minute)
			start := time.Now()
			_ = p.WritePing(false, [8]byte{7})
			p.skipTo("PING")
			answered <- time.Since(start)
			p.data(1, true, "body")
			p.drain()
		})
		resp, err := roundTrip(t.Context(), c, get("/"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if took := <-answered; took > careTime+lookTime {
			t.Errorf("answered after %v", took)
		}
		if content, err := io.ReadAll(resp.Body); err != nil || string(content) != "body" {
			t.Errorf("%q %v", content, err)
		}
	})
}

// TestAlive: what comes while a connection is idle is handled when it is about to be used again.
func TestAlive(t *testing.T) {
	for name, tt := range map[string]struct {
		script   func(p *peer)
		capacity int
		frames   string
	}{
		"nothing":   {func(p *peer) {}, mostStreams, ""},
		"ping":      {func(p *peer) { _ = p.WritePing(false, [8]byte{7}) }, mostStreams, "PING 0 ack"},
		"settings":  {func(p *peer) { _ = p.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 7}) }, 7, ""},
		"going":     {func(p *peer) { _ = p.WriteGoAway(1, http2.ErrCodeNo, nil) }, 0, ""},
		"closed":    {func(p *peer) { _ = p.Conn.Close() }, 0, ""},
		"nonsense":  {func(p *peer) { _, _ = p.Conn.Write([]byte("HTTP/1.1 408 Timeout\r\n\r\n")) }, 0, "GOAWAY 0 FRAME_SIZE_ERROR"},
		"in halves": {func(p *peer) { _, _ = p.Conn.Write([]byte{0, 0, 8, 6, 0}) }, mostStreams, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				frames := make(chan string, 1)
				c := scripted(t, func(p *peer) {
					p.skipTo("HEADERS")
					p.head(1, true, ":status", "200")
					tt.script(p)
					if tt.frames != "" {
						frames <- p.next()
					}
					p.drain()
				})
				_ = outcome(t.Context(), c, get("/"))
				synctest.Wait()
				if alive := c.Alive(); alive != (tt.capacity > 0) || c.Capacity() != tt.capacity {
					t.Errorf("alive %v, capacity %d, want %d", alive, c.Capacity(), tt.capacity)
				}
				if tt.frames != "" {
					if got := <-frames; got != tt.frames {
						t.Errorf("the peer got %s, want %s", got, tt.frames)
					}
				}
			})
		})
	}
}
