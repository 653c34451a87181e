package requests_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/cases"
	"github.com/mountable/requests/internal/wiretest"
)

// retrySession is a session whose http adapter has the options.
func retrySession(t testing.TB, options ...requests.AdapterOption) *requests.Session {
	t.Helper()
	s := requests.NewSession()
	s.TrustEnv = false
	s.Mount("http://", requests.NewHTTPAdapter(options...))
	t.Cleanup(func() { s.Close() })
	return s
}

// onlyReader hides that a reader can seek and tell its length.
type onlyReader struct{ io.Reader }

// TestRetryLoop runs requests against a script and looks at what the server saw.
func TestRetryLoop(t *testing.T) {
	ok, busy, bad := wiretest.Text(200, "ok"), wiretest.Text(503, "busy"), wiretest.Text(500, "bad")
	after := wiretest.Text(503, "busy", [2]string{"Retry-After", "0"})
	three := requests.Retry{Total: 3, StatusForcelist: []int{500, 503}}
	any := requests.Retry{Total: 3, StatusForcelist: []int{500}, AnyMethod: true}
	seekable := func() requests.Option { return requests.Body(strings.NewReader("body")) }
	oneShot := func() requests.Option { return requests.Body(onlyReader{strings.NewReader("body")}) }
	type outcome struct {
		Status   int
		Kind     requests.Kind
		Bodies   string // of the requests the server got
		Conns    int
		Attempts int
	}
	tests := []struct {
		name    string
		retry   requests.Retry
		method  string
		body    func() requests.Option
		replies []wiretest.Reply
		want    outcome
	}{
		{"no failure", three, "GET", nil, []wiretest.Reply{ok}, outcome{200, 0, "", 1, 0}},
		{"statuses, one connection", three, "GET", nil, []wiretest.Reply{bad, busy, ok}, outcome{200, 0, "||", 1, 2}},
		{"lost replies", three, "GET", nil, []wiretest.Reply{wiretest.Drop(), wiretest.Drop(), ok}, outcome{200, 0, "||", 3, 2}},
		{"used up by replies", three, "GET", nil, []wiretest.Reply{bad}, outcome{0, requests.ErrRetry, "|||", 1, 4}},
		{"used up by failures", three, "GET", nil, []wiretest.Reply{wiretest.Drop()}, outcome{0, requests.ErrConnection, "|||", 4, 4}},
		{"last reply wanted", requests.Retry{Total: 1, StatusForcelist: []int{500}, RaiseOnStatus: requests.Off}, "GET", nil, []wiretest.Reply{bad}, outcome{500, 0, "|", 1, 1}},
		{"Retry-After without a forcelist", requests.Retry{Total: 2}, "GET", nil, []wiretest.Reply{after, ok}, outcome{200, 0, "|", 1, 1}},
		{"Retry-After used up: the reply", requests.Retry{Total: 1}, "GET", nil, []wiretest.Reply{after}, outcome{503, 0, "|", 1, 1}},
		{"Retry-After not respected", requests.Retry{Total: 2, RespectRetryAfter: requests.Off}, "GET", nil, []wiretest.Reply{after}, outcome{503, 0, "", 1, 0}},
		{"POST is not repeated", three, "POST", seekable, []wiretest.Reply{wiretest.Drop()}, outcome{0, requests.ErrConnection, "body", 1, 0}},
		{"POST is not repeated for its status", three, "POST", seekable, []wiretest.Reply{bad}, outcome{500, 0, "body", 1, 0}},
		{"POST where it may be", any, "POST", seekable, []wiretest.Reply{wiretest.Drop(), bad, ok}, outcome{200, 0, "body|body|body", 2, 2}},
		{"a body that is gone: the failure", any, "POST", oneShot, []wiretest.Reply{wiretest.Drop(), ok}, outcome{0, requests.ErrConnection, "body", 1, 0}},
		{"a body that is gone, for a status", any, "POST", oneShot, []wiretest.Reply{bad, ok}, outcome{0, requests.ErrUnrewindableBody, "body", 1, 0}},
		{"no count for reads", requests.Retry{Total: 3, Read: requests.RetryNever}, "GET", nil, []wiretest.Reply{wiretest.Drop()}, outcome{0, requests.ErrConnection, "", 1, 0}},
		{"a count of none", requests.Retry{Total: 3, Status: requests.RetryNone, StatusForcelist: []int{500}}, "GET", nil, []wiretest.Reply{bad}, outcome{0, requests.ErrRetry, "", 1, 1}},
		{"body errors stand", three, "GET", nil, []wiretest.Reply{wiretest.Send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab").ThenClose(), ok}, outcome{0, requests.ErrChunkedEncoding, "", 1, 0}},
		{"body errors, if asked", requests.Retry{Total: 3, RetryBody: true}, "GET", nil, []wiretest.Reply{wiretest.Send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab").ThenClose(), ok}, outcome{200, 0, "|", 2, 1}},
		{"an invalid head is final", three, "GET", nil, []wiretest.Reply{wiretest.Send("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"), ok}, outcome{0, requests.ErrInvalidHeader, "", 1, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server := wiretest.Origin(t, tt.replies...)
			s := retrySession(t, requests.Retries(tt.retry))
			var option requests.Option
			if tt.body != nil {
				option = tt.body()
			}
			resp, err := s.Request(t.Context(), tt.method, server.URL("/"), option)
			got := outcome{Conns: server.Accepted()}
			for i, r := range server.Requests() {
				got.Bodies += strings.Repeat("|", min(i, 1)) + r.Body
			}
			if e, ok := errors.AsType[*requests.Error](err); ok {
				got.Kind = e.Kind
			}
			if gaveUp, ok := errors.AsType[*requests.MaxRetryError](err); ok {
				got.Attempts = len(gaveUp.History)
			}
			if resp != nil {
				got.Status, got.Attempts = resp.StatusCode, len(resp.Attempts)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s\nerror: %v", diff, err)
			}
		})
	}
}

// TestRetryLeavesNothing: what is tried again leaves no cookies and no history,
// and hooks do not see it.
func TestRetryLeavesNothing(t *testing.T) {
	server := wiretest.Origin(t, wiretest.Text(503, "", [2]string{"Set-Cookie", "bad=1"}), wiretest.Text(200, "ok", [2]string{"Set-Cookie", "good=1"}))
	s := retrySession(t, requests.Retries(requests.Retry{Total: 1, StatusForcelist: []int{503}}))
	seen := 0
	s.OnResponse(func(_ context.Context, r *requests.Response) (*requests.Response, error) {
		seen++
		return r, nil
	})
	r, err := s.Get(t.Context(), server.URL("/"))
	if err != nil {
		t.Fatal(err)
	}
	next, err := s.Get(t.Context(), server.URL("/next"))
	if err != nil {
		t.Fatal(err)
	}
	got := []any{seen, len(r.History), len(r.Attempts), r.Attempts[0].StatusCode, next.Request.Headers.Get("Cookie")}
	if diff := cmp.Diff([]any{2, 0, 1, 503, "good=1"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestRetryConnect: a refused connection is tried again for every method, and the
// kinds say that nothing was sent.
func TestRetryConnect(t *testing.T) {
	t.Parallel()
	s := retrySession(t, requests.Retries(requests.Retry{Total: 5, Connect: 2}))
	_, err := s.Post(t.Context(), "http://"+wiretest.Closed(t)+"/", requests.Body(onlyReader{strings.NewReader("x")}))
	e, _ := errors.AsType[*requests.Error](err)
	gaveUp, _ := errors.AsType[*requests.MaxRetryError](err)
	if e == nil || gaveUp == nil || e.Kind != requests.ErrConnect || len(gaveUp.History) != 3 || !e.SafeToRetry() || !errors.Is(err, requests.ErrConnection) {
		t.Errorf("got %v", err)
	}
}

// TestRetryTimeout: used up, a read timeout is ErrConnection as in Requests, with
// the timeout still there as its cause.
func TestRetryTimeout(t *testing.T) {
	t.Parallel()
	server := wiretest.Origin(t, wiretest.Reply{})
	s := retrySession(t, requests.MaxRetries(1))
	_, err := s.Get(t.Context(), server.URL("/"), requests.Timeouts{Read: 30 * time.Millisecond})
	e, _ := errors.AsType[*requests.Error](err)
	if e == nil || e.Kind != requests.ErrConnection || !errors.Is(err, requests.ErrReadTimeout) || !errors.Is(err, os.ErrDeadlineExceeded) || !e.Timeout() {
		t.Errorf("got %v", err)
	}
	if text := err.Error(); !strings.Contains(text, "gave up after 2 tries") || !strings.Contains(text, "nothing received within 30ms (Timeouts.Read)") {
		t.Errorf("text: %s", text)
	}
}

// TestRetryPause: the pause before a repeat ends with the context. One that would
// outlast the context or Timeouts.Total is not begun.
func TestRetryPause(t *testing.T) {
	t.Parallel()
	after := wiretest.Text(503, "", [2]string{"Retry-After", "3600"})
	for _, tt := range []struct {
		name    string
		ctx     func() (context.Context, context.CancelFunc)
		timeout requests.Timeouts
		want    []error
		least   time.Duration
	}{
		{"total", func() (context.Context, context.CancelFunc) { return context.WithCancel(t.Context()) },
			requests.Timeouts{Total: time.Hour - time.Second}, []error{requests.ErrTotalTimeout, os.ErrDeadlineExceeded}, 0},
		{"context's deadline", func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(t.Context(), time.Hour-time.Second)
		}, requests.Timeouts{}, []error{requests.ErrTotalTimeout, context.DeadlineExceeded}, 0},
		{"canceled", func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(60*time.Millisecond, func() { cancel(io.ErrClosedPipe) })
			return ctx, func() { cancel(nil) }
		}, requests.Timeouts{}, []error{requests.ErrCanceled, context.Canceled, io.ErrClosedPipe}, 50 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := wiretest.Origin(t, after)
			s := retrySession(t, requests.MaxRetries(2))
			ctx, cancel := tt.ctx()
			defer cancel()
			start := time.Now()
			_, err := s.Get(ctx, server.URL("/"), tt.timeout)
			for _, want := range tt.want {
				if !errors.Is(err, want) {
					t.Errorf("got %v, which is not %v", err, want)
				}
			}
			if d := time.Since(start); d < tt.least || d > time.Minute {
				t.Errorf("took %v", d)
			}
			if e, ok := errors.AsType[*requests.Error](err); !ok || e.Response == nil || e.Response.StatusCode != 503 {
				t.Errorf("the response is not in reach of %v", err)
			}
			if n := len(server.Requests()); n != 1 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// TestRetryBackoff measures the pauses: none, then the factor, then its double.
func TestRetryBackoff(t *testing.T) {
	t.Parallel()
	server := wiretest.Origin(t, wiretest.Text(500, ""), wiretest.Text(500, ""), wiretest.Text(500, ""), wiretest.Text(200, "ok"))
	s := retrySession(t, requests.Retries(requests.Retry{Total: 3, BackoffFactor: 20 * time.Millisecond, StatusForcelist: []int{500}}))
	start := time.Now()
	if _, err := s.Get(t.Context(), server.URL("/")); err != nil {
		t.Fatal(err)
	}
	if d := time.Since(start); d < 120*time.Millisecond { // 0 + 0.04 + 0.08
		t.Errorf("took %v, want 120 ms at least", d)
	}
}

// TestRetryBudget: an empty bucket ends the retrying of all requests.
func TestRetryBudget(t *testing.T) {
	server := wiretest.Origin(t, wiretest.Text(503, ""))
	s := retrySession(t, requests.Retries(requests.Retry{Total: 3, StatusForcelist: []int{503}, RaiseOnStatus: requests.Off}), requests.RetryBudget(4, 0))
	for range 3 {
		if r, err := s.Get(t.Context(), server.URL("/")); err != nil || r.StatusCode != 503 {
			t.Fatal(r, err)
		}
	}
	if n := len(server.Requests()); n != 3+4 {
		t.Errorf("%d requests, want 3 and 4 repeats", n)
	}
}

// TestRetryBudgetRefill: what good replies give back is spent on later repeats.
func TestRetryBudgetRefill(t *testing.T) {
	server := wiretest.Start(t, wiretest.Config{Handler: func(r *wiretest.Request) wiretest.Reply {
		if r.Target == "/bad" {
			return wiretest.Text(503, "")
		}
		return wiretest.Text(200, "")
	}})
	s := retrySession(t, requests.Retries(requests.Retry{Total: 9, StatusForcelist: []int{503}}), requests.RetryBudget(2, 0.5))
	var repeats []int
	for _, path := range []string{"/bad", "/bad", "/ok", "/bad", "/ok", "/bad", "/ok", "/ok", "/ok", "/ok", "/ok", "/ok", "/bad"} {
		r, err := s.Get(t.Context(), server.URL(path))
		if err != nil {
			t.Fatal(err)
		}
		if path == "/bad" {
			repeats = append(repeats, len(r.Attempts))
		}
	}
	if diff := cmp.Diff([]int{2, 0, 0, 1, 2}, repeats); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestRetryValue: defaults, text, and pauses at their bounds.
func TestRetryValue(t *testing.T) {
	full := requests.Retry{}.State().Left
	if full.Total != 10 || full.BackoffMax != 2*time.Minute || full.RetryAfterMax != 6*time.Hour || full.RaiseOnStatus != requests.On || len(full.AllowedMethods) != 7 {
		t.Errorf("defaults: %+v", full)
	}
	text := requests.Retry{Total: requests.RetryNever, Read: requests.RetryNone, Status: 2}.String()
	if want := "Retry(total=False, connect=None, read=0, redirect=None, status=2)"; text != want {
		t.Errorf("got %s, want %s", text, want)
	}
	many := make([]requests.Attempt, 5000)
	for _, tt := range []struct {
		retry    requests.Retry
		history  []requests.Attempt
		min, max time.Duration
	}{
		{requests.Retry{BackoffFactor: time.Second}, many, 2 * time.Minute, 2 * time.Minute},
		{requests.Retry{BackoffFactor: time.Second, BackoffMax: time.Second}, many, time.Second, time.Second},
		{requests.Retry{BackoffFactor: -1}, many, 0, 0},
		{requests.Retry{BackoffFactor: time.Second / 2, BackoffJitter: time.Second}, many[:3], 2 * time.Second, 3 * time.Second},
		{requests.Retry{BackoffFactor: time.Second / 2}, []requests.Attempt{{}, {}, {Location: "/x"}, {}}, 0, 0},
	} {
		state := tt.retry.State()
		state.History = tt.history
		if got := state.Delay(nil, time.Time{}); got < tt.min || got > tt.max {
			t.Errorf("%v: %v, want %v to %v", tt.retry, got, tt.min, tt.max)
		}
	}
	try := requests.Attempt{Method: "GET", URL: "http://ada:secret@h.test/", StatusCode: 503}
	if text := fmt.Sprint(try); strings.Contains(text, "secret") || !strings.HasSuffix(text, ": 503") {
		t.Errorf("an attempt shows as %s", text)
	}
}

// TestRetryBadSettings: what makes no sense is refused before anything is sent,
// each time with an error of its own.
func TestRetryBadSettings(t *testing.T) {
	server := wiretest.Origin(t)
	for name, option := range map[string]requests.AdapterOption{
		"total":    requests.Retries(requests.Retry{Total: -1}),
		"number":   requests.MaxRetries(-1),
		"connect":  requests.Retries(requests.Retry{Connect: -2}),
		"other":    requests.Retries(requests.Retry{Other: requests.RetryTimes(-3)}),
		"factor":   requests.Retries(requests.Retry{BackoffFactor: -1}),
		"jitter":   requests.Retries(requests.Retry{BackoffJitter: -1}),
		"budget":   requests.RetryBudget(-1, 0),
		"resolver": requests.ResolveWith(mapResolver{}),
		"address":  requests.ResolveTo(map[string]string{"h.test": "not an address"}),
	} {
		s := retrySession(t, option)
		_, first := s.Get(t.Context(), server.URL("/"))
		_, second := s.Get(t.Context(), server.URL("/"))
		if !errors.Is(first, requests.ErrInvalidArgument) || first == second {
			t.Errorf("%s: got %v, then %v", name, first, second)
		}
	}
	if n := server.Accepted(); n != 0 {
		t.Errorf("%d connections", n)
	}
}

// TestRetrySharesNothing: a Retry handed over is not changed by later edits, nor by use.
func TestRetrySharesNothing(t *testing.T) {
	statuses := []int{500}
	option := requests.Retries(requests.Retry{Total: 1, StatusForcelist: statuses})
	statuses[0] = 404
	server := wiretest.Origin(t, wiretest.Text(500, ""), wiretest.Text(200, ""), wiretest.Text(500, ""), wiretest.Text(200, ""))
	s := retrySession(t, option)
	for range 2 {
		if r, err := s.Get(t.Context(), server.URL("/")); err != nil || r.StatusCode != 200 || len(r.Attempts) != 1 {
			t.Errorf("got %v, %v", r, err)
		}
	}
}

// TestRetryAfterCorpus runs the Retry-After cases of the corpora (rule 16).
func TestRetryAfterCorpus(t *testing.T) {
	var extras struct {
		Cases []struct {
			Value    string
			Expected *struct {
				Seconds *float64
				Date    string
				Capped  bool
				Either  bool
			}
		} `json:"retry_after"`
	}
	cases.Corpus(t, "extras.json", &extras)
	if len(extras.Cases) == 0 {
		t.Fatal("no cases")
	}
	now := time.Date(1999, 12, 31, 23, 0, 0, 0, time.UTC)
	for _, c := range extras.Cases {
		got, err := requests.Retry{}.State().ParseRetryAfter(c.Value, now)
		switch want := c.Expected; {
		case want == nil:
			if err == nil {
				t.Errorf("%q was taken as %v", c.Value, got)
			}
		case want.Either:
		case err != nil:
			t.Errorf("%q: %v", c.Value, err)
		case want.Capped:
			if got != 6*time.Hour {
				t.Errorf("%q is %v, want the cap", c.Value, got)
			}
		case want.Date != "":
			at, _ := time.Parse(time.RFC3339, want.Date)
			if got != at.Sub(now) {
				t.Errorf("%q is %v, want %v", c.Value, got, at.Sub(now))
			}
		case got.Seconds() != *want.Seconds:
			t.Errorf("%q is %v, want %v s", c.Value, got, *want.Seconds)
		}
	}
}

// FuzzParseRetryAfter: no input panics or leaves the bounds, and whatever net/http
// takes for a date is the same date here.
func FuzzParseRetryAfter(f *testing.F) {
	for _, seed := range []string{"120", "-1", "Fri, 31 Dec 1999 23:59:59 GMT", "Friday, 31-Dec-99 23:59:59 GMT", "Fri Dec 31 23:59:59 1999", "31 Dec 1999 23:59 +0130", "9999 Jan 1 0:0:0"} {
		f.Add(seed)
	}
	now := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for _, seed := range cases.Seeds("extras.json", "retry_after", "value") {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		d, err := requests.Retry{}.State().ParseRetryAfter(value, now)
		if d < 0 || d > 6*time.Hour || err != nil && !errors.Is(err, requests.ErrInvalidHeader) {
			t.Fatalf("%q: %v, %v", value, d, err)
		}
		if at, bad := http.ParseTime(value); bad == nil && at.Location() == time.UTC {
			if want := max(0, min(at.Sub(now), 6*time.Hour)); d != want && !strings.Contains(value, "-") {
				t.Fatalf("%q: %v, want %v", value, d, want)
			}
		}
	})
}

// TestRetryCostsNothing: an adapter without retries allocates no more for being
// able to retry, and one with retries no more than a little.
func TestRetryCostsNothing(t *testing.T) {
	url := pongServer(t)
	allocs := func(options ...requests.AdapterOption) float64 {
		s := retrySession(t, options...)
		return testing.AllocsPerRun(200, func() {
			if _, err := s.Get(context.Background(), url); err != nil {
				t.Fatal(err)
			}
		})
	}
	none, some := allocs(), allocs(requests.Retries(requests.Retry{Total: 3, StatusForcelist: []int{503}}))
	if some > none+2 {
		t.Errorf("%v allocations without retries, %v with", none, some)
	}
}
