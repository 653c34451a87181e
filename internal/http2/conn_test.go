package http2

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/http2"

	"github.com/mountable/requests/internal/wire"
)

// TestOrder: the fields of a request arrive in the order given, behind the pseudo-header fields, and a small body
// with them.
func TestOrder(t *testing.T) {
	var got []string
	c := scripted(t, func(p *peer) {
		for range 3 {
			got = append(got, p.next())
			if strings.HasSuffix(got[len(got)-1], "end") {
				p.head(uint32(2*(len(got)/2)+1), true, ":status", "200")
			}
		}
	})
	for _, req := range []*wire.Request{
		get("/a?b=c", [2]string{"Zeta", "1"}, [2]string{"X-Yes", "2"}, [2]string{"alpha", "3"}, [2]string{"Zeta", "4"}, [2]string{"Cookie", "a=b; c=d"}),
		post("/", "text", [2]string{"B", "1"}, [2]string{"Content-Length", "4"}, [2]string{"A", "2"}),
	} {
		if got := outcome(t.Context(), c, req); got != "200 " {
			t.Error(got)
		}
	}
	const pseudo = " :scheme=http :authority=example.test "
	want := []string{
		"HEADERS 1 :method=GET" + pseudo + ":path=/a?b=c zeta=1 x-yes=2 alpha=3 zeta=4 cookie=a=b; c=d end",
		"HEADERS 3 :method=POST" + pseudo + ":path=/ b=1 content-length=4 a=2",
		`DATA 3 "text" end`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// noting notes the first write.
type noting struct {
	net.Conn
	first chan []byte
}

func (n noting) Write(b []byte) (int, error) {
	select {
	case n.first <- bytes.Clone(b):
	default:
	}
	return n.Conn.Write(b)
}

// TestOneWrite: preface, head and small body are one write.
func TestOneWrite(t *testing.T) {
	client, server := net.Pipe()
	n := noting{client, make(chan []byte, 1)}
	c := New(n, Config{})
	var running sync.WaitGroup
	running.Go(func() {
		p := newPeer(t, server)
		defer func() { _ = p.Conn.Close() }()
		if p.greet(nil) == nil {
			p.skipTo("DATA")
			p.head(1, true, ":status", "200")
		}
		p.drain()
	})
	if got := outcome(t.Context(), c, post("/", "text")); got != "200 " {
		t.Error(got)
	}
	if first := <-n.first; !bytes.HasPrefix(first, []byte(http2.ClientPreface)) || !bytes.HasSuffix(first, []byte("text")) {
		t.Errorf("%q", first)
	}
	_ = c.Close()
	running.Wait()
}

// TestEnds is what a peer may do to end a request, and what that means.
func TestEnds(t *testing.T) {
	for name, tt := range map[string]struct {
		script func(p *peer)
		want   string
	}{
		"response": {func(p *peer) { p.head(1, false, ":status", "200"); p.data(1, true, "body") }, "200 body"},
		"response in pieces": {func(p *peer) {
			p.head(1, false, ":status", "200", "content-length", "4")
			p.data(1, false, "bo")
			p.data(1, false, "")
			_ = p.WriteDataPadded(1, false, []byte("dy"), make([]byte, 9))
			p.data(1, true, "")
		}, "200 body"},
		"trailers":       {func(p *peer) { p.head(1, false, ":status", "200"); p.head(1, true, "x-sum", "7") }, "200 "},
		"refused":        {func(p *peer) { _ = p.WriteRSTStream(1, http2.ErrCodeRefusedStream) }, "! waiting for the response: http2: the server reset the stream: REFUSED_STREAM unprocessed"},
		"reset":          {func(p *peer) { _ = p.WriteRSTStream(1, http2.ErrCodeInternal) }, "! waiting for the response: http2: the server reset the stream: INTERNAL_ERROR"},
		"reset inside":   {func(p *peer) { p.head(1, false, ":status", "200"); _ = p.WriteRSTStream(1, http2.ErrCodeNo) }, "200 ! reading the response: http2: the server reset the stream: NO_ERROR"},
		"going away":     {func(p *peer) { _ = p.WriteGoAway(0, http2.ErrCodeNo, []byte("bye\n")) }, `! waiting for the response: http2: the server is closing the connection: NO_ERROR: "bye\n" unprocessed`},
		"going away ill": {func(p *peer) { _ = p.WriteGoAway(0, http2.ErrCodeEnhanceYourCalm, nil) }, "! waiting for the response: http2: the server is closing the connection: ENHANCE_YOUR_CALM"},
		"going away later": {func(p *peer) {
			_ = p.WriteGoAway(1<<31-1, http2.ErrCodeNo, nil)
			p.head(1, false, ":status", "200")
			_ = p.WriteGoAway(1, http2.ErrCodeNo, nil)
			p.data(1, true, "body")
		}, "200 body"},
		"closed":        {func(p *peer) { _ = p.Conn.Close() }, "! waiting for the response: unexpected EOF unanswered"},
		"closed inside": {func(p *peer) { p.head(1, false, ":status", "200"); _ = p.Conn.Close() }, "200 ! reading the response: unexpected EOF"},
		"closed in a frame": {func(p *peer) {
			p.head(1, false, ":status", "200")
			_, _ = p.Conn.Write([]byte("\x00\x00\x09\x00\x00\x00\x00\x00\x01body"))
			_ = p.Conn.Close()
		}, "200 body! reading the response: unexpected EOF"},
		"stray frames": {func(p *peer) {
			_ = p.WriteRawFrame(0x42, 0xff, 77, []byte("?"))
			_ = p.WritePriority(1, http2.PriorityParam{Weight: 1})
			_ = p.WritePing(true, [8]byte{})
			p.head(1, true, ":status", "204")
		}, "204 "},
		"interim": {func(p *peer) {
			p.head(1, false, ":status", "100")
			p.head(1, false, ":status", "103", "link", "</x>")
			p.head(1, true, ":status", "200")
		}, "200 "},
	} {
		t.Run(name, func(t *testing.T) {
			c := scripted(t, func(p *peer) {
				p.skipTo("HEADERS")
				tt.script(p)
				p.drain()
			})
			if diff := cmp.Diff(tt.want, outcome(t.Context(), c, get("/"))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestGoingAway: streams the peer still answers end well, those above are to be sent again, and no more are opened.
func TestGoingAway(t *testing.T) {
	both := make(chan bool)
	c := scripted(t, func(p *peer) {
		p.skipTo("HEADERS 1")
		p.skipTo("HEADERS 3")
		close(both)
		_ = p.WriteGoAway(1, http2.ErrCodeNo, nil)
		p.head(1, true, ":status", "200")
		p.drain()
	})
	results := make(chan string, 2)
	for range 2 {
		go func() { results <- outcome(context.Background(), c, get("/")) }()
	}
	<-both
	got := map[string]bool{<-results: true, <-results: true}
	want := map[string]bool{"200 ": true, "! waiting for the response: http2: the server is closing the connection: NO_ERROR unprocessed": true}
	if diff := cmp.Diff(want, got); diff != "" || c.Capacity() != 0 {
		t.Errorf("capacity %d (-want +got)\n%s", c.Capacity(), diff)
	}
	if got, want := outcome(t.Context(), c, get("/")), "! writing the request: http2: the server is closing the connection: NO_ERROR unprocessed unwritten"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestClose: a request that is closed before its end is reset, and the connection goes on.
func TestClose(t *testing.T) {
	got := make(chan string, 2)
	c := scripted(t, func(p *peer) {
		p.skipTo("HEADERS")
		p.head(1, false, ":status", "200")
		p.data(1, false, "some")
		got <- p.next()
		p.data(1, true, "more") // in flight
		p.skipTo("HEADERS")
		p.head(3, true, ":status", "200")
		got <- p.next()
	})
	done := 0
	resp, err := roundTrip(t.Context(), c, get("/"), func() { done++ })
	if err != nil {
		t.Fatal(err)
	}
	if done != 0 {
		t.Error("done at the head")
	}
	_ = resp.Body.Close()
	_ = resp.Body.Close()
	if _, err := resp.Body.Read(make([]byte, 1)); done != 1 || explain(err) != "reading the response: "+wire.ErrClosed.Error() {
		t.Errorf("done %d times, then %v", done, err)
	}
	if got := outcome(t.Context(), c, get("/")); got != "200 " {
		t.Error(got)
	}
	_ = c.Close()
	if diff := cmp.Diff([]string{"RST_STREAM 1 CANCEL", "GOAWAY 0 NO_ERROR"}, []string{<-got, <-got}); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestTrailers: both ways.
func TestTrailers(t *testing.T) {
	var got string
	c := scripted(t, func(p *peer) {
		p.skipTo("DATA")
		got = p.skipTo("HEADERS")
		p.head(1, false, ":status", "200")
		p.data(1, false, "x")
		p.head(1, true, "x-b", "2", "x-a", "1")
		p.drain()
	})
	req := post("/", io.MultiReader(strings.NewReader("content")))
	req.Trailers = func() [][2]string { return [][2]string{{"X-Sum", "7"}, {"Connection", "x"}, {"A", "b"}} }
	resp, err := roundTrip(t.Context(), c, req, nil)
	if err != nil {
		t.Fatal(err)
	}
	if before := resp.Body.Trailers(); before != nil {
		t.Errorf("%v before the end", before)
	}
	content, err := io.ReadAll(resp.Body)
	if err != nil || string(content) != "x" {
		t.Errorf("%q %v", content, err)
	}
	if diff := cmp.Diff([][2]string{{"x-b", "2"}, {"x-a", "1"}}, resp.Body.Trailers()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if want := "HEADERS 1 x-sum=7 a=b end"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestRemaining: 0 is said only when the end has come, and the connection is free.
func TestRemaining(t *testing.T) {
	goOn := make(chan bool)
	c := scripted(t, func(p *peer) {
		p.skipTo("HEADERS")
		p.head(1, false, ":status", "200", "content-length", "4")
		p.data(1, false, "bo")
		<-goOn
		p.data(1, false, "dy")
		<-goOn
		p.data(1, true, "")
		p.drain()
	})
	done := false
	resp, err := roundTrip(t.Context(), c, get("/"), func() { done = true })
	if err != nil {
		t.Fatal(err)
	}
	var got []int64
	buf := make([]byte, 2)
	for range 2 {
		got = append(got, resp.Body.Remaining())
		_, _ = io.ReadFull(resp.Body, buf)
		got = append(got, resp.Body.Remaining())
		if done {
			t.Error("done before the end")
		}
		goOn <- true
	}
	n, err := resp.Body.Read(buf)
	got = append(got, resp.Body.Remaining())
	if diff := cmp.Diff([]int64{4, 2, 2, -1, 0}, got); diff != "" || n != 0 || err != io.EOF || !done {
		t.Errorf("%d %v done %v (-want +got)\n%s", n, err, done, diff)
	}
}

// TestRemainingInside: what has been announced by a frame and has not come counts as left.
func TestRemainingInside(t *testing.T) {
	goOn := make(chan bool)
	c := scripted(t, func(p *peer) {
		p.skipTo("HEADERS")
		p.head(1, false, ":status", "200", "content-length", "10")
		_, _ = p.Conn.Write([]byte("\x00\x00\x0a\x00\x01\x00\x00\x00\x01some"))
		<-goOn
		_, _ = p.Conn.Write([]byte(" bytes"))
		p.drain()
	})
	resp, err := roundTrip(t.Context(), c, get("/"), nil)
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 100)
	n, err := resp.Body.Read(buf)
	if left := resp.Body.Remaining(); n != 4 || err != nil || left != 6 {
		t.Errorf("%d bytes, %v, %d left", n, err, left)
	}
	close(goOn)
	if rest, err := io.ReadAll(resp.Body); string(rest) != " bytes" || err != nil || resp.Body.Remaining() != 0 {
		t.Errorf("%q, %v", rest, err)
	}
}

// TestClosedIsNotTheEnd: what Close has thrown away is not taken for the end of the body.
func TestClosedIsNotTheEnd(t *testing.T) {
	c := scripted(t, func(p *peer) {
		p.skipTo("HEADERS")
		p.head(1, false, ":status", "200", "content-length", "6")
		p.data(1, false, "abcdef")
		p.head(1, true, "x-sum", "1")
		p.drain()
	})
	resp, err := roundTrip(t.Context(), c, get("/"), nil)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := resp.Body.Read(make([]byte, 2)); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	_ = resp.Body.Close()
	_, err = resp.Body.Read(make([]byte, 2))
	got := []any{resp.Body.Remaining(), len(resp.Body.Trailers()), errors.Is(err, wire.ErrClosed)}
	if diff := cmp.Diff([]any{int64(-1), 0, true}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
