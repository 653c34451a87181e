package http2

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"
)

// TestViolations is what no peer may do: the stream ends, or the connection, and the peer is told.
func TestViolations(t *testing.T) {
	ok := func(p *peer) { p.head(1, false, ":status", "200") }
	raw := func(typ http2.FrameType, flags http2.Flags, id uint32, payload string) func(*peer) {
		return func(p *peer) { _ = p.WriteRawFrame(typ, flags, id, []byte(payload)) }
	}
	head := func(fields ...string) func(*peer) { return func(p *peer) { p.head(1, true, fields...) } }
	both := func(all ...func(*peer)) func(*peer) {
		return func(p *peer) {
			for _, f := range all {
				f(p)
			}
		}
	}
	data := func(id uint32, last bool, content string) func(*peer) {
		return func(p *peer) { p.data(id, last, content) }
	}
	const protocol, size, flow = "PROTOCOL_ERROR", "FRAME_SIZE_ERROR", "FLOW_CONTROL_ERROR"
	for name, tt := range map[string]struct {
		script func(*peer)
		stream string // code with which the stream is reset
		conn   string // or with which the connection ends
	}{
		"no status":               {head("a", "b"), protocol, ""},
		"two status":              {head(":status", "200", ":status", "200"), protocol, ""},
		"status late":             {head("a", "b", ":status", "200"), protocol, ""},
		"status of two digits":    {head(":status", "20"), protocol, ""},
		"status of letters":       {head(":status", "2OO"), protocol, ""},
		"status 0":                {head(":status", "000"), protocol, ""},
		"101":                     {head(":status", "101"), protocol, ""},
		"another pseudo-header":   {head(":status", "200", ":path", "/"), protocol, ""},
		"upper case":              {head(":status", "200", "X-A", "b"), protocol, ""},
		"blank in a name":         {head(":status", "200", "x a", "b"), protocol, ""},
		"empty name":              {head(":status", "200", "", "b"), protocol, ""},
		"line end":                {head(":status", "200", "a", "b\r\nc: d"), protocol, ""},
		"NUL":                     {head(":status", "200", "a", "b\x00"), protocol, ""},
		"connection":              {head(":status", "200", "connection", "close"), protocol, ""},
		"transfer-encoding":       {head(":status", "200", "transfer-encoding", "chunked"), protocol, ""},
		"interim at the end":      {head(":status", "103"), protocol, ""},
		"lengths differ":          {head(":status", "200", "content-length", "1", "content-length", "2"), protocol, ""},
		"length of letters":       {head(":status", "200", "content-length", "x"), protocol, ""},
		"negative length":         {head(":status", "200", "content-length", "-1"), protocol, ""},
		"shorter than its length": {both(func(p *peer) { p.head(1, false, ":status", "200", "content-length", "5") }, data(1, true, "body")), protocol, ""},
		"nothing of its length":   {head(":status", "200", "content-length", "5"), protocol, ""},
		"longer than its length":  {both(func(p *peer) { p.head(1, false, ":status", "200", "content-length", "3") }, data(1, true, "body")), protocol, ""},
		"data before a head":      {data(1, true, "body"), protocol, ""},
		"a body of 204":           {both(func(p *peer) { p.head(1, false, ":status", "204") }, data(1, true, "body")), protocol, ""},
		"a second head":           {both(ok, func(p *peer) { p.head(1, false, ":status", "200") }), protocol, ""},
		"pseudo in trailers":      {both(ok, head(":status", "200")), protocol, ""},
		"zero increment":          {both(ok, raw(http2.FrameWindowUpdate, 0, 1, "\x00\x00\x00\x00")), protocol, ""},
		"window too far":          {both(ok, raw(http2.FrameWindowUpdate, 0, 1, "\x7f\xff\xff\xff")), flow, ""},

		"not HTTP/2":              {func(p *peer) { _, _ = p.Conn.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")) }, "", size},
		"frame too large":         {raw(http2.FrameHeaders, 4, 1, strings.Repeat("x", maxFrame+1)), "", size},
		"bad compression":         {raw(http2.FrameHeaders, 5, 1, "\xff\xff\xff\xff\xff"), "", "COMPRESSION_ERROR"},
		"cut compression":         {raw(http2.FrameHeaders, 5, 1, "\x40\x03a"), "", "COMPRESSION_ERROR"},
		"padding":                 {raw(http2.FrameData, 8, 1, "\x05xx"), "", protocol},
		"padding without a byte":  {raw(http2.FrameData, 8, 1, ""), "", protocol},
		"headers in padding":      {raw(http2.FrameHeaders, 12, 1, "\x05xx"), "", protocol},
		"data on 0":               {data(0, false, "x"), "", protocol},
		"headers on 0":            {raw(http2.FrameHeaders, 5, 0, "\x88"), "", protocol},
		"data on an even stream":  {data(2, false, "x"), "", protocol},
		"headers on a new stream": {raw(http2.FrameHeaders, 5, 7, "\x88"), "", protocol},
		"reset of a new stream":   {raw(http2.FrameRSTStream, 0, 7, "\x00\x00\x00\x00"), "", protocol},
		"push": {func(p *peer) {
			_ = p.WritePushPromise(http2.PushPromiseParam{StreamID: 1, PromiseID: 2, BlockFragment: p.fields(":method", "GET"), EndHeaders: true})
		}, "", protocol},
		"continuation alone":     {raw(http2.FrameContinuation, 4, 1, "\x88"), "", protocol},
		"interrupted header":     {both(raw(http2.FrameHeaders, 0, 1, "\x88"), raw(http2.FramePing, 0, 0, "12345678")), "", protocol},
		"short ping":             {raw(http2.FramePing, 0, 0, "1"), "", size},
		"settings of 5 bytes":    {raw(http2.FrameSettings, 0, 0, "12345"), "", size},
		"settings on a stream":   {raw(http2.FrameSettings, 0, 1, ""), "", protocol},
		"settings allow push":    {raw(http2.FrameSettings, 0, 0, "\x00\x02\x00\x00\x00\x01"), "", protocol},
		"frames of 1 byte":       {raw(http2.FrameSettings, 0, 0, "\x00\x05\x00\x00\x00\x01"), "", protocol},
		"window over all":        {raw(http2.FrameSettings, 0, 0, "\x00\x04\xff\xff\xff\xff"), "", flow},
		"connection's window":    {raw(http2.FrameWindowUpdate, 0, 0, "\x7f\xff\xff\xff"), "", flow},
		"connection's increment": {raw(http2.FrameWindowUpdate, 0, 0, "\x00\x00\x00\x00"), "", protocol},
		"going away twice":       {func(p *peer) { _ = p.WriteGoAway(1, 0, nil); _ = p.WriteGoAway(3, 0, nil) }, "", protocol},
		"going away on a stream": {raw(http2.FrameGoAway, 0, 1, "12345678"), "", protocol},
	} {
		t.Run(name, func(t *testing.T) {
			told := make(chan string, 1)
			c := scripted(t, func(p *peer) {
				p.skipTo("HEADERS")
				tt.script(p)
				s := p.next()
				for strings.HasPrefix(s, "WINDOW_UPDATE") {
					s = p.next()
				}
				told <- s
				p.drain()
			})
			got := outcome(t.Context(), c, get("/"))
			want := "GOAWAY 0 " + tt.conn
			if tt.stream != "" {
				want = "RST_STREAM 1 " + tt.stream
			}
			if s := <-told; s != want || !strings.Contains(got, "http2: ") {
				t.Errorf("%s; the peer got %q, want %q", got, s, want)
			}
			if alive := c.Capacity() > 0; alive != (tt.stream != "") {
				t.Errorf("alive %v", alive)
			}
		})
	}
}

// TestOverrun: a peer that sends more than its windows is stopped.
func TestOverrun(t *testing.T) {
	c := scripted(t, func(p *peer) {
		p.skipTo("HEADERS")
		p.head(1, false, ":status", "200")
		block := strings.Repeat("x", maxFrame)
		for range streamWindow/maxFrame + 1 {
			p.data(1, false, block)
		}
		p.data(1, true, "")
		p.skipTo("HEADERS")
		p.head(3, true, ":status", "200")
		p.drain()
	})
	resp, err := roundTrip(t.Context(), c, get("/"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := outcome(t.Context(), c, get("/")); got != "200 " { // takes what has come for the first
		t.Error(got)
	}
	n, err := io.Copy(io.Discard, resp.Body)
	if n > streamWindow || err == nil || !strings.Contains(err.Error(), "more than the stream's window") {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// TestWindowsGivenBack: what is read, and what is thrown away, opens the windows again.
func TestWindowsGivenBack(t *testing.T) {
	const size = 3 * streamWindow
	c := scripted(t, func(p *peer) {
		block := strings.Repeat("x", maxFrame)
	streams:
		for id := uint32(1); ; id += 2 {
			if p.skipTo("HEADERS") == "end" {
				return
			}
			p.head(id, false, ":status", "200")
			window := streamWindow
			for sent := 0; sent < size; sent += maxFrame {
				for window < maxFrame {
					f, err := p.ReadFrame()
					if err != nil {
						return
					}
					if reset, ok := f.(*http2.RSTStreamFrame); ok && reset.StreamID == id {
						continue streams
					}
					if w, ok := f.(*http2.WindowUpdateFrame); ok && w.StreamID == id {
						window += int(w.Increment)
					}
				}
				p.data(id, false, block)
				window -= maxFrame
			}
			p.data(id, true, "")
		}
	})
	for i := range 4 {
		resp, err := roundTrip(t.Context(), c, get("/"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if i%2 == 1 {
			_, _ = io.ReadFull(resp.Body, make([]byte, 1000))
			_ = resp.Body.Close()
			continue
		}
		if n, err := io.Copy(io.Discard, resp.Body); n != size || err != nil {
			t.Errorf("%d bytes, %v", n, err)
		}
	}
	_ = outcome(t.Context(), c, get("/"))
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.receive.open+c.receive.taken != connWindow {
		t.Errorf("%d bytes of the connection's window are missing", connWindow-c.receive.open-c.receive.taken)
	}
}

// TestFloods: frames that carry nothing end the connection, soon.
func TestFloods(t *testing.T) {
	for name, flood := range map[string]func(p *peer){
		"ping":     func(p *peer) { _ = p.WritePing(false, [8]byte{}) },
		"pong":     func(p *peer) { _ = p.WritePing(true, [8]byte{}) },
		"settings": func(p *peer) { _ = p.WriteSettings() },
		"acks":     func(p *peer) { _ = p.WriteSettingsAck() },
		"windows":  func(p *peer) { _ = p.WriteWindowUpdate(0, 1) },
		"stream's": func(p *peer) { _ = p.WriteWindowUpdate(1, 1) },
		"unknown":  func(p *peer) { _ = p.WriteRawFrame(0x42, 0, 0, nil) },
		"priority": func(p *peer) { _ = p.WritePriority(1, http2.PriorityParam{Weight: 1}) },
		"going":    func(p *peer) { _ = p.WriteGoAway(1, http2.ErrCodeNo, nil) },
		"data":     func(p *peer) { p.data(1, false, "") },
		"padding":  func(p *peer) { _ = p.WriteDataPadded(1, false, nil, make([]byte, 255)) },
	} {
		t.Run(name, func(t *testing.T) {
			c := scripted(t, func(p *peer) {
				go p.drain()
				p.head(1, false, ":status", "200")
				for range 3 * floodFrames {
					flood(p)
				}
			})
			got := outcome(t.Context(), c, get("/"))
			if !strings.Contains(got, "too many frames that carry nothing") && !strings.Contains(got, "asks for more than it reads") {
				t.Error(got)
			}
		})
	}
}

// TestPongsUnread: a peer that asks, slowly, and reads no answer ends the connection before many wait.
func TestPongsUnread(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := scripted(t, func(p *peer) {
			p.skipTo("HEADERS")
			for range 2 * mostPongs {
				_ = p.WritePing(false, [8]byte{})
				time.Sleep(2 * floodTime / floodFrames)
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if got := outcome(ctx, c, get("/")); !strings.Contains(got, "asks for more than it reads") {
			t.Error(got)
		}
	})
}

// TestHeads: the bounds on heads hold, whatever they are made of.
func TestHeads(t *testing.T) {
	many := func(n int, value string) (fields []string) {
		fields = []string{":status", "200"}
		for i := range n {
			fields = append(fields, fmt.Sprint("x-", i), value)
		}
		return fields
	}
	pieces := func(p *peer, id uint32, last bool, block []byte) {
		first := block[:min(maxFrame, len(block))]
		block = block[len(first):]
		_ = p.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: first, EndHeaders: len(block) == 0, EndStream: last})
		for len(block) > 0 {
			piece := block[:min(maxFrame, len(block))]
			block = block[len(piece):]
			_ = p.WriteContinuation(id, len(block) == 0, piece)
		}
	}
	bomb := func(p *peer) []byte { // one large entry of the table, again and again
		block := p.fields(":status", "200", "x", strings.Repeat("y", 4000))
		return append(block, bytes.Repeat([]byte{0x80 | 62}, 15000)...)
	}
	for name, tt := range map[string]struct {
		script func(p *peer)
		want   string
	}{
		"999 fields":   {func(p *peer) { pieces(p, 1, true, p.fields(many(999, "v")...)) }, "200 "},
		"1,001 fields": {func(p *peer) { pieces(p, 1, true, p.fields(many(1001, "v")...)) }, "more than 1000 fields"},
		"200 KiB":      {func(p *peer) { pieces(p, 1, true, p.fields(many(100, strings.Repeat("y", 2000))...)) }, "200 "},
		"300 KiB":      {func(p *peer) { pieces(p, 1, true, p.fields(many(150, strings.Repeat("y", 2000))...)) }, "larger than 262144 bytes"},
		"a long value": {func(p *peer) { pieces(p, 1, true, p.fields(many(1, strings.Repeat("y", 1<<20))...)) }, "cannot be decoded"},
		"a bomb":       {func(p *peer) { pieces(p, 1, true, bomb(p)) }, "larger than 262144 bytes"},
		"continuations": {func(p *peer) {
			_ = p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: p.fields(":status", "200")})
			for range 1000 {
				_ = p.WriteContinuation(1, false, nil)
			}
		}, "larger than 262144 bytes"},
		"trailers": {func(p *peer) {
			p.head(1, false, ":status", "200")
			pieces(p, 1, true, p.fields(many(40, strings.Repeat("y", 2000))[2:]...))
		}, "larger than 65536 bytes"},
		"interim": {func(p *peer) {
			for range 21 {
				p.head(1, false, ":status", "103")
			}
		}, "more than 20 interim responses"},
		"20 interim": {func(p *peer) {
			for range 20 {
				p.head(1, false, ":status", "103")
			}
			p.head(1, true, ":status", "200")
		}, "200 "},
	} {
		t.Run(name, func(t *testing.T) {
			c := scripted(t, func(p *peer) {
				p.skipTo("HEADERS")
				tt.script(p)
				p.drain()
			})
			if got := outcome(t.Context(), c, get("/")); !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestInterim: interim responses are handed on once each, in order, and an error ends the request.
func TestInterim(t *testing.T) {
	c := scripted(t, func(p *peer) {
		for id := uint32(1); id <= 3; id += 2 {
			p.skipTo("HEADERS")
			p.head(id, false, ":status", "102")
			p.head(id, false, ":status", "103", "link", "</x>")
			p.head(id, true, ":status", "200")
		}
		p.drain()
	})
	var got []string
	req := get("/")
	req.Interim = func(status int, fields [][2]string) error {
		got = append(got, fmt.Sprint(status, fields))
		return nil
	}
	if got := outcome(t.Context(), c, req); got != "200 " {
		t.Error(got)
	}
	if diff := cmp.Diff([]string{"102 []", "103 [[link </x>]]"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	req.Interim = func(int, [][2]string) error { return io.ErrNoProgress }
	if got, want := outcome(t.Context(), c, req), "! waiting for the response: multiple Read calls return no data or error interim"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestInterimBytes: all interim responses of a request together have a bound, as over HTTP/1.1.
func TestInterimBytes(t *testing.T) {
	const size = 4 << 10
	field := strings.Repeat("x", size-32-len("link")-32-len(":status103")) // RFC 9113 section 6.5.2
	for n, want := range map[int]string{
		4: "200 ",
		5: "the server's interim responses are larger than 16384 bytes",
	} {
		c := scriptedWith(t, Config{InterimBytes: 4 * size}, nil, func(p *peer) {
			p.skipTo("HEADERS")
			for range n {
				p.head(1, false, ":status", "103", "link", field)
			}
			p.head(1, true, ":status", "200")
			p.drain()
		})
		if got := outcome(t.Context(), c, get("/")); !strings.Contains(got, want) {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}
