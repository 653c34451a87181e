package pool

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// testConn knows who has it, so that a connection in two hands, closed twice, or used after its end is seen.
type testConn struct {
	key   int
	state atomic.Int32 // free, taken or gone
}

const (
	free = iota
	taken
	gone
)

// model is many users of one pool, and what they must never see.
type model struct {
	t      *testing.T
	cfg    Config
	pool   *Pool[int, *testConn]
	inUse  [6]atomic.Int64 // by key
	opened atomic.Int64
	closed atomic.Int64
}

func (m *model) move(c *testConn, from, to int32, doing string) {
	if !c.state.CompareAndSwap(from, to) {
		m.t.Errorf("%s a connection in state %d, want %d", doing, c.state.Load(), from)
	}
}

func (m *model) close(conns []*testConn, state int32) {
	for _, c := range conns {
		m.move(c, state, gone, "closing")
		m.closed.Add(1)
	}
}

// connection does what an adapter does: take an idle connection, or several if dead, or else open one.
func (m *model) connection(r *rand.Rand, l *Lease[int, *testConn], key int) *testConn {
	for l.Reused {
		c := l.Conn
		m.move(c, free, taken, "re-using")
		if c.key != key {
			m.t.Errorf("a connection of key %d for key %d", c.key, key)
		}
		if r.IntN(8) > 0 {
			return c
		}
		m.close([]*testConn{c}, taken)
		*l = m.pool.Again(*l)
	}
	m.opened.Add(1)
	c := &testConn{key: key}
	c.state.Store(taken)
	return c
}

func (m *model) use(r *rand.Rand) {
	key := r.IntN(len(m.inUse))
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(1+r.IntN(20))*time.Millisecond)
	defer cancel()
	l, err := m.pool.Get(ctx, key, time.Duration(r.IntN(20))*time.Millisecond)
	m.close(l.Stale, free)
	if err != nil {
		if !errors.Is(err, ErrTimeout) && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, ErrClosed) {
			m.t.Error(err)
		}
		return
	}
	if n := m.inUse[key].Add(1); m.cfg.Block && n > int64(m.cfg.PerKey) {
		m.t.Errorf("%d connections of one key in use", n)
	}
	c := m.connection(r, &l, key)
	time.Sleep(time.Duration(r.IntN(3)) * time.Millisecond)
	m.inUse[key].Add(-1)
	m.giveBack(r, l, c)
}

func (m *model) giveBack(r *rand.Rand, l Lease[int, *testConn], c *testConn) {
	if r.IntN(6) == 0 {
		m.close([]*testConn{c}, taken)
		m.pool.Drop(l)
	} else {
		c.state.Store(free)
		m.close(m.pool.Put(l, c), free)
	}
	if r.IntN(4) == 0 { // rule 32: once more is without effect
		m.close(m.pool.Put(l, c), free)
		m.pool.Drop(l)
		m.close(m.pool.Again(l).Stale, free)
	}
}

func (m *model) check() {
	s := m.pool.Stats()
	if s.Keys > m.cfg.Keys || s.Idle > m.cfg.Keys*m.cfg.PerKey || s.InUse < 0 || m.cfg.Block && s.InUse > len(m.inUse)*m.cfg.PerKey {
		m.t.Errorf("out of bounds: %+v", s)
	}
}

// TestModel lets many users at a small pool, with keys that come and go, and now and then closes it under them.
func TestModel(t *testing.T) {
	for _, cfg := range []Config{
		{Keys: 3, PerKey: 2},
		{Keys: 3, PerKey: 2, Block: true},
		{Keys: 6, PerKey: 1, Block: true, MaxAge: 20 * time.Millisecond, MaxIdle: 3 * time.Millisecond},
	} {
		t.Run(fmt.Sprintf("%+v", cfg), func(t *testing.T) {
			t.Parallel()
			m := &model{t: t, cfg: cfg, pool: New[int, *testConn](cfg)}
			var wg sync.WaitGroup
			for user := range 24 {
				wg.Go(func() {
					r := rand.New(rand.NewPCG(1, uint64(user)))
					for range 150 {
						m.use(r)
						m.check()
						switch r.IntN(200) {
						case 0:
							m.close(m.pool.Close(), free)
						case 1:
							m.close(m.pool.CloseIdle(), free)
						case 2:
							m.close(m.pool.CloseExpired(), free)
						}
					}
				})
			}
			wg.Wait()
			m.close(m.pool.Close(), free)
			if s := m.pool.Stats(); s.Keys+s.Idle+s.InUse+s.Waiting != 0 || len(m.pool.buckets) != 0 {
				t.Errorf("left behind: %+v", s)
			}
			if opened, closed := m.opened.Load(), m.closed.Load(); opened != closed || opened == 0 {
				t.Errorf("opened %d connections, closed %d", opened, closed)
			}
		})
	}
}
