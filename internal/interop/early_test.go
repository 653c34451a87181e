package interop

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
)

// An early is one cell of the table of responses that come before, during or after the upload.
type early struct {
	when   string
	status int
	closes bool
	body   string
}

func (e early) String() string {
	return fmt.Sprintf("%s the upload, %d, closes %v, %s", e.when, e.status, e.closes, e.body)
}

// whole reports whether the server is to have all of the body: not where it refuses it, or closes.
func (e early) whole() bool { return e.when == "after" || e.status == 200 && !e.closes }

func earlyCells() (cells []early) {
	for _, when := range []string{"before", "during", "after"} {
		for _, status := range []int{200, 403, 413} {
			for _, closes := range []bool{false, true} {
				for _, body := range []string{"bytes", "file", "pipe", "iterator"} {
					cells = append(cells, early{when, status, closes, body})
				}
			}
		}
	}
	return cells
}

// size is more than what goes out at once, and in some cells more than what fits into the buffers of the sockets.
func (e early) size(l lane) int {
	if l.protocol == "h1" && e.when == "before" && e.body != "iterator" {
		return 5 << 20
	}
	return 100 << 10
}

// earlyServer responds as it is told, and tells how much it was sent.
type earlyServer struct {
	mu    sync.Mutex // protects the field below
	taken map[string]chan int64
}

func (s *earlyServer) of(id string) chan int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken[id] == nil {
		s.taken[id] = make(chan int64, 1)
	}
	return s.taken[id]
}

func (s *earlyServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	c := http.NewResponseController(w)
	_ = c.EnableFullDuplex() // HTTP/2 always has it
	n, size := int64(0), r.ContentLength
	if size < 0 {
		size = 100 << 10
	}
	switch q.Get("when") {
	case "during":
		n, _ = io.CopyN(io.Discard, r.Body, size/2)
	case "after":
		n, _ = io.Copy(io.Discard, r.Body)
	}
	status, _ := strconv.Atoi(q.Get("status"))
	closes := q.Get("closes") == "true"
	if closes {
		w.Header().Set("Connection", "close")
	}
	w.Header().Set("Content-Length", "2")
	w.WriteHeader(status)
	io.WriteString(w, "ok")
	_ = c.Flush()
	if !closes {
		m, _ := io.Copy(io.Discard, r.Body)
		n += m
	}
	s.of(q.Get("id")) <- n
}

// earlyBody makes a body, and what ends its other half.
func earlyBody(t *testing.T, kind string, size int) (body any, end func()) {
	content := make([]byte, size)
	switch kind {
	case "file":
		return tempFile(t, size), func() {}
	case "pipe":
		r, w := io.Pipe()
		var writer sync.WaitGroup
		writer.Go(func() {
			_, err := w.Write(content)
			w.CloseWithError(err)
		})
		return r, func() { r.Close(); writer.Wait() }
	case "iterator":
		return inPieces(content), func() {}
	}
	return content, func() {}
}

func inPieces(content []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for part := range slices.Chunk(content, 10<<10) {
			if !yield(part) {
				return
			}
		}
	}
}

// earlyWays are the ways to send a body of any kind, which give status and content.
var earlyWays = map[string]func(t *testing.T, l link) func(ctx context.Context, url string, body any) string{
	"Session.Post": func(t *testing.T, l link) func(ctx context.Context, url string, body any) string {
		s := session(t, l)
		return func(ctx context.Context, url string, body any) string {
			r, err := s.Post(ctx, url, requests.Body(body))
			if err != nil {
				return err.Error()
			}
			text, err := r.Text()
			return fmt.Sprintf("%d %s %v", r.StatusCode, text, err)
		}
	},
	"Session.RoundTripper": func(t *testing.T, l link) func(ctx context.Context, url string, body any) string {
		return byClient(session(t, l).RoundTripper())
	},
	"AdapterTransport": func(t *testing.T, l link) func(ctx context.Context, url string, body any) string {
		return byClient(adapterTransport(t, l))
	},
}

func byClient(rt http.RoundTripper) func(ctx context.Context, url string, body any) string {
	client := &http.Client{Transport: rt}
	return func(ctx context.Context, url string, body any) string {
		req, err := http.NewRequestWithContext(ctx, "POST", url, asReader(body))
		if err != nil {
			return err.Error()
		}
		resp, err := client.Do(req)
		if err != nil {
			return err.Error()
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		return fmt.Sprintf("%d %s %v", resp.StatusCode, text, err)
	}
}

// asReader is a body as an http.Request takes it.
func asReader(body any) io.Reader {
	switch body := body.(type) {
	case []byte:
		return bytes.NewReader(body)
	case iter.Seq[[]byte]:
		next, stop := iter.Pull(body)
		return &pulled{next: next, stop: stop}
	}
	return body.(io.Reader)
}

// pulled reads an iterator. A transport may close a body while it is read.
type pulled struct {
	mu   sync.Mutex // protects the fields below
	next func() ([]byte, bool)
	stop func()
	part []byte
}

func (p *pulled) Read(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.part) == 0 {
		part, ok := p.next()
		if !ok {
			return 0, io.EOF
		}
		p.part = part
	}
	n := copy(b, p.part)
	p.part = p.part[n:]
	return n, nil
}

func (p *pulled) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stop()
	return nil
}

// TestEarlyResponses: whenever the response comes, it arrives, and so does the whole upload where the server
// neither refuses it nor closes. No cell waits for what does not come.
func TestEarlyResponses(t *testing.T) {
	for _, l := range []lane{{"h1", "direct"}, {"tls", "direct"}, {"h2", "direct"}, {"tls", "http proxy"}} {
		for name, way := range earlyWays {
			t.Run(l.String()+", "+name, func(t *testing.T) {
				t.Parallel()
				server := &earlyServer{taken: map[string]chan int64{}}
				base, to := l.serve(t, server)
				send := way(t, to)
				for _, c := range earlyCells() {
					if diff := cmp.Diff(fmt.Sprintf("%d ok <nil>, whole: %v", c.status, c.whole()), c.run(t, l, base, server, send)); diff != "" {
						t.Errorf("%s (-want +got)\n%s", c, diff)
					}
				}
			})
		}
	}
}

// run is one cell. The time limit is for a cell that hangs.
func (e early) run(t *testing.T, l lane, base string, server *earlyServer, send func(context.Context, string, any) string) string {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	id := e.String()
	body, end := earlyBody(t, e.body, e.size(l))
	defer end()
	query := url.Values{"id": {id}, "when": {e.when}, "status": {strconv.Itoa(e.status)}, "closes": {fmt.Sprint(e.closes)}}
	got := send(ctx, base+"/?"+query.Encode(), body)
	if !e.whole() {
		return got + ", whole: false"
	}
	select {
	case n := <-server.of(id):
		return fmt.Sprint(got, ", whole: ", n == int64(e.size(l)))
	case <-ctx.Done():
		return got + ", and the server still waits"
	}
}
