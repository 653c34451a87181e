package otel_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/adapters/adaptertest"
	"github.com/mountable/requests/adapters/otel"
	"github.com/mountable/requests/internal/wiretest"
)

func TestMain(m *testing.M) { wiretest.Main(m) }

// telemetry is the SDK with what it is told kept in memory.
type telemetry struct {
	spans  *tracetest.InMemoryExporter
	tracer *sdktrace.TracerProvider
	reader *sdkmetric.ManualReader
	meter  *sdkmetric.MeterProvider
}

func newTelemetry() *telemetry {
	t := &telemetry{spans: tracetest.NewInMemoryExporter(), reader: sdkmetric.NewManualReader()}
	t.tracer = sdktrace.NewTracerProvider(sdktrace.WithSyncer(t.spans))
	t.meter = sdkmetric.NewMeterProvider(sdkmetric.WithReader(t.reader))
	return t
}

func (t *telemetry) wrap(a requests.Adapter) requests.Adapter {
	return otel.Instrument(otel.TracerProvider(t.tracer), otel.MeterProvider(t.meter), otel.Propagator(propagation.TraceContext{}))(a)
}

// ended describes the spans that have ended, and forgets them.
func (t *telemetry) ended() []string {
	names := map[string]string{}
	stubs := t.spans.GetSpans()
	for _, s := range stubs {
		names[s.SpanContext.SpanID().String()] = s.Name
	}
	var list []string
	for _, s := range stubs {
		text := s.Name + " (" + s.SpanKind.String() + ")" + attributes(s.Attributes) + " " + s.Status.Code.String()
		if s.Parent.IsValid() {
			text += " below " + names[s.Parent.SpanID().String()]
		}
		list = append(list, text)
	}
	t.spans.Reset()
	return list
}

// attributes lists all but those that vary from run to run.
func attributes(list []attribute.KeyValue) string {
	var b strings.Builder
	for _, kv := range list {
		if key := string(kv.Key); key != "server.port" && key != "network.peer.port" && key != "url.full" {
			fmt.Fprintf(&b, " %s=%s", strings.TrimPrefix(key, "http."), kv.Value.String())
		}
	}
	return b.String()
}

// durations describes the points of the metric.
func (t *telemetry) durations(tb testing.TB) []string {
	tb.Helper()
	var data metricdata.ResourceMetrics
	if err := t.reader.Collect(tb.Context(), &data); err != nil {
		tb.Fatal(err)
	}
	var list []string
	for _, scope := range data.ScopeMetrics {
		for _, m := range scope.Metrics {
			for _, point := range m.Data.(metricdata.Histogram[float64]).DataPoints {
				list = append(list, fmt.Sprintf("%s %s %d:%s", m.Name, m.Unit, point.Count, attributes(point.Attributes.ToSlice())))
			}
		}
	}
	return list
}

func session(a requests.Adapter) *requests.Session {
	s := requests.NewSession()
	s.Mount("http://", a)
	return s
}

const common = "request.method=GET server.address=127.0.0.1"

// TestSpans: a span a hop and an attempt, and one metric.
func TestSpans(t *testing.T) {
	server := wiretest.Start(t, wiretest.Config{Handler: func(r *wiretest.Request) wiretest.Reply {
		switch r.Target {
		case "/redirect":
			return wiretest.Text(302, "", [2]string{"Location", "/"})
		case "/cut":
			return wiretest.Send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc").ThenClose()
		case "/none":
			return wiretest.Text(404, "no")
		}
		return wiretest.Text(200, "ok")
	}})
	for _, c := range []struct {
		path string
		want []string
	}{
		{"/", []string{"GET (client) " + common + " response.status_code=200 network.protocol.version=1.1 network.peer.address=127.0.0.1 Unset"}},
		{"/redirect", []string{
			"GET (client) " + common + " response.status_code=302 network.protocol.version=1.1 network.peer.address=127.0.0.1 Unset",
			"GET (client) " + common + " response.status_code=200 network.protocol.version=1.1 network.peer.address=127.0.0.1 Unset"}},
		{"/none", []string{"GET (client) " + common + " response.status_code=404 network.protocol.version=1.1 network.peer.address=127.0.0.1 error.type=404 Error"}},
		{"/cut", []string{"GET (client) " + common + " response.status_code=200 network.protocol.version=1.1 network.peer.address=127.0.0.1 error.type=incomplete_body Error"}},
	} {
		tel := newTelemetry()
		s := session(tel.wrap(requests.NewHTTPAdapter()))
		_, err := s.Get(t.Context(), server.URL(c.path))
		s.Close()
		if (err != nil) != (c.path == "/cut") {
			t.Error(err)
		}
		if diff := cmp.Diff(c.want, tel.ended()); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.path, diff)
		}
	}
}

// TestAttempts: where there were several, each has a span below that of the hop.
func TestAttempts(t *testing.T) {
	server := wiretest.Origin(t, wiretest.Text(503, "wait", [2]string{"Connection", "close"}).ThenClose(), wiretest.Drop(), wiretest.Text(200, "ok"))
	tel := newTelemetry()
	s := session(tel.wrap(requests.NewHTTPAdapter(requests.Retries(requests.Retry{Total: 3, StatusForcelist: []int{503}}))))
	defer s.Close()
	if _, err := s.Get(t.Context(), server.URL("/")); err != nil {
		t.Fatal(err)
	}
	got := tel.ended()
	want := []string{
		"attempt 1 (internal) response.status_code=503 error.type=503 Error below GET",
		"attempt 2 (internal) request.resend_count=1 error.type=connection_error Error below GET",
		"attempt 3 (internal) request.resend_count=2 Unset below GET",
		"GET (client) " + common + " request.resend_count=2 response.status_code=200 network.protocol.version=1.1 network.peer.address=127.0.0.1 Unset",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestFailure: an error has its kind, and attempts that came to nothing theirs.
func TestFailure(t *testing.T) {
	tel := newTelemetry()
	s := session(tel.wrap(requests.NewHTTPAdapter(requests.MaxRetries(1))))
	defer s.Close()
	if _, err := s.Get(t.Context(), "http://"+wiretest.Closed(t)); !errors.Is(err, requests.ErrConnect) {
		t.Fatal(err)
	}
	want := []string{
		"attempt 1 (internal) error.type=no_connection Error below GET",
		"attempt 2 (internal) request.resend_count=1 error.type=no_connection Error below GET",
		"GET (client) " + common + " request.resend_count=1 error.type=no_connection Error",
	}
	if diff := cmp.Diff(want, tel.ended()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{"http.client.request.duration s 1: error.type=no_connection request.method=GET server.address=127.0.0.1"}, tel.durations(t)); diff != "" {
		t.Errorf("metric (-want +got)\n%s", diff)
	}
}

// TestStream: the span of a response that is streamed ends with its body, and the context of
// the span has been sent.
func TestStream(t *testing.T) {
	server := wiretest.Origin(t, wiretest.Text(200, "hello"))
	tel := newTelemetry()
	s := session(tel.wrap(requests.NewHTTPAdapter()))
	defer s.Close()
	ctx, outer := tel.tracer.Tracer("test").Start(t.Context(), "outer")
	r, err := s.Get(ctx, server.URL("/?token=hidden"), requests.Stream(true))
	if err != nil {
		t.Fatal(err)
	}
	if n := len(tel.spans.GetSpans()); n != 0 {
		t.Errorf("%d spans have ended before the body", n)
	}
	if _, err := r.Content(); err != nil {
		t.Fatal(err)
	}
	spans := tel.spans.GetSpans()
	if len(spans) != 1 {
		t.Fatalf("%d spans have ended with the body", len(spans))
	}
	span := spans[0]
	want := fmt.Sprintf("00-%s-%s-01", outer.SpanContext().TraceID(), span.SpanContext.SpanID())
	sent := server.Requests()[0]
	if diff := cmp.Diff(want, sent.Get("traceparent")); diff != "" {
		t.Errorf("traceparent (-want +got)\n%s", diff)
	}
	for _, kv := range span.Attributes {
		if strings.Contains(kv.Value.String(), "hidden") {
			t.Errorf("%s shows the secret: %s", kv.Key, kv.Value.String())
		}
	}
	if r.Request.Headers.Has("traceparent") {
		t.Error("the request of the response is not the caller's")
	}
}

// TestPanic: a panic ends the span, and is the caller's.
func TestPanic(t *testing.T) {
	tel := newTelemetry()
	a := tel.wrap(requests.AdapterFunc(func(context.Context, *requests.PreparedRequest, requests.SendOptions) (*requests.Response, error) {
		panic("mine")
	}))
	defer func() {
		if v := recover(); v != "mine" || len(tel.ended()) != 1 {
			t.Errorf("recovered %v", v)
		}
	}()
	p, err := (&requests.Request{Method: "FROB", URL: "http://h.test/"}).Prepare()
	if err != nil {
		t.Fatal(err)
	}
	_, _ = a.Send(t.Context(), p, requests.SendOptions{})
}

// broken are tracers whose spans panic where they are told a status.
type broken struct{ noop.TracerProvider }

func (b broken) Tracer(string, ...trace.TracerOption) trace.Tracer { return brokenTracer{} }

type brokenTracer struct{ noop.Tracer }

func (brokenTracer) Start(ctx context.Context, _ string, _ ...trace.SpanStartOption) (context.Context, trace.Span) {
	return ctx, brokenSpan{}
}

type brokenSpan struct{ noop.Span }

func (brokenSpan) SetAttributes(list ...attribute.KeyValue) {
	for _, kv := range list {
		if kv.Key == "http.response.status_code" {
			panic("the tracer's")
		}
	}
}

// TestRule53TracerPanics: a panic of a tracer is the caller's, and the connection is free.
func TestRule53TracerPanics(t *testing.T) {
	server := wiretest.Start(t, wiretest.Config{Handler: func(*wiretest.Request) wiretest.Reply { return wiretest.Text(200, "hello") }})
	base := requests.NewHTTPAdapter()
	s := session(otel.Instrument(otel.TracerProvider(broken{}))(base))
	defer s.Close()
	defer func() {
		if v := recover(); v != "the tracer's" || base.Stats().InUse != 0 {
			t.Errorf("recovered %v, %+v", v, base.Stats())
		}
	}()
	_, err := s.Get(t.Context(), server.URL("/"), requests.Stream(true))
	t.Errorf("no panic, %v", err)
}

// TestUnread: the span of a response that nobody reads or closes ends with its context, and that of
// one whose hook panics with the panic.
func TestUnread(t *testing.T) {
	server := wiretest.Start(t, wiretest.Config{Handler: func(*wiretest.Request) wiretest.Reply { return wiretest.Text(200, "hello") }})
	tel := newTelemetry()
	ended := make(chan []string)
	tel.tracer.RegisterSpanProcessor(ending{func() { ended <- tel.ended() }})
	s := session(tel.wrap(requests.NewHTTPAdapter()))
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := s.Get(ctx, server.URL("/"), requests.Stream(true))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if got := <-ended; len(got) != 1 || !strings.Contains(got[0], "error.type=canceled") {
		t.Errorf("spans ended: %q", got)
	}
	r.Close()

	go func() {
		defer func() { _ = recover() }()
		_, _ = s.Get(t.Context(), server.URL("/"), requests.Stream(true), requests.ReplaceHooks(func(context.Context, *requests.Response) (*requests.Response, error) {
			panic("mine")
		}))
	}()
	if got := <-ended; len(got) != 1 {
		t.Errorf("spans ended: %q", got)
	}
}

// ending calls a function when a span has ended.
type ending struct{ f func() }

func (e ending) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (e ending) OnEnd(sdktrace.ReadOnlySpan)                     { e.f() }
func (e ending) Shutdown(context.Context) error                  { return nil }
func (e ending) ForceFlush(context.Context) error                { return nil }

// TestPropagation: what the caller has set is sent as it is, and nothing that belongs to another trace
// beside it.
func TestPropagation(t *testing.T) {
	const theirs = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	state, err := trace.ParseTraceState("vendor=1")
	if err != nil {
		t.Fatal(err)
	}
	outer := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{1}, TraceFlags: trace.FlagsSampled, TraceState: state})
	for _, c := range []struct {
		given requests.Headers
		want  []string // traceparent, if it is the caller's, and tracestate
	}{
		{nil, []string{"", "vendor=1"}},
		{requests.Headers{{"Traceparent", theirs}}, []string{theirs, ""}},
		{requests.Headers{{"TRACEPARENT", theirs}, {"tracestate", "mine=1"}}, []string{theirs, "mine=1"}},
	} {
		var got []string
		a := newTelemetry().wrap(requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
			parents := p.Headers.Values("traceparent")
			if len(parents) != 1 {
				t.Errorf("traceparent: %q", parents)
			}
			if got = []string{"", p.Headers.Get("tracestate")}; parents[0] == theirs {
				got[0] = theirs
			}
			return requests.NewResponse(p, 200, nil, nil), nil
		}))
		p, err := (&requests.Request{URL: "http://h.test/", Headers: c.given}).Prepare()
		if err != nil {
			t.Fatal(err)
		}
		before := p.Headers.Clone()
		if _, err := a.Send(trace.ContextWithSpanContext(t.Context(), outer), p, requests.SendOptions{}); err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" || !cmp.Equal(before, p.Headers) {
			t.Errorf("%v (-want +got)\n%s", c.given, diff)
		}
	}
}

// TestSecrets: no attribute and no description has one.
func TestSecrets(t *testing.T) {
	for _, url := range []string{
		"http://ada:hidden@h.test/", "http://h.test/?sig=hidden", "http://h.test/?Signature=hidden", "http://h.test/?X-Goog-Signature=hidden",
		"http://h.test/?AWSAccessKeyId=hidden", "http://h.test/?a=1&access_token=hidden&b=2", "http://h.test/?api_key=hidden#token=hidden",
	} {
		tel := newTelemetry()
		a := tel.wrap(requests.AdapterFunc(func(context.Context, *requests.PreparedRequest, requests.SendOptions) (*requests.Response, error) {
			return nil, fmt.Errorf("cannot get %s", url)
		}))
		_, err := a.Send(t.Context(), &requests.PreparedRequest{Method: "FROB", URL: url}, requests.SendOptions{})
		if err == nil {
			t.Fatal("no error")
		}
		span := tel.spans.GetSpans()[0]
		text := fmt.Sprint(span.Attributes, span.Status)
		if strings.Contains(text, "hidden") || !strings.Contains(text, "h.test") || !strings.Contains(text, "method_original") {
			t.Errorf("%s: %s", url, text)
		}
	}
}

// TestContract: an instrumented adapter is an adapter.
func TestContract(t *testing.T) {
	adaptertest.Run(t, func(t *testing.T, h http.Handler) (requests.Adapter, string) {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		return otel.Instrument()(requests.NewHTTPAdapter()), server.URL
	})
}

// Spans go to the SDK's exporter, here one in memory.
func ExampleInstrument() {
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	api := adapters.Handler(http.NotFoundHandler())
	s := requests.NewSession()
	defer s.Close()
	s.Mount("https://", otel.Instrument(otel.TracerProvider(provider))(api))
	if _, err := s.Get(context.Background(), "https://api.example.com/users"); err != nil {
		fmt.Println(err)
	}
	for _, span := range spans.GetSpans() {
		fmt.Println(span.Name, span.SpanKind, span.Status.Code)
	}
	// Output: GET client Error
}
