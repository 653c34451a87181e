package http3

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/ascii"
)

// connections are those of an adapter. A connection is one of these:
//
//	state     entered by                              left by
//	opening   the first request of a config           its end, or that nobody waits any more
//	in use    get                                     put of the last request: idle, or closed where it is retired
//	idle      put                                     get; closeIdle, idleLimit, the server: closed
//	retired   GOAWAY, Close, a loss; not in current   put of the last request
type connections struct {
	// mu protects the fields below, and the counts of the connections.
	mu       sync.Mutex
	current  map[requests.ConnConfig]*conn
	opening  map[requests.ConnConfig]*opening
	all      map[*conn]bool
	requests uint64
	opened   uint64
	reused   uint64
}

// opening is a connection that several requests may wait for.
type opening struct {
	waiting int
	cancel  context.CancelFunc
	done    chan struct{}
	err     error
}

// idleLimit is how long a connection is kept that carries nothing: longer than a person reads,
// and shorter than what servers bear.
const idleLimit = 60 * time.Second

// errGone is for a server that takes connections and retires each before it can be used.
var errGone = errors.New("http3: the server closes its connections before they carry a request")

func newConnections() *connections {
	return &connections{current: map[requests.ConnConfig]*conn{}, opening: map[requests.ConnConfig]*opening{}, all: map[*conn]bool{}}
}

// get lends a connection, and reports whether it has been used before.
func (p *connections) get(ctx context.Context, c requests.ConnConfig) (got *conn, reused bool, err error) {
	err = p.have(ctx, c, func(found *conn) {
		got = found
		p.lend(found, &reused)
	})
	return got, reused, err
}

// ready waits until there is a connection.
func (p *connections) ready(ctx context.Context, c requests.ConnConfig) error {
	return p.have(ctx, c, func(*conn) {})
}

// have calls take with a connection that is open, with mu held.
func (p *connections) have(ctx context.Context, c requests.ConnConfig, take func(*conn)) error {
	for tries := 0; ; tries++ {
		p.mu.Lock()
		if found := p.current[c]; found != nil && found.quic.Context().Err() == nil {
			take(found)
			p.mu.Unlock()
			return nil
		}
		o := p.opening[c]
		if o == nil && tries > mostRefusals {
			p.mu.Unlock()
			return errGone
		}
		if o == nil {
			o = p.open(ctx, c)
		}
		o.waiting++
		p.mu.Unlock()
		err := p.wait(ctx, c, o)
		if caught, ok := errors.AsType[*panicError](err); ok {
			panic(caught.value)
		}
		if err != nil {
			return err
		}
	}
}

// lend counts a request of a connection.
func (p *connections) lend(c *conn, reused *bool) {
	p.requests++
	if *reused = c.served; *reused && c.users == 0 {
		p.reused++
	}
	c.served = true
	c.users++
	if c.idle != nil {
		c.idle.Stop()
		c.idle = nil
	}
}

// open begins to open a connection.
func (p *connections) open(ctx context.Context, c requests.ConnConfig) *opening {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectLimit)
	o := &opening{cancel: cancel, done: make(chan struct{})}
	p.opening[c] = o
	p.opened++
	go func() {
		defer cancel()
		made, err := connect(ctx, c)
		p.mu.Lock()
		wanted := p.opening[c] == o
		if wanted {
			delete(p.opening, c)
		}
		if o.err = err; err == nil && wanted {
			p.add(c, made)
		}
		close(o.done)
		p.mu.Unlock()
		switch {
		case err != nil:
		case wanted:
			go made.listen()
		default: // the last one who waited has given up meanwhile, and another may be opening
			made.close(codeNone)
		}
	}()
	return o
}

// add takes in a connection that has been made; p.mu is held.
func (p *connections) add(config requests.ConnConfig, c *conn) {
	c.retire = func() { p.retire(config, c) }
	p.all[c] = true
	p.current[config] = c
	c.rest(p)
	context.AfterFunc(c.quic.Context(), func() { p.lost(config, c) })
}

// wait waits for a connection that is being opened. The last one who gives up ends the opening.
func (p *connections) wait(ctx context.Context, c requests.ConnConfig, o *opening) error {
	var err error
	select {
	case <-o.done:
		err = o.err
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if o.waiting--; o.waiting == 0 {
		o.cancel()
		if p.opening[c] == o {
			delete(p.opening, c)
		}
	}
	return err
}

// put takes back what get has lent.
func (p *connections) put(c *conn) {
	p.mu.Lock()
	c.users--
	last := c.users == 0
	if last && !c.retired {
		c.rest(p)
	}
	end := last && c.retired
	p.mu.Unlock()
	if end {
		c.close(codeNone)
	}
}

// rest starts the wait of a connection without a request; p.mu is held.
func (c *conn) rest(p *connections) {
	c.idle = time.AfterFunc(idleLimit, func() { p.closeThose(func(other *conn) bool { return other == c }, false) })
}

// retire takes a connection out of use for further requests.
func (p *connections) retire(config requests.ConnConfig, c *conn) {
	p.mu.Lock()
	if p.current[config] == c {
		delete(p.current, config)
	}
	c.retired = true
	end := c.users == 0
	p.mu.Unlock()
	if end {
		c.close(codeNone)
	}
}

// lost forgets a connection that has ended.
func (p *connections) lost(config requests.ConnConfig, c *conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if delete(p.all, c); p.current[config] == c {
		delete(p.current, config)
	}
	if c.retired = true; c.idle != nil {
		c.idle.Stop()
	}
}

// closeIdle closes the connections that carry nothing, and with all retires the others.
func (p *connections) closeIdle(all bool) {
	p.closeThose(func(*conn) bool { return true }, all)
}

func (p *connections) closeThose(chosen func(*conn) bool, busy bool) {
	var ending []*conn
	p.mu.Lock()
	for config, c := range p.current {
		if !chosen(c) || c.users > 0 && !busy {
			continue
		}
		delete(p.current, config)
		if c.retired = true; c.users == 0 {
			ending = append(ending, c)
			delete(p.all, c)
		}
	}
	p.mu.Unlock()
	for _, c := range ending {
		c.close(codeNone)
	}
}

func (p *connections) stats() requests.PoolStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := requests.PoolStats{Requests: p.requests, Opened: p.opened, Reused: p.reused, InUse: len(p.opening)}
	for c := range p.all {
		if c.users > 0 {
			s.InUse++
		} else {
			s.Idle++
		}
	}
	for config, c := range p.current {
		k := requests.PoolKeyStats{Key: "https://" + ascii.JoinHostPort(config.Host, config.Port), Opened: 1}
		if k.Idle = 1; c.users > 0 {
			k.Idle, k.InUse = 0, 1
		}
		s.Keys = append(s.Keys, k)
	}
	return s
}
