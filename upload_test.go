package requests_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// duplex serves echo and pipe in full duplex, plain, over TLS or behind a CONNECT proxy.
func duplex(t *testing.T, way string) (url string, options []requests.Option) {
	t.Helper()
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		w.WriteHeader(200)
		_ = http.NewResponseController(w).Flush()
		_, _ = io.Copy(flushing{w}, r.Body)
	})
	var server *httptest.Server
	if way == "http" {
		server = httptest.NewServer(handler)
	} else {
		server = httptest.NewTLSServer(handler)
		options = append(options, requests.Verify(false))
	}
	t.Cleanup(server.Close)
	if way == "CONNECT" {
		proxy := wiretest.Start(t, wiretest.Config{Route: wiretest.Direct})
		options = append(options, requests.Proxies{"https": proxy.URL("")})
	}
	return server.URL, options
}

type flushing struct{ http.ResponseWriter }

func (w flushing) Write(b []byte) (int, error) {
	n, err := w.ResponseWriter.Write(b)
	_ = http.NewResponseController(w.ResponseWriter).Flush()
	return n, err
}

// bodiesOf gives the same bytes in every way a body can be given.
func bodiesOf(t *testing.T, data []byte) map[string]func() any {
	t.Helper()
	name := t.TempDir() + "/body"
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return map[string]func() any{
		"bytes":  func() any { return data },
		"reader": func() any { return bytes.NewReader(data) },
		"plain":  func() any { return io.MultiReader(bytes.NewReader(data)) },
		"file": func() any {
			f, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { f.Close() })
			return f
		},
		"pipe": func() any {
			r, w := io.Pipe()
			t.Cleanup(func() { r.Close() })
			go func() {
				_, err := w.Write(data)
				w.CloseWithError(err)
			}()
			return r
		},
		"iterator": func() any {
			return iter.Seq[[]byte](func(yield func([]byte) bool) {
				for part := range slices.Chunk(data, 64<<10) {
					if !yield(part) {
						return
					}
				}
			})
		},
	}
}

// TestFullDuplex: a server that responds while it reads gets the whole upload.
func TestFullDuplex(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 8<<20/16)
	for _, way := range []string{"http", "https", "CONNECT"} {
		url, options := duplex(t, way)
		for name, body := range bodiesOf(t, data) {
			t.Run(way+"/"+name, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
				defer cancel()
				s := requests.NewSession()
				defer s.Close()
				r, err := s.Post(ctx, url, append(options, requests.Body(body()))...)
				if err != nil {
					t.Fatal(err)
				}
				if content, err := r.Content(); err != nil || !bytes.Equal(content, data) {
					t.Errorf("%d bytes came back, %v", len(content), err)
				}
			})
		}
	}
}

// TestConversation: what is written after the response has come reaches the server.
func TestConversation(t *testing.T) {
	for _, way := range []string{"http", "https", "CONNECT"} {
		t.Run(way, func(t *testing.T) {
			url, options := duplex(t, way)
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			s := requests.NewSession()
			defer s.Close()
			body, say := io.Pipe()
			r, err := s.Post(ctx, url, append(options, requests.Body(body), requests.Stream(true))...)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			var got []string
			for i := range 3 {
				fmt.Fprintf(say, "line %d\n", i)
				line := make([]byte, 7)
				_, err := io.ReadFull(r, line)
				got = append(got, fmt.Sprint(string(line), err))
			}
			say.Close()
			rest, err := io.ReadAll(r)
			got = append(got, fmt.Sprint(string(rest), err))
			if diff := cmp.Diff([]string{"line 0\n<nil>", "line 1\n<nil>", "line 2\n<nil>", "<nil>"}, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// answering serves one connection: it responds before, during or after the upload, or begins
// before it and ends after it, and then keeps the connection, reading on if the status says so, or closes it.
type answering struct {
	when   string
	status int
	closes bool
	taken  chan int64 // bytes of the body, where the request is taken
	headed chan bool  // gets one when the client has the head of the response
}

func (a answering) serve(c net.Conn) {
	in := bufio.NewReader(c)
	req, err := http.ReadRequest(in)
	if err != nil {
		return
	}
	var taken int64
	switch a.when {
	case "during":
		taken, _ = io.CopyN(io.Discard, req.Body, 100<<10)
	case "after":
		taken, _ = io.Copy(io.Discard, req.Body)
	}
	connection := "keep-alive"
	if a.closes {
		connection = "close"
	}
	fmt.Fprintf(c, "HTTP/1.1 %d X\r\nContent-Length: 2\r\nConnection: %s\r\n\r\no", a.status, connection)
	if a.when == "around" {
		<-a.headed
		if taken, err = io.Copy(io.Discard, req.Body); err == nil {
			a.taken <- taken
		}
	}
	_, _ = io.WriteString(c, "k")
	if a.closes {
		if half, ok := c.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
		_, _ = io.Copy(io.Discard, in)
		return
	}
	if a.status < 400 && a.when != "around" {
		more, err := io.Copy(io.Discard, req.Body)
		if err == nil {
			a.taken <- taken + more
		}
	}
	_, _ = io.Copy(io.Discard, in)
}

// TestResponsesToUploads: no response is missed and no request hangs, whenever the server
// responds, and whatever it says. What is kept and not refused is sent whole.
func TestResponsesToUploads(t *testing.T) {
	certified := httptest.NewTLSServer(http.NotFoundHandler())
	certified.Close()
	data := bytes.Repeat([]byte("x"), 4<<20)
	bodies := bodiesOf(t, data)
	for _, way := range []string{"http", "https", "CONNECT"} {
		for _, when := range []string{"before", "during", "after", "around"} {
			for _, status := range []int{200, 403, 413} {
				for _, closes := range []bool{false, true} {
					if closes && when == "around" {
						continue // who closes wants no more
					}
					for name, body := range bodies {
						t.Run(fmt.Sprint(way, " ", when, " ", status, " closes=", closes, " ", name), func(t *testing.T) {
							a := answering{when, status, closes, make(chan int64, 1), make(chan bool, 1)}
							answersUpload(t, a, way, certified.TLS, body(), int64(len(data)))
						})
					}
				}
			}
		}
	}
}

func answersUpload(t *testing.T, a answering, way string, config *tls.Config, body any, size int64) {
	server := wiretest.Start(t, wiretest.Config{Conn: func(c net.Conn) {
		if way != "http" {
			c = tls.Server(c, config)
		}
		a.serve(c)
	}})
	url := "https://" + server.Addr() + "/"
	options := []requests.Option{requests.Body(body), requests.Verify(false)}
	switch way {
	case "http":
		url = server.URL("/")
	case "CONNECT":
		proxy := wiretest.Start(t, wiretest.Config{Route: wiretest.Direct})
		options = append(options, requests.Proxies{"https": proxy.URL("")})
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	s := requests.NewSession()
	defer s.Close()
	s.OnResponse(func(_ context.Context, r *requests.Response) (*requests.Response, error) {
		a.headed <- true
		return r, nil
	})
	r, err := s.Post(ctx, url, options...)
	if err != nil {
		close(a.headed) // so that the server ends
		t.Fatal(err)
	}
	if text, err := r.Text(); r.StatusCode != a.status || text != "ok" || err != nil {
		t.Errorf("%d %q %v", r.StatusCode, text, err)
	}
	if (a.status < 400 || a.when == "around") && !a.closes {
		a.checkTaken(ctx, t, size)
	}
}

// TestBlockingBody: a body whose Read does not return holds back neither the response nor a
// cancellation, and the head goes out before it.
func TestBlockingBody(t *testing.T) {
	t.Run("response", func(t *testing.T) {
		for _, status := range []int{200, 403} {
			body, pipe := io.Pipe()
			server := wiretest.Start(t, wiretest.Config{Conn: func(c net.Conn) {
				in := bufio.NewReader(c)
				if _, err := http.ReadRequest(in); err == nil {
					fmt.Fprintf(c, "HTTP/1.1 %d X\r\nContent-Length: 2\r\n\r\nok", status)
					_, _ = io.Copy(io.Discard, in)
				}
			}})
			r, err := requests.Post(t.Context(), server.URL("/"), requests.Body(body), requests.Timeouts{Read: 10 * time.Second})
			if err != nil || r.StatusCode != status {
				t.Errorf("%v %v, want %d", r, err, status)
			}
			pipe.Close()
		}
	})
	t.Run("cancellation", func(t *testing.T) {
		body, pipe := io.Pipe()
		defer pipe.Close()
		server := wiretest.Origin(t)
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(50*time.Millisecond, func() { cancel(cause) })
		_, err := requests.Post(ctx, server.URL("/"), requests.Body(body))
		if !errors.Is(err, requests.ErrCanceled) || !errors.Is(err, context.Canceled) || !errors.Is(err, cause) {
			t.Errorf("got %v", err)
		}
		if !server.WaitOpen(0) {
			t.Error("the connection stays open")
		}
	})
}

// TestLongerThanAnnounced: a body of another length than was announced is an error, and is
// never taken for a whole one.
func TestLongerThanAnnounced(t *testing.T) {
	for name, c := range map[string]struct {
		body any
		want error
	}{
		"as long":      {io.MultiReader(strings.NewReader("abc")), nil},
		"longer":       {io.MultiReader(strings.NewReader("abcde")), requests.ErrBodyLength},
		"shorter":      {io.MultiReader(strings.NewReader("ab")), requests.ErrBodyLength},
		"known length": {strings.NewReader("abcde"), requests.ErrBodyLength},
		"items":        {iter.Seq[[]byte](func(yield func([]byte) bool) { _ = yield([]byte("ab")) && yield([]byte("cde")) }), requests.ErrBodyLength},
		"lying Len":    {lying{strings.NewReader("abcde"), 3}, requests.ErrBodyLength},
	} {
		server := wiretest.Origin(t)
		s := newTestSession(t)
		p, err := s.Prepare(&requests.Request{Method: "POST", URL: server.URL("/"), Body: c.body})
		if err != nil {
			t.Fatal(err)
		}
		p.Headers.Del("Transfer-Encoding")
		p.Headers.Set("Content-Length", "3")
		r, err := s.Send(t.Context(), p, requests.SendOptions{})
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: got %v, %v", name, r, err)
		}
		for _, got := range server.Requests() {
			if got.Err == nil && got.Body != "abc" || c.want != nil && got.Err == nil {
				t.Errorf("%s: the server took %q", name, got.Body)
			}
		}
	}
}

type lying struct {
	io.Reader
	n int64
}

func (l lying) Len() int64 { return l.n }

// TestSizeZero: what says that it is empty and is not, as a file of /proc or one that is written to later, is sent whole.
func TestSizeZero(t *testing.T) {
	for _, h2 := range []bool{false, true} {
		bodies := make(chan string, 2)
		server := newCountedServer(t, func(w http.ResponseWriter, r *http.Request) {
			b, _ := io.ReadAll(r.Body)
			bodies <- string(b)
			if r.URL.Path == "/again" {
				http.Redirect(w, r, "/", http.StatusTemporaryRedirect)
			}
		})
		s := newTestSession(t)
		s.Verify = requests.Verify(false)
		s.Mount("https://", requests.NewHTTPAdapter(requests.HTTP2(h2)))
		f, err := os.Create(filepath.Join(t.TempDir(), "f"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		later, err := s.Prepare(&requests.Request{Method: "PUT", URL: server.URL + "/again", Body: f})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte("later"), 0); err != nil {
			t.Fatal(err)
		}
		_, err = s.Send(t.Context(), later, requests.SendOptions{})
		if got := taken(bodies); err != nil || !slices.Equal(got, []string{"later", "later"}) {
			t.Errorf("HTTP/2 %v: a file: %q, %v", h2, got, err)
		}
		_, err = s.Put(t.Context(), server.URL, requests.Body(lying{strings.NewReader("all"), 0}))
		if got := taken(bodies); err != nil || !slices.Equal(got, []string{"all"}) {
			t.Errorf("HTTP/2 %v: a reader: %q, %v", h2, got, err)
		}
	}
}

// taken is what has been sent to c.
func taken(c chan string) (all []string) {
	for range len(c) {
		all = append(all, <-c)
	}
	return all
}
