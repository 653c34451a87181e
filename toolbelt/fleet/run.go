package fleet

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mountable/requests"
)

// RunOption configures [Fleet.Run].
type RunOption interface{ runs(r *running) }

type runOption func(r *running)

func (o runOption) runs(r *running) { o(r) }

// Workers is how many requests are under way at a time: as many as there are CPUs by default.
func Workers(n int) RunOption { return runOption(func(r *running) { r.workers = n }) }

// Tries is how often a job is sent before it is given up: 3 by default. Lost connections, time limits
// and truncated bodies are tried again, after half a second, one, two and so on; of a job that may
// not be repeated only what was never sent is. A response of any status is a result: see
// [requests.Retries] for those to be tried again.
func Tries(n int) RunOption { return runOption(func(r *running) { r.tries = n }) }

// Deliveries is how many workers may be given a job, because those before have crashed or lost their
// lease, before it is given up with [requests.ErrRetry]: 20 by default.
func Deliveries(n int) RunOption { return runOption(func(r *running) { r.deliveries = n }) }

// running is one Run.
//
// A partition asks the server for as many jobs as its window has room for. Each is a goroutine, of
// which as many as there are slots send; it holds its lease until its result is stored.
type running struct {
	f          *Fleet
	session    *requests.Session
	workers    int
	tries      int
	deliveries int
	until      bool

	name       string // of this run, for claims
	claims     atomic.Int64
	ctx        context.Context // ends the taking and the sending
	stop       context.CancelCauseFunc
	storing    context.Context // ends the storing, a while later
	endStoring context.CancelFunc
	slots      *slots
	extra      chan struct{} // places that all partitions share
	orders     *orders
	feeders    sync.WaitGroup
	senders    sync.WaitGroup

	// mu protects the fields below.
	mu       sync.Mutex
	link     context.Context // ends with r.ctx, or when the server was lost and is there again
	unlink   context.CancelFunc
	held     map[*delivery]struct{}
	panicked any
	left     []jetstream.Msg // to be given back
}

// errEmpty ends a run with UntilEmpty.
var errEmpty = errors.New("the queue is empty")

// grace is for how long a run that was stopped tries to store the results that it has.
const grace = 10 * time.Second

// Run takes jobs and sends them through the session until ctx ends, which is [requests.ErrCanceled]
// or [requests.ErrTotalTimeout], or with [UntilEmpty] there are no more. Whatever fails in a job is
// its result. What is being sent when ctx ends is cut off and left to others, or is Unknown if it
// may not be repeated.
//
// A server that is restarted is waited for. Run ends with [requests.ErrLimit] where results cannot
// be stored because their stream is full, and with [requests.ErrInvalidArgument] at a job of another
// version; such jobs stay on the queue. A panic in a job, of a hook for example, ends Run and goes on
// in its caller.
//
// No more than one job for each worker, and eight at least, are held from each of the queue's 16
// partitions, and eight more for each worker from those that have many.
func (f *Fleet) Run(ctx context.Context, s *requests.Session, options ...RunOption) error {
	r := &running{f: f, session: s, workers: runtime.GOMAXPROCS(0), tries: 3, deliveries: 20, held: map[*delivery]struct{}{}, name: nats.NewInbox(), orders: newOrders()}
	for _, o := range options {
		if o != nil {
			o.runs(r)
		}
	}
	switch {
	case s == nil:
		return invalid("Run needs a session")
	case r.workers < 1 || r.tries < 1 || r.deliveries < 1:
		return invalid("Workers(%d), Tries(%d), Deliveries(%d): expected 1 or more", r.workers, r.tries, r.deliveries)
	}
	r.slots, r.extra = newSlots(r.workers), make(chan struct{}, 8*r.workers)
	r.ctx, r.stop = context.WithCancelCause(ctx)
	defer r.stop(nil)
	r.newLink()
	r.storing, r.endStoring = context.WithCancel(context.WithoutCancel(ctx))
	defer r.endStoring()
	defer context.AfterFunc(r.ctx, func() {
		pause(r.storing, grace)
		r.endStoring()
	})()
	return r.run(ctx)
}

func (r *running) run(ctx context.Context) error {
	watch, err := r.f.control.WatchAll(r.ctx)
	if err != nil {
		return failure(err, "the server of the fleet does not respond")
	}
	known := make(chan struct{})
	var around sync.WaitGroup
	around.Go(func() { r.orders.follow(watch, func() { close(known) }, r.cancelHeld) })
	around.Go(r.keepLeases)
	around.Go(r.watchLink)
	if r.until {
		around.Go(r.watchEmpty)
	}
	select {
	case <-known:
	case <-r.ctx.Done():
	}
	for p := range r.f.partitions {
		r.feeders.Go(func() { r.feed(p) })
	}
	r.feeders.Wait()
	r.senders.Wait()
	r.stop(nil)
	r.giveBack()
	r.endStoring()
	watch.Stop()
	around.Wait()
	if r.panicked != nil {
		panic(r.panicked)
	}
	return r.ending(ctx)
}

// giveBack gives back what others are to send.
func (r *running) giveBack() {
	if len(r.left) == 0 {
		return
	}
	r.f.conn.FlushTimeout(storeTimeout) // the server has seen the end of all questions
	for _, m := range r.left {
		m.Nak()
	}
	r.f.conn.FlushTimeout(storeTimeout)
}

// ending is why the run has ended.
func (r *running) ending(ctx context.Context) error {
	cause := context.Cause(r.ctx)
	switch {
	case errors.Is(cause, errEmpty):
		return nil
	case ctx.Err() == nil:
		return failure(cause, "the run has failed")
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &requests.Error{Kind: requests.ErrTotalTimeout, Err: context.Cause(ctx), Detail: "the run ran out of time"}
	}
	return &requests.Error{Kind: requests.ErrCanceled, Err: context.Cause(ctx), Detail: "the run was stopped"}
}

// feed takes the jobs of one partition.
func (r *running) feed(p int) {
	w := newWindow(r.workers, r.extra)
	for r.ctx.Err() == nil {
		err := failure(r.take(p, w), "the jobs cannot be taken")
		if r.ctx.Err() != nil {
			return
		}
		if !isPassing(err) && !errors.Is(err, nats.ErrConsumerNotFound) {
			r.stop(err)
			return
		}
		pause(r.ctx, reconnectWait)
	}
}

// consumer finds or makes that of a partition.
func (r *running) consumer(p int) (jetstream.Consumer, error) {
	ctx, cancel := context.WithTimeout(r.ctx, storeTimeout)
	defer cancel()
	name := fmt.Sprintf("partition-%d", p)
	c, err := r.f.jobs.Consumer(ctx, name)
	if !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return c, err
	}
	c, err = r.f.jobs.CreateConsumer(ctx, jetstream.ConsumerConfig{Durable: name, FilterSubject: r.f.subject("jobs", fmt.Sprint(p), ">"),
		AckPolicy: jetstream.AckExplicitPolicy, AckWait: r.f.lease, MaxDeliver: -1, MaxAckPending: -1})
	if errors.Is(err, jetstream.ErrConsumerExists) {
		return r.f.jobs.Consumer(ctx, name)
	}
	return c, err
}

// take takes jobs until the consumer fails, or the run ends, and returns why.
func (r *running) take(p int, w *window) error {
	c, err := r.consumer(p)
	if err != nil {
		return err
	}
	for {
		if err := r.orders.wait(r.ctx); err != nil {
			return err
		}
		places, err := w.reserve(r.ctx)
		if err != nil {
			return err
		}
		got, err := r.fetch(c, places)
		w.free(places[got:])
		w.many = got == len(places)
		if err != nil {
			return err
		}
	}
}

// waitFor is how long a question for jobs stays with the server.
const waitFor = 20 * time.Second

// fetch asks for a job for each of these places, and starts those that it gets.
func (r *running) fetch(c jetstream.Consumer, places []place) (got int, err error) {
	ctx, cancel := context.WithTimeout(r.linked(), waitFor)
	defer cancel()
	batch, err := c.Fetch(len(places), jetstream.FetchContext(ctx))
	if err != nil {
		return 0, err
	}
	for m := range batch.Messages() {
		d, taken := &delivery{running: r, msg: m}, places[got]
		got++
		r.hold(d)
		r.senders.Go(func() {
			defer func() { <-taken }()
			defer r.letGo(d)
			defer r.handOn(d)
			d.work()
		})
	}
	if err := batch.Error(); err != nil && ctx.Err() == nil {
		return got, err
	}
	return got, nil
}

// watchLink ends the questions that a restarted server knows nothing of: they are asked again at once.
func (r *running) watchLink() {
	connected := r.f.conn.StatusChanged(nats.CONNECTED)
	defer r.f.conn.RemoveStatusListener(connected)
	for {
		select {
		case <-connected:
			r.newLink()
		case <-r.ctx.Done():
			return
		}
	}
}

func (r *running) newLink() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.unlink != nil {
		r.unlink()
	}
	r.link, r.unlink = context.WithCancel(r.ctx)
}

func (r *running) linked() context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.link
}

// handOn keeps a panic for Run, and gives the job back.
func (r *running) handOn(d *delivery) {
	if v := recover(); v != nil {
		r.mu.Lock()
		r.panicked = v
		r.mu.Unlock()
		r.stop(errors.New("a job has panicked"))
		d.leave()
	}
}

func (r *running) hold(d *delivery) {
	d.ctx, d.cancel = context.WithCancelCause(r.ctx)
	d.taken = time.Now()
	d.signed = d.taken
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held[d] = struct{}{}
}

func (r *running) letGo(d *delivery) {
	d.cancel(nil)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.held, d)
}

// all lists the jobs that are held.
func (r *running) all() []*delivery {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]*delivery, 0, len(r.held))
	for d := range r.held {
		list = append(list, d)
	}
	return list
}

// keepLeases gives the signs of life, to the end of the last job. Most jobs are over before theirs is due.
func (r *running) keepLeases() {
	for pause(r.storing, r.f.lease/6) == nil {
		due := time.Now().Add(-r.f.lease / 3)
		for _, d := range r.all() {
			if d.signed.Before(due) {
				d.msg.InProgress()
				d.signed = time.Now()
			}
		}
	}
}

// cancelHeld cuts off what was canceled.
func (r *running) cancelHeld() {
	for _, d := range r.all() {
		if j := d.job.Load(); j != nil && r.orders.cancels(j.Tags, d.sequence) {
			d.cancel(errCanceled)
		}
	}
}

var errCanceled = errors.New("canceled by its tag")

// watchEmpty stops the run when there are no jobs. It looks soon, and less often where others have some.
func (r *running) watchEmpty() {
	const soon = quietFor / 16
	for wait := soon; pause(r.ctx, wait) == nil; wait = min(2*wait, quietFor) {
		if len(r.all()) > 0 {
			wait = soon / 2
		} else if r.isEmpty() {
			r.stop(errEmpty)
		}
	}
}

func (r *running) isEmpty() bool {
	ctx, cancel := context.WithTimeout(r.ctx, storeTimeout)
	defer cancel()
	info, err := r.f.jobs.Info(ctx)
	return err == nil && info.State.Msgs == 0
}
