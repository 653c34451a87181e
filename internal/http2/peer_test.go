package http2

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/mountable/requests/internal/wire"
)

// peer is the server's side of a connection, played by a test.
type peer struct {
	*http2.Framer
	net.Conn
	t     testing.TB
	block bytes.Buffer
	enc   *hpack.Encoder
}

// scripted makes a connection whose peer runs script, on a goroutine that has ended when the test ends. The
// settings have been exchanged.
func scripted(t testing.TB, script func(p *peer)) *Conn {
	t.Helper()
	return scriptedWith(t, Config{}, nil, script)
}

func scriptedWith(t testing.TB, cfg Config, settings []http2.Setting, script func(p *peer)) *Conn {
	t.Helper()
	client, server := net.Pipe()
	c := New(client, cfg)
	var running sync.WaitGroup
	t.Cleanup(func() { running.Wait() })
	t.Cleanup(func() { _ = c.Close() })
	running.Go(func() {
		p := newPeer(t, server)
		defer func() { _ = p.Conn.Close() }()
		if p.greet(settings) == nil {
			script(p)
		}
	})
	return c
}

// queued is a connection whose writes do not wait for the other side to read, as those of a socket.
type queued struct {
	net.Conn
	queue chan []byte
	done  chan struct{}
	once  sync.Once
}

func newQueued(c net.Conn) *queued {
	q := &queued{Conn: c, queue: make(chan []byte, 1<<16), done: make(chan struct{})}
	go func() {
		defer close(q.done)
		var err error
		for b := range q.queue {
			if err == nil {
				_, err = c.Write(b)
			}
		}
	}()
	return q
}

func (q *queued) Write(b []byte) (int, error) {
	q.queue <- bytes.Clone(b)
	return len(b), nil
}

// Close ends the connection behind what has been written.
func (q *queued) Close() error {
	q.once.Do(func() { close(q.queue) })
	<-q.done
	return q.Conn.Close()
}

func newPeer(t testing.TB, nc net.Conn) *peer {
	c := newQueued(nc)
	p := &peer{Framer: http2.NewFramer(c, c), Conn: c, t: t}
	p.Framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	p.Framer.AllowIllegalWrites = true
	p.enc = hpack.NewEncoder(&p.block)
	return p
}

// greet reads what a client sends first, and answers with settings.
func (p *peer) greet(settings []http2.Setting) error {
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(p.Conn, preface); err != nil {
		return err
	}
	if string(preface) != http2.ClientPreface {
		p.t.Errorf("preface %q", preface)
	}
	for range 2 { // SETTINGS and WINDOW_UPDATE
		if _, err := p.ReadFrame(); err != nil {
			return err
		}
	}
	return p.WriteSettings(settings...)
}

// next returns the next frame in words, without the acknowledgements of settings.
func (p *peer) next() string {
	for {
		f, err := p.ReadFrame()
		if err != nil {
			return "end"
		}
		if s, ok := f.(*http2.SettingsFrame); ok && s.IsAck() {
			continue
		}
		return describe(f)
	}
}

// skipTo reads frames until one begins like this.
func (p *peer) skipTo(prefix string) string {
	for {
		if s := p.next(); s == "end" || strings.HasPrefix(s, prefix) {
			return s
		}
	}
}

func describe(f http2.Frame) string {
	h := f.Header()
	s := fmt.Sprint(h.Type, " ", h.StreamID)
	switch f := f.(type) {
	case *http2.MetaHeadersFrame:
		for _, field := range f.Fields {
			s += fmt.Sprintf(" %s=%s", field.Name, field.Value)
		}
		if f.StreamEnded() {
			s += " end"
		}
	case *http2.DataFrame:
		s += fmt.Sprintf(" %.20q", f.Data())
		if f.StreamEnded() {
			s += " end"
		}
	case *http2.RSTStreamFrame:
		s += " " + f.ErrCode.String()
	case *http2.GoAwayFrame:
		s += " " + f.ErrCode.String()
	case *http2.WindowUpdateFrame:
		s += fmt.Sprint(" ", f.Increment)
	case *http2.PingFrame:
		if f.IsAck() {
			s += " ack"
		}
	}
	return s
}

// fields encodes a header block.
func (p *peer) fields(fields ...string) []byte {
	p.block.Reset()
	for i := 0; i < len(fields); i += 2 {
		_ = p.enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return bytes.Clone(p.block.Bytes())
}

func (p *peer) head(id uint32, end bool, fields ...string) {
	_ = p.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: p.fields(fields...), EndHeaders: true, EndStream: end})
}

func (p *peer) data(id uint32, end bool, content string) { _ = p.WriteData(id, end, []byte(content)) }

// drain reads whatever comes.
func (p *peer) drain() { _, _ = io.Copy(io.Discard, p.Conn) }

// outcome is what a request came to, in words.
func outcome(ctx context.Context, c *Conn, req *wire.Request) string {
	s, err := text(ctx, c, req)
	if err == nil {
		return s
	}
	return s + "! " + explain(err)
}

func explain(err error) string {
	e, ok := errors.AsType[*wire.Error](err)
	if !ok {
		return err.Error()
	}
	s := err.Error()
	for _, fact := range []struct {
		is   bool
		word string
	}{{e.Unprocessed, " unprocessed"}, {e.Unanswered, " unanswered"}, {e.Interim, " interim"}, {!e.Written, " unwritten"}} {
		if fact.is {
			s += fact.word
		}
	}
	if e.Limit != wire.NoLimit {
		s += fmt.Sprint(" limit ", e.Limit)
	}
	return s
}
