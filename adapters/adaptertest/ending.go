package adaptertest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mountable/requests"
)

func testStreaming(t *testing.T, s *suite) {
	seen := make(chan struct{})
	a, base := s.open(t, func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "first ")
		w.(http.Flusher).Flush()
		select {
		case <-seen:
			io.WriteString(w, "second")
		case <-time.After(patience):
		}
	})
	r, err := a.Send(t.Context(), prepare(t, "GET", base+"/"), requests.SendOptions{Stream: requests.On})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	first := make([]byte, 6)
	if _, err := io.ReadFull(r, first); err != nil || string(first) != "first " {
		t.Fatalf("%q, %v", first, err)
	}
	close(seen)
	if rest, err := io.ReadAll(r); err != nil || string(rest) != "second" {
		t.Errorf("then came %q, %v", rest, err)
	}
}

func testEarlyClose(t *testing.T, s *suite) {
	ended := make(chan struct{}, 1)
	a, base := s.open(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/short" {
			io.WriteString(w, "short")
			return
		}
		defer func() { ended <- struct{}{} }()
		block := bytes.Repeat([]byte("x"), 1<<12)
		for end := time.Now().Add(2 * patience); time.Now().Before(end); {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	})
	r, err := a.Send(t.Context(), prepare(t, "GET", base+"/"), requests.SendOptions{Stream: requests.On})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(r, make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	select {
	case <-ended:
	case <-time.After(patience):
		t.Error("the server goes on writing")
	}
	if _, content := fetch(t, a, prepare(t, "GET", base+"/short")); content != "short" {
		t.Errorf("afterwards: %q", content)
	}
}

func testTrailers(t *testing.T, s *suite) {
	a, base := s.open(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		io.WriteString(w, "body")
		w.(http.Flusher).Flush()
		w.Header().Set("X-Sum", "42")
	})
	r, content := fetch(t, a, prepare(t, "GET", base+"/"))
	if content != "body" || r.Trailers().Get("X-Sum") != "42" {
		t.Errorf("%q with trailers %v", content, r.Trailers())
	}
}

func testInterim(t *testing.T, s *suite) {
	a, base := s.open(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>")
		w.WriteHeader(103)
		w.Header().Del("Link")
		io.WriteString(w, "final")
	})
	var hints []string
	opts := requests.SendOptions{Interim: func(status int, h requests.Headers) error {
		if status == 103 {
			hints = append(hints, h.Get("Link"))
		}
		return nil
	}}
	r, err := a.Send(t.Context(), prepare(t, "GET", base+"/"), opts)
	if err != nil {
		t.Fatal(err)
	}
	if content := contentOf(t, r); content != "final" || strings.Join(hints, " ") != "</style.css>" {
		t.Errorf("%q with hints %q", content, hints)
	}
}

// hanging is a server that holds back everything, or all but the beginning of a body,
// until the client has gone.
func hanging(t *testing.T, s *suite, beginning string) (a requests.Adapter, base string, reached chan struct{}) {
	reached = make(chan struct{}, 10)
	release := make(chan struct{})
	a, base = s.open(t, func(w http.ResponseWriter, r *http.Request) {
		if beginning != "" {
			io.WriteString(w, beginning)
			w.(http.Flusher).Flush()
		}
		reached <- struct{}{}
		select {
		case <-r.Context().Done():
		case <-release:
		}
	})
	t.Cleanup(func() { close(release) })
	return a, base, reached
}

func testCanceledBefore(t *testing.T, s *suite) {
	a, base, reached := hanging(t, s, "")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := a.Send(ctx, prepare(t, "GET", base+"/"), requests.SendOptions{})
	check(t, err, requests.ErrCanceled, context.Canceled)
	if len(reached) > 0 {
		t.Error("the server was asked")
	}
}

func testCanceledWaiting(t *testing.T, s *suite) {
	a, base, reached := hanging(t, s, "")
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-reached; cancel() }()
	_, err := a.Send(ctx, prepare(t, "GET", base+"/"), requests.SendOptions{})
	check(t, err, requests.ErrCanceled, context.Canceled)
	cancel()
}

func testCanceledReading(t *testing.T, s *suite) {
	a, base, _ := hanging(t, s, "beginning")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := a.Send(ctx, prepare(t, "GET", base+"/"), requests.SendOptions{Stream: requests.On})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.ReadFull(r, make([]byte, len("beginning"))); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(10*time.Millisecond, cancel)
	_, err = r.Read(make([]byte, 1))
	check(t, err, requests.ErrCanceled, context.Canceled)
}

func testDeadline(t *testing.T, s *suite) {
	a, base, _ := hanging(t, s, "")
	_, err := a.Send(t.Context(), prepare(t, "GET", base+"/"), requests.SendOptions{Deadline: time.Now().Add(30 * time.Millisecond)})
	check(t, err, requests.ErrTotalTimeout, requests.ErrTimeout)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	_, err = a.Send(ctx, prepare(t, "GET", base+"/"), requests.SendOptions{})
	check(t, err, requests.ErrTotalTimeout, context.DeadlineExceeded)
}

func testReadTimeout(t *testing.T, s *suite) {
	a, base, _ := hanging(t, s, "")
	_, err := a.Send(t.Context(), prepare(t, "GET", base+"/"), requests.SendOptions{Timeouts: requests.Timeouts{Read: 30 * time.Millisecond}})
	check(t, err, requests.ErrReadTimeout, requests.ErrTimeout)
}

func testBodyTimeout(t *testing.T, s *suite) {
	a, base, _ := hanging(t, s, "beginning")
	r, err := beginning(t, a, base)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	_, err = r.Content()
	check(t, err, requests.ErrReadTimeout, requests.ErrTimeout)
}

// beginning returns the response whose body hangs. The limit is that of the handshake and the
// head as well, so a machine that is too slow for it gets a longer one.
func beginning(t *testing.T, a requests.Adapter, base string) (r *requests.Response, err error) {
	for limit := 50 * time.Millisecond; limit <= 5*time.Second; limit *= 10 {
		opts := requests.SendOptions{Stream: requests.On, Timeouts: requests.Timeouts{Read: limit}}
		if r, err = a.Send(t.Context(), prepare(t, "GET", base+"/"), opts); err == nil {
			break
		}
	}
	return r, err
}

func testAbort(t *testing.T, s *suite) {
	a, base := s.open(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	_, err := a.Send(t.Context(), prepare(t, "POST", base+"/"), requests.SendOptions{})
	check(t, err, requests.ErrConnection, requests.ErrRequest)
}

func testCutBody(t *testing.T, s *suite) {
	a, base := s.open(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/length" {
			w.Header().Set("Content-Length", "100")
		}
		io.WriteString(w, "only this")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	for _, path := range []string{"/length", "/chunked"} {
		r, err := a.Send(t.Context(), prepare(t, "GET", base+path), requests.SendOptions{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = r.Content()
		check(t, err, requests.ErrChunkedEncoding, requests.ErrRequest)
		r.Close()
	}
}

// errBody is what the caller's own reader fails with.
var errBody = errors.New("the disk is on fire")

type failing struct{ io.Reader }

func (f failing) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err == io.EOF {
		err = errBody
	}
	return n, err
}

func testFailingBody(t *testing.T, s *suite) {
	a, base := s.open(t, echo)
	_, err := a.Send(t.Context(), prepare(t, "POST", base+"/", requests.Body(failing{strings.NewReader("some")})), requests.SendOptions{})
	check(t, err, requests.ErrRequest, errBody)
}

func testClose(t *testing.T, s *suite) {
	a, base := s.open(t, echo)
	for range 2 {
		if _, content := fetch(t, a, prepare(t, "PUT", base+"/", requests.Body("x"))); content != "x" {
			t.Errorf("got %q", content)
		}
		for range 2 {
			if err := a.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// check wants an error of this package, of a kind, with a cause.
func check(t *testing.T, err error, kind, cause error) {
	t.Helper()
	if _, ok := errors.AsType[*requests.Error](err); !ok || !errors.Is(err, kind) || !errors.Is(err, cause) {
		t.Errorf("got the error %v (%T): expected a *requests.Error that is %v and %v", err, err, kind, cause)
	}
}
