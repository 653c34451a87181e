package fleet

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mountable/requests"
)

// delivery is a job that this run was given.
type delivery struct {
	running *running
	msg     jetstream.Msg
	ctx     context.Context // ends with the run, or when the job is canceled
	cancel  context.CancelCauseFunc

	taken  time.Time
	signed time.Time // when it last gave a sign of life; of keepLeases

	id, host  string
	sequence  uint64
	delivered int
	job       atomic.Pointer[job]
	claimed   bool
}

// work brings a job to its result, or leaves it to others.
func (d *delivery) work() {
	r := d.running
	meta, err := d.msg.Metadata()
	if err != nil {
		r.stop(failure(err, "a job has no sequence"))
		return
	}
	d.host, d.id = addressee(d.msg.Subject())
	d.sequence, d.delivered = meta.Sequence.Stream, int(meta.NumDelivered)
	r.f.metrics.take(d, meta)
	if d.delivered > 1 && d.hasResult() {
		d.acknowledge()
		return
	}
	j, err := r.f.decode(d.id, d.host, d.msg.Data())
	if err != nil {
		d.store(&Result{Err: err})
		return
	}
	if j.Version != format {
		r.stop(otherVersion("job", d.id, j.Version))
		d.leave()
		return
	}
	d.job.Store(j)
	if err := r.slots.take(d.ctx, d.host); err != nil {
		d.end(nil, err)
		return
	}
	d.end(d.perform(j)) // others may send while this is stored
}

// perform sends a job that has its slot, and gives that back. The result is nil where nothing was sent.
func (d *delivery) perform(j *job) (result *Result, err error) {
	r := d.running
	defer r.slots.give(d.host)
	switch {
	case r.orders.cancels(j.Tags, d.sequence):
		return nil, errCanceled
	case r.orders.wait(d.ctx) != nil:
		return nil, context.Cause(d.ctx)
	case d.delivered > r.deliveries:
		return nil, &requests.Error{Kind: requests.ErrRetry, Detail: fmt.Sprintf("the job was given to %d workers, and none came to its end", d.delivered-1)}
	}
	if j.Object {
		if j.body, err = r.f.fetchBody(d.ctx, j.object()); err != nil {
			return nil, err
		}
	}
	if !j.Once {
		return d.send(j)
	}
	if a, _ := r.session.Adapter(j.URL); a != nil {
		if _, later := a.(*limited); !later { // which claims when it has waited for the rate
			if err := d.claimOnce(); err != nil {
				return nil, err
			}
		}
	}
	if result, err = d.send(j); !d.claimed {
		result = nil
	}
	return result, err
}

// errClaimed is that another worker may have sent a job which may not be repeated.
var errClaimed = errors.New("the job was sent by another worker")

// claimOnce claims a job that may not be repeated, unless this delivery has.
func (d *delivery) claimOnce() error {
	if d.claimed {
		return nil
	}
	mine, err := d.claim()
	if d.claimed = mine; err == nil && !mine {
		err = errClaimed
	}
	return err
}

func unknown(err error) error {
	return &requests.Error{Kind: requests.ErrConnection, Err: err, Detail: "the worker ended while the job was sent, and it may not be repeated: whether it arrived is unknown"}
}

// claim makes this delivery the one that may send a job which may not be repeated.
func (d *delivery) claim() (bool, error) {
	r := d.running
	m := nats.NewMsg(r.f.subject("claims", d.host, d.id))
	m.Data = fmt.Append(nil, r.name, "/", r.claims.Add(1))
	return r.f.publish(d.ctx, r.f.claims, m)
}

// send tries until there is a response, or no use in trying.
func (d *delivery) send(j *job) (*Result, error) {
	result := &Result{}
	for {
		result.Tries++
		result.Started = time.Now()
		err := d.try(j, result)
		result.Elapsed = time.Since(result.Started)
		if err == nil || d.ctx.Err() != nil || result.Tries >= d.running.tries || !mayTryAgain(j, err) {
			return result, err
		}
		again := yieldTurn(d.turn(), func() error { return pause(d.ctx, between(result.Tries)) })
		if again != nil {
			return result, err
		}
	}
}

func between(try int) time.Duration {
	return min(500*time.Millisecond<<min(try-1, 10), 30*time.Second)
}

// mayTryAgain reports whether another try may have a response.
func mayTryAgain(j *job, err error) bool {
	var e *requests.Error
	if !errors.As(err, &e) || j.Once && !e.SafeToRetry() {
		return false
	}
	return errors.Is(err, requests.ErrConnection) || errors.Is(err, requests.ErrTimeout) || errors.Is(err, requests.ErrChunkedEncoding)
}

func (d *delivery) turn() context.Context {
	t := &turn{slots: d.running.slots, host: d.host}
	if j := d.job.Load(); j != nil && j.Once {
		t.admitted = d.claimOnce
	}
	return context.WithValue(d.ctx, turnKey{}, t)
}

// try sends a job once.
func (d *delivery) try(j *job, result *Result) error {
	request := &requests.Request{Method: j.Method, URL: j.URL, Headers: requests.Headers(j.Headers)}
	if len(j.body) > 0 {
		request.Body = j.body
	}
	request.Send.Stream = requests.Off
	request.Send.Limits.MaxBody = d.running.f.maxBody
	response, err := d.running.session.Do(d.turn(), request)
	if err != nil {
		return err
	}
	defer response.Close()
	body, err := response.Content()
	if err != nil {
		return err
	}
	result.URL, result.StatusCode, result.Headers, result.Body = response.URL, response.StatusCode, response.Headers, body
	return nil
}

// end stores what came of a job, or leaves it to others where only this run has ended.
func (d *delivery) end(result *Result, err error) {
	j := d.job.Load()
	cause := context.Cause(d.ctx)
	switch {
	case errors.Is(err, errClaimed):
		result, err = &Result{Unknown: true}, unknown(nil)
	case errors.Is(err, errCanceled) || errors.Is(cause, errCanceled) && err != nil:
		err = &requests.Error{Kind: requests.ErrCanceled, Err: errCanceled, Detail: "the job was canceled by its tag"}
	case err != nil && cause != nil && result != nil && j.Once:
		result.Unknown, err = true, unknown(err)
	case err != nil && cause != nil:
		d.leave()
		return
	case err != nil && result == nil && isPassing(err): // of the server of the fleet
		d.leave()
		return
	}
	if result == nil {
		result = &Result{}
	}
	result.Err = err
	d.store(result)
}

// store stores the result, that of a failed job as a dead letter first, and acknowledges the job.
func (d *delivery) store(result *Result) {
	f := d.running.f
	result.ID, result.Host, result.Deliveries = d.id, hostOf(d.host), d.delivered
	if j := d.job.Load(); j != nil {
		result.Tags, result.Method = j.Tags, j.Method
		if result.URL == "" {
			result.URL = j.URL
		}
	}
	stored := false
	data, err := f.encode(d.running.storing, result)
	if err == nil && result.Err != nil {
		_, err = f.publish(d.running.storing, f.dead, &nats.Msg{Subject: f.subject("dead", d.host, d.id), Data: data})
	}
	if err == nil {
		stored, err = f.publish(d.running.storing, f.results, &nats.Msg{Subject: f.subject("results", d.host, d.id), Data: data})
	}
	if err != nil {
		d.running.stop(err)
		d.leave()
		return
	}
	if stored {
		f.metrics.store(d, result.Err)
	}
	d.acknowledge()
}

// acknowledge ends a job that has its result.
func (d *delivery) acknowledge() {
	f := d.running.f
	if j := d.job.Load(); j != nil && j.Object {
		f.bodies.Delete(d.running.storing, j.object()) // what stays is purged one day
	}
	d.msg.Ack() // where that is lost, the job comes again, and is seen to have a result
}

// leave gives a job back: at the end of a run that was stopped, when none of its questions is left
// that the job could be the answer to.
func (d *delivery) leave() {
	r := d.running
	if r.ctx.Err() == nil {
		d.msg.NakWithDelay(reconnectWait)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left = append(r.left, d.msg)
}

// hasResult reports whether somebody has stored the result of this job already.
func (d *delivery) hasResult() bool {
	f := d.running.f
	ctx, cancel := context.WithTimeout(d.ctx, storeTimeout)
	defer cancel()
	_, err := f.results.GetLastMsgForSubject(ctx, f.subject("results", d.host, d.id))
	return err == nil
}
