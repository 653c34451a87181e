package pool

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

type testPool = Pool[string, int]
type testLease = Lease[string, int]

// script runs words like "get a" on a pool and writes down what each gave. Leases and the connections opened on them
// are numbered from 0; "put 1" is about lease 1.
//
// "ask a" gets a connection that may be shared. "opened 1" says that what lease 1 opened is shared and takes one lease,
// "alone 1" that it is not; "capacity 1 3" that connection 1 takes 3.
func script(t *testing.T, cfg Config, steps string) string {
	t.Helper()
	capacities := map[int]int{}
	p := New[string, int](cfg, func(conn int) int {
		if capacity, ok := capacities[conn]; ok {
			return capacity
		}
		return 1
	})
	var leases []testLease
	var out []string
	opened := 0
	show := func(l testLease) string {
		s := fmt.Sprint("new ", opened)
		if l.Reused {
			s = fmt.Sprint("old ", l.Conn)
		} else {
			l.Conn = opened
			opened++
		}
		leases = append(leases, l)
		if l.Stale != nil {
			s += fmt.Sprint(" stale ", l.Stale)
		}
		return s
	}
	for step := range strings.SplitSeq(steps, ";") {
		var op, arg string
		var n, capacity int
		fmt.Sscan(step, &op, &arg, &capacity)
		fmt.Sscan(arg, &n)
		res := "-"
		switch op {
		case "get":
			l, err := p.Get(t.Context(), arg, Wait{Place: time.Second})
			if res = fmt.Sprint(err); err == nil {
				res = show(l)
			}
		case "ask":
			start := time.Now()
			l, err := p.Get(t.Context(), arg, Wait{Place: 2 * time.Second, Opening: time.Second})
			if res = fmt.Sprint(err); err == nil {
				res = show(l)
			}
			if waited := time.Since(start); waited > 0 {
				res += fmt.Sprint(" after ", waited)
			}
		case "opened":
			p.Opened(leases[n], leases[n].Conn, true)
		case "alone":
			p.Opened(leases[n], leases[n].Conn, false)
		case "settled":
			p.Settled(leases[n])
		case "capacity":
			capacities[n] = capacity
		case "stats":
			s := p.Stats()
			res = fmt.Sprintf("idle %d in use %d", s.Idle, s.InUse)
		case "again":
			l, _ := p.Again(t.Context(), leases[n], Wait{Place: time.Second})
			res = show(l)
		case "put":
			if c := p.Put(leases[n], leases[n].Conn); c != nil {
				res = fmt.Sprint("discard ", c)
			}
		case "drop":
			p.Drop(leases[n])
		case "close":
			res = fmt.Sprint("close ", p.Close())
		case "idle":
			res = fmt.Sprint("close ", p.CloseIdle())
		case "expired":
			res = fmt.Sprint("close ", p.CloseExpired())
		case "sleep":
			time.Sleep(time.Duration(n) * time.Second)
		default:
			t.Fatalf("step %q", step)
		}
		if res != "-" {
			out = append(out, res)
		}
	}
	return strings.Join(out, "; ")
}

func TestScripts(t *testing.T) {
	one := Config{PerKey: 1}
	block := Config{PerKey: 1, Block: true}
	two := Config{Keys: 2, PerKey: 2}
	aged := Config{MaxAge: 100 * time.Second, MaxIdle: 10 * time.Second}
	const timeout = "all connections of the pool are in use"
	tests := []struct {
		name  string
		cfg   Config
		steps string
		want  string
	}{
		{"the last one back is the first in use", Config{}, "get a;get a;get a;put 2;put 0;put 1;get a;get a;get a;get a", "new 0; new 1; new 2; old 1; old 0; old 2; new 3"},
		{"excess is discarded", one, "get a;get a;put 0;put 1;get a", "new 0; new 1; discard [1]; old 0"},
		{"a dropped one is gone", one, "get a;drop 0;get a", "new 0; new 1"},
		{"dead ones are passed over", Config{}, "get a;get a;put 0;put 1;get a;again 2;again 3;put 4;get a", "new 0; new 1; old 1; old 0 stale [1]; new 2 stale [0]; old 2"},
		{"keys are apart", Config{}, "get a;put 0;get b;get a", "new 0; new 1; old 0"},
		{"idle ones only", two, "get a;get a;put 1;idle;put 0;get a", "new 0; new 1; close [1]; old 0"},

		{"block: no more than there are places", block, "get a;get a;get b;put 0;get a", "new 0; " + timeout + "; new 1; old 0"},
		{"block: drop frees the place", block, "get a;drop 0;get a", "new 0; new 1"},
		{"block: a dead one keeps its place", block, "get a;put 0;get a;again 1;get a;put 2;get a", "new 0; old 0; new 1 stale [0]; " + timeout + "; old 1"},
		{"block without capacity has no effect", Config{PerKey: -1, Block: true}, "get a;get a;put 0", "new 0; new 1; discard [0]"},

		{"the key longest unused is evicted", two, "get a;put 0;get b;put 1;get a;put 2;get c;get b;get a", "new 0; new 1; old 0; new 2 stale [1]; new 3 stale [0]; new 4"},
		{"in use while its key gave way", two, "get a;get b;get c;put 0;put 1;get a", "new 0; new 1; new 2; discard [0]; new 3 stale [1]"},
		{"and not kept when the key is back", two, "get a;get b;get c;get a;put 0;put 3;get a", "new 0; new 1; new 2; new 3; discard [0]; old 3"},
		{"block: places count while the key is away", Config{Keys: 1, PerKey: 1, Block: true}, "get a;get b;get a;put 0;get a", "new 0; new 1; " + timeout + "; discard [0]; new 2"},
		{"no keys, nothing kept", Config{Keys: -1}, "get a;put 0;get a", "new 0; discard [0]; new 1"},

		{"close and go on", two, "get a;get a;put 0;close;put 1;get a;put 2;get a;close", "new 0; new 1; close [0]; discard [1]; new 2; old 2; close []"},
		{"rule 32: never put twice", Config{}, "get a;put 0;put 0;get a;put 0;drop 0;get a", "new 0; old 0; new 1"},
		{"rule 32: not through a copy of an older lease", Config{}, "get a;put 0;get a;put 1;put 0;put 1;get a;get a", "new 0; old 0; old 0; new 1"},
		{"rule 32: drop twice frees one place", block, "get a;drop 0;get a;drop 0;get a", "new 0; new 1; " + timeout},

		{"idle too long", aged, "get a;put 0;sleep 9;get a;put 1;sleep 10;get a", "new 0; old 0; new 1 stale [0]"},
		{"only those idle too long", aged, "get a;get a;put 0;sleep 5;put 1;sleep 5;get a", "new 0; new 1; old 1 stale [0]"},
		{"too old when wanted", aged, "get a;sleep 95;put 0;sleep 5;get a", "new 0; new 1 stale [0]"},
		{"too old when put back", aged, "get a;sleep 100;put 0", "new 0; discard [0]"},
		{"shared: as many as its capacity", Config{}, "ask a;opened 0;capacity 0 2;settled 0;ask a;ask a;stats", "new 0; old 0; new 1; idle 0 in use 2"},
		{"shared: and again when one has ended", Config{}, "ask a;opened 0;capacity 0 2;settled 0;ask a;put 0;ask a;put 1;put 2;stats;ask a", "new 0; old 0; old 0; idle 1 in use 0; old 0"},
		{"shared: who asks waits for what is opened, not for ever", Config{}, "ask a;ask a;alone 0;ask a", "new 0; new 1 after 1s; new 2"},
		{"shared: nobody waits where nothing is shared", Config{}, "ask a;alone 0;ask a;ask a", "new 0; new 1; new 2"},
		{"shared: until the capacity is known, for one", Config{}, "ask a;opened 0;ask a;capacity 0 5;ask a", "new 0; new 1 after 1s; old 0"},
		{"shared: no capacity any more", Config{}, "ask a;opened 0;capacity 0 5;settled 0;ask a;capacity 0 0;ask a;put 0;put 1;put 2;stats", "new 0; old 0; new 1; discard [0]; idle 1 in use 0"},
		{"shared: kept like others", Config{PerKey: -1}, "ask a;opened 0;capacity 0 5;settled 0;ask a;put 0;put 1;ask a", "new 0; old 0; discard [0]; new 1"},
		{"shared: not without a key", Config{Keys: -1}, "ask a;opened 0;capacity 0 5;settled 0;ask a;put 0", "new 0; new 1; discard [0]"},
		{"shared: closed while in use", Config{}, "ask a;opened 0;capacity 0 5;settled 0;ask a;close;ask a;put 0;put 1;put 2;close", "new 0; old 0; close []; new 1; discard [0]; close [1]"},
		{"shared: idle ones are closed, others are not", Config{}, "ask a;opened 0;capacity 0 5;settled 0;ask a;put 0;idle;put 1;idle", "new 0; old 0; close []; close [0]"},
		{"shared: dead for all", Config{}, "ask a;opened 0;capacity 0 5;settled 0;ask a;again 1;put 0;stats", "new 0; old 0; new 1; discard [0]; idle 0 in use 1"},
		{"shared: dropped for all", Config{}, "ask a;opened 0;capacity 0 5;settled 0;ask a;drop 1;ask a;put 0", "new 0; old 0; new 1; discard [0]"},
		{"shared: too old", aged, "ask a;opened 0;capacity 0 5;settled 0;sleep 99;ask a;sleep 1;ask a;put 0;put 1", "new 0; old 0; new 1; discard [0]"},
		{"shared: idle too long", aged, "ask a;opened 0;capacity 0 5;settled 0;put 0;sleep 9;ask a;put 1;sleep 10;ask a", "new 0; old 0; new 1 stale [0]"},
		{"shared: places are connections", block, "ask a;opened 0;capacity 0 2;settled 0;ask a;ask a;put 1;ask a", "new 0; old 0; " + timeout + " after 2s; old 0"},
		{"shared: one that takes no more has no place", block, "ask a;opened 0;capacity 0 2;settled 0;capacity 0 0;ask a;stats", "new 0; new 1; idle 0 in use 1"},
		{"shared: ended leases are without effect", Config{}, "ask a;opened 0;capacity 0 2;settled 0;ask a;put 0;put 0;ask a;put 0;ask a", "new 0; old 0; old 0; new 1"},

		{"the old of all keys", aged, "get a;put 0;get b;put 1;sleep 10;expired", "new 0; new 1; close [0 1]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := script(t, tt.cfg, tt.steps)
				got = strings.Replace(got, "[1 0]", "[0 1]", 1) // keys have no order when all are closed
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		})
	}
}

func TestAgainOnEndedLease(t *testing.T) {
	p := New[string, int](Config{PerKey: 1, Block: true}, nil)
	l, err := p.Get(t.Context(), "a", Wait{})
	if err != nil {
		t.Fatal(err)
	}
	p.Put(l, 7)
	if diff := cmp.Diff(Stats{Keys: 1, Idle: 1, Opened: 1}, p.Stats()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	again, _ := p.Again(t.Context(), l, Wait{})
	p.Drop(again)
	p.Put(testLease{}, 8)
	if diff := cmp.Diff(Stats{Keys: 1, Idle: 1, Opened: 1}, p.Stats()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestStatsAndString(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New[string, int](Config{Keys: 2, PerKey: 1, MaxIdle: time.Minute}, nil)
		get := func(key string) testLease {
			l, err := p.Get(t.Context(), key, Wait{})
			if err != nil {
				t.Fatal(err)
			}
			return l
		}
		first, second := get("s3cret"), get("s3cret")
		p.Put(first, 0)
		p.Put(second, 1)
		again, _ := p.Again(t.Context(), get("s3cret"), Wait{})
		p.Put(again, 2)
		time.Sleep(time.Minute)
		p.Put(get("s3cret"), 3)
		get("b")
		get("c")
		want := Stats{Keys: 2, Idle: 0, InUse: 2, Opened: 6, Reused: 1, Dead: 1, Expired: 1, Evicted: 1, Discarded: 1}
		if diff := cmp.Diff(want, p.Stats()); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		text := "pool(keys 2/2, idle 0, in use 2, waiting 0)"
		if diff := cmp.Diff(strings.Repeat(text+" ", 4), fmt.Sprintf("%v %+v %s %#v ", p, p, p, p)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

// TestOpeningIsShared: those who ask while somebody opens a connection get it, when it is known how many it takes, or
// one of their own, when it cannot be shared or was not opened.
func TestOpeningIsShared(t *testing.T) {
	for name, tt := range map[string]struct {
		end  func(p *testPool, l testLease)
		want [3]string
	}{
		"shared": {func(p *testPool, l testLease) { p.Opened(l, 7, true); p.Settled(l) }, [3]string{"7 true", "7 true", "7 true"}},
		"alone":  {func(p *testPool, l testLease) { p.Opened(l, 7, false) }, [3]string{"0 false", "0 false", "0 false"}},
		"failed": {func(p *testPool, l testLease) { p.Drop(l) }, [3]string{"0 false", "0 false", "0 false"}},
		"used":   {func(p *testPool, l testLease) { p.Put(l, 7) }, [3]string{"7 true", "7 true", "7 true"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := New[string, int](Config{}, func(int) int { return 10 })
				first, _ := p.Get(t.Context(), "a", Wait{Opening: time.Second})
				var all sync.WaitGroup
				var got [3]string
				for i := range got {
					all.Go(func() {
						l, err := p.Get(t.Context(), "a", Wait{Opening: time.Second})
						if got[i] = fmt.Sprint(l.Conn, l.Reused); err != nil {
							got[i] = err.Error()
						}
						if !l.Reused {
							p.Drop(l) // it could not be opened either
						}
					})
				}
				synctest.Wait()
				start := time.Now()
				if name == "used" {
					p.Opened(first, 7, true)
				}
				tt.end(p, first)
				all.Wait()
				if diff := cmp.Diff(tt.want, got); diff != "" || time.Since(start) != 0 {
					t.Errorf("after %v (-want +got)\n%s", time.Since(start), diff)
				}
			})
		})
	}
}

// TestWaitingIsFair: who came first is served first, by a connection put back or by a place dropped, and nobody pushes in.
func TestWaitingIsFair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New[string, int](Config{PerKey: 1, Block: true}, nil)
		held, _ := p.Get(t.Context(), "a", Wait{})
		served := make(chan string)
		for i := range 4 {
			go func() {
				l, err := p.Get(t.Context(), "a", Wait{})
				served <- fmt.Sprint(i, l.Conn, l.Reused, err)
				if i%2 == 0 {
					p.Drop(l)
				} else {
					p.Put(l, 10+i)
				}
			}()
			synctest.Wait()
		}
		if diff := cmp.Diff(4, p.Stats().Waiting); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		p.Put(held, 9)
		var got []string
		for range 4 {
			got = append(got, <-served)
		}
		want := []string{"0 9 true <nil>", "1 0 false <nil>", "2 11 true <nil>", "3 0 false <nil>"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

func TestWaitingEnds(t *testing.T) {
	cause := errors.New("enough")
	tests := []struct {
		name string
		wait time.Duration
		ctx  func() (context.Context, context.CancelFunc)
		do   func(*testPool)
		want error
		took time.Duration
	}{
		{"after the time given", 3 * time.Second, nil, nil, ErrTimeout, 3 * time.Second},
		{"with the deadline", time.Hour, func() (context.Context, context.CancelFunc) {
			return context.WithTimeout(context.Background(), time.Second)
		}, nil, context.DeadlineExceeded, time.Second},
		{"at once with a canceled context", 0, func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(context.Background())
			cancel(cause)
			return ctx, func() {}
		}, nil, context.Canceled, 0},
		{"when the pool is closed", 0, nil, func(p *testPool) { time.Sleep(2 * time.Second); p.Close() }, ErrClosed, 2 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := New[string, int](Config{PerKey: 1, Block: true}, nil)
				held, _ := p.Get(t.Context(), "a", Wait{})
				ctx := t.Context()
				if tt.ctx != nil {
					c, cancel := tt.ctx()
					defer cancel()
					ctx = c
				}
				if tt.do != nil {
					go tt.do(p)
				}
				start := time.Now()
				_, err := p.Get(ctx, "a", Wait{Place: tt.wait})
				if !errors.Is(err, tt.want) || time.Since(start) != tt.took {
					t.Errorf("got %v after %v, want %v after %v", err, time.Since(start), tt.want, tt.took)
				}
				p.Drop(held)
				if got := p.Stats(); got.InUse != 0 || got.Waiting != 0 {
					t.Errorf("left behind: %v", p)
				}
			})
		})
	}
	var timeout interface{ Timeout() bool }
	if !errors.As(ErrTimeout, &timeout) || !timeout.Timeout() {
		t.Error("ErrTimeout is no timeout")
	}
}

func TestGetAndPutDoNotAllocate(t *testing.T) {
	p := New[bigKey, *int](Config{MaxAge: time.Hour, MaxIdle: time.Hour, Block: true}, nil)
	conn := new(int)
	allocs := testing.AllocsPerRun(1000, func() {
		l, _ := p.Get(context.Background(), sampleKey, Wait{Place: time.Second})
		p.Put(l, conn)
	})
	if diff := cmp.Diff(0.0, allocs); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// bigKey is as large as the keys of real connections.
//
//lint:ignore U1000 the fields are there to be hashed and compared
type bigKey struct {
	scheme, host, proxy, proxyAuth, ca, cert, key, sni, pin, local string
	port, minVersion                                               int
	verify                                                         bool
}

var sampleKey = bigKey{scheme: "https", host: "api.example.com", port: 443, sni: "api.example.com", verify: true}

func BenchmarkGetPut(b *testing.B) {
	for name, cfg := range map[string]Config{"plain": {}, "aged": {MaxAge: time.Hour, MaxIdle: time.Hour}} {
		b.Run(name, func(b *testing.B) {
			p := New[bigKey, *int](cfg, nil)
			conn := new(int)
			b.ReportAllocs()
			for b.Loop() {
				l, _ := p.Get(context.Background(), sampleKey, Wait{})
				p.Put(l, conn)
			}
		})
	}
}

func BenchmarkGetPutParallel(b *testing.B) {
	p := New[bigKey, *int](Config{PerKey: 64}, nil)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		conn := new(int)
		for pb.Next() {
			l, _ := p.Get(context.Background(), sampleKey, Wait{})
			p.Put(l, conn)
		}
	})
}

// TestForgottenOnce: the last user of a connection that was given up, whose key was evicted and has come back since, takes
// nothing of what the key has now.
func TestForgottenOnce(t *testing.T) {
	p := New[int](Config{Keys: 1, PerKey: 2}, capacity)
	get := func(key int) Lease[int, *testConn] {
		t.Helper()
		l, err := p.Get(t.Context(), key, Wait{Opening: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	old, again, other := &testConn{most: 2}, &testConn{most: 2}, &testConn{most: 2}
	first := get(1)
	p.Opened(first, old, true)
	second := get(1)
	evicting := get(2)
	p.Drop(first) // the connection is given up, and used by the second
	third := get(1)
	p.Opened(third, again, true)
	p.Put(third, again)
	p.Put(second, old)
	got := p.Close()
	if discarded := p.Put(evicting, other); len(discarded) != 1 {
		t.Errorf("%d connections of an evicted key", len(discarded))
	}
	if len(got) != 1 || got[0] != again || p.Stats().Keys != 0 {
		t.Errorf("closed: %d connections, %+v", len(got), p.Stats())
	}
}
