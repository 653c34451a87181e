package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"iter"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/secret"
)

// Result is what became of a job.
type Result struct {
	Sequence uint64 // of the stream: see [After]
	ID       string
	Host     string // host and port of the job's URL
	Tags     []string
	Method   string
	URL      string // of the response, after redirects; of the job where there is none

	StatusCode int              // 0 without a response
	Headers    requests.Headers // secret ones masked unless the fleet has a key
	Body       []byte           // nil where Object is set: see [Fleet.Body]
	Object     bool             // the body is in the object store

	Started    time.Time     // of the last try; zero if nothing was sent
	Elapsed    time.Duration // of the last try, to the end of its body
	Tries      int           // times it was sent by the worker that stored this
	Deliveries int           // times a worker was given the job

	// Unknown says that a worker ended while it sent this job, which may not be repeated: whether
	// it arrived, nobody knows.
	Unknown bool
	// Err is nil for a response of any status, else an *[requests.Error] with the Kind and the text
	// of the last try's.
	Err error
}

// record is a result as it lies on the stream: a line of JSON, and then the body.
type record struct {
	Version    string        `json:"v"`
	Host       string        `json:"host,omitempty"` // of the subject
	Tags       []string      `json:"tags,omitempty"`
	Method     string        `json:"method"`
	URL        string        `json:"url"`
	Status     int           `json:"status,omitempty"`
	Headers    [][2]string   `json:"headers,omitempty"`
	Object     bool          `json:"object,omitempty"`
	Started    time.Time     `json:"started,omitzero"`
	Elapsed    time.Duration `json:"elapsed,omitempty"`
	Tries      int           `json:"tries,omitempty"`
	Deliveries int           `json:"deliveries"`
	Unknown    bool          `json:"unknown,omitempty"`
	Disallowed bool          `json:"disallowed,omitempty"` // by robots.txt
	Kind       string        `json:"kind,omitempty"`
	Error      string        `json:"error,omitempty"`
}

// encode writes a result, long bodies to the object store.
func (f *Fleet) encode(ctx context.Context, r *Result) ([]byte, error) {
	w := record{Version: format, Host: hostToken("//" + r.Host), Tags: r.Tags, Method: r.Method, URL: r.URL, Status: r.StatusCode, Started: r.Started, Elapsed: r.Elapsed,
		Tries: r.Tries, Deliveries: r.Deliveries, Unknown: r.Unknown}
	for name, value := range r.Headers.All() {
		if f.aead == nil && secret.Is(name) {
			value = secret.Mask
		}
		w.Headers = append(w.Headers, [2]string{name, value})
	}
	if r.Err != nil {
		w.Kind, w.Error, w.Disallowed = nameOf(r.Err), r.Err.Error(), errors.Is(r.Err, ErrDisallowed)
	}
	body := r.Body
	if len(body) > f.inline {
		if err := f.keep(ctx, objectOf(r), body); err != nil {
			return nil, err
		}
		w.Object, body = true, nil
	}
	head, err := json.Marshal(w)
	if err != nil {
		return nil, damaged("the result cannot be written: %v", err)
	}
	return f.seal("result "+r.ID, join2(head, body)), nil
}

// objectOf is the name of a result's long body: IDs count for one host.
func objectOf(r *Result) string { return "result." + hostToken("//"+r.Host) + "." + r.ID }

// result reads what encode has written.
func (f *Fleet) result(id, host string, sequence uint64, data []byte) (*Result, error) {
	plain, err := f.unseal("result "+id, data)
	if err != nil {
		return nil, err
	}
	var w record
	head, body, ok := bytes.Cut(plain, []byte("\n"))
	if err := json.Unmarshal(head, &w); err != nil || !ok {
		return nil, damaged("the result of %s is not one", id)
	}
	switch {
	case w.Version != format:
		return nil, otherVersion("result", id, w.Version)
	case w.Host != "" && w.Host != host: // sealing is for an ID, which counts for one host
		return nil, damaged("the result of %s is one of another host", id)
	}
	r := &Result{Sequence: sequence, ID: id, Host: hostOf(host), Tags: w.Tags, Method: w.Method, URL: w.URL, StatusCode: w.Status, Headers: requests.Headers(w.Headers),
		Body: body, Object: w.Object, Started: w.Started, Elapsed: w.Elapsed, Tries: w.Tries, Deliveries: w.Deliveries, Unknown: w.Unknown}
	if r.Object {
		r.Body = nil
	}
	if w.Kind != "" {
		var cause error
		if w.Disallowed {
			cause = ErrDisallowed
		}
		r.Err = &requests.Error{Kind: kindNamed(w.Kind), Err: cause, Detail: w.Error}
	}
	return r, nil
}

func otherVersion(what, id, version string) error {
	return invalid("the %s %s is of version %q, and this program reads version %s", what, id, version, format)
}

// Body returns the body of a result, from the object store where it lies there.
func (f *Fleet) Body(ctx context.Context, r *Result) ([]byte, error) {
	if !r.Object {
		return r.Body, nil
	}
	return f.fetchBody(ctx, objectOf(r))
}

// ResultOption configures [Fleet.Results].
type ResultOption interface{ reads(r *reading) }

type reading struct {
	after uint64
	until bool
}

// After goes on behind the result with this Sequence.
func After(sequence uint64) ResultOption { return afterOption(sequence) }

type afterOption uint64

func (a afterOption) reads(r *reading) { r.after = uint64(a) }

// UntilEmpty is an option of [Fleet.Run] and of [Fleet.Results]: they end when there are no jobs
// left, and no results that were not given. Without it they wait for more until ctx ends.
var UntilEmpty untilEmpty

type untilEmpty struct{}

func (untilEmpty) reads(r *reading) { r.until = true }
func (untilEmpty) runs(r *running)  { r.until = true }

// Results iterates over the stored results in the order in which they were stored. Each has the
// Sequence behind which a later loop can go on ([After]); a server that is restarted meanwhile is
// waited for. What cannot be read is an error beside a Result that has its ID and Sequence, and the
// loop goes on; any other error, that of ctx included, ends it.
func (f *Fleet) Results(ctx context.Context, options ...ResultOption) iter.Seq2[*Result, error] {
	return f.read2(ctx, f.results, options)
}

// Dead iterates over the results of jobs that were given up: those with an error.
func (f *Fleet) Dead(ctx context.Context, options ...ResultOption) iter.Seq2[*Result, error] {
	return f.read2(ctx, f.dead, options)
}

func (f *Fleet) read2(ctx context.Context, stream jetstream.Stream, options []ResultOption) iter.Seq2[*Result, error] {
	var read reading
	for _, o := range options {
		if o != nil {
			o.reads(&read)
		}
	}
	return func(yield func(*Result, error) bool) {
		for {
			err := f.follow(ctx, stream, &read, yield)
			if err == nil {
				return
			}
			if ctx.Err() == nil && isPassing(err) && pause(ctx, reconnectWait) == nil {
				continue
			}
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			yield(nil, failure(err, "the results cannot be read"))
			return
		}
	}
}

// quietFor is how long a reader waits for a result before it looks whether there are more to come.
const quietFor = 200 * time.Millisecond

// follow reads until the loop is left or has all, which is nil, or the consumer breaks.
func (f *Fleet) follow(ctx context.Context, stream jetstream.Stream, read *reading, yield func(*Result, error) bool) error {
	reconnects := f.conn.Stats().Reconnects
	made, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	c, err := stream.OrderedConsumer(made, jetstream.OrderedConsumerConfig{DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: read.after + 1, InactiveThreshold: time.Minute})
	if err != nil {
		return failure(err, "")
	}
	messages, err := c.Messages(jetstream.PullMaxMessages(resultsAhead))
	if err != nil {
		return failure(err, "")
	}
	defer messages.Stop()
	for {
		m, err := next(ctx, messages)
		if errors.Is(err, errQuiet) && ctx.Err() == nil {
			if f.conn.Stats().Reconnects != reconnects { // the server may have forgotten the consumer
				return failure(nats.ErrDisconnected, "")
			}
			if all, err := f.isAll(ctx, stream, read); all || err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return failure(err, "")
		}
		r, err := f.received(m)
		read.after = max(read.after, r.Sequence)
		if !yield(r, err) {
			return nil
		}
	}
}

const resultsAhead = 256 // read before they are asked for

func (f *Fleet) received(m jetstream.Msg) (*Result, error) {
	meta, err := m.Metadata()
	if err != nil {
		return &Result{}, damaged("a result has no sequence: %v", err)
	}
	host, id := addressee(m.Subject())
	r, err := f.result(id, host, meta.Sequence.Stream, m.Data())
	if err != nil {
		return &Result{Sequence: meta.Sequence.Stream, ID: id, Host: hostOf(host)}, err
	}
	return r, nil
}

// addressee is what ends a subject: host and ID.
func addressee(subject string) (host, id string) {
	parts := strings.Split(subject, ".")
	if len(parts) < 2 {
		return "", subject
	}
	return parts[len(parts)-2], parts[len(parts)-1]
}

// isAll reports whether no job is left, and every result was read that was stored by then.
func (f *Fleet) isAll(ctx context.Context, stream jetstream.Stream, read *reading) (bool, error) {
	if !read.until {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	jobs, err := f.jobs.Info(ctx)
	if err != nil {
		return false, failure(err, "")
	}
	info, err := stream.Info(ctx)
	if err != nil {
		return false, failure(err, "")
	}
	return jobs.State.Msgs == 0 && (info.State.LastSeq <= read.after || info.State.Msgs == 0), nil
}

// next waits a while for a result.
func next(ctx context.Context, messages jetstream.MessagesContext) (jetstream.Msg, error) {
	wait, cancel := context.WithTimeout(ctx, quietFor)
	defer cancel()
	m, err := messages.Next(jetstream.NextContext(wait))
	if err != nil && wait.Err() != nil && ctx.Err() == nil {
		return nil, errQuiet
	}
	return m, err
}

var errQuiet = errors.New("no result yet")
