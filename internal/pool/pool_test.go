package pool

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

type testPool = Pool[string, int]
type testLease = Lease[string, int]

// script runs words like "get a" on a pool and writes down what each gave. Leases and the connections opened on them
// are numbered from 0; "put 1" is about lease 1.
func script(t *testing.T, p *testPool, steps string) string {
	t.Helper()
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
		fmt.Sscan(step, &op, &arg)
		var n int
		fmt.Sscan(arg, &n)
		res := "-"
		switch op {
		case "get":
			l, err := p.Get(t.Context(), arg, time.Second)
			if res = fmt.Sprint(err); err == nil {
				res = show(l)
			}
		case "again":
			res = show(p.Again(leases[n]))
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
	const timeout = "no connection became free in time: all of the pool are in use"
	tests := []struct {
		name  string
		cfg   Config
		steps string
		want  string
	}{
		{"the last one back is the first in use", Config{}, "get a;get a;get a;put 2;put 0;put 1;get a;get a;get a;get a", "new 0; new 1; new 2; old 1; old 0; old 2; new 3"},
		{"excess is discarded", one, "get a;get a;put 0;put 1;get a", "new 0; new 1; discard [1]; old 0"},
		{"a dropped one is gone", one, "get a;drop 0;get a", "new 0; new 1"},
		{"dead ones are passed over", Config{}, "get a;get a;put 0;put 1;get a;again 2;again 3;put 4;get a", "new 0; new 1; old 1; old 0; new 2; old 2"},
		{"keys are apart", Config{}, "get a;put 0;get b;get a", "new 0; new 1; old 0"},
		{"idle ones only", two, "get a;get a;put 1;idle;put 0;get a", "new 0; new 1; close [1]; old 0"},

		{"block: no more than there are places", block, "get a;get a;get b;put 0;get a", "new 0; " + timeout + "; new 1; old 0"},
		{"block: drop frees the place", block, "get a;drop 0;get a", "new 0; new 1"},
		{"block: a dead one keeps its place", block, "get a;put 0;get a;again 1;get a;put 2;get a", "new 0; old 0; new 1; " + timeout + "; old 1"},
		{"block without room has no effect", Config{PerKey: -1, Block: true}, "get a;get a;put 0", "new 0; new 1; discard [0]"},

		{"the key longest unused gives way", two, "get a;put 0;get b;put 1;get a;put 2;get c;get b;get a", "new 0; new 1; old 0; new 2 stale [1]; new 3 stale [0]; new 4"},
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
		{"the old of all keys", aged, "get a;put 0;get b;put 1;sleep 10;expired", "new 0; new 1; close [0 1]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := script(t, New[string, int](tt.cfg), tt.steps)
				got = strings.Replace(got, "[1 0]", "[0 1]", 1) // keys have no order when all are closed
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		})
	}
}

func TestAgainOnEndedLease(t *testing.T) {
	p := New[string, int](Config{PerKey: 1, Block: true})
	l, err := p.Get(t.Context(), "a", 0)
	if err != nil {
		t.Fatal(err)
	}
	p.Put(l, 7)
	if diff := cmp.Diff(Stats{Keys: 1, Idle: 1, Opened: 1}, p.Stats()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	p.Drop(p.Again(l))
	p.Put(testLease{}, 8)
	if diff := cmp.Diff(Stats{Keys: 1, Idle: 1, Opened: 1}, p.Stats()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestStatsAndString(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New[string, int](Config{Keys: 2, PerKey: 1, MaxIdle: time.Minute})
		script(t, p, "get s3cret;get s3cret;put 0;put 1;get s3cret;again 2;put 3;sleep 60;get s3cret;put 4;get b;get c")
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

// TestWaitingIsFair: who came first is served first, by a connection put back or by a place dropped, and nobody pushes in.
func TestWaitingIsFair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New[string, int](Config{PerKey: 1, Block: true})
		held, _ := p.Get(t.Context(), "a", 0)
		served := make(chan string)
		for i := range 4 {
			go func() {
				l, err := p.Get(t.Context(), "a", 0)
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
		{"at once with a cancelled context", 0, func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(context.Background())
			cancel(cause)
			return ctx, func() {}
		}, nil, context.Canceled, 0},
		{"when the pool is closed", 0, nil, func(p *testPool) { time.Sleep(2 * time.Second); p.Close() }, ErrClosed, 2 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := New[string, int](Config{PerKey: 1, Block: true})
				held, _ := p.Get(t.Context(), "a", 0)
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
				_, err := p.Get(ctx, "a", tt.wait)
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
	p := New[bigKey, *int](Config{MaxAge: time.Hour, MaxIdle: time.Hour, Block: true})
	conn := new(int)
	allocs := testing.AllocsPerRun(1000, func() {
		l, _ := p.Get(context.Background(), sampleKey, time.Second)
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
			p := New[bigKey, *int](cfg)
			conn := new(int)
			b.ReportAllocs()
			for b.Loop() {
				l, _ := p.Get(context.Background(), sampleKey, 0)
				p.Put(l, conn)
			}
		})
	}
}

func BenchmarkGetPutParallel(b *testing.B) {
	p := New[bigKey, *int](Config{PerKey: 64})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		conn := new(int)
		for pb.Next() {
			l, _ := p.Get(context.Background(), sampleKey, 0)
			p.Put(l, conn)
		}
	})
}
