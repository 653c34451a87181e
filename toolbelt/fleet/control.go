package fleet

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"strings"
	"sync"

	"github.com/nats-io/nats.go/jetstream"
)

// The keys of the control bucket.
const (
	keyPaused = "paused"
	keyEpoch  = "epoch"   // changes with each purge: IDs of before may come again
	keyCancel = "cancel." // and a tag: jobs up to that sequence are canceled
)

// Status counts the jobs of a fleet.
type Status struct {
	Waiting uint64 `json:"waiting"` // on the queue
	Running uint64 `json:"running"` // taken by a worker: being sent, or about to be
	Done    uint64 `json:"done"`    // with a result, failed ones included
	Failed  uint64 `json:"failed"`  // with an error as the result
	Paused  bool   `json:"paused"`
}

// Status counts the jobs. It asks the server a few questions, however many jobs there are.
func (f *Fleet) Status(ctx context.Context) (Status, error) {
	s, err := f.status(ctx)
	return s, failure(err, "the status cannot be read")
}

func (f *Fleet) status(ctx context.Context) (s Status, err error) {
	consumers := f.jobs.ListConsumers(ctx)
	for c := range consumers.Info() {
		s.Running += uint64(c.NumAckPending)
	}
	if err := consumers.Err(); err != nil {
		return s, err
	}
	var n [3]uint64
	for i, stream := range []jetstream.Stream{f.jobs, f.results, f.dead} {
		info, err := stream.Info(ctx)
		if err != nil {
			return s, err
		}
		n[i] = info.State.Msgs
	}
	s.Running = min(s.Running, n[0])
	s.Waiting, s.Done, s.Failed = n[0]-s.Running, n[1], n[2]
	_, err = f.control.Get(ctx, keyPaused)
	s.Paused = err == nil
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		err = nil
	}
	return s, err
}

// Hosts counts the jobs of each host. What is running counts as waiting. The server names every job
// for it: with many millions of them, ask for it rarely.
func (f *Fleet) Hosts(ctx context.Context) (map[string]Status, error) {
	hosts := map[string]Status{}
	add := func(stream jetstream.Stream, count func(s *Status, n uint64)) error {
		info, err := stream.Info(ctx, jetstream.WithSubjectFilter(">"))
		if err != nil {
			return failure(err, "the hosts cannot be counted")
		}
		for subject, n := range info.State.Subjects {
			host, _ := addressee(subject)
			s := hosts[hostOf(host)]
			count(&s, n)
			hosts[hostOf(host)] = s
		}
		return nil
	}
	err := firstError(
		add(f.jobs, func(s *Status, n uint64) { s.Waiting += n }),
		add(f.results, func(s *Status, n uint64) { s.Done += n }),
		add(f.dead, func(s *Status, n uint64) { s.Failed += n }))
	return hosts, err
}

// Pause makes all workers finish what they are sending and begin nothing else, until Resume. It is
// kept by the server: workers that start meanwhile pause, too.
func (f *Fleet) Pause(ctx context.Context) error {
	_, err := f.control.PutString(ctx, keyPaused, "yes")
	return failure(err, "the fleet cannot be paused")
}

// Resume ends a Pause.
func (f *Fleet) Resume(ctx context.Context) error {
	err := f.control.Delete(ctx, keyPaused)
	return failure(err, "the fleet cannot go on")
}

// Cancel ends the jobs with a tag that are on the queue by now: those that are being sent are cut
// off, the others get their result, with [requests.ErrCanceled], when a worker comes to them.
func (f *Fleet) Cancel(ctx context.Context, tag string) error {
	if !isToken(tag) {
		return invalid("Cancel(%q): expected letters, digits, - and _", tag)
	}
	info, err := f.jobs.Info(ctx)
	if err == nil {
		_, err = f.control.PutString(ctx, keyCancel+tag, strconv.FormatUint(info.State.LastSeq, 10))
	}
	return failure(err, "the jobs cannot be canceled")
}

// Purge deletes all jobs, results and long bodies. What is being sent meanwhile may still store its
// result. The IDs of before can be enqueued again.
func (f *Fleet) Purge(ctx context.Context) error {
	epoch, err := f.epoch(ctx)
	if err != nil {
		return err
	}
	n, _ := strconv.Atoi(strings.TrimSuffix(epoch, "-"))
	if _, err := f.control.PutString(ctx, keyEpoch, strconv.Itoa(n+1)+"-"); err != nil {
		return failure(err, "the fleet cannot be purged")
	}
	for _, s := range []jetstream.Stream{f.jobs, f.results, f.claims, f.dead} {
		if err := s.Purge(ctx); err != nil {
			return failure(err, "the fleet cannot be purged")
		}
	}
	return f.purgeBodies(ctx)
}

func (f *Fleet) purgeBodies(ctx context.Context) error {
	list, err := f.bodies.List(ctx)
	if errors.Is(err, jetstream.ErrNoObjectsFound) {
		return nil
	}
	for _, o := range list {
		if err == nil {
			err = f.bodies.Delete(ctx, o.Name)
		}
	}
	return failure(err, "the bodies cannot be deleted")
}

// epoch is what IDs begin with for the server, which would remember those of before a purge.
func (f *Fleet) epoch(ctx context.Context) (string, error) {
	e, err := f.control.Get(ctx, keyEpoch)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return "", nil
	}
	if err != nil {
		return "", failure(err, "the server of the fleet does not respond")
	}
	return string(e.Value()), nil
}

// orders are what the control bucket tells the workers of one Run.
type orders struct {
	// mu protects the fields below.
	mu       sync.Mutex
	resumed  chan struct{} // closed where the fleet is not paused
	canceled map[string]uint64
}

func newOrders() *orders {
	open := make(chan struct{})
	close(open)
	return &orders{resumed: open, canceled: map[string]uint64{}}
}

// follow obeys until the watcher is stopped. first is called when all that is there was read, and
// cancel when there is something new to cancel.
func (o *orders) follow(w jetstream.KeyWatcher, first, cancel func()) {
	for e := range w.Updates() {
		if e == nil {
			first()
			continue
		}
		if o.obey(e) {
			cancel()
		}
	}
}

func (o *orders) obey(e jetstream.KeyValueEntry) (cancels bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	put := e.Operation() == jetstream.KeyValuePut
	tag, isCancel := strings.CutPrefix(e.Key(), keyCancel)
	switch {
	case isCancel && put:
		n, _ := strconv.ParseUint(string(e.Value()), 10, 64)
		o.canceled = maps.Clone(o.canceled)
		o.canceled[tag] = n
		return true
	case e.Key() != keyPaused:
	case put && isClosed(o.resumed):
		o.resumed = make(chan struct{})
	case !put && !isClosed(o.resumed):
		close(o.resumed)
	}
	return false
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// cancels reports whether a job was canceled.
func (o *orders) cancels(tags []string, sequence uint64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, t := range tags {
		if sequence <= o.canceled[t] {
			return true
		}
	}
	return false
}

// wait waits while the fleet is paused.
func (o *orders) wait(ctx context.Context) error {
	for {
		o.mu.Lock()
		resumed := o.resumed
		o.mu.Unlock()
		select {
		case <-resumed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		o.mu.Lock()
		same := o.resumed == resumed
		o.mu.Unlock()
		if same {
			return nil
		}
	}
}
