package requests_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/internal/wiretest"
)

// TestFramingFields: what two readers could take for two requests is not sent.
func TestFramingFields(t *testing.T) {
	server := wiretest.Origin(t)
	for name, headers := range map[string]requests.Headers{
		"two hosts":         {{"Host", "a"}, {"host", "b"}},
		"two equal hosts":   {{"Host", "a"}, {"HOST", "a"}},
		"two lengths":       {{"Content-Length", "4"}, {"content-length", "4"}},
		"identity":          {{"Transfer-Encoding", "identity"}},
		"gzip, chunked":     {{"Transfer-Encoding", "gzip, chunked"}},
		"chunked twice":     {{"Transfer-Encoding", "chunked"}, {"transfer-encoding", "chunked"}},
		"chunked, chunked":  {{"Transfer-Encoding", "chunked, chunked"}},
		"chunked and other": {{"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "x"}},
		"length and coding": {{"Content-Length", "4"}, {"Transfer-Encoding", "chunked"}},
		"not a length":      {{"Content-Length", "+4"}},
		"list of lengths":   {{"Content-Length", "4, 4"}},
		"no body":           {{"Content-Length", "4"}},
		"no body, zeros":    {{"content-length", "0040"}},
	} {
		for _, method := range []string{"GET", "POST"} {
			s := newTestSession(t)
			p, err := s.Prepare(&requests.Request{Method: method, URL: server.URL("/")})
			if err != nil {
				t.Fatal(err)
			}
			p.Headers = append(p.Headers[:1:1], headers...)
			if _, err := s.Send(t.Context(), p, requests.SendOptions{}); !errors.Is(err, requests.ErrInvalidHeader) {
				t.Errorf("%s, %s: got %v", method, name, err)
			}
		}
	}
	if n := len(server.Requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
}

// TestLengthWithoutBody: a length that is announced without a body is sent under
// Policy.BodiesAsRequests alone, and its connection is not used again.
func TestLengthWithoutBody(t *testing.T) {
	server := wiretest.Start(t, wiretest.Config{Conn: func(c net.Conn) {
		if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
			if r.Method == "POST" {
				_, _ = io.Copy(io.Discard, r.Body)
			}
		}
	}})
	var got []string
	for _, policy := range []requests.Policy{{}, {BodiesAsRequests: true}} {
		for _, length := range []string{"0", "00", "7"} {
			s := newTestSession(t)
			s.Policy = policy
			_, err := s.Get(t.Context(), server.URL("/"), requests.Headers{{"Content-Length", length}})
			_, err2 := s.Post(t.Context(), server.URL("/"), requests.Headers{{"Content-Length", length}}, requests.Body("body"))
			got = append(got, fmt.Sprint(length, " ", errorKind(err), errorKind(err2)))
		}
	}
	want := []string{"0 ", "00 ", "7 invalid header", "0 ", "00 ", "7 "}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestCloseDrains: a short rest of a body is read at Close, and its connection used again.
func TestCloseDrains(t *testing.T) {
	for name, c := range map[string]struct {
		reply       wiretest.Reply
		connections int
	}{
		"8 bytes":        {wiretest.Text(200, "8 bytes!"), 1},
		"chunks":         {wiretest.Chunks("8 bytes!", "more"), 1},
		"a long rest":    {wiretest.Text(200, strings.Repeat("x", 1<<20)), 2},
		"a missing rest": {wiretest.Send("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n"), 2},
	} {
		server := wiretest.Origin(t, c.reply, wiretest.Text(200, "ok"))
		s := newTestSession(t)
		for range 2 {
			r, err := s.Get(t.Context(), server.URL("/"), requests.Stream(true))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			r.Close()
			if _, err := io.ReadAll(r); err == nil {
				t.Errorf("%s: read after Close without an error", name)
			}
		}
		if diff := cmp.Diff(c.connections, server.Accepted()); diff != "" {
			t.Errorf("%s: connections (-want +got)\n%s", name, diff)
		}
	}
}

// TestRule54Unasked: bytes that came before the request was sent are not believed.
func TestRule54Unasked(t *testing.T) {
	const forged = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"
	t.Run("new connection", func(t *testing.T) {
		wrote := make(chan struct{})
		server := wiretest.Start(t, wiretest.Config{Conn: func(c net.Conn) {
			_, _ = io.WriteString(c, forged)
			close(wrote)
			_, _ = io.Copy(io.Discard, c)
		}})
		// The bytes have to be there, so they are waited for where the connection is opened.
		dialer := adapters.Dialer(func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, network, address)
			if err == nil {
				<-wrote
			}
			return c, err
		})
		s := newTestSession(t)
		s.Mount("http://", requests.NewHTTPAdapter(dialer))
		if r, err := s.Get(t.Context(), server.URL("/")); !errors.Is(err, requests.ErrConnection) {
			t.Errorf("got %v, %v", r, err)
		}
	})
	t.Run("kept connection", func(t *testing.T) {
		sent := make(chan struct{})
		once := sync.OnceFunc(func() { close(sent) })
		server := wiretest.Start(t, wiretest.Config{Conn: func(c net.Conn) {
			for i := 0; ; i++ {
				if _, err := c.Read(make([]byte, 4<<10)); err != nil {
					return
				}
				fmt.Fprint(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
				if i == 0 {
					fmt.Fprint(c, forged)
					once()
				}
			}
		}})
		s := newTestSession(t)
		var got []string
		for range 2 {
			r, err := s.Get(t.Context(), server.URL("/"))
			if err != nil {
				t.Fatal(err)
			}
			<-sent
			text, _ := r.Text()
			got = append(got, text)
		}
		if diff := cmp.Diff([]string{"ok", "ok"}, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

// TestIdempotencyKey: a request with such a key is tried again where a kept connection has
// died, whatever its method.
func TestIdempotencyKey(t *testing.T) {
	for _, c := range []struct {
		header, key string
		again       bool
	}{{"Idempotency-Key", "7", true}, {"X-Idempotency-Key", "7", true}, {"X-Other", "7", false}, {"Idempotency-Key", "", false}, {"X-Idempotency-Key", "", false}} {
		// The first connection serves one request and dies under the second.
		first := make(chan bool, 1)
		first <- true
		server := wiretest.Start(t, wiretest.Config{Conn: func(conn net.Conn) {
			in := make([]byte, 4<<10)
			dying := false
			select {
			case dying = <-first:
			default:
			}
			for i := 0; ; i++ {
				if _, err := conn.Read(in); err != nil || dying && i == 1 {
					return
				}
				fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
			}
		}})
		s := newTestSession(t)
		var err error
		for range 2 {
			_, err = s.Post(t.Context(), server.URL("/"), requests.Body("x"), requests.Headers{{c.header, c.key}})
		}
		if (err == nil) != c.again {
			t.Errorf("%s: %s: %v", c.header, c.key, err)
		}
	}
}

// TestStreamerLengths: a Streamer that does not know its length is told so.
func TestStreamerLengths(t *testing.T) {
	_, err := requests.Post(t.Context(), "http://h.test/", requests.Body(streamer{strings.NewReader("abc"), -1}))
	if !errors.Is(err, requests.ErrBodyLength) {
		t.Errorf("got %v", err)
	}
}

type streamer struct {
	io.Reader
	n int64
}

func (s streamer) Len() int64    { return s.n }
func (s streamer) Rewind() error { return nil }

func TestStringItems(t *testing.T) {
	server := wiretest.Origin(t)
	var items iter.Seq[string] = func(yield func(string) bool) { _ = yield("one ") && yield("two") }
	for _, body := range []any{items, func(yield func(string) bool) { items(yield) }} {
		if _, err := requests.Post(t.Context(), server.URL("/"), requests.Body(body)); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"one two", "one two"}, bodies(server)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestConnectionClose: a connection that the caller wants closed is not used again, however
// that is written (RFC 9112 section 9.6).
func TestConnectionClose(t *testing.T) {
	server := wiretest.Origin(t)
	s := newTestSession(t)
	client := &http.Client{Transport: s.RoundTripper()}
	req, err := http.NewRequestWithContext(t.Context(), "GET", server.URL("/"), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	fields := []requests.Headers{
		{{"Connection", "close"}}, {{"connection", "Close"}}, {{"Connection", "keep-alive, CLOSE"}},
		{{"Connection", "x"}, {"Connection", "close"}}, nil, nil,
	}
	for _, headers := range fields {
		if _, err := s.Get(t.Context(), server.URL("/"), headers); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	var got []int
	for _, r := range server.Requests() {
		got = append(got, r.Conn)
	}
	if diff := cmp.Diff([]int{1, 2, 3, 4, 5, 5, 5, 6}, got); diff != "" {
		t.Errorf("connections (-want +got)\n%s", diff)
	}
}
