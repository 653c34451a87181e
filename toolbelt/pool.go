package toolbelt

import (
	"context"
	"iter"
	"runtime"
	"slices"
	"sync/atomic"

	"github.com/mountable/requests"
)

// Pool sends many requests over a few workers. Its jobs come from a sequence or a
// channel and are taken only as fast as the results are, so that neither a million
// jobs nor a million results are ever in memory:
//
//	pool, err := toolbelt.FromURLs(slices.Values(urls), toolbelt.Workers(16))
//	for result := range pool.Results(ctx) {
//		if result.Err != nil {
//			log.Print(result.Err)
//			continue
//		}
//		fmt.Println(result.Response.URL, result.Response.StatusCode)
//	}
//
// A Pool is used up by one call of [Pool.Results] or [Pool.Join]. No goroutine is
// started before that, and none is left when it ends.
type Pool struct {
	jobs     jobs
	workers  int
	sessions []*requests.Session // one a worker, or one for all
	shared   bool                // the caller's, not to be closed
	each     []requests.Option
	onDone   func(done, failed int)
	used     atomic.Bool

	newSession func() *requests.Session
	setUp      []func(*requests.Session) error
	setAuth    []func(*requests.Session) error

	responses, exceptions []PoolResult // kept by Join
}

// PoolResult is what became of a job: a response, of any status, or an error.
type PoolResult struct {
	Job      *requests.Request
	Response *requests.Response
	Err      error
}

// PoolOption configures a [Pool].
type PoolOption func(p *Pool)

// Workers is how many requests are under way at a time: as many as there are CPUs
// by default. Fewer than 1 is [requests.ErrInvalidArgument].
func Workers(n int) PoolOption { return func(p *Pool) { p.workers = n } }

// Initializer is called with each session of the pool when that is made. Its error is that of the
// function which makes the pool.
func Initializer(f func(s *requests.Session) error) PoolOption {
	return func(p *Pool) { p.setUp = append(p.setUp, f) }
}

// AuthGenerator is an [Initializer] for the session's Auth, called after all others.
func AuthGenerator(f func(s *requests.Session) error) PoolOption {
	return func(p *Pool) { p.setAuth = append(p.setAuth, f) }
}

// SessionFunc makes the session of each worker, by [requests.NewSession] by default.
// The pool closes it.
func SessionFunc(f func() *requests.Session) PoolOption {
	return func(p *Pool) { p.newSession = f }
}

// SharedSession lets all workers use s, with its cookies and connections, instead of a session
// each. The pool does not close it. For many workers on one host its adapter should keep as many
// connections: see [requests.PoolMaxSize].
func SharedSession(s *requests.Session) PoolOption {
	return func(p *Pool) {
		p.shared, p.newSession = true, func() *requests.Session { return s }
	}
}

// EachRequest applies options to every job, after the job's own settings. The jobs
// themselves are not changed.
func EachRequest(options ...requests.Option) PoolOption {
	return func(p *Pool) { p.each = append(p.each, options...) }
}

// OnDone calls f with the number of jobs that are done, and of those that failed,
// before each result is handed out. Calls do not overlap.
func OnDone(f func(done, failed int)) PoolOption { return func(p *Pool) { p.onDone = f } }

// NewPool makes a pool for a sequence of jobs. The sequence is run by the workers, one
// at a time; a pool that ends waits for it to give its next job, so it should not
// block for long: what does comes through [FromChannel].
func NewPool(jobs iter.Seq[*requests.Request], options ...PoolOption) (*Pool, error) {
	if jobs == nil {
		return nil, invalid("a pool needs jobs")
	}
	return newPool(&sequence{all: jobs}, options)
}

// FromChannel makes a pool for the jobs that come through a channel until it is
// closed or the pool ends.
func FromChannel(jobs <-chan *requests.Request, options ...PoolOption) (*Pool, error) {
	if jobs == nil {
		return nil, invalid("a pool needs jobs")
	}
	return newPool(channel(jobs), options)
}

// FromURLs makes a pool that gets each URL; use [EachRequest] to add options.
func FromURLs(urls iter.Seq[string], options ...PoolOption) (*Pool, error) {
	if urls == nil {
		return nil, invalid("a pool needs URLs")
	}
	return NewPool(func(yield func(*requests.Request) bool) {
		for url := range urls {
			if !yield(&requests.Request{Method: "GET", URL: url}) {
				return
			}
		}
	}, options...)
}

// FromExceptions makes a pool that sends again the jobs of those results that have
// an error. Whether a request may be repeated is for the caller to say, who also has
// to rewind a body that is a reader.
func FromExceptions(results iter.Seq[PoolResult], options ...PoolOption) (*Pool, error) {
	if results == nil {
		return nil, invalid("a pool needs results")
	}
	return NewPool(func(yield func(*requests.Request) bool) {
		for r := range results {
			if r.Err != nil && !yield(r.Job) {
				return
			}
		}
	}, options...)
}

// Map sends all requests and returns, when the last one is done, the responses and
// the errors, in the order in which they came. No requests is
// [requests.ErrInvalidArgument]; the end of ctx is an error that comes with what
// there is. It keeps everything in memory: see [Pool.Results] for many requests.
func Map(ctx context.Context, all []*requests.Request, options ...PoolOption) (responses, exceptions iter.Seq[PoolResult], err error) {
	if len(all) == 0 {
		return nil, nil, invalid("Map needs at least one request")
	}
	p, err := NewPool(slices.Values(all), options...)
	if err != nil {
		return nil, nil, err
	}
	err = p.Join(ctx)
	return p.Responses(), p.Exceptions(), err
}

func newPool(j jobs, options []PoolOption) (*Pool, error) {
	p := &Pool{jobs: j, workers: runtime.GOMAXPROCS(0), newSession: requests.NewSession}
	for _, o := range options {
		if o != nil {
			o(p)
		}
	}
	if p.workers < 1 {
		return nil, invalid("Workers(%d): a pool needs at least one", p.workers)
	}
	if err := p.makeSessions(); err != nil {
		p.closeSessions()
		return nil, err
	}
	return p, nil
}

func (p *Pool) makeSessions() error {
	n := p.workers
	if p.shared {
		n = 1
	}
	if p.newSession == nil {
		return invalid("SessionFunc: the function is nil")
	}
	for range n {
		s := p.newSession()
		if s == nil {
			return invalid("a pool needs a session")
		}
		p.sessions = append(p.sessions, s)
		for _, f := range slices.Concat(p.setUp, p.setAuth) {
			if f == nil {
				return invalid("Initializer or AuthGenerator: the function is nil")
			}
			if err := f(s); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Pool) closeSessions() {
	if p.shared {
		return
	}
	for _, s := range p.sessions {
		s.Close()
	}
}
