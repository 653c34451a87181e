// Package otel reports requests to OpenTelemetry: a span for each hop and, where it was tried more
// than once, for each attempt, and the duration as a metric, by the semantic conventions for HTTP
// clients. The context of the span is sent along.
//
//	s.Mount("https://", otel.Instrument()(requests.NewHTTPAdapter()))
//
// What is told:
//
//	span, of kind client              name: the method; http.request.method, url.full, server.address,
//	                                  http.request.method_original of a method that nobody knows,
//	                                  server.port, http.response.status_code, network.protocol.version,
//	                                  network.peer.address and .port, error.type, and
//	                                  http.request.resend_count where attempts were made again
//	span below it, for each attempt   name: attempt 1, 2, …; http.response.status_code, error.type,
//	                                  http.request.resend_count; only of an adapter that makes
//	                                  several, such as one with [requests.Retries]
//	http.client.request.duration      histogram in seconds, until the body has ended
//
// A span ends when the body has been read or closed, when the call's context ends, and when the
// adapter panics. Secrets of the URL are masked, also in errors; no header and no body is recorded.
// Header fields of the propagator that the caller has set are sent as they are.
package otel

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/secret"
	"github.com/mountable/requests/internal/wire"
)

// Option configures the instrumentation.
type Option func(*settings)

type settings struct {
	tracers    trace.TracerProvider
	meters     metric.MeterProvider
	propagator propagation.TextMapPropagator
}

// TracerProvider makes the spans; the global one by default.
func TracerProvider(p trace.TracerProvider) Option {
	return func(s *settings) { s.tracers = cmp.Or(p, s.tracers) }
}

// MeterProvider makes the metric; the global one by default.
func MeterProvider(p metric.MeterProvider) Option {
	return func(s *settings) { s.meters = cmp.Or(p, s.meters) }
}

// Propagator writes the context of a span into the header; the global one by default, which
// writes nothing unless the program has set one.
func Propagator(p propagation.TextMapPropagator) Option {
	return func(s *settings) {
		if p != nil {
			s.propagator = p
		}
	}
}

const scope = "github.com/mountable/requests/adapters/otel"

// Instrument wraps adapters.
func Instrument(options ...Option) requests.Wrapper {
	s := settings{tracers: otel.GetTracerProvider(), meters: otel.GetMeterProvider(), propagator: otel.GetTextMapPropagator()}
	for _, o := range options {
		o(&s)
	}
	duration, err := s.meters.Meter(scope).Float64Histogram("http.client.request.duration", metric.WithUnit("s"),
		metric.WithDescription("Duration of HTTP client requests."),
		metric.WithExplicitBucketBoundaries(.005, .01, .025, .05, .075, .1, .25, .5, .75, 1, 2.5, 5, 7.5, 10))
	if err != nil {
		otel.Handle(err)
	}
	tracer := s.tracers.Tracer(scope)
	return func(base requests.Adapter) requests.Adapter {
		return &instrumented{base, tracer, duration, s.propagator}
	}
}

type instrumented struct {
	requests.Adapter
	tracer     trace.Tracer
	duration   metric.Float64Histogram
	propagator propagation.TextMapPropagator
}

// CloseIdle passes on.
func (a *instrumented) CloseIdle() {
	if c, ok := a.Adapter.(interface{ CloseIdle() }); ok {
		c.CloseIdle()
	}
}

// Send implements [requests.Adapter].
func (a *instrumented) Send(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
	s := a.start(ctx, p)
	var r *requests.Response
	panicked := true
	defer func() {
		if panicked { // the adapter, or a tracer, which is the program's code as well
			closeBody(r)
			s.fail("panic", "the adapter panicked")
			s.end()
		}
	}()
	own := p.Clone()
	a.propagator.Inject(s.ctx, headerCarrier{&own.Headers, p.Headers})
	r, err := a.Adapter.Send(s.watch(s.ctx), own, opts)
	a.report(s, p, r, err)
	panicked = false
	return r, err
}

func closeBody(r *requests.Response) {
	if r != nil && r.Raw != nil {
		_ = r.Raw.Close()
	}
}

// report tells what has come of a hop.
func (a *instrumented) report(s *sent, p *requests.PreparedRequest, r *requests.Response, err error) {
	switch {
	case err != nil:
		s.attempts(historyOf(err), err)
		s.failBy(err)
		s.end()
	case r == nil:
		s.end()
	default:
		r.Request = p
		s.attempts(r.Attempts, nil)
		s.headed(r)
	}
}

// start begins the span of a hop.
func (a *instrumented) start(ctx context.Context, p *requests.PreparedRequest) *sent {
	s := &sent{adapter: a, began: time.Now(), attributes: requestAttributes(p)}
	s.ctx, s.span = a.tracer.Start(ctx, spanName(p.Method), trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(s.began),
		trace.WithAttributes(s.attributes...), trace.WithAttributes(attribute.String("url.full", fullURL(p.URL))))
	if !isKnown(p.Method) {
		s.span.SetAttributes(attribute.String("http.request.method_original", p.Method))
	}
	return s
}

// headerCarrier writes into the header of a request, and not over what its caller has set.
type headerCarrier struct {
	to    *requests.Headers
	given requests.Headers
}

// Get implements [propagation.TextMapCarrier], as Set and Keys do.
func (c headerCarrier) Get(key string) string { return c.to.Get(key) }

// Set leaves out tracestate, too, where the traceparent that it belongs to is the caller's.
func (c headerCarrier) Set(key, value string) {
	if c.given.Has(key) || ascii.EqualFold(key, "tracestate") && c.given.Has("traceparent") {
		return
	}
	c.to.Set(key, value)
}

func (c headerCarrier) Keys() []string {
	var keys []string
	for name := range c.to.All() {
		keys = append(keys, name)
	}
	return keys
}

// known are the methods that the conventions name.
const known = " GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH QUERY "

func isKnown(method string) bool { return strings.Contains(known, " "+method+" ") }

func spanName(method string) string {
	if isKnown(method) {
		return method
	}
	return "HTTP"
}

// requestAttributes are those of span and metric.
func requestAttributes(p *requests.PreparedRequest) []attribute.KeyValue {
	list := make([]attribute.KeyValue, 0, 8)
	if isKnown(p.Method) {
		list = append(list, attribute.String("http.request.method", p.Method))
	} else {
		list = append(list, attribute.String("http.request.method", "_OTHER"))
	}
	u, err := url.Parse(p.URL)
	if err != nil {
		return list
	}
	list = append(list, attribute.String("server.address", u.Hostname()))
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		port = map[string]int{"http": 80, "https": 443}[u.Scheme]
	}
	if port > 0 {
		list = append(list, attribute.Int("server.port", port))
	}
	return list
}

// fullURL is the URL, its secrets masked and without fragment.
func fullURL(raw string) string {
	raw, _, _ = strings.Cut(raw, "#")
	return secret.URL(raw)
}

// errorType is the name of an error's kind, "read_timeout" for example.
func errorType(err error) string {
	if e, ok := errors.AsType[*requests.Error](err); ok {
		return strings.ReplaceAll(e.Kind.Error(), " ", "_")
	}
	return "_OTHER"
}

// sent is one hop.
type sent struct {
	adapter *instrumented
	ctx     context.Context
	span    trace.Span
	began   time.Time

	// mu protects the fields below: a body may be closed, or its context end, while it is read.
	mu         sync.Mutex
	ended      bool
	unwatch    func() bool          // of the context, once there is a body
	attributes []attribute.KeyValue // of the metric
	tries      []time.Time          // when each attempt began
}

// headed notes the head of the response; the span ends with its body.
func (s *sent) headed(r *requests.Response) {
	s.note(attribute.Int("http.response.status_code", r.StatusCode))
	if _, version, ok := strings.Cut(r.Proto, "/"); ok {
		s.note(attribute.String("network.protocol.version", strings.TrimSuffix(version, ".0")))
	}
	if remote := r.Timing().Remote; remote != nil {
		s.span.SetAttributes(peer(remote)...)
	}
	if r.StatusCode >= 400 {
		s.fail(strconv.Itoa(r.StatusCode), "")
	}
	s.endWith(r)
}

// endWith ends s when the body of r has ended: read, failed or closed, or with the context that it
// needs. A connection that has left HTTP is not part of it.
func (s *sent) endWith(r *requests.Response) {
	if _, left := r.Conn(); r.Raw == nil || left {
		s.end()
		return
	}
	s.mu.Lock()
	s.unwatch = context.AfterFunc(s.ctx, func() {
		s.failBy(requests.CarrierError(nil, context.Cause(s.ctx)))
		s.end()
	})
	s.mu.Unlock()
	r.Raw = wire.OnEnd(r.Raw, func(how error) {
		if how != io.EOF && how != wire.ErrClosed {
			s.failBy(requests.CarrierError(nil, how))
		}
		s.end()
	})
}

// peer is the other end of the connection.
func peer(a net.Addr) []attribute.KeyValue {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return []attribute.KeyValue{attribute.String("network.peer.address", a.String())}
	}
	n, _ := strconv.Atoi(port)
	return []attribute.KeyValue{attribute.String("network.peer.address", host), attribute.Int("network.peer.port", n)}
}

// note is for span and metric. After the end it changes nothing.
func (s *sent) note(kv attribute.KeyValue) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.span.SetAttributes(kv)
		s.attributes = append(s.attributes, kv)
	}
}

func (s *sent) fail(kind, description string) {
	s.note(attribute.String("error.type", kind))
	s.span.SetStatus(codes.Error, description)
}

func (s *sent) failBy(err error) { s.fail(errorType(err), errorText(err)) }

// errorText is what an error says, secrets masked: another adapter's may have some.
func errorText(err error) string { return secret.Default().Text(err.Error()) }

// end ends the span, once.
func (s *sent) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	if s.ended = true; s.unwatch != nil {
		s.unwatch()
	}
	now := time.Now()
	s.span.End(trace.WithTimestamp(now))
	s.adapter.duration.Record(s.ctx, now.Sub(s.began).Seconds(), metric.WithAttributes(s.attributes...))
}
