package wiretest

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"strconv"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// HTTP2 is a server, HTTP/2 in the clear, that answers each request with the same response, and returns its address. It
// does so with as little work as possible, without allocating, and with one write for what one read has brought: it is
// for benchmarks. With hold it never answers the first request of a connection.
func HTTP2(tb testing.TB, content []byte, hold bool) (addr string) {
	tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go newCanned(content, hold).serve(c)
		}
	}()
	return ln.Addr().String()
}

// canned is a response as bytes, in which the number of the stream is yet to be filled in.
type canned struct {
	frames []byte
	data   int // where the second frame begins
	out    []byte
	hold   bool
}

func newCanned(content []byte, hold bool) *canned {
	var head, frames bytes.Buffer
	enc := hpack.NewEncoder(&head)
	enc.SetMaxDynamicTableSizeLimit(0) // every response is the same
	for _, f := range [][2]string{{":status", "200"}, {"content-type", "application/json"}, {"content-length", strconv.Itoa(len(content))}, {"date", "Tue, 01 Jul 2025 12:00:00 GMT"}} {
		_ = enc.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]})
	}
	c := &canned{hold: hold}
	f := http2.NewFramer(&frames, nil)
	_ = f.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 250})
	_ = f.WriteSettingsAck()
	c.out = bytes.Clone(frames.Bytes())
	frames.Reset()
	_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: head.Bytes(), EndHeaders: true})
	c.data = frames.Len()
	_ = f.WriteData(1, true, content)
	c.frames = frames.Bytes()
	return c
}

func (c *canned) serve(conn net.Conn) {
	defer func() { _ = conn.Close() }()
	in := bufio.NewReaderSize(conn, 64<<10)
	if _, err := in.Discard(len(http2.ClientPreface)); err != nil {
		return
	}
	var h [9]byte
	for {
		if _, err := io.ReadFull(in, h[:]); err != nil {
			return
		}
		_, _ = in.Discard(int(binary.BigEndian.Uint32(h[:]) >> 8))
		if http2.FrameType(h[3]) == http2.FrameHeaders {
			c.answer(h[5:])
		}
		if in.Buffered() >= len(h) || len(c.out) == 0 {
			continue
		}
		if _, err := conn.Write(c.out); err != nil {
			return
		}
		c.out = c.out[:0]
	}
}

// answer appends the response for a stream.
func (c *canned) answer(stream []byte) {
	if c.hold {
		c.hold = false
		return
	}
	start := len(c.out)
	c.out = append(c.out, c.frames...)
	copy(c.out[start+5:], stream)
	copy(c.out[start+c.data+5:], stream)
}
