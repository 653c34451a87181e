package adapters_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/adapters/adaptertest"
)

// TestMoreWrappersContract: everything around a send leaves the contract as it is.
func TestMoreWrappersContract(t *testing.T) {
	for name, wrappers := range map[string][]requests.Wrapper{
		"Authenticate": {adapters.Authenticate(requests.BearerAuth("t"))},
		"Limit":        {adapters.Limit(100)},
		"Hedge":        {adapters.Hedge(time.Hour)},
		"Breaker":      {adapters.Breaker(1000, time.Second)},
		"SingleFlight": {adapters.SingleFlight()},
		"Digests":      {adapters.Digests()},
		"Decoder":      {adapters.ContentDecoder("x-own", plain)},
		"all of them": {
			adapters.Digests(),
			adapters.SingleFlight(), adapters.Breaker(1000, time.Second), adapters.Limit(100), adapters.Hedge(time.Hour),
			adapters.Authenticate(requests.BearerAuth("t")),
		},
	} {
		t.Run(name, func(t *testing.T) {
			adaptertest.Run(t, func(t *testing.T, h http.Handler) (requests.Adapter, string) {
				a := adapters.Chain(requests.NewHTTPAdapter(), wrappers...)
				t.Cleanup(func() { a.Close() })
				return a, served(t, h).URL
			})
		})
	}
}

// A mistake in an argument is told by every Send, and nothing is sent.
func TestWrapperArguments(t *testing.T) {
	never := requests.AdapterFunc(func(context.Context, *requests.PreparedRequest, requests.SendOptions) (*requests.Response, error) {
		t.Error("sent")
		return nil, errors.New("sent")
	})
	for text, w := range map[string]requests.Wrapper{
		"Limit(0)": adapters.Limit(0), "Hedge(0s)": adapters.Hedge(0), "Breaker(0, 1s)": adapters.Breaker(0, time.Second),
		"Breaker(1, 0s)": adapters.Breaker(1, 0), "nil": adapters.Authenticate(nil),
		"BeforeSend": adapters.BeforeSend(nil), "OnError": adapters.OnError(nil),
		`ContentDecoder("a b")`: adapters.ContentDecoder("a b", plain), `ContentDecoder("x")`: adapters.ContentDecoder("x", nil),
	} {
		if _, err := w(never).Send(t.Context(), get("http://h.test/"), requests.SendOptions{}); !errors.Is(err, requests.ErrInvalidArgument) || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for text, a := range map[string]requests.Adapter{
		"nil http.HandlerFunc": adapters.Handler(http.HandlerFunc(nil)), "nil <nil>": adapters.Handler(nil),
		"AdapterFunc": adapters.Chain(nil, adapters.Limit(1), adapters.Digests()), "is nil": adapters.Digests()(nil),
	} {
		if _, err := a.Send(t.Context(), get("http://h.test/"), requests.SendOptions{}); !errors.Is(err, requests.ErrInvalidArgument) || !strings.Contains(err.Error(), text) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// held is an adapter whose responses wait until they are let go.
type held struct {
	sent    atomic.Int32
	release chan *requests.Response // nil is a failure
}

func newHeld() *held { return &held{release: make(chan *requests.Response)} }

func (h *held) Close() error { return nil }

func (h *held) Send(ctx context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
	h.sent.Add(1)
	select {
	case r := <-h.release:
		if r == nil {
			return nil, &requests.Error{Kind: requests.ErrConnection, Request: p}
		}
		return r, nil
	case <-ctx.Done():
		return nil, &requests.Error{Kind: requests.ErrCanceled, Request: p, Err: ctx.Err()}
	}
}

func reply(status int, body string) *requests.Response {
	return requests.NewResponse(get("http://h.test/"), status, nil, io.NopCloser(strings.NewReader(body)))
}

// Limit lets n through; a turn ends with the response's body, or with a failure or panic.
func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeld()
		a := adapters.Limit(2)(h)
		got := make(chan *requests.Response, 4)
		for range 4 {
			go func() {
				r, _ := a.Send(t.Context(), get("http://h.test/"), requests.SendOptions{})
				got <- r
			}()
		}
		sent := func(want int32) {
			t.Helper()
			if synctest.Wait(); h.sent.Load() != want {
				t.Errorf("%d sent, want %d", h.sent.Load(), want)
			}
		}
		sent(2)
		h.release <- reply(200, "body")
		first := <-got
		sent(2) // its body has not been read
		if _, err := io.ReadAll(first.Raw); err != nil {
			t.Error(err)
		}
		sent(3)
		h.release <- nil
		sent(4)
		h.release <- reply(200, "body")
		h.release <- reply(200, "body")
		canceled, cancel := context.WithCancel(t.Context())
		cancel()
		for want, send := range map[requests.Kind]func() error{
			requests.ErrPoolTimeout: func() error {
				_, err := a.Send(t.Context(), get("http://h.test/"), requests.SendOptions{Timeouts: requests.Timeouts{Pool: time.Second}})
				return err
			},
			requests.ErrTotalTimeout: func() error {
				_, err := a.Send(t.Context(), get("http://h.test/"), requests.SendOptions{Deadline: time.Now().Add(time.Second)})
				return err
			},
			requests.ErrCanceled: func() error {
				_, err := a.Send(canceled, get("http://h.test/"), requests.SendOptions{})
				return err
			},
		} {
			err := send()
			if e, ok := errors.AsType[*requests.Error](err); !ok || e.Kind != want || !e.SafeToRetry() {
				t.Errorf("a full limit: %v, want %v", err, want)
			}
		}
		for range 3 {
			if r := <-got; r != nil {
				r.Close()
			}
		}
	})
}

// A panic of the adapter frees the turn, and goes on.
func TestLimitPanic(t *testing.T) {
	a := adapters.Limit(1)(requests.AdapterFunc(func(context.Context, *requests.PreparedRequest, requests.SendOptions) (*requests.Response, error) {
		panic("adapter")
	}))
	for range 3 {
		if got := panicOf(func() { _, _ = a.Send(t.Context(), get("http://h.test/"), requests.SendOptions{}) }); got != "adapter" {
			t.Errorf("panic %v", got)
		}
	}
}

func panicOf(f func()) (got any) {
	defer func() { got = recover() }()
	f()
	return nil
}

// Hedge sends a second time where the first is slow; the first response counts, the other
// try is canceled and closed.
func TestHedge(t *testing.T) {
	for name, tt := range map[string]struct {
		method  string
		body    any
		replies []*requests.Response
		want    int32 // sent
		status  int   // 0 for a failure
	}{
		"the second":         {"GET", nil, []*requests.Response{reply(200, "x")}, 2, 200},
		"a failure first":    {"GET", nil, []*requests.Response{nil, reply(200, "x")}, 2, 200},
		"two failures":       {"DELETE", nil, []*requests.Response{nil, nil}, 2, 0},
		"bytes":              {"PUT", "body", []*requests.Response{reply(201, "")}, 2, 201},
		"not to be repeated": {"POST", "body", []*requests.Response{reply(200, "x")}, 1, 200},
		"a stream":           {"PUT", io.MultiReader(strings.NewReader("x")), []*requests.Response{reply(200, "x")}, 1, 200},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHeld()
				p, err := (&requests.Request{Method: tt.method, URL: "http://h.test/", Body: tt.body}).Prepare()
				if err != nil {
					t.Fatal(err)
				}
				go func() {
					time.Sleep(2 * time.Second)
					for _, r := range tt.replies {
						h.release <- r
					}
				}()
				r, err := adapters.Hedge(time.Second)(h).Send(t.Context(), p, requests.SendOptions{})
				status := 0
				if err == nil {
					status = r.StatusCode
					r.Close()
				}
				synctest.Wait()
				if status != tt.status || h.sent.Load() != tt.want {
					t.Errorf("status %d after %d, %v; want %d after %d", status, h.sent.Load(), err, tt.status, tt.want)
				}
			})
		})
	}
}

// A fast response, a fast failure and a fast panic are not hedged.
func TestHedgeNot(t *testing.T) {
	sent := 0
	var answer func() (*requests.Response, error)
	a := adapters.Hedge(time.Hour)(requests.AdapterFunc(func(context.Context, *requests.PreparedRequest, requests.SendOptions) (*requests.Response, error) {
		sent++
		return answer()
	}))
	failed := errors.New("failed")
	send := func() (*requests.Response, error) {
		return a.Send(t.Context(), get("http://h.test/"), requests.SendOptions{})
	}
	answer = func() (*requests.Response, error) { return reply(503, ""), nil }
	if r, err := send(); err != nil || r.StatusCode != 503 {
		t.Error(r, err)
	}
	answer = func() (*requests.Response, error) { return nil, failed }
	if _, err := send(); !errors.Is(err, failed) {
		t.Error(err)
	}
	answer = func() (*requests.Response, error) { panic("adapter") }
	if got := panicOf(func() { _, _ = send() }); got != "adapter" || sent != 3 {
		t.Errorf("panic %v, %d sent", got, sent)
	}
}

// Breaker walks through its states.
func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fail := true
		var failure error = &requests.Error{Kind: requests.ErrConnection}
		sent := 0
		a := adapters.Breaker(2, time.Minute)(requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
			sent++
			switch {
			case strings.Contains(p.URL, "busy"):
				return reply(503, ""), nil
			case fail:
				return nil, failure
			}
			return reply(200, ""), nil
		}))
		var got []string
		send := func(url string) {
			before := sent
			r, err := a.Send(t.Context(), get(url), requests.SendOptions{})
			switch {
			case errors.Is(err, adapters.ErrBreakerOpen) && errors.Is(err, requests.ErrConnect) && sent == before:
				got = append(got, "open")
			case err != nil:
				got = append(got, "failed")
			default:
				got = append(got, r.Reason)
			}
		}
		const h, other = "http://h.test/", "http://other.test/"
		send(h) // 1 in a row
		failure = &requests.Error{Kind: requests.ErrCanceled}
		send(h) // does not count
		failure = &requests.Error{Kind: requests.ErrReadTimeout}
		send("http://u:p@h.test:80/x") // 2: open
		send(h)
		fail = false
		send(other)
		time.Sleep(time.Minute)
		fail = true
		send(h) // half-open: fails, open again
		send(h)
		time.Sleep(time.Minute)
		fail = false
		send(h) // closes
		send("http://h.test/busy")
		send("http://h.test/busy") // open
		send(h)
		want := []string{"failed", "failed", "failed", "open", "OK", "failed", "open", "OK", "Service Unavailable", "Service Unavailable", "open"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// Half-open, one request is tried at a time; a canceled or panicking one leaves the place.
func TestBreakerProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHeld()
		a := adapters.Breaker(1, time.Minute)(h)
		send := func(ctx context.Context, into chan error) {
			_, err := a.Send(ctx, get("http://h.test/"), requests.SendOptions{})
			into <- err
		}
		results := make(chan error, 8)
		go send(t.Context(), results)
		h.release <- nil
		<-results
		time.Sleep(time.Minute)
		ctx, cancel := context.WithCancel(t.Context())
		go send(ctx, results)
		synctest.Wait()
		go send(t.Context(), results)
		if err := <-results; !errors.Is(err, adapters.ErrBreakerOpen) {
			t.Errorf("beside the probe: %v", err)
		}
		cancel()
		<-results
		go send(t.Context(), results)
		h.release <- reply(200, "")
		if err := <-results; err != nil || h.sent.Load() != 3 {
			t.Errorf("after a canceled probe: %v, %d sent", err, h.sent.Load())
		}
	})
}
