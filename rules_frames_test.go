package requests_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// frames is an HTTP/2 server made of single frames: it reads the preface, settings and
// requests, and leaves the answer to a script.
type frames struct {
	*http2.Framer
	conn net.Conn
	head bytes.Buffer
	enc  *hpack.Encoder

	mu     sync.Mutex
	fields []hpack.HeaderField // of all requests
}

// speakFrames starts a server that runs the script for every connection, once a request has come.
func speakFrames(t *testing.T, script func(f *frames, stream uint32)) (*wiretest.Server, *frames) {
	config := wiretest.TestCA().Server()
	config.NextProtos = []string{"h2"}
	all := &frames{}
	return wiretest.Start(t, wiretest.Config{Conn: func(raw net.Conn) {
		c := tls.Server(raw, config)
		if c.Handshake() != nil {
			return
		}
		r := bufio.NewReader(c)
		if _, err := r.Discard(len(http2.ClientPreface)); err != nil {
			return
		}
		f := &frames{Framer: http2.NewFramer(c, r), conn: c}
		f.Framer.AllowIllegalWrites = true
		f.enc = hpack.NewEncoder(&f.head)
		f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
		_ = f.WriteSettings()
		for {
			frame, err := f.ReadFrame()
			if refused, ok := errors.AsType[http2.StreamError](err); ok {
				_ = f.WriteRSTStream(refused.StreamID, refused.Code)
				continue
			}
			if err != nil {
				return
			}
			if h, ok := frame.(*http2.MetaHeadersFrame); ok {
				all.note(h.Fields)
				go func() { _, _ = io.Copy(io.Discard, r) }()
				script(f, h.StreamID)
				return
			}
		}
	}}), all
}

func (f *frames) note(fields []hpack.HeaderField) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fields = append(f.fields, fields...)
}

// block encodes fields.
func (f *frames) block(fields ...string) []byte {
	f.head.Reset()
	for i := 0; i < len(fields); i += 2 {
		_ = f.enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return bytes.Clone(f.head.Bytes())
}

func (f *frames) answer(stream uint32, end bool, fields ...string) error {
	return f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: f.block(fields...), EndHeaders: true, EndStream: end})
}

// floods are what a hostile server may do for as long as it is listened to.
var floods = map[string]func(f *frames, stream uint32) error{
	"settings": func(f *frames, _ uint32) error {
		return f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 65535})
	},
	"empty settings": func(f *frames, _ uint32) error { return f.WriteSettings() },
	"settings acks":  func(f *frames, _ uint32) error { return f.WriteSettingsAck() },
	"tiny frames": func(f *frames, _ uint32) error {
		return f.WriteSettings(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 0})
	},
	"zero frames at last": func(f *frames, _ uint32) error {
		return f.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 0}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}, http2.Setting{ID: http2.SettingHeaderTableSize, Val: 0})
	},
	"pings":      func(f *frames, _ uint32) error { return f.WritePing(false, [8]byte{1}) },
	"pongs":      func(f *frames, _ uint32) error { return f.WritePing(true, [8]byte{1}) },
	"windows":    func(f *frames, _ uint32) error { return f.WriteWindowUpdate(0, 1) },
	"unknown":    func(f *frames, _ uint32) error { return f.WriteRawFrame(0x42, 0, 0, []byte("x")) },
	"empty data": func(f *frames, stream uint32) error { return f.WriteData(stream, false, nil) },
	"padding":    func(f *frames, stream uint32) error { return f.WriteDataPadded(stream, false, nil, make([]byte, 255)) },
	"resets":     func(f *frames, stream uint32) error { return f.WriteRSTStream(stream+2, http2.ErrCodeCancel) },
	"priority":   func(f *frames, stream uint32) error { return f.WritePriority(stream, http2.PriorityParam{Weight: 1}) },
	"goaway":     func(f *frames, stream uint32) error { return f.WriteGoAway(stream, http2.ErrCodeNo, nil) },
	"pushes": func(f *frames, stream uint32) error {
		return f.WritePushPromise(http2.PushPromiseParam{StreamID: stream, PromiseID: 2, BlockFragment: f.block(":method", "GET"), EndHeaders: true})
	},
	"continuations": func(f *frames, stream uint32) error {
		return f.WriteContinuation(stream, false, f.block("x-filler", strings.Repeat("y", 1000)))
	},
	"empty continuations": func(f *frames, stream uint32) error { return f.WriteContinuation(stream, false, nil) },
	"early hints":         func(f *frames, stream uint32) error { return f.answer(stream, false, ":status", "103", "link", "</x>") },
	"headers":             func(f *frames, stream uint32) error { return f.answer(stream, false, ":status", "200") },
}

// TestRule31Floods: floods of frames end with an error within the time limit, bounded in
// memory and processor time, and leave nothing behind.
func TestRule31Floods(t *testing.T) {
	for name := range floods {
		t.Run(name, func(t *testing.T) {
			for _, headed := range []bool{false, true} {
				server := startFlood(t, name, headed)
				s := newSession(t)
				s.Mount("https://", requests.NewHTTPAdapter(requests.HTTP2(true)))
				before, cpu := heap(), processorTime()
				start := time.Now()
				_, err := s.Get(t.Context(), "https://"+server.Addr()+"/", requests.Verify(false), requests.Timeouts{Total: 100 * time.Millisecond})
				took := time.Since(start)
				if err == nil {
					t.Errorf("headed %v: no error", headed)
				}
				if grown := heap() - before; grown > 32<<20 {
					t.Errorf("headed %v: %d MiB more", headed, grown>>20)
				}
				if spent := processorTime() - cpu; spent > 2*took+2*time.Second {
					t.Errorf("headed %v: %v of the processors in %v", headed, spent, took)
				}
				s.Close()
				server.Close()
			}
		})
	}
}

func heap() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// startFlood starts a server that floods whoever asks, before a head or behind it.
func startFlood(t *testing.T, name string, headed bool) *wiretest.Server {
	server, _ := speakFrames(t, func(f *frames, stream uint32) {
		switch {
		case strings.Contains(name, "continuations"):
			_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: f.block(":status", "200")})
		case headed:
			_ = f.answer(stream, false, ":status", "200")
		}
		for floods[name](f, stream) == nil {
		}
	})
	return server
}

// TestRule31Endless: the floods are ended without any time limit.
func TestRule31Endless(t *testing.T) {
	for name := range floods {
		t.Run(name, func(t *testing.T) {
			for _, headed := range []bool{false, true} {
				server := startFlood(t, name, headed)
				s := newSession(t)
				s.Mount("https://", requests.NewHTTPAdapter(requests.HTTP2(true)))
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				_, err := s.Get(ctx, "https://"+server.Addr()+"/", requests.Verify(false), requests.NoTimeout)
				if err == nil || ctx.Err() != nil {
					t.Errorf("headed %v: got %v", headed, err)
				}
				cancel()
				s.Close()
				server.Close()
			}
		})
	}
}

// TestRule31Uploads: a server whose settings forbid to send anything does not make a
// request with a body spin.
func TestRule31Uploads(t *testing.T) {
	for name, settings := range map[string][]http2.Setting{
		"frame size 0":      {{ID: http2.SettingMaxFrameSize, Val: 0}},
		"frame size 1":      {{ID: http2.SettingMaxFrameSize, Val: 1}},
		"window 0":          {{ID: http2.SettingInitialWindowSize, Val: 0}},
		"window 1":          {{ID: http2.SettingInitialWindowSize, Val: 1}},
		"window over all":   {{ID: http2.SettingInitialWindowSize, Val: 1<<32 - 1}},
		"largest of frames": {{ID: http2.SettingMaxFrameSize, Val: 1<<32 - 1}},
		"no streams":        {{ID: http2.SettingMaxConcurrentStreams, Val: 0}},
		"no headers":        {{ID: http2.SettingMaxHeaderListSize, Val: 0}},
	} {
		server, _ := speakFrames(t, func(f *frames, stream uint32) {
			_ = f.WriteSettings(settings...)
			time.Sleep(time.Second)
		})
		s := newSession(t)
		s.Mount("https://", requests.NewHTTPAdapter(requests.HTTP2(true)))
		for range 2 {
			cpu, start := processorTime(), time.Now()
			_, err := s.Post(t.Context(), "https://"+server.Addr()+"/", requests.Verify(false), requests.Body(bytes.Repeat([]byte("x"), 1<<20)), requests.Timeouts{Total: 100 * time.Millisecond})
			took := time.Since(start)
			if spent := processorTime() - cpu; err == nil || spent > took+time.Second {
				t.Errorf("%s: %v after %v, %v of the processors", name, err, took, spent)
			}
		}
		s.Close()
	}
}

// encoded is the block that begins a connection with the fields; pairs of name and value.
func encoded(fields ...string) []byte {
	f := new(frames)
	f.enc = hpack.NewEncoder(&f.head)
	return f.block(fields...)
}

// numbered makes 100,000 fields after those that are given.
func numbered(name, value func(i int) string, fields ...string) []byte {
	for i := range 100_000 {
		fields = append(fields, name(i), value(i))
	}
	return encoded(fields...)
}

// TestRule29HTTP2: the bounds on heads hold on HTTP/2. What the server sends is made before the
// memory is measured.
func TestRule29HTTP2(t *testing.T) {
	field, v := func(i int) string { return fmt.Sprint("x-", i) }, func(int) string { return "v" }
	setCookie, cookie := func(int) string { return "set-cookie" }, func(i int) string { return fmt.Sprint("n", i, "=v") }
	heads := map[string][]byte{
		"100,000 fields": numbered(field, v, ":status", "200"),
		"a long value":   encoded(":status", "200", "x-a", strings.Repeat("y", 10<<20)),
		"set-cookie":     numbered(setCookie, cookie, ":status", "200"),
	}
	trailers, link := numbered(field, v), strings.Repeat("y", 1000)
	scripts := map[string]func(f *frames, stream uint32){
		"endless early hints": func(f *frames, stream uint32) {
			for f.answer(stream, false, ":status", "103", "link", link) == nil {
			}
		},
		"trailers": func(f *frames, stream uint32) {
			_ = f.answer(stream, false, ":status", "200")
			_ = f.WriteData(stream, false, []byte("x"))
			f.inPieces(stream, trailers)
		},
	}
	for name, head := range heads {
		scripts[name] = func(f *frames, stream uint32) { f.inPieces(stream, head) }
	}
	for name, script := range scripts {
		server, _ := speakFrames(t, script)
		s := newSession(t)
		s.Mount("https://", requests.NewHTTPAdapter(requests.HTTP2(true)))
		runtime.GC()
		before := heap()
		_, err := s.Get(t.Context(), "https://"+server.Addr()+"/", requests.Verify(false), requests.Timeouts{Total: time.Minute})
		if err == nil || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, requests.ErrTimeout) {
			t.Errorf("%s: %v", name, err)
		}
		if grown := heap() - before; grown > 16<<20 {
			t.Errorf("%s: %d MiB more", name, grown>>20)
		}
		s.Close()
	}
}

// inPieces sends a header block in HEADERS and CONTINUATION frames.
func (f *frames) inPieces(stream uint32, block []byte) {
	const most = 16 << 10
	first := block[:min(most, len(block))]
	block = block[len(first):]
	_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: first, EndHeaders: len(block) == 0, EndStream: true})
	for len(block) > 0 {
		piece := block[:min(most, len(block))]
		block = block[len(piece):]
		if f.WriteContinuation(stream, len(block) == 0, piece) != nil {
			return
		}
	}
	time.Sleep(100 * time.Millisecond)
}

// TestRule22HTTP2: nothing of a caller's text reaches the frames of HTTP/2 that would end
// a line where somebody makes HTTP/1.1 of them.
func TestRule22HTTP2(t *testing.T) {
	server, all := speakFrames(t, func(f *frames, stream uint32) { _ = f.answer(stream, true, ":status", "200") })
	base := "https://" + server.Addr()
	for name, where := range places {
		switch name {
		case "conn editor", "proxy headers", "proxy user", "tunnel user", "forwarded", "tunnelled":
			continue // nothing of these is HTTP/2
		}
		for _, evil := range evils {
			s := newSession(t)
			s.Verify = requests.Verify(false)
			s.Mount("https://", requests.NewHTTPAdapter(requests.HTTP2(true)))
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			_ = where(ctx, s, base, evil)
			cancel()
			s.Close()
		}
	}
	all.mu.Lock()
	defer all.mu.Unlock()
	for _, f := range all.fields {
		if strings.ContainsAny(f.Name+f.Value, "\r\n\x00") {
			t.Errorf("%q: %q was sent", f.Name, f.Value)
		}
	}
	if len(all.fields) < 100 {
		t.Errorf("only %d fields were sent in all", len(all.fields))
	}
}

// TestRule24HTTP2: the zone of an address is not told to the server; nor is the form of
// an address that only this machine understood.
func TestRule24HTTP2(t *testing.T) {
	server, all := speakFrames(t, func(f *frames, stream uint32) { _ = f.answer(stream, true, ":status", "200") })
	s := newSession(t)
	s.Mount("https://", requests.NewHTTPAdapter(requests.HTTP2(true), requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
		c.Address = server.Addr()
		return nil
	})))
	for _, url := range []string{"https://[fe80::1%25eth0]/", "https://[fe80::1%25.example.com]:8443/", "https://0x7f.1/", "https://example.com./", "https://EXAMPLE.com:443/"} {
		if _, err := s.Get(t.Context(), url, requests.Verify(false)); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	all.mu.Lock()
	defer all.mu.Unlock()
	for _, f := range all.fields {
		if f.Name == ":authority" {
			got = append(got, f.Value)
		}
	}
	want := []string{"[fe80::1]", "[fe80::1]:8443", "127.0.0.1", "example.com", "example.com"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf(":authority (-want +got)\n%s", diff)
	}
}
