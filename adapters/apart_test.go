package adapters_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

// tenBytes answers with a body of ten bytes and a field of its own.
func tenBytes() requests.Adapter {
	return requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		return requests.NewResponse(p, 200, requests.Headers{{"X-A", "the server's"}}, io.NopCloser(strings.NewReader("0123456789"))), nil
	})
}

// TestCassetteTakesTheServers: what a hook makes of a response before its body has come is the
// hook's, and not recorded.
func TestCassetteTakesTheServers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tape.json")
	s := tapedSession(t, path, adapters.RecordAll, tenBytes())
	s.OnResponse(func(_ context.Context, r *requests.Response) (*requests.Response, error) {
		r.Headers.Set("X-A", "the hook's")
		return nil, nil
	})
	if _, err := s.Get(t.Context(), "http://h.test/"); err != nil {
		t.Fatal(err)
	}
	r, err := tapedSession(t, path, adapters.RecordNone, tenBytes()).Get(t.Context(), "http://h.test/")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("the server's", r.Headers.Get("X-A")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestCassetteLongBodies: a body beyond the limit is read as ever, and neither kept nor recorded.
func TestCassetteLongBodies(t *testing.T) {
	got := map[int64]bool{}
	for _, limit := range []int64{9, 10, 11} {
		path := filepath.Join(t.TempDir(), "tape.json")
		s := tapedSession(t, path, adapters.RecordAll, tenBytes())
		r, err := s.Get(t.Context(), "http://h.test/", requests.Stream(true), requests.Limits{MaxBody: limit})
		if err != nil {
			t.Fatal(err)
		}
		if text, err := io.ReadAll(r.Raw); err != nil || string(text) != "0123456789" {
			t.Errorf("%d: %s, %v", limit, text, err)
		}
		_, err = adapters.Cassette(path, adapters.RecordNone)
		got[limit] = err == nil
	}
	if diff := cmp.Diff(map[int64]bool{9: false, 10: true, 11: true}, got); diff != "" {
		t.Errorf("recorded (-want +got)\n%s", diff)
	}
}

// TestTrailersAreApart: who changes the trailers of one response changes those of no other.
func TestTrailersAreApart(t *testing.T) {
	m := adapters.NewMock()
	m.On("GET", "http://h.test/").Reply(adapters.Reply{Text: "body", Trailers: requests.Headers{{"X-Sum", "1"}}})
	s := requests.NewSession()
	s.Mount("http://", m)
	for range 2 {
		r, err := s.Get(t.Context(), "http://h.test/")
		if err != nil {
			t.Fatal(err)
		}
		trailers := r.Trailers()
		if diff := cmp.Diff("1", trailers.Get("X-Sum")); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		trailers.Set("X-Sum", "mine")
	}
}

// TestHedgeInterim: the try that nobody waits for tells the caller nothing any more.
func TestHedgeInterim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tries atomic.Int32
		late := make(chan error, 1)
		a := adapters.Hedge(time.Second)(requests.AdapterFunc(func(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
			if tries.Add(1) == 2 {
				return requests.NewResponse(p, 200, nil, nil), opts.Interim(103, nil)
			}
			<-ctx.Done()
			time.Sleep(time.Second) // on the bubble's clock, until Send has returned
			late <- opts.Interim(103, nil)
			return nil, ctx.Err()
		}))
		told := 0
		if _, err := a.Send(t.Context(), get("http://h.test/"), requests.SendOptions{Interim: func(int, requests.Headers) error { told++; return nil }}); err != nil {
			t.Fatal(err)
		}
		if err := <-late; !errors.Is(err, context.Canceled) || told != 1 {
			t.Errorf("told %d times, and then %v", told, err)
		}
	})
}

// TestDNSOverHTTPSAliases: an answer counts no longer than the alias that leads to it.
func TestDNSOverHTTPSAliases(t *testing.T) {
	s, url, asked := dnsServer(t, func(_ dnsmessage.Question, m *dnsmessage.Message) {
		m.Answers = []dnsmessage.Resource{
			resource("a.test.", 0, &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName("b.test.")}),
			resource("b.test.", 300, &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}}),
		}
	})
	resolver, err := adapters.DNSOverHTTPS(s, url)
	if err != nil {
		t.Fatal(err)
	}
	cached := &adapters.DNSCache{Resolver: resolver}
	for range 2 {
		if _, err := cached.LookupNetIP(t.Context(), "ip4", "a.test"); err != nil {
			t.Fatal(err)
		}
	}
	if got := asked.Load(); got != 2 {
		t.Errorf("asked %d times", got)
	}
}

// TestHedgeRequest: the caller may change its request when Send has returned, though the try that
// has lost is not over.
func TestHedgeRequest(t *testing.T) {
	lost, changed := make(chan string, 1), make(chan struct{})
	var tries atomic.Int32
	a := adapters.Hedge(time.Nanosecond)(requests.AdapterFunc(func(ctx context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		if tries.Add(1) == 2 {
			return requests.NewResponse(p, 200, nil, nil), nil
		}
		<-ctx.Done()
		<-changed
		lost <- p.Headers.Get("X-A")
		return nil, &requests.Error{Kind: requests.ErrCanceled, Request: p, Err: ctx.Err()}
	}))
	p := get("http://h.test/")
	p.Headers.Set("X-A", "sent")
	r, err := a.Send(t.Context(), p, requests.SendOptions{})
	if err != nil || r.Request != p {
		t.Fatalf("%v, %v", r, err)
	}
	p.Headers.Set("X-A", "changed")
	close(changed)
	if diff := cmp.Diff("sent", <-lost); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestHedgeFailure: an error names the caller's request, and trailers are made once.
func TestHedgeFailure(t *testing.T) {
	var tries atomic.Int32
	both := make(chan struct{})
	a := adapters.Hedge(time.Nanosecond)(requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		switch tries.Add(1) {
		case 1:
			<-both
		case 2:
			close(both)
		}
		return nil, &requests.Error{Kind: requests.ErrConnection, Request: p}
	}))
	p := get("http://h.test/")
	_, err := a.Send(t.Context(), p, requests.SendOptions{})
	if e, ok := errors.AsType[*requests.Error](err); !ok || e.Request != p || tries.Load() != 2 {
		t.Errorf("%v after %d", err, tries.Load())
	}
	p = get("http://h.test/")
	p.Trailers = func() requests.Headers { return nil }
	if _, err := a.Send(t.Context(), p, requests.SendOptions{}); err == nil || tries.Load() != 3 {
		t.Errorf("%v after %d", err, tries.Load())
	}
}

// TestCarriersPanic: where a RoundTripper, or what is told of interim responses, panics, nothing of
// the send goes on: its context has ended, and so have the body and the handler.
func TestCarriersPanic(t *testing.T) {
	const thePanic = "the caller's code"
	ended := func(adapter requests.Adapter, body any, opts requests.SendOptions, over <-chan struct{}) {
		t.Helper()
		p, err := (&requests.Request{Method: "POST", URL: "http://h.test/", Body: body}).Prepare()
		if err != nil {
			t.Fatal(err)
		}
		if got := panicOf(func() { _, _ = adapter.Send(t.Context(), p, opts) }); got != thePanic {
			t.Errorf("panic %v", got)
		}
		<-over
	}
	contexts, bodies := make(chan struct{}), make(chan struct{})
	ended(adapters.RoundTripper(roundTrip(func(r *http.Request) (*http.Response, error) {
		context.AfterFunc(r.Context(), func() { close(contexts) })
		_, _ = r.Body.Read(make([]byte, 1))
		panic(thePanic)
	})), iter.Seq[[]byte](func(yield func([]byte) bool) {
		defer close(bodies)
		for yield([]byte("x")) {
		}
	}), requests.SendOptions{}, bodies)
	<-contexts
	handled := make(chan struct{})
	ended(adapters.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer close(handled)
		w.WriteHeader(103)
		w.WriteHeader(200)
		<-r.Context().Done()
	})), nil, requests.SendOptions{Interim: func(int, requests.Headers) error { panic(thePanic) }}, handled)
}

// TestAsIsElsewhere: what is not to be changed is not changed by net/http either, or is an error.
func TestAsIsElsewhere(t *testing.T) {
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.RequestURI) })
	server := httptest.NewServer(echo)
	defer server.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	const refused = "invalid URL"
	for target, handled := range map[string]string{
		"/a/../b": "", "/%41?q=[1]|": "", "/\"<>^`\\{|}?\"": "", "/é": "", "//x/../y?": "", "/?": "", "/": "", "/%zz": refused, "//x/\"": "",
	} {
		for name, a := range map[string]requests.Adapter{"RoundTripper": adapters.RoundTripper(transport), "Handler": adapters.Handler(echo)} {
			want := target
			if name == "Handler" && handled != "" || name == "RoundTripper" && target == "//x/\"" {
				want = refused
			}
			if name == "RoundTripper" && target == "/%zz" {
				want = "400 Bad Request" // the server's view of it
			}
			got := refused
			s := requests.NewSession()
			s.Mount("http://", a)
			if r, err := s.Get(t.Context(), "", requests.AsIs(server.URL+target)); err == nil {
				got, _ = r.Text()
			} else if !errors.Is(err, requests.ErrInvalidURL) {
				t.Error(err)
			}
			if s.Close(); got != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
		}
	}
}

// TestBodyPanicsElsewhere: a body that panics on a goroutine of net/http, or of a handler, panics for the caller.
func TestBodyPanicsElsewhere(t *testing.T) {
	const thePanic = "the caller's code"
	reading := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	server := httptest.NewServer(reading)
	defer server.Close()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	panicking := iter.Seq[string](func(yield func(string) bool) {
		yield("x")
		panic(thePanic)
	})
	trailers := func() requests.Headers { panic(thePanic) }
	for name, a := range map[string]requests.Adapter{"RoundTripper": adapters.RoundTripper(transport), "Handler": adapters.Handler(reading)} {
		for _, r := range []*requests.Request{
			{Method: "POST", URL: server.URL, Body: panicking}, {Method: "POST", URL: server.URL, Body: "x", Trailers: trailers, Headers: requests.Headers{{"Trailer", "X-Sum"}}},
		} {
			if name == "Handler" && r.Trailers != nil {
				continue // it has none
			}
			p, err := r.Prepare()
			if err != nil {
				t.Fatal(err)
			}
			if got := panicOf(func() { _, err = a.Send(t.Context(), p, requests.SendOptions{}) }); got != thePanic {
				t.Errorf("%s: panic %v, %v", name, got, err)
			}
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
