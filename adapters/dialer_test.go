package adapters_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

// inMemory is a listener whose connections are pipes.
type inMemory struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *inMemory) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l *inMemory) Close() error   { close(l.done); return nil }
func (l *inMemory) Addr() net.Addr { return &net.UnixAddr{Name: "memory", Net: "unix"} }

func (l *inMemory) dial(ctx context.Context, network, address string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// TestDialer: requests travel over whatever a dialer gives, and connections are kept for it.
func TestDialer(t *testing.T) {
	l := &inMemory{make(chan net.Conn), make(chan struct{})}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(r.Host))
	})}
	go server.Serve(l)
	defer server.Close()
	var asked []string
	s := requests.NewSession()
	defer s.Close()
	s.Mount("http://", requests.NewHTTPAdapter(adapters.Dialer(func(ctx context.Context, network, address string) (net.Conn, error) {
		asked = append(asked, network+" "+address)
		return l.dial(ctx, network, address)
	})))
	for range 2 {
		r, err := s.Get(t.Context(), "http://nowhere.test/", requests.Timeout(requests.Forever))
		if err != nil {
			t.Fatal(err)
		}
		if text, err := r.Text(); text != "nowhere.test" || err != nil {
			t.Errorf("%q, %v", text, err)
		}
	}
	if diff := cmp.Diff([]string{"tcp nowhere.test:80"}, asked); diff != "" {
		t.Errorf("dialed (-want +got)\n%s", diff)
	}
	s.Mount("http://", requests.NewHTTPAdapter(adapters.Dialer(nil)))
	if _, err := s.Get(t.Context(), "http://nowhere.test/"); !errors.Is(err, requests.ErrInvalidArgument) {
		t.Errorf("nil: %v", err)
	}
}

// TestPipe: a pipe in memory whose other end is closed refuses deadlines, and what the response is, up to its end, is read
// all the same.
func TestPipe(t *testing.T) {
	dial := func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		closed := make(chan struct{})
		go func() {
			defer close(closed)
			defer there.Close()
			if _, err := http.ReadRequest(bufio.NewReader(there)); err == nil {
				_, _ = io.WriteString(there, "HTTP/1.1 200 OK\r\n\r\nwhole")
			}
		}()
		return &lateDeadlines{Conn: here, closed: closed}, nil
	}
	s := requests.NewSession()
	defer s.Close()
	s.Mount("http://", requests.NewHTTPAdapter(adapters.Dialer(dial)))
	r, err := s.Get(t.Context(), "http://nowhere.test/")
	if err != nil {
		t.Fatal(err)
	}
	if text, err := r.Text(); text != "whole" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
}

// lateDeadlines sets those of the second read once the other end is closed.
type lateDeadlines struct {
	net.Conn
	closed chan struct{}
	reads  int
}

func (l *lateDeadlines) Read(b []byte) (int, error) {
	l.reads++
	return l.Conn.Read(b)
}

func (l *lateDeadlines) SetReadDeadline(t time.Time) error {
	if l.reads > 0 {
		<-l.closed
	}
	return l.Conn.SetReadDeadline(t)
}
