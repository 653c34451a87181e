// Command telemetry fetches a URL and prints its spans: one for each hop and attempt.
//
//	telemetry https://example.com/
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters/otel"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: telemetry URL")
	}
	if err := run(context.Background(), os.Args[1], os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, url string, out io.Writer) error {
	spans := tracetest.NewInMemoryExporter() // a program has OTLP's here
	provider := trace.NewTracerProvider(trace.WithSyncer(spans))
	defer func() { _ = provider.Shutdown(ctx) }()

	s := requests.NewSession()
	defer s.Close()
	instrument := otel.Instrument(otel.TracerProvider(provider), otel.Propagator(propagation.TraceContext{}))
	adapter := instrument(requests.NewHTTPAdapter(requests.Retries(requests.Retry{Total: 2, StatusForcelist: []int{503}})))
	s.Mount("https://", adapter)
	s.Mount("http://", adapter)

	ctx, root := provider.Tracer("telemetry").Start(ctx, "fetch")
	r, err := s.Get(ctx, url)
	root.End()
	if err != nil {
		return err
	}
	fmt.Fprintln(out, r.StatusCode)
	for _, span := range spans.GetSpans() {
		fmt.Fprintln(out, span.Name, span.SpanKind)
	}
	return nil
}
