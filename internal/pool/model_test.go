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

// testConn knows who has it, so that a connection in too many hands, closed twice, or used after its end is seen.
type testConn struct {
	key   int
	most  int32        // who may have it at the same time
	users atomic.Int32 // who have; closed if it is gone
	dead  atomic.Bool
}

const closed = -1 << 20

func capacity(c *testConn) int {
	if c.dead.Load() {
		return 0
	}
	return int(c.most)
}

// model is many users of one pool, and what they must never see.
type model struct {
	t      *testing.T
	cfg    Config
	shared bool
	pool   *Pool[int, *testConn]
	inUse  [6]atomic.Int64 // by key
	opened atomic.Int64
	closed atomic.Int64
}

func (m *model) take(c *testConn) {
	if n := c.users.Add(1); n < 1 || n > c.most {
		m.t.Errorf("%d users of a connection for %d", n, c.most)
	}
}

func (m *model) close(conns []*testConn) {
	for _, c := range conns {
		if !c.users.CompareAndSwap(0, closed) {
			m.t.Errorf("closing a connection with %d users", c.users.Load())
		}
		m.closed.Add(1)
	}
}

// connection does what an adapter does: take a connection, or several if dead, or else open one.
func (m *model) connection(ctx context.Context, r *rand.Rand, l *Lease[int, *testConn], key int, wait Wait) (*testConn, error) {
	for l.Reused {
		c := l.Conn
		m.take(c)
		if c.key != key {
			m.t.Errorf("a connection of key %d for key %d", c.key, key)
		}
		if r.IntN(8) > 0 {
			return c, nil
		}
		c.users.Add(-1)
		var err error
		*l, err = m.pool.Again(ctx, *l, wait)
		m.close(l.Stale)
		if err != nil {
			return nil, err
		}
	}
	m.opened.Add(1)
	c := &testConn{key: key, most: 1}
	if m.shared {
		c.most = 3
	}
	m.take(c)
	if m.shared {
		m.pool.Opened(*l, c, true)
		time.Sleep(time.Duration(r.IntN(2)) * time.Millisecond)
		m.pool.Settled(*l)
	}
	return c, nil
}

func (m *model) use(r *rand.Rand) {
	key := r.IntN(len(m.inUse))
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(1+r.IntN(20))*time.Millisecond)
	defer cancel()
	wait := Wait{Place: time.Duration(r.IntN(20)) * time.Millisecond}
	if m.shared {
		wait.Opening = time.Millisecond
	}
	l, err := m.pool.Get(ctx, key, wait)
	m.close(l.Stale)
	var c *testConn
	if err == nil {
		c, err = m.connection(ctx, r, &l, key, wait)
	}
	if err != nil {
		if !errors.Is(err, ErrTimeout) && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, ErrClosed) {
			m.t.Error(err)
		}
		return
	}
	if n := m.inUse[key].Add(1); m.cfg.Block && !m.shared && n > int64(m.cfg.PerKey) {
		m.t.Errorf("%d connections of one key in use", n)
	}
	time.Sleep(time.Duration(r.IntN(3)) * time.Millisecond)
	m.inUse[key].Add(-1)
	m.giveBack(r, l, c)
}

func (m *model) giveBack(r *rand.Rand, l Lease[int, *testConn], c *testConn) {
	c.users.Add(-1)
	switch {
	case r.IntN(6) > 0:
		m.close(m.pool.Put(l, c))
	case m.shared:
		c.dead.Store(true)
		m.close(m.pool.Put(l, c))
	default:
		m.close([]*testConn{c})
		m.pool.Drop(l)
	}
	if r.IntN(4) == 0 { // rule 32: once more is without effect
		m.close(m.pool.Put(l, c))
		m.pool.Drop(l)
		again, _ := m.pool.Again(context.Background(), l, Wait{})
		m.close(again.Stale)
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
	for i, cfg := range []Config{
		{Keys: 3, PerKey: 2},
		{Keys: 3, PerKey: 2, Block: true},
		{Keys: 6, PerKey: 1, Block: true, MaxAge: 20 * time.Millisecond, MaxIdle: 3 * time.Millisecond},
		{Keys: 3, PerKey: 2},
		{Keys: 3, PerKey: 1, Block: true, MaxAge: 20 * time.Millisecond, MaxIdle: 3 * time.Millisecond},
	} {
		shared := i > 2
		t.Run(fmt.Sprintf("%+v shared %v", cfg, shared), func(t *testing.T) {
			t.Parallel()
			m := &model{t: t, cfg: cfg, shared: shared, pool: New[int](cfg, capacity)}
			var wg sync.WaitGroup
			for user := range 24 {
				wg.Go(func() {
					r := rand.New(rand.NewPCG(1, uint64(user)))
					for range 150 {
						m.use(r)
						m.check()
						switch r.IntN(200) {
						case 0:
							m.close(m.pool.Close())
						case 1:
							m.close(m.pool.CloseIdle())
						case 2:
							m.close(m.pool.CloseExpired())
						}
					}
				})
			}
			wg.Wait()
			m.close(m.pool.Close())
			if s := m.pool.Stats(); s.Keys+s.Idle+s.InUse+s.Waiting != 0 || len(m.pool.buckets) != 0 {
				t.Errorf("left behind: %+v", s)
			}
			if opened, closed := m.opened.Load(), m.closed.Load(); opened != closed || opened == 0 {
				t.Errorf("opened %d connections, closed %d", opened, closed)
			}
		})
	}
}
