package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

func TestArguments(t *testing.T) {
	f := open(t, Embedded(t.TempDir()))
	opening := func(where Server, options ...Option) error {
		_, err := Open(t.Context(), where, options...)
		return err
	}
	enqueuing := func(r *requests.Request, options ...JobOption) error {
		_, err := f.Enqueue(t.Context(), slices.Values([]*requests.Request{r}), options...)
		return err
	}
	var asIs requests.Request
	if err := requests.AsIs("http://h.example/a/../b").Apply(&asIs); err != nil {
		t.Fatal(err)
	}
	fine := &requests.Request{URL: "http://h.example/"}
	tests := map[string]struct {
		got  error
		want requests.Kind
	}{
		"unreachable":    {opening(Connect("nats://" + wiretest.Closed(t))), requests.ErrConnect},
		"no server":      {opening(Server{}), requests.ErrInvalidArgument},
		"a name":         {opening(Connect(f.URL()), Name("a.b")), requests.ErrInvalidArgument},
		"a key":          {opening(Connect(f.URL()), SealWith([]byte("short"))), requests.ErrInvalidArgument},
		"another key":    {opening(Connect(f.URL()), SealWith(make([]byte, 16))), requests.ErrInvalidArgument},
		"a lease":        {opening(Connect(f.URL()), Lease(1)), requests.ErrInvalidArgument},
		"a nil job":      {enqueuing(nil), requests.ErrInvalidArgument},
		"no URL":         {enqueuing(&requests.Request{}), requests.ErrMissingSchema},
		"a tag":          {enqueuing(fine, Tags("a b")), requests.ErrInvalidArgument},
		"as it is":       {enqueuing(&asIs), requests.ErrInvalidArgument},
		"hooks":          {enqueuing(&requests.Request{URL: "http://h.test/", Hooks: []requests.Hook{nil}}), requests.ErrInvalidArgument},
		"settings":       {enqueuing(&requests.Request{URL: "http://h.test/", Send: requests.SendOptions{Verify: requests.Verify(false)}}), requests.ErrInvalidArgument},
		"without":        {enqueuing(&requests.Request{URL: "http://h.test/", WithoutHeaders: []string{"Accept"}}), requests.ErrInvalidArgument},
		"trailers":       {enqueuing(&requests.Request{Method: "POST", URL: "http://h.test/", Body: "x", Trailers: func() requests.Headers { return nil }}), requests.ErrInvalidArgument},
		"an ID":          {enqueuing(fine, JobID(func(*requests.Request) string { return "a.>" })), requests.ErrInvalidArgument},
		"a long URL":     {enqueuing(&requests.Request{URL: "http://h.example/" + strings.Repeat("x", 3<<20)}), requests.ErrBodyTooLarge},
		"no session":     {f.Run(t.Context(), nil), requests.ErrInvalidArgument},
		"no workers":     {f.Run(t.Context(), session(t), Workers(0)), requests.ErrInvalidArgument},
		"cancel nothing": {f.Cancel(t.Context(), ""), requests.ErrInvalidArgument},
	}
	for name, test := range tests {
		if !errors.Is(test.got, test.want) {
			t.Errorf("%s: %v, want a %v", name, test.got, test.want)
		}
	}
	if s, err := f.Status(t.Context()); err != nil || s != (Status{}) {
		t.Errorf("after all that: %+v, %v", s, err)
	}
}

func TestTooLarge(t *testing.T) {
	f := open(t, Embedded(t.TempDir()), MaxBody(10))
	for _, body := range []any{strings.Repeat("x", 11), strings.NewReader(strings.Repeat("x", 11))} {
		n, err := f.Enqueue(t.Context(), slices.Values([]*requests.Request{{Method: "POST", URL: "http://h.example/", Body: body}}))
		if !errors.Is(err, requests.ErrBodyTooLarge) || n != 0 {
			t.Errorf("%d, %v", n, err)
		}
	}
}

// TestFull: what a full stream does not take is an error, and can be given again.
func TestFull(t *testing.T) {
	o := newOrigin(t, nil)
	f := open(t, Embedded(t.TempDir()), MaxJobs(5), MaxResults(5))
	n, err := f.Enqueue(t.Context(), gets(o.URL, 8))
	if !errors.Is(err, requests.ErrLimit) || n != 5 {
		t.Errorf("a full queue: %d, %v", n, err)
	}
	run(t, f, session(t))
	enqueue(t, f, gets(o.URL, 8), 3)
	if err := f.Run(t.Context(), session(t), UntilEmpty); !errors.Is(err, requests.ErrLimit) {
		t.Errorf("full results: %v", err)
	}
	if s, err := f.Status(t.Context()); err != nil || s.Waiting+s.Running != 3 || s.Done != 5 {
		t.Errorf("the jobs without a result: %+v, %v", s, err)
	}
}

// TestVersions: what another version has written is left alone.
func TestVersions(t *testing.T) {
	f := open(t, Embedded(t.TempDir()))
	_, err := f.js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "newer-jobs", Subjects: []string{"newer.jobs.>"}, Metadata: map[string]string{"fleet-format": "2"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Connect(f.URL()), Name("newer")); !errors.Is(err, requests.ErrInvalidArgument) || !strings.Contains(err.Error(), `version "2"`) {
		t.Errorf("a fleet of another version: %v", err)
	}
	host := hostToken("http://h.example")
	subject := f.subject("jobs", fmt.Sprint(f.partition(host)), host, "newer")
	if _, err := f.js.Publish(t.Context(), subject, []byte(`{"v":"2","method":"GET","url":"http://h.example/"}`+"\n")); err != nil {
		t.Fatal(err)
	}
	if err := f.Run(t.Context(), session(t), UntilEmpty); !errors.Is(err, requests.ErrInvalidArgument) {
		t.Errorf("a job of another version: %v", err)
	}
	if s, err := f.Status(t.Context()); err != nil || s.Waiting+s.Running != 1 {
		t.Errorf("it is not there any more: %+v, %v", s, err)
	}
}

// TestPoisoned: what is not a job at all, and what no worker survives, end as dead letters.
func TestPoisoned(t *testing.T) {
	f := open(t, Embedded(t.TempDir()))
	for id, text := range map[string]string{"empty": "", "binary": "\x00\xff", "cut": `{"v":"1"`, "sealed": "\x01abc"} {
		if _, err := f.js.Publish(t.Context(), f.subject("jobs", "0", "h", id), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	run(t, f, session(t))
	all := results(t, f)
	for _, r := range all {
		if !errors.Is(r.Err, requests.ErrDecode) {
			t.Errorf("%s: %v", r.ID, r.Err)
		}
	}
	enqueue(t, f, slices.Values([]*requests.Request{{URL: "http://h.example/"}}), 1)
	s := session(t)
	panics := true
	s.Mount("http://h.example", requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		if panics {
			panic("poison")
		}
		return requests.NewResponse(p, 200, nil, nil), nil
	}))
	for range 2 {
		func() {
			defer func() {
				if recover() != "poison" {
					t.Error("the panic did not go on in Run")
				}
			}()
			f.Run(t.Context(), s, UntilEmpty)
		}()
	}
	panics = false
	run(t, f, s, Deliveries(2))
	last := results(t, f, After(all[len(all)-1].Sequence))
	if len(all) != 4 || len(last) != 1 || !errors.Is(last[0].Err, requests.ErrRetry) {
		t.Errorf("%d results, then %+v", len(all), last)
	}
}
