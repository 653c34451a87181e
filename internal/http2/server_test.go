package http2

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests/internal/body"
	"github.com/mountable/requests/internal/wire"
)

// goServer is Go's own server, HTTP/2 in the clear, and a connection to it.
func goServer(t testing.TB, h http.HandlerFunc) *Conn {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	nc, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c := New(nc, Config{})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func get(target string, fields ...[2]string) *wire.Request {
	return &wire.Request{Method: "GET", Scheme: "http", Authority: "example.test", Target: target, Fields: fields}
}

func post(target string, content any, fields ...[2]string) *wire.Request {
	req := get(target, fields...)
	req.Method = "POST"
	b, err := body.New(content)
	if err != nil {
		panic(err)
	}
	req.Body = &b
	return req
}

// ownerFunc is an Owner.
type ownerFunc func()

func (f ownerFunc) Done() { f() }

func roundTrip(ctx context.Context, c *Conn, req *wire.Request, done func()) (wire.Response, error) {
	var owner Owner
	if done != nil {
		owner = ownerFunc(done)
	}
	return new(Stream).Do(ctx, c, req, owner)
}

// text sends a request and returns status and body.
func text(ctx context.Context, c *Conn, req *wire.Request) (string, error) {
	resp, err := roundTrip(ctx, c, req, nil)
	if err != nil {
		return "", err
	}
	content, err := io.ReadAll(resp.Body)
	return fmt.Sprint(resp.Status, " ", string(content)), err
}

// TestBodies sends bodies of each kind and size, one after the other and all at once.
func TestBodies(t *testing.T) {
	c := goServer(t, func(w http.ResponseWriter, r *http.Request) {
		content, _ := io.ReadAll(r.Body)
		fmt.Fprint(w, r.Method, " ", r.ContentLength, " ", len(content), " ")
		_, _ = w.Write(content)
	})
	large := strings.Repeat("0123456789abcdef", 1<<16) // 1 MiB
	type row struct {
		content any
		length  int
	}
	rows := map[string]func() row{
		"none":         func() row { return row{nil, 0} },
		"text":         func() row { return row{"text", 4} },
		"reader":       func() row { return row{strings.NewReader("text"), 4} },
		"stream":       func() row { return row{io.MultiReader(strings.NewReader("te"), strings.NewReader("xt")), -1} },
		"large":        func() row { return row{large, len(large)} },
		"large reader": func() row { return row{strings.NewReader(large), len(large)} },
		"large stream": func() row { return row{io.MultiReader(strings.NewReader(large)), -1} },
		"iterator": func() row {
			return row{func(yield func([]byte) bool) { _ = yield([]byte("te")) && yield(nil) && yield([]byte("xt")) }, -1}
		},
		"30,000": func() row { return row{large[:30000], 30000} },
	}
	check := func(name string, r row) {
		var content string
		switch {
		case strings.HasPrefix(name, "large"):
			content = large
		case name == "30,000":
			content = large[:30000]
		case r.length != 0:
			content = "text"
		}
		want := fmt.Sprint("200 POST ", r.length, " ", len(content), " ", content)
		req := post("/", r.content)
		if r.content == nil {
			req.Body = nil
		}
		got, err := text(t.Context(), c, req)
		if err != nil || got != want {
			t.Errorf("%s: %.80q %v, want %.80q", name, got, err, want)
		}
	}
	for name, r := range rows {
		check(name, r())
	}
	var all sync.WaitGroup
	for range 4 {
		for name, r := range rows {
			all.Go(func() { check(name, r()) })
		}
	}
	all.Wait()
}

// TestFields: fields arrive in their order, names in lower case, without those of a connection.
func TestFields(t *testing.T) {
	got := make(chan *http.Request, 1)
	c := goServer(t, func(w http.ResponseWriter, r *http.Request) { got <- r })
	req := get("/path?q=1", [2]string{"X-B", "1"}, [2]string{"X-A", "2"}, [2]string{"Connection", "X-Hop, close"}, [2]string{"x-hop", "3"},
		[2]string{"Transfer-Encoding", "chunked"}, [2]string{"Keep-Alive", "5"}, [2]string{"TE", "gzip, trailers;q=1"}, [2]string{"Host", "other"})
	if _, err := text(t.Context(), c, req); err != nil {
		t.Fatal(err)
	}
	r := <-got
	want := http.Header{"X-B": {"1"}, "X-A": {"2"}, "Te": {"trailers"}}
	if diff := cmp.Diff(want, r.Header); diff != "" || r.Host != "example.test" || r.RequestURI != "/path?q=1" {
		t.Errorf("%s %s (-want +got)\n%s", r.Host, r.RequestURI, diff)
	}
}
