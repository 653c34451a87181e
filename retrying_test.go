package requests_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// QUERY is safe and idempotent, and so repeated like GET: after a status, after a lost
// response, and on a new connection where the kept one is dead.
func TestRetryQuery(t *testing.T) {
	ok, busy := wiretest.Text(200, "ok"), wiretest.Text(503, "", [2]string{"Retry-After", "0"})
	for name, script := range map[string][]wiretest.Reply{
		"status":      {busy, ok},
		"no response": {wiretest.Drop(), ok},
	} {
		server := wiretest.Origin(t, script...)
		s := retrySession(t, requests.MaxRetries(2))
		r, err := s.Request(t.Context(), "QUERY", server.URL("/"), requests.Body("q"))
		if err != nil || r.StatusCode != 200 || len(server.Requests()) != 2 {
			t.Errorf("%s: %v, %v after %d requests", name, r, err, len(server.Requests()))
		}
	}
}

// Retry-After fields as servers, and what stands before them, send them.
func TestRetryAfterFields(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, tt := range []struct {
		values []string
		want   time.Duration // -1 for none that can be read
	}{
		{[]string{"1"}, time.Second},
		{[]string{"1", "1"}, time.Second},
		{[]string{"1", "3", "2"}, 3 * time.Second},
		{[]string{"1, 1"}, time.Second},
		{[]string{"1,4"}, 4 * time.Second},
		{[]string{"1.5"}, 1500 * time.Millisecond},
		{[]string{"0.25", " 0.5 "}, 500 * time.Millisecond},
		{[]string{"soon", "2"}, 2 * time.Second},
		{[]string{"Fri, 02 Jan 2026 03:04:15 GMT", "5"}, 10 * time.Second},
		{[]string{"99999999999999999999.5"}, 6 * time.Hour},
		{[]string{"-1"}, -1}, {[]string{"1.5.2"}, -1}, {[]string{".5"}, -1}, {[]string{"5."}, -1}, {[]string{"1e3"}, -1}, {[]string{"", ""}, -1}, {nil, -1},
	} {
		r := requests.NewResponse(nil, 503, nil, nil)
		for _, value := range tt.values {
			r.Headers.Add("Retry-After", value)
		}
		tries := requests.Retry{}.State()
		want := tt.want
		if want < 0 {
			want = tries.Delay(nil, time.Time{})
		}
		if got := tries.Delay(r, now); got != want {
			t.Errorf("%q: %v, want %v", tt.values, got, want)
		}
	}
}

// Both spellings count as a Retry-After, so that the status is tried again.
func TestRetryAfterTwiceOverTheWire(t *testing.T) {
	for _, values := range [][]string{{"0", "0"}, {"0.001"}, {"0", "0.002"}} {
		var fields [][2]string
		for _, v := range values {
			fields = append(fields, [2]string{"Retry-After", v})
		}
		server := wiretest.Origin(t, wiretest.Text(429, "", fields...), wiretest.Text(200, "ok"))
		r, err := retrySession(t, requests.MaxRetries(2)).Get(t.Context(), server.URL("/"))
		if err != nil || r.StatusCode != 200 || len(r.Attempts) != 1 {
			t.Errorf("%q: %v, %v", values, r, err)
		}
	}
}

// An error of OnInterim ends the request after one try, whoever carries it.
func TestRetryEndsWithOnInterim(t *testing.T) {
	early := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		w.WriteHeader(http.StatusOK)
	})
	plain := httptest.NewServer(early)
	defer plain.Close()
	secure := httptest.NewUnstartedServer(early)
	secure.EnableHTTP2 = true
	secure.StartTLS()
	defer secure.Close()
	never := errors.New("never mind")
	for name, tt := range map[string]struct {
		url     string
		options []requests.AdapterOption
	}{
		"HTTP/1.1":      {plain.URL, nil},
		"HTTP/1.1, TLS": {secure.URL, nil},
		"HTTP/2":        {secure.URL, []requests.AdapterOption{requests.HTTP2(true)}},
	} {
		s := newTestSession(t)
		s.Mount(tt.url, requests.NewHTTPAdapter(append(tt.options, requests.MaxRetries(3), requests.Retries(requests.Retry{AnyMethod: true}))...))
		calls := 0
		_, err := s.Get(t.Context(), tt.url, requests.Verify(false), requests.OnInterim(func(int, requests.Headers) error {
			calls++
			return never
		}))
		e, ok := errors.AsType[*requests.Error](err)
		if !ok || e.Kind != requests.ErrRequest || !errors.Is(err, never) || calls != 1 {
			t.Errorf("%s: %v after %d tries", name, err, calls)
		}
	}
}

// What an adapter returns stays as it is: of a failure that was tried again, what comes
// back is another error around a copy.
func TestRetryErrorsAreValues(t *testing.T) {
	server := wiretest.Origin(t, wiretest.Drop())
	s := retrySession(t, requests.MaxRetries(1))
	var errs [2]error
	for i := range errs {
		_, errs[i] = s.Get(t.Context(), server.URL("/")+string(rune('a'+i)))
	}
	var got []string
	for _, err := range errs {
		e, _ := errors.AsType[*requests.Error](err)
		gaveUp, _ := errors.AsType[*requests.MaxRetryError](err)
		got = append(got, e.Request.URL[len(server.URL("/")):], gaveUp.History[0].URL[len(server.URL("/")):])
	}
	if diff := cmp.Diff([]string{"a", "a", "b", "b"}, got); diff != "" {
		t.Errorf("URLs (-want +got):\n%s", diff)
	}
}

// A body of the caller's that fails is not the server's fault: it is sent once.
func TestRetryNotForTheCallersBody(t *testing.T) {
	server := wiretest.Origin(t, wiretest.Text(200, "ok"))
	s := retrySession(t, requests.Retries(requests.Retry{Total: 3, AnyMethod: true}))
	broken := errors.New("broken")
	reads := 0
	body := readerFunc(func([]byte) (int, error) { reads++; return 0, broken })
	if _, err := s.Post(t.Context(), server.URL("/"), requests.Body(io.Reader(body))); !errors.Is(err, broken) || reads != 1 {
		t.Errorf("%v after %d reads", err, reads)
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// A POST with an Idempotency-Key may be tried again, and has the same key each time.
func TestIdempotencyKeys(t *testing.T) {
	busy := wiretest.Text(503, "")
	own := requests.Headers{{"idempotency-key", "mine"}}
	retry := requests.Retry{Total: 3, StatusForcelist: []int{503}}
	keyed := retry
	keyed.IdempotencyKeys = true
	listed := keyed
	listed.AllowedMethods = []string{"GET"}
	for name, tt := range map[string]struct {
		retry  requests.Retry
		method string
		option requests.Option
		tries  int
		key    string // "*" for one that was made
	}{
		"made":       {keyed, "POST", nil, 3, "*"},
		"PATCH":      {keyed, "PATCH", nil, 3, "*"},
		"given":      {keyed, "POST", own, 3, "mine"},
		"given only": {retry, "POST", own, 3, "mine"},
		"not asked":  {retry, "POST", nil, 1, ""},
		"GET":        {keyed, "GET", nil, 3, ""},
		"empty":      {retry, "POST", requests.Headers{{"Idempotency-Key", ""}}, 1, ""},
		"not empty":  {keyed, "POST", requests.Headers{{"Idempotency-Key", ""}}, 3, "*"},
		"listed":     {listed, "POST", nil, 1, "*"},
	} {
		server := wiretest.Origin(t, wiretest.Drop(), busy, wiretest.Text(200, "ok"))
		r, err := retrySession(t, requests.Retries(tt.retry)).Request(t.Context(), tt.method, server.URL("/"), requests.Body("x"), tt.option)
		sent := server.Requests()
		if len(sent) != tt.tries || (err == nil) != (tt.tries == 3) {
			t.Errorf("%s: %v, %v after %d tries, want %d", name, r, err, len(sent), tt.tries)
			continue
		}
		key := sent[0].Get("Idempotency-Key")
		if made := len(key) == 36; tt.key == "*" && !made || tt.key != "*" && key != tt.key {
			t.Errorf("%s: the key is %q", name, key)
		}
		for _, again := range sent {
			if again.Get("Idempotency-Key") != key {
				t.Errorf("%s: another key on a later try", name)
			}
		}
	}
	if t.Failed() {
		return
	}
	dying := wiretest.Origin(t, wiretest.Text(200, "ok"), wiretest.Drop(), wiretest.Text(200, "ok"))
	s := retrySession(t)
	for range 2 { // a kept connection that is dead is replaced for such a request
		if r, err := s.Post(t.Context(), dying.URL("/"), requests.Body("x"), own); err != nil || !r.OK() {
			t.Error(r, err)
		}
	}
	server := wiretest.Origin(t, wiretest.Text(200, "ok"))
	s = retrySession(t, requests.Retries(keyed))
	for range 2 {
		if _, err := s.Post(t.Context(), server.URL("/")); err != nil {
			t.Fatal(err)
		}
	}
	if sent := server.Requests(); sent[0].Get("Idempotency-Key") == sent[1].Get("Idempotency-Key") {
		t.Error("two requests with one key")
	}
}

// TestOnAttempt: it is called before each try with those before it, changes that try alone, and ends the request by its
// error, which is not tried again.
func TestOnAttempt(t *testing.T) {
	tries := make(chan string, 8)
	s, url := serveText(t, func(w http.ResponseWriter, r *http.Request) {
		tries <- r.Header.Get("X-Try")
		w.WriteHeader(503)
	})
	stop := errors.New("enough")
	last := 9
	s.Mount(url, requests.NewHTTPAdapter(requests.Retries(requests.Retry{
		Total: 3, StatusForcelist: []int{503}, RaiseOnStatus: requests.Off,
		OnAttempt: func(_ context.Context, p *requests.PreparedRequest, before []requests.Attempt) error {
			if len(before) == last {
				return &requests.Error{Kind: requests.ErrConnection, Err: stop}
			}
			p.Headers.Set("X-Try", p.Headers.Get("X-Try")+fmt.Sprint(len(before)))
			return nil
		},
	})))
	r := must(s.Get(t.Context(), url))
	last = 1
	_, err := s.Get(t.Context(), url)
	close(tries)
	if diff := cmp.Diff([]string{"0", "1", "2", "3", "0"}, slices.Collect(func(yield func(string) bool) {
		for try := range tries {
			yield(try)
		}
	})); diff != "" || len(r.Attempts) != 3 || r.Request.Headers.Get("X-Try") != "3" {
		t.Errorf("%v, %v (-want +got):\n%s", r.Attempts, r.Request.Headers, diff)
	}
	if !errors.Is(err, stop) || errors.As(err, new(*requests.MaxRetryError)) {
		t.Errorf("%v", err)
	}
}
