package fleet

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// MeterProvider makes metrics of OpenTelemetry of what this member does, and of how far the fleet is.
// Without it, or with nil, there are none; otel.GetMeterProvider() is the program's. All have the
// attribute fleet.name, and begin with "fleet.":
//
//	jobs.waiting, .running, .done, .failed   gauges, {job}: [Status], of the whole fleet, so each
//	                                         member has the same; failed ones are done, too
//	jobs.enqueued                            counter, {job}: stored by Enqueue
//	jobs.taken                               counter, {job}: given to a worker; host
//	jobs.redelivered                         counter, {job}: those of them that another had before; host
//	results.stored                           counter, {result}; host
//	jobs.given_up                            counter, {job}: those of them with an error; error.type, host
//	jobs.disallowed                          counter, {job}: those of them with [ErrDisallowed]; host
//	job.queue.duration                       histogram, s: from Enqueue until a worker is given the job
//	                                         for the first time; host
//	job.duration                             histogram, s: from there until the result is stored, with
//	                                         waits and tries; error.type, host
//	rate_limit.grants                        counter, {request}: let through by [Fleet.RateLimit], one
//	                                         for each try of the adapter; host
//	rate_limit.wait.duration                 histogram, s: of each wait for a moment: a request that
//	                                         comes late to its own waits again; error.type, host
//
// A Crawl-delay is a rate limit, too: a host with both is counted by both. error.type is the kind of
// an error, such as "read_timeout", and missing where there is none. A crawl has a million hosts:
// where the table says host, the attribute fleet.host is on what is measured of those that
// [MetricHosts] names, and of no others.
//
// The gauges ask the server at each collection, for five seconds at most: while it does not respond
// they are missing, and all else is there. They end with Close. job.queue.duration compares the
// clock of the server with that of this machine. A provider that refuses an instrument makes Open
// fail with [requests.ErrInvalidArgument].
func MeterProvider(p metric.MeterProvider) Option { return func(c *config) { c.meters = p } }

// MetricHosts gives what is measured of these hosts the attribute fleet.host. A host is written as
// in [Result.Host], with the port if the URL has one, in upper or lower case.
func MetricHosts(hosts ...string) Option {
	return func(c *config) { c.metricHosts = append(c.metricHosts, hosts...) }
}

const meterName = "github.com/mountable/requests/toolbelt/fleet"

// metrics are the instruments of one member. A nil one measures nothing.
type metrics struct {
	name  attribute.KeyValue
	hosts map[string]attribute.KeyValue // by their token
	plain metric.MeasurementOption      // of what has no attribute but the name

	jobs                                                               []metric.Int64ObservableGauge // in the order of counts
	enqueued, taken, redelivered, stored, givenUp, disallowed, granted metric.Int64Counter
	queueTime, jobTime, waitTime                                       metric.Float64Histogram
	unregister                                                         func()
}

// instruments makes them, until one is refused.
type instruments struct {
	metric.Meter
	err error
}

func (i *instruments) counter(name, unit, what string) metric.Int64Counter {
	c, err := i.Int64Counter("fleet."+name, metric.WithUnit(unit), metric.WithDescription(what))
	i.err = errors.Join(i.err, err)
	return c
}

func (i *instruments) gauge(name, what string) metric.Int64ObservableGauge {
	g, err := i.Int64ObservableGauge("fleet."+name, metric.WithUnit("{job}"), metric.WithDescription(what))
	i.err = errors.Join(i.err, err)
	return g
}

// seconds has buckets from a fast response to a day on the queue.
func (i *instruments) seconds(name, what string) metric.Float64Histogram {
	h, err := i.Float64Histogram("fleet."+name, metric.WithUnit("s"), metric.WithDescription(what),
		metric.WithExplicitBucketBoundaries(.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 3600, 21600, 86400))
	i.err = errors.Join(i.err, err)
	return h
}

// measure makes the metrics of a fleet that is open.
func (f *Fleet) measure() error {
	if f.meters == nil {
		return nil
	}
	i := &instruments{Meter: f.meters.Meter(meterName)}
	m := &metrics{name: attribute.String("fleet.name", f.name), hosts: map[string]attribute.KeyValue{},
		jobs: []metric.Int64ObservableGauge{
			i.gauge("jobs.waiting", "Jobs on the queue."),
			i.gauge("jobs.running", "Jobs that workers have."),
			i.gauge("jobs.done", "Jobs with a result, failed ones included."),
			i.gauge("jobs.failed", "Jobs with an error as the result."),
		},
		enqueued:    i.counter("jobs.enqueued", "{job}", "Jobs that were stored."),
		taken:       i.counter("jobs.taken", "{job}", "Jobs given to a worker."),
		redelivered: i.counter("jobs.redelivered", "{job}", "Jobs given to a worker after another."),
		stored:      i.counter("results.stored", "{result}", "Results that were stored."),
		givenUp:     i.counter("jobs.given_up", "{job}", "Results with an error."),
		disallowed:  i.counter("jobs.disallowed", "{job}", "Jobs that robots.txt does not allow."),
		granted:     i.counter("rate_limit.grants", "{request}", "Requests that the rate limit let through."),
		queueTime:   i.seconds("job.queue.duration", "How long jobs wait on the queue."),
		jobTime:     i.seconds("job.duration", "From the taking of a job to its result."),
		waitTime:    i.seconds("rate_limit.wait.duration", "How long the rate limit makes requests wait."),
	}
	m.plain = metric.WithAttributeSet(attribute.NewSet(m.name))
	for _, h := range f.metricHosts {
		m.hosts[hostToken("//"+h)] = attribute.String("fleet.host", strings.ToLower(h))
	}
	if i.err == nil {
		i.err = m.observe(i.Meter, f)
	}
	if i.err != nil {
		return invalid("MeterProvider: %v", i.err)
	}
	f.metrics = m
	return nil
}

// checkHosts refuses what is no host, a URL for example, and would never be met.
func checkHosts(hosts []string) error {
	for i, h := range hosts {
		if strings.ContainsAny(h, "/?#@ ") || hostToken("//"+h) == "_" {
			return invalid("MetricHosts: number %d is not a host such as h.example or h.example:8080", i+1)
		}
	}
	return nil
}

// observe has the jobs counted at each collection. An error would make the periodic reader export
// nothing at all of the program, so that a lost server is no error here.
func (m *metrics) observe(meter metric.Meter, f *Fleet) error {
	ctx, cancel := context.WithCancel(context.Background())
	list := make([]metric.Observable, len(m.jobs))
	for i, g := range m.jobs {
		list[i] = g
	}
	registration, err := meter.RegisterCallback(func(asked context.Context, o metric.Observer) error {
		asked, done := context.WithTimeout(asked, storeTimeout)
		defer done()
		defer context.AfterFunc(ctx, done)()
		if s, err := f.status(asked); err == nil {
			for i, n := range []uint64{s.Waiting, s.Running, s.Done, s.Failed} {
				o.ObserveInt64(m.jobs[i], int64(n), m.plain)
			}
		}
		return nil
	}, list...)
	m.unregister = func() {
		cancel() // a collection that is under way would be waited for
		registration.Unregister()
	}
	if err != nil {
		cancel()
	}
	return err
}

// end ends the counting of jobs.
func (m *metrics) end() {
	if m != nil {
		m.unregister()
	}
}

// of are the attributes of a measurement of a host.
func (m *metrics) of(host string, err error) metric.MeasurementOption {
	h, named := m.hosts[host]
	if !named && err == nil {
		return m.plain
	}
	list := []attribute.KeyValue{m.name}
	if named {
		list = append(list, h)
	}
	if err != nil {
		list = append(list, attribute.String("error.type", strings.ReplaceAll(nameOf(err), " ", "_")))
	}
	return metric.WithAttributeSet(attribute.NewSet(list...))
}

// enqueue counts a job that was stored.
func (m *metrics) enqueue(ctx context.Context) {
	if m != nil {
		m.enqueued.Add(ctx, 1, m.plain)
	}
}

// take measures a job that was given to a worker.
func (m *metrics) take(d *delivery, meta *jetstream.MsgMetadata) {
	if m == nil {
		return
	}
	of := m.of(d.host, nil)
	m.taken.Add(d.ctx, 1, of)
	if d.delivered > 1 {
		m.redelivered.Add(d.ctx, 1, of)
		return
	}
	m.queueTime.Record(d.ctx, max(0, d.taken.Sub(meta.Timestamp).Seconds()), of)
}

// store measures a job whose result was stored.
func (m *metrics) store(d *delivery, err error) {
	if m == nil {
		return
	}
	of, failed := m.of(d.host, nil), m.of(d.host, err)
	m.stored.Add(d.ctx, 1, of)
	m.jobTime.Record(d.ctx, time.Since(d.taken).Seconds(), failed)
	if err != nil {
		m.givenUp.Add(d.ctx, 1, failed)
	}
	if errors.Is(err, ErrDisallowed) {
		m.disallowed.Add(d.ctx, 1, of)
	}
}

// wait measures a wait for a moment, which began at that time.
func (m *metrics) wait(ctx context.Context, host string, began time.Time, err *error) {
	if m != nil {
		m.waitTime.Record(ctx, time.Since(began).Seconds(), m.of(host, failure(*err, "")))
	}
}

// grant counts a request that the rate limit let through.
func (m *metrics) grant(ctx context.Context, host string) {
	if m != nil {
		m.granted.Add(ctx, 1, m.of(host, nil))
	}
}
