package adapters_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

// TestSingleFlightSharesNothing: each caller may read and change all that it got, at the same
// time as the others; what came before the response, and with an error, too.
func TestSingleFlightSharesNothing(t *testing.T) {
	challenge := func(p *requests.PreparedRequest, status int, text string) *requests.Response {
		r := requests.NewResponse(p, status, requests.Headers{{"X-A", "1"}, {"Content-Encoding", "deflate"}}, io.NopCloser(bytes.NewReader(deflated(text))))
		_, _ = r.Content() // as who answers it does
		return r
	}
	for name, c := range map[string]struct {
		send func(p *requests.PreparedRequest) (*requests.Response, error)
		want string
	}{
		"a challenge": {func(p *requests.PreparedRequest) (*requests.Response, error) {
			r := requests.NewResponse(p, 200, nil, io.NopCloser(strings.NewReader("body")))
			r.History = []*requests.Response{challenge(p, 401, "who?")}
			return r, nil
		}, "200 body [401 who?]"},
		"an error": {func(p *requests.PreparedRequest) (*requests.Response, error) {
			return nil, &requests.Error{Kind: requests.ErrRetry, Request: p, Response: challenge(p, 503, "busy")}
		}, "503 busy"},
		"an error, its body given up": {func(p *requests.PreparedRequest) (*requests.Response, error) {
			r := requests.NewResponse(p, 503, nil, io.NopCloser(strings.NewReader("busy")))
			r.Close()
			return nil, &requests.Error{Kind: requests.ErrRetry, Request: p, Response: r}
		}, "503 (was closed)"},
	} {
		synctest.Test(t, func(t *testing.T) {
			begin, sent := make(chan struct{}), 0
			a := adapters.SingleFlight()(requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
				sent++
				<-begin
				return c.send(p)
			}))
			got := make([]string, 4)
			var wg sync.WaitGroup
			for i := range got {
				wg.Go(func() {
					r, err := a.Send(t.Context(), get("http://h.test/"), requests.SendOptions{})
					got[i] = useUp(r, err)
				})
			}
			synctest.Wait()
			close(begin)
			wg.Wait()
			if diff := cmp.Diff([]string{c.want, c.want, c.want, c.want}, got); diff != "" || sent != 1 {
				t.Errorf("%s, %d sent (-want +got):\n%s", name, sent, diff)
			}
		})
	}
}

func deflated(text string) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return b.Bytes()
}

// useUp reads and changes everything of a response, and of that of an error.
func useUp(r *requests.Response, err error) string {
	type key struct{}
	if e, ok := errors.AsType[*requests.Error](err); ok && e.Response != nil {
		r = e.Response
	} else if err != nil {
		return err.Error()
	}
	text, err := r.Text()
	if errors.Is(err, requests.ErrStreamConsumed) {
		text = "(was closed)"
	}
	content, _ := r.Content()
	clear(content)
	said := fmt.Sprint(r.StatusCode, " ", text)
	r.Headers.Set("X-A", "mine")
	r.SetValue(key{}, 1)
	if r.Request != nil {
		r.Request.Headers.Set("X-A", "mine")
	}
	var before []string
	for _, earlier := range r.History {
		before = append(before, useUp(earlier, nil))
	}
	if len(before) > 0 {
		said += " [" + strings.Join(before, ", ") + "]"
	}
	return said
}

// learning are credentials with a state that challenges change.
type learning struct {
	mu   sync.Mutex // mu protects the fields below.
	seen map[string]int
}

func (l *learning) ProxyAuthorization(proxy string, _ *requests.PreparedRequest, _ string) (string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen[proxy]++
	return "", nil
}

func (l *learning) ProxyChallenge(string, *requests.Response) (bool, error) { return false, nil }

// TestSingleFlightCredentials: those of two callers are two, and their state is their own, which
// nobody looks into while another call changes it.
func TestSingleFlightCredentials(t *testing.T) {
	send := func(a requests.Adapter) {
		p := get("http://h.test/")
		p.SetProxyCredentials(&learning{seen: map[string]int{}})
		if _, err := a.Send(t.Context(), p, requests.SendOptions{}); err != nil {
			t.Error(err)
		}
	}
	var sent atomic.Int32
	flying, second := make(chan struct{}, 2), make(chan struct{})
	a := adapters.SingleFlight()(requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		sent.Add(1)
		flying <- struct{}{}
		<-second
		_, err := p.ProxyCredentials().ProxyAuthorization("http://proxy.test", p, "")
		return requests.NewResponse(p, 200, nil, nil), err
	}))
	var wg sync.WaitGroup
	wg.Go(func() { send(a) })
	<-flying
	wg.Go(func() { send(a) })
	close(second) // now the first changes its state, while the second is compared with it
	wg.Wait()
	synctest.Test(t, func(t *testing.T) {
		h := newHeld()
		a := adapters.SingleFlight()(h)
		for range 2 {
			go send(a)
		}
		synctest.Wait()
		if got := h.sent.Load(); got != 2 {
			t.Errorf("%d sent", got)
		}
		h.release <- reply(200, "")
		h.release <- reply(200, "")
		synctest.Wait()
	})
	if got := sent.Load(); got != 2 {
		t.Errorf("%d sent", got)
	}
}
