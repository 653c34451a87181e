package adapters_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

// trickle is a body that gives each piece after a pause; without any further it waits until it
// is closed.
type trickle struct {
	pieces []int
	pause  time.Duration
	closed chan struct{}
}

func (b *trickle) Read(p []byte) (int, error) {
	if len(b.pieces) == 0 {
		<-b.closed
		return 0, errors.New("closed")
	}
	n := b.pieces[0]
	if n < 0 {
		return 0, io.EOF
	}
	select {
	case <-time.After(b.pause):
	case <-b.closed:
		return 0, errors.New("closed")
	}
	b.pieces = b.pieces[1:]
	return n, nil
}

func (b *trickle) Close() error {
	select {
	case <-b.closed:
	default:
		close(b.closed)
	}
	return nil
}

// TestMinThroughput: what is slower than it may be ends when a window is over, and nothing else.
func TestMinThroughput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const second = time.Second
		for name, test := range map[string]struct {
			body  trickle
			rests time.Duration // of the reader, behind each piece
			want  string
		}{
			"fast":                       {trickle{pieces: []int{100, 100, 100, 100, -1}, pause: second}, 0, "400 ok after 4s"},
			"slow":                       {trickle{pieces: []int{9, 9, 9, 9, 9, 9, -1}, pause: 1100 * time.Millisecond}, 0, "18 too slow after 3s"},
			"stalls at once":             {trickle{}, 0, "0 too slow after 3s"},
			"stalls later":               {trickle{pieces: []int{300, 300}, pause: second}, 0, "600 too slow after 6s"},
			"slow, but over soon":        {trickle{pieces: []int{1, 1, -1}, pause: second}, 0, "2 ok after 2s"},
			"enough in one piece":        {trickle{pieces: []int{30, 0, 0, 30, 0, 0, -1}, pause: second}, 0, "60 ok after 6s"},
			"a slow reader is no reason": {trickle{pieces: []int{20, 20, 20, 20, -1}, pause: second}, time.Hour, "80 ok after 4h0m4s"},
		} {
			test.body.closed = make(chan struct{})
			wrapper, err := adapters.MinThroughput(10, 3*second)
			if err != nil {
				t.Fatal(err)
			}
			s := requests.NewSession()
			s.Mount("http://", wrapper(requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
				return requests.NewResponse(p, 200, nil, &test.body), nil
			})))
			start, total := time.Now(), 0
			r, err := s.Get(t.Context(), "http://h.test/", requests.Stream(true))
			for err == nil {
				var n int
				n, err = r.Read(make([]byte, 1000))
				total += n
				if n > 0 {
					time.Sleep(test.rests)
				}
			}
			said := "ok"
			if err != io.EOF {
				said = "too slow"
				if !errors.Is(err, requests.ErrTooSlow) || !errors.Is(err, requests.ErrBodyTimeout) || !errors.Is(err, requests.ErrTimeout) {
					said = err.Error()
				}
			}
			if diff := cmp.Diff(test.want, fmt.Sprintf("%d %s after %v", total, said, time.Since(start))); diff != "" {
				t.Errorf("%s (-want +got)\n%s", name, diff)
			}
			r.Close()
		}
	})
	for _, bad := range []func() (requests.Wrapper, error){
		func() (requests.Wrapper, error) { return adapters.MinThroughput(0, time.Second) },
		func() (requests.Wrapper, error) { return adapters.MinThroughput(1, 0) },
	} {
		if w, err := bad(); !errors.Is(err, requests.ErrInvalidArgument) || w != nil {
			t.Errorf("got %v", err)
		}
	}
}

// TestMinThroughputOnTheWire: a server that stalls ends the buffered reading, and its connection.
func TestMinThroughputOnTheWire(t *testing.T) {
	stop := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "begins")
		w.(http.Flusher).Flush()
		select {
		case <-stop:
		case <-r.Context().Done(): // the connection is closed
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(stop) })
	wrapper, err := adapters.MinThroughput(1000, 50*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	s := requests.NewSession()
	t.Cleanup(func() { s.Close() })
	s.TrustEnv = false
	s.Mount("http://", adapters.Chain(requests.NewHTTPAdapter(), wrapper))
	if _, err := s.Get(t.Context(), server.URL); !errors.Is(err, requests.ErrTooSlow) {
		t.Errorf("got %v", err)
	}
}
