package http3_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/quic-go/qpack"
	"github.com/quic-go/quic-go"
	quichttp3 "github.com/quic-go/quic-go/http3"
	"github.com/quic-go/quic-go/quicvarint"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// scripted is a server that knows nothing but frames.
type scripted struct {
	control []byte                      // the server's control stream
	answer  func(n int, s *quic.Stream) // the nth request, from 0, whose bytes have been read
	heads   chan [][2]string
}

func frame(kind uint64, payload ...byte) []byte {
	return append(quicvarint.Append(quicvarint.Append(nil, kind), uint64(len(payload))), payload...)
}

// fields is a HEADERS frame.
func fields(list ...[2]string) []byte {
	var b bytes.Buffer
	e := qpack.NewEncoder(&b)
	for _, f := range list {
		_ = e.WriteField(qpack.HeaderField{Name: f[0], Value: f[1]})
	}
	return frame(1, b.Bytes()...)
}

func data(text string) []byte { return frame(0, []byte(text)...) }

var settings = append([]byte{0}, frame(4)...)

// start runs the server and returns its URL.
func (s *scripted) start(t *testing.T) string {
	t.Helper()
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	l, err := quic.Listen(socket, quichttp3.ConfigureTLSConfig(wiretest.TestCA().Server()), nil)
	if err != nil {
		t.Fatal(err)
	}
	s.heads = make(chan [][2]string, 100)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for n := 0; ; {
			c, err := l.Accept(ctx)
			if err != nil {
				return
			}
			n = s.serve(ctx, c, n)
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-ended
		_ = l.Close()
		_ = socket.Close()
	})
	return "https://" + socket.LocalAddr().String() + "/"
}

// serve serves one connection after the other, and returns how many requests there have been.
func (s *scripted) serve(ctx context.Context, c *quic.Conn, n int) int {
	defer func() { _ = c.CloseWithError(0x100, "") }()
	control, err := c.OpenUniStream()
	if err != nil {
		return n
	}
	_, _ = control.Write(s.control)
	for ; ; n++ {
		stream, err := c.AcceptStream(ctx)
		if err != nil {
			return n
		}
		sent, _ := io.ReadAll(stream)
		s.heads <- decoded(sent)
		s.answer(n, stream)
		_ = stream.Close()
	}
}

// decoded are the fields of the first frame.
func decoded(sent []byte) (list [][2]string) {
	in := bytes.NewReader(sent)
	_, _ = quicvarint.Read(in)
	length, _ := quicvarint.Read(in)
	block := make([]byte, min(length, uint64(in.Len())))
	_, _ = io.ReadFull(in, block)
	for next := qpack.NewDecoder().Decode(block); ; {
		f, err := next()
		if err != nil {
			return list
		}
		list = append(list, [2]string{f.Name, f.Value})
	}
}

func writes(parts ...[]byte) func(int, *quic.Stream) {
	return func(_ int, s *quic.Stream) { _, _ = s.Write(bytes.Join(parts, nil)) }
}

// TestHeaderOrder: names in lower case, in the order of the request, without those of connections.
func TestHeaderOrder(t *testing.T) {
	server := &scripted{control: settings, answer: writes(fields([2]string{":status", "200"}, [2]string{"z", "1"}, [2]string{"a", "2"}), data("ok"))}
	url := server.start(t)
	r := &requests.Request{Method: "POST", URL: url}
	p, err := r.Prepare()
	if err != nil {
		t.Fatal(err)
	}
	p.Headers = requests.Headers{{"X-Zed", "1"}, {"Connection", "x-hop"}, {"X-Hop", "2"}, {"Accept", "*/*"}, {"X-Alpha", "3"}, {"x-zed", "4"}}
	p.SetBody([]byte("body"))
	resp, err := opened(t).Send(t.Context(), p, requests.SendOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Close()
	content, err := resp.Content()
	if err != nil || string(content) != "ok" {
		t.Errorf("%q, %v", content, err)
	}
	host := strings.TrimSuffix(strings.TrimPrefix(url, "https://"), "/")
	want := [][2]string{{":method", "POST"}, {":scheme", "https"}, {":authority", host}, {":path", "/"}, {"x-zed", "1"}, {"accept", "*/*"}, {"x-alpha", "3"}, {"x-zed", "4"}, {"content-length", "4"}}
	if diff := cmp.Diff(want, <-server.heads); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(requests.Headers{{"z", "1"}, {"a", "2"}}, resp.Headers); diff != "" {
		t.Error(diff)
	}
}

// TestFrames: what a server may send, and what it may not.
func TestFrames(t *testing.T) {
	ok := fields([2]string{":status", "200"})
	status := [2]string{":status", "200"}
	flood := bytes.Repeat(frame(0x21), 2000)
	for name, c := range map[string]struct {
		control []byte
		answer  []byte
		want    string
		kind    requests.Kind
	}{
		"a body in pieces":             {settings, bytes.Join([][]byte{ok, data("a"), data("b")}, nil), "ab", 0},
		"frames nobody knows":          {settings, bytes.Join([][]byte{frame(0x21, 1, 2), ok, frame(0x40), data("a"), frame(0x21)}, nil), "a", 0},
		"an interim response":          {settings, bytes.Join([][]byte{fields([2]string{":status", "103"}), ok, data("a")}, nil), "a", 0},
		"trailers":                     {settings, bytes.Join([][]byte{ok, data("a"), fields([2]string{"x", "y"})}, nil), "a", 0},
		"no response":                  {settings, nil, "", requests.ErrConnection},
		"a cut head":                   {settings, ok[:len(ok)-1], "", requests.ErrConnection},
		"a cut frame":                  {settings, append(bytes.Clone(ok), frame(0, 1, 2, 3)[:4]...), "", requests.ErrChunkedEncoding},
		"a body that is too short":     {settings, append(fields(status, [2]string{"content-length", "5"}), data("abc")...), "", requests.ErrChunkedEncoding},
		"a body that is too long":      {settings, append(fields(status, [2]string{"content-length", "2"}), data("abc")...), "", requests.ErrChunkedEncoding},
		"differing lengths":            {settings, fields(status, [2]string{"content-length", "2"}, [2]string{"content-length", "3"}), "", requests.ErrConnection},
		"a name in capitals":           {settings, fields(status, [2]string{"X", "y"}), "", requests.ErrConnection},
		"a line end in a value":        {settings, fields(status, [2]string{"x", "a\r\nb"}), "", requests.ErrConnection},
		"a field of connections":       {settings, fields(status, [2]string{"transfer-encoding", "chunked"}), "", requests.ErrConnection},
		"no status":                    {settings, fields([2]string{"x", "y"}), "", requests.ErrConnection},
		"two statuses":                 {settings, fields(status, status), "", requests.ErrConnection},
		"a large head":                 {settings, fields(status, [2]string{"x", strings.Repeat("y", 300<<10)}), "", requests.ErrConnection},
		"many fields":                  {settings, fields(append([][2]string{status}, slicesOf([2]string{"x", "y"}, 1001)...)...), "", requests.ErrConnection},
		"many interim responses":       {settings, bytes.Repeat(fields([2]string{":status", "103"}), 30), "", requests.ErrConnection},
		"a flood before the head":      {settings, append(bytes.Clone(flood), ok...), "", requests.ErrConnection},
		"a flood in the body":          {settings, append(bytes.Clone(ok), flood...), "", requests.ErrChunkedEncoding},
		"a flood of empty DATA":        {settings, append(bytes.Clone(ok), bytes.Repeat(data(""), 2000)...), "", requests.ErrChunkedEncoding},
		"DATA before the head":         {settings, append(data("a"), ok...), "", requests.ErrConnection},
		"a push that nobody asked for": {settings, frame(5, 0), "", requests.ErrConnection},
		"a dynamic table":              {settings, frame(1, 5, 0, 0x80), "", requests.ErrConnection},
	} {
		t.Run(name, func(t *testing.T) {
			server := &scripted{control: c.control, answer: writes(c.answer)}
			r, err := opened(t).Send(t.Context(), prepared(t, "POST", server.start(t)), requests.SendOptions{})
			var content []byte
			if err == nil {
				content, err = r.Content()
				defer r.Close()
			}
			if c.kind == 0 && (err != nil || string(content) != c.want) || c.kind != 0 && !errors.Is(err, c.kind) {
				t.Errorf("%q, %v", content, err)
			}
		})
	}
}

func slicesOf(f [2]string, n int) (list [][2]string) {
	for range n {
		list = append(list, f)
	}
	return list
}

// TestRejected: a request that the server has not looked at is sent again, whatever its method.
func TestRejected(t *testing.T) {
	server := &scripted{control: settings}
	server.answer = func(n int, s *quic.Stream) {
		if n == 0 {
			s.CancelWrite(0x10b)
			return
		}
		writes(fields([2]string{":status", "200"}), data("ok"))(n, s)
	}
	r, err := opened(t).Send(t.Context(), prepared(t, "POST", server.start(t), requests.Body("body")), requests.SendOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if content, err := r.Content(); err != nil || string(content) != "ok" || len(server.heads) != 2 {
		t.Errorf("%q, %v, sent %d times", content, err, len(server.heads))
	}
}

// TestGoAway: a server that takes nobody is not asked for ever, and what it refuses counts as unsent.
func TestGoAway(t *testing.T) {
	server := &scripted{control: append(bytes.Clone(settings), frame(7, 0)...), answer: func(_ int, s *quic.Stream) { s.CancelWrite(0x10b) }}
	_, err := opened(t).Send(t.Context(), prepared(t, "POST", server.start(t), requests.Body("body")), requests.SendOptions{})
	if e, ok := errors.AsType[*requests.Error](err); !ok || !e.Kind.Is(requests.ErrConnection) || !e.SafeToRetry() {
		t.Errorf("%v, safe to retry: %v", err, ok && e.SafeToRetry())
	}
}
