package interop

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/contrib/instrumentation/net/http/httptrace/otelhttptrace"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel/propagation"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// TestOpenTelemetry instruments a transport, and a request with otelhttptrace: the spans are
// those of http.Transport, and the server sees the trace's header.
func TestOpenTelemetry(t *testing.T) {
	seen := func() http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			fmt.Fprint(w, r.Header.Get("Traceparent") != "", string(body))
		})
	}
	for _, protocol := range []string{"h1", "tls", "h2"} {
		t.Run(protocol, func(t *testing.T) {
			sameOver(t, protocol, seen, func(t *testing.T, rt http.RoundTripper, base string) any {
				recorder := tracetest.NewSpanRecorder()
				provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
				client := &http.Client{Transport: otelhttp.NewTransport(rt, otelhttp.WithTracerProvider(provider), otelhttp.WithPropagators(propagation.TraceContext{}),
					otelhttp.WithClientTrace(func(ctx context.Context) *httptrace.ClientTrace {
						return otelhttptrace.NewClientTrace(ctx, otelhttptrace.WithTracerProvider(provider))
					}))}
				var out []string
				for range 2 {
					resp, err := client.Do(get(t, "POST", base+"/x", strings.NewReader("body")).WithContext(limited(t)))
					if err != nil {
						return err
					}
					text, err := io.ReadAll(resp.Body)
					resp.Body.Close()
					out = append(out, fmt.Sprint(resp.StatusCode, string(text), err))
				}
				var spans []string
				for _, span := range recorder.Ended() {
					spans = append(spans, fmt.Sprint(span.Name(), " ", span.SpanKind(), " ", span.Status().Code))
				}
				slices.Sort(spans)
				return append(out, slices.Compact(spans)...) // a body may be told to be sent after its response has come
			})
		})
	}
}
