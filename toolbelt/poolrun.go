package toolbelt

import (
	"context"
	"iter"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/mountable/requests"
)

// Results runs the pool: each job's result is yielded as it comes, in no particular
// order. No more than two for each worker are ever ready and not taken.
//
// Whatever fails in a job is the error of its result, and the others go on. When ctx
// ends, the jobs under way end with its error and no further ones are begun. Leaving
// the loop ends them too; their results are lost, their responses closed. Streamed
// responses may be read, until ctx ends, after a loop that was not left.
//
// A second call yields one result, with [requests.ErrInvalidArgument]: the jobs are used
// up. When the code of a job panics (a hook, a body, an option, the jobs themselves), the
// pool ends as when the loop is left, and the panic goes on in the loop; so it is with
// runtime.Goexit.
func (p *Pool) Results(ctx context.Context) iter.Seq[PoolResult] {
	return func(yield func(PoolResult) bool) {
		if p.used.Swap(true) {
			yield(PoolResult{Err: usedUp()})
			return
		}
		run := p.start(ctx)
		defer run.handOn()
		defer run.end()
		done, failed := 0, 0
		for result := range run.results {
			if run.panicked.Load() != nil {
				result.discard()
				return
			}
			done++
			if result.Err != nil {
				failed++
			}
			if p.onDone != nil {
				p.onDone(done, failed)
			}
			if !yield(result) {
				return
			}
		}
		run.complete = true
	}
}

// Join runs the pool to its end and keeps the results for [Pool.Responses] and
// [Pool.Exceptions]. It returns the error of ctx if that has ended. A second Join, or one
// after Results, is [requests.ErrInvalidArgument].
func (p *Pool) Join(ctx context.Context) error {
	if p.used.Load() {
		return usedUp()
	}
	for result := range p.Results(ctx) {
		if result.Err != nil {
			p.exceptions = append(p.exceptions, result)
		} else {
			p.responses = append(p.responses, result)
		}
	}
	switch ctx.Err() {
	case nil:
		return nil
	case context.DeadlineExceeded:
		return &requests.Error{Kind: requests.ErrTotalTimeout, Err: context.Cause(ctx), Detail: "the pool ran out of time"}
	}
	return &requests.Error{Kind: requests.ErrCanceled, Err: context.Cause(ctx), Detail: "the pool was stopped"}
}

func usedUp() error { return invalid("the pool has been run: its jobs are used up") }

// Responses iterates over the responses that [Pool.Join] has kept, in the order in which they
// came, and releases each.
func (p *Pool) Responses() iter.Seq[PoolResult] { return taking(&p.responses) }

// Exceptions iterates over the results with an error that [Pool.Join] has kept, in the order in
// which they came, and releases each.
func (p *Pool) Exceptions() iter.Seq[PoolResult] { return taking(&p.exceptions) }

func taking(kept *[]PoolResult) iter.Seq[PoolResult] {
	return func(yield func(PoolResult) bool) {
		for len(*kept) > 0 {
			first := (*kept)[0]
			(*kept)[0] = PoolResult{}
			*kept = (*kept)[1:]
			if !yield(first) {
				return
			}
		}
	}
}

// poolRun is a pool at work.
type poolRun struct {
	pool    *Pool
	ctx     context.Context
	cancel  context.CancelFunc
	results chan PoolResult
	running atomic.Int64
	workers sync.WaitGroup

	streamed atomic.Bool // some responses may not have been read yet
	panicked atomic.Pointer[panicking]
	complete bool // every result has been taken
}

// panicking is a panic of a worker, to go on where the results are taken; nil is
// runtime.Goexit.
type panicking struct{ value any }

// handOn goes on with what has ended a worker.
func (r *poolRun) handOn() {
	switch p := r.panicked.Load(); {
	case p == nil:
	case p.value == nil:
		runtime.Goexit() // as the code of the job did
	default:
		panic(p.value)
	}
}

func (p *Pool) start(ctx context.Context) *poolRun {
	r := &poolRun{pool: p, results: make(chan PoolResult, p.workers)}
	r.ctx, r.cancel = context.WithCancel(ctx)
	r.running.Store(int64(p.workers))
	p.jobs.start()
	for i := range p.workers {
		r.workers.Go(func() { r.work(p.sessions[i%len(p.sessions)]) })
	}
	return r
}

// work does jobs until there are none; the last worker to end closes the results.
func (r *poolRun) work(s *requests.Session) {
	ended := false
	defer func() {
		if !ended {
			r.panicked.CompareAndSwap(nil, &panicking{recover()})
			r.cancel()
		}
		if r.running.Add(-1) == 0 {
			close(r.results)
		}
	}()
	for r.ctx.Err() == nil {
		job, ok := r.pool.jobs.next(r.ctx)
		if !ok {
			break
		}
		r.results <- r.do(s, job)
	}
	ended = true
}

// end stops what is under way and waits for it. The context of streamed responses that
// were taken is left to end with its parent.
func (r *poolRun) end() {
	if !r.complete || !r.streamed.Load() {
		r.cancel()
	}
	for lost := range r.results {
		lost.discard()
	}
	r.workers.Wait()
	r.pool.jobs.stop()
	r.pool.closeSessions()
}

// discard closes what nobody takes.
func (r *PoolResult) discard() {
	if r.Response != nil {
		r.Response.Close()
	}
}

func (r *poolRun) do(s *requests.Session, job *requests.Request) PoolResult {
	if job == nil {
		return PoolResult{Err: invalid("a job is nil")}
	}
	req := *job
	for _, o := range r.pool.each {
		if o == nil {
			continue
		}
		if err := o.Apply(&req); err != nil {
			return PoolResult{Job: job, Err: err}
		}
	}
	if req.Send.Stream == requests.On || req.Send.Stream == requests.Inherit && s.Stream {
		r.streamed.Store(true)
	}
	response, err := s.Do(r.ctx, &req)
	return PoolResult{Job: job, Response: response, Err: err}
}

// jobs are where the jobs of a pool come from. next may be called by several
// goroutines at once; start comes before it, and stop after all of them.
type jobs interface {
	start()
	next(ctx context.Context) (*requests.Request, bool)
	stop()
}

// channel gives what is received, until it is closed.
type channel <-chan *requests.Request

func (c channel) start() {}
func (c channel) stop()  {}

func (c channel) next(ctx context.Context) (*requests.Request, bool) {
	select {
	case job, ok := <-c:
		return job, ok
	case <-ctx.Done():
		return nil, false
	}
}

// sequence gives the elements of an iterator.
type sequence struct {
	all iter.Seq[*requests.Request]

	// mu protects the fields below.
	mu   sync.Mutex
	pull func() (*requests.Request, bool)
	end  func()
}

func (s *sequence) start() { s.pull, s.end = iter.Pull(s.all) }
func (s *sequence) stop()  { s.end() }

func (s *sequence) next(ctx context.Context) (*requests.Request, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil {
		return nil, false
	}
	return s.pull()
}
