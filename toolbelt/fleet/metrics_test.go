package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// measured collects what there is: sums, the last values, and how much a histogram counted, less than
// nothing if its seconds cannot be.
func measured(t *testing.T, reader *sdk.ManualReader, began time.Time) map[string]int64 {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &all); err != nil {
		t.Errorf("a collection: %v", err)
	}
	got := map[string]int64{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			points(m, time.Since(began), func(of string, n int64) { got[m.Name+" "+m.Unit+of] = n })
		}
	}
	return got
}

func points(m metricdata.Metrics, longest time.Duration, add func(of string, n int64)) {
	of := func(s attribute.Set) string {
		text := strings.TrimSuffix(","+s.Encoded(attribute.DefaultEncoder()), ",fleet.name=fleet")
		return strings.ReplaceAll(text, ",", " ")
	}
	switch data := m.Data.(type) {
	case metricdata.Gauge[int64]:
		for _, p := range data.DataPoints {
			add(of(p.Attributes), p.Value)
		}
	case metricdata.Sum[int64]:
		for _, p := range data.DataPoints {
			add(of(p.Attributes), p.Value)
		}
	case metricdata.Histogram[float64]:
		for _, p := range data.DataPoints {
			n := int64(p.Count)
			if p.Sum <= 0 || p.Sum > longest.Seconds()*float64(n) {
				n = -n
			}
			add(of(p.Attributes), n)
		}
	}
}

// counting knows how many callbacks are registered.
type counting struct {
	metric.MeterProvider
	callbacks *atomic.Int64
}

func (c counting) Meter(name string, options ...metric.MeterOption) metric.Meter {
	return countingMeter{c.MeterProvider.Meter(name, options...), c.callbacks}
}

type countingMeter struct {
	metric.Meter
	callbacks *atomic.Int64
}

func (c countingMeter) RegisterCallback(f metric.Callback, of ...metric.Observable) (metric.Registration, error) {
	c.callbacks.Add(1)
	r, err := c.Meter.RegisterCallback(f, of...)
	return countingRegistration{r, c.callbacks}, err
}

type countingRegistration struct {
	metric.Registration
	callbacks *atomic.Int64
}

func (c countingRegistration) Unregister() error {
	c.callbacks.Add(-1)
	return c.Registration.Unregister()
}

// TestMetrics: one job is given back and sent again, two are done, one fails, one is disallowed.
func TestMetrics(t *testing.T) {
	wiretest.NoLeak(t)
	began := time.Now()
	begun, first := make(chan struct{}), make(chan struct{}, 1)
	first <- struct{}{}
	o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/robots.txt":
			io.WriteString(w, "User-agent: *\nDisallow: /private")
		case "/again":
			select {
			case <-first:
				close(begun)
				<-r.Context().Done()
			default:
			}
		}
	})
	reader, host := sdk.NewManualReader(), strings.TrimPrefix(o.URL, "http://")
	provider := counting{sdk.NewMeterProvider(sdk.WithReader(reader)), new(atomic.Int64)}
	f := open(t, Embedded(t.TempDir()), MeterProvider(provider), MetricHosts(strings.ToUpper(host)))
	s := session(t)
	s.Headers.Set("User-Agent", "crawler/1.0")
	s.Mount("http://", limit(t, f, 100, &grants{at: map[string][]time.Time{}})(requests.NewHTTPAdapter()))
	s.Mount(o.URL+"/private", robotsOf(t, f)(requests.NewHTTPAdapter()))
	enqueue(t, f, slices.Values([]*requests.Request{{URL: o.URL + "/again"}}), 1)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx, s) }()
	<-begun
	cancel()
	if err := <-ended; !errors.Is(err, requests.ErrCanceled) {
		t.Fatal(err)
	}
	refused := "http://" + wiretest.Closed(t) + "/"
	enqueue(t, f, slices.Values([]*requests.Request{{URL: o.URL + "/a"}, {URL: o.URL + "/b"}, {URL: refused}, {URL: o.URL + "/private"}}), 4)
	run(t, f, s, Tries(1))
	got := measured(t, reader, began)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	got["callbacks after Close"] = provider.callbacks.Load()
	waits := "fleet.rate_limit.wait.duration s"
	for _, of := range []string{" fleet.host=" + host, ""} { // a request that was late has waited again
		got[waits+of] = min(got[waits+of], map[bool]int64{true: 1, false: 4}[of == ""])
	}
	if diff := cmp.Diff(wantMetrics(" fleet.host="+host), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// wantMetrics are those of TestMetrics; at is the host that has an attribute.
func wantMetrics(at string) map[string]int64 {
	return map[string]int64{
		"fleet.jobs.waiting {job}":                           0,
		"fleet.jobs.running {job}":                           0,
		"fleet.jobs.done {job}":                              5,
		"fleet.jobs.failed {job}":                            2,
		"callbacks after Close":                              0,
		"fleet.jobs.enqueued {job}":                          5,
		"fleet.jobs.taken {job}":                             1,
		"fleet.jobs.taken {job}" + at:                        5,
		"fleet.jobs.redelivered {job}" + at:                  1,
		"fleet.results.stored {result}":                      1,
		"fleet.results.stored {result}" + at:                 4,
		"fleet.jobs.given_up {job} error.type=no_connection": 1,
		"fleet.jobs.given_up {job} error.type=denied" + at:   1,
		"fleet.jobs.disallowed {job}" + at:                   1,
		"fleet.job.queue.duration s":                         1,
		"fleet.job.queue.duration s" + at:                    4,
		"fleet.job.duration s error.type=no_connection":      1,
		"fleet.job.duration s error.type=denied" + at:        1,
		"fleet.job.duration s" + at:                          3,
		"fleet.rate_limit.grants {request}" + at:             4,
		"fleet.rate_limit.wait.duration s":                   1,
		"fleet.rate_limit.wait.duration s" + at:              4,
	}
}

// TestMetricsWithoutServer: a collection ends, without an error and with all but the gauges, when
// the server is gone, and at once when the fleet is closed.
func TestMetricsWithoutServer(t *testing.T) {
	wiretest.NoLeak(t)
	began := time.Now()
	one := open(t, Embedded(t.TempDir()))
	reader := sdk.NewManualReader()
	two := open(t, Connect(one.URL()), MeterProvider(sdk.NewMeterProvider(sdk.WithReader(reader))))
	enqueue(t, two, gets("http://h.example", 3), 3)
	if err := one.Close(); err != nil {
		t.Fatal(err)
	}
	want, asked := map[string]int64{"fleet.jobs.enqueued {job}": 3}, time.Now()
	if diff := cmp.Diff(want, measured(t, reader, began)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if took := time.Since(asked); took >= apiTimeout {
		t.Errorf("a collection took %v", took)
	}
	collected := make(chan map[string]int64, 1)
	go func() { collected <- measured(t, reader, began) }()
	if err := two.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, <-collected); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// refusing refuses one instrument.
type refusing struct{ noop.MeterProvider }

func (refusing) Meter(string, ...metric.MeterOption) metric.Meter { return refusingMeter{} }

type refusingMeter struct{ noop.Meter }

func (refusingMeter) Float64Histogram(string, ...metric.Float64HistogramOption) (metric.Float64Histogram, error) {
	return nil, errors.New("no histograms here")
}

func TestMetricsArguments(t *testing.T) {
	for name, o := range map[string]Option{"refused": MeterProvider(refusing{}), "empty": MetricHosts(""), "URL": MetricHosts("h.example", "http://u:p@h.example/")} {
		_, err := Open(t.Context(), Embedded(t.TempDir()), o)
		if !errors.Is(err, requests.ErrInvalidArgument) || strings.Contains(fmt.Sprint(err), "u:p") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if f := open(t, Embedded(t.TempDir()), MeterProvider(nil)); f.metrics != nil {
		t.Error("nil is a provider")
	}
}
