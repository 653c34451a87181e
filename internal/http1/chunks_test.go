package http1

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests/internal/body"
	"github.com/mountable/requests/internal/wire"
)

// zeros gives zeros, as many as are asked for, up to n.
type zeros struct{ n int }

func (z *zeros) Read(b []byte) (int, error) {
	if z.n == 0 {
		return 0, io.EOF
	}
	n := min(len(b), z.n)
	z.n -= n
	return n, nil
}

// TestChunkSizes: a body of unknown length begins in chunks of 16 KiB, as in Requests, and goes on in larger ones.
func TestChunkSizes(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	sizes := make(chan []int, 1)
	go func() { sizes <- takeChunks(server) }()
	content, err := body.New(&zeros{n: shortChunks + 2*segmentSize})
	if err != nil {
		t.Fatal(err)
	}
	req := &wire.Request{Method: http.MethodPost, Target: "/", Authority: "h", Body: &content}
	if _, err := new(Exchange).Do(context.Background(), NewConn(client, true), req, nil, func(Fate) {}); err != nil {
		t.Fatal(err)
	}
	var want []int
	for range 8 {
		want = append(want, 16384)
	}
	large := segmentSize - 20
	want = append(want, large, large, 2*segmentSize-2*large)
	if diff := cmp.Diff(want, <-sizes); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// takeChunks reads a request with a chunked body, responds, and returns the sizes of the chunks.
func takeChunks(c net.Conn) (sizes []int) {
	in := bufio.NewReader(c)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return nil
		}
		if line == "\r\n" {
			break
		}
	}
	for {
		var size int
		line, err := in.ReadString('\n')
		if _, wrong := fmt.Sscanf(strings.TrimSpace(line), "%x", &size); err != nil || wrong != nil {
			return nil
		}
		if _, err := io.CopyN(io.Discard, in, int64(size)+2); err != nil {
			return nil
		}
		if size == 0 {
			_, _ = io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
			return sizes
		}
		sizes = append(sizes, size)
	}
}
