package http1

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests/internal/body"
	"github.com/mountable/requests/internal/wire"
)

// kernel is a connection that counts what it is given as a file.
type kernel struct {
	net.Conn
	moved atomic.Int64
}

func (k *kernel) ReadFrom(r io.Reader) (int64, error) {
	limited, ok := r.(*io.LimitedReader)
	if !ok {
		return 0, errors.New("the kernel was not given a part")
	}
	if _, ok := limited.R.(*os.File); !ok {
		return 0, errors.New("the kernel was not given a file")
	}
	k.moved.Add(limited.N) // before the peer can have it
	return io.Copy(struct{ io.Writer }{k.Conn}, r)
}

// ofRequest is the body of an http.Request that is a file.
type ofRequest struct {
	io.Reader
	f *os.File
}

func (r ofRequest) File() *os.File { return r.f }

// TestKernelMovesFiles: on a plain connection a file of known length goes by the kernel, all but its end, which is held
// back until the file is known to end there; and not at all over TLS, in chunks, or where reading it may wait.
func TestKernelMovesFiles(t *testing.T) {
	const size = 1 << 20
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
	stream := func(length int64) func(f *os.File) (body.Body, error) {
		return func(f *os.File) (body.Body, error) { return body.Stream(ofRequest{f, f}, length, nil), nil }
	}
	for what, c := range map[string]struct {
		body  func(f *os.File) (body.Body, error)
		plain bool
		moved int64
	}{
		"a session's":       {func(f *os.File) (body.Body, error) { return body.New(f) }, true, size - body.EndSize},
		"an http.Request's": {stream(size), true, size - body.EndSize},
		"over TLS":          {stream(size), false, 0},
		"in chunks":         {stream(-1), true, 0},
		"wrapped":           {func(f *os.File) (body.Body, error) { return body.Stream(f, size, nil), nil }, true, 0},
	} {
		client, server := net.Pipe()
		t.Cleanup(func() { client.Close(); server.Close() })
		go func() {
			req, err := http.ReadRequest(bufio.NewReader(server))
			if err != nil {
				return
			}
			n, _ := io.Copy(io.Discard, req.Body)
			if n == size {
				io.WriteString(server, "HTTP/1.1 204 No Content\r\n\r\n")
			}
			server.Close()
		}()
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		content, err := c.body(f)
		if err != nil {
			t.Fatal(err)
		}
		k := &kernel{Conn: client}
		req := &wire.Request{Method: http.MethodPut, Target: "/", Authority: "h", Body: &content}
		if content.Len() >= 0 {
			req.Fields = [][2]string{{"Content-Length", "1048576"}}
		}
		resp, err := new(Exchange).Do(context.Background(), NewConn(k, c.plain), req, nil, func(Fate) {})
		if err != nil || resp.Status != 204 {
			t.Errorf("%s: %d, %v", what, resp.Status, err)
		}
		if diff := cmp.Diff(c.moved, k.moved.Load()); diff != "" {
			t.Errorf("%s: by the kernel (-want +got)\n%s", what, diff)
		}
	}
}
