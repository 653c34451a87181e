package requests_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// hold opens n streamed responses, so that n connections are in use.
func hold(t testing.TB, s *requests.Session, url string, n int) []*requests.Response {
	t.Helper()
	held := make([]*requests.Response, n)
	for i := range held {
		r, err := s.Get(t.Context(), url, requests.Stream(true))
		if err != nil {
			t.Fatal(err)
		}
		held[i] = r
	}
	return held
}

func release(held []*requests.Response) {
	for _, r := range held {
		r.Content()
	}
}

// TestPoolSizes: how many of three connections in use at a time stay idle, and how
// many the next three requests have to open.
func TestPoolSizes(t *testing.T) {
	type counts struct{ Idle, Opened, Reused, Discarded int }
	for name, tt := range map[string]struct {
		options []requests.AdapterOption
		want    counts
	}{
		"default":          {nil, counts{3, 3, 3, 0}},
		"two kept":         {[]requests.AdapterOption{requests.PoolMaxSize(2)}, counts{2, 4, 2, 2}},
		"none kept":        {[]requests.AdapterOption{requests.PoolMaxSize(0)}, counts{0, 6, 0, 6}},
		"none kept, block": {[]requests.AdapterOption{requests.PoolMaxSize(0), requests.PoolBlock(true)}, counts{0, 6, 0, 6}},
		"no place":         {[]requests.AdapterOption{requests.PoolConnections(0)}, counts{0, 6, 0, 6}},
		"block, enough":    {[]requests.AdapterOption{requests.PoolMaxSize(3), requests.PoolBlock(true)}, counts{3, 3, 3, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			server := wiretest.Origin(t)
			a := requests.NewHTTPAdapter(tt.options...)
			s := requests.NewSession()
			s.Mount("http://", a)
			defer s.Close()
			for range 2 {
				release(hold(t, s, server.URL("/"), 3))
			}
			stats := a.Stats()
			got := counts{stats.Idle, int(stats.Opened), int(stats.Reused), int(stats.Discarded)}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if server.Accepted() != got.Opened || stats.Requests != 6 || stats.InUse != 0 {
				t.Errorf("%d connections for %+v", server.Accepted(), stats)
			}
		})
	}
}

// TestPoolKeys: the least recently used pool key is evicted.
func TestPoolKeys(t *testing.T) {
	a, b := wiretest.Origin(t), wiretest.Origin(t)
	adapter := requests.NewHTTPAdapter(requests.PoolConnections(1))
	s := requests.NewSession()
	s.Mount("http://", adapter)
	defer s.Close()
	for _, url := range []string{a.URL("/"), b.URL("/"), a.URL("/"), a.URL("/")} {
		if _, err := s.Get(t.Context(), url); err != nil {
			t.Fatal(err)
		}
	}
	stats := adapter.Stats()
	want := []requests.PoolKeyStats{{Key: "http://" + a.Addr(), Idle: 1, Opened: 1, Reused: 1}}
	if diff := cmp.Diff(want, stats.Keys); diff != "" || stats.Evicted != 2 {
		t.Errorf("(-want +got):\n%s\n%+v", diff, stats)
	}
	if text := fmt.Sprint(adapter); !strings.Contains(text, want[0].Key+": idle 1, in use 0") {
		t.Errorf("String: %s", text)
	}
	adapter.CloseIdle()
	if !a.WaitOpen(0) || !b.WaitOpen(0) || adapter.Stats().Idle != 0 {
		t.Error("connections are left after CloseIdle")
	}
}

// TestPoolStatsHideCredentials: a proxy's password is in the pool's key, and must
// not be in its description.
func TestPoolStatsHideCredentials(t *testing.T) {
	proxy := wiretest.Start(t, wiretest.Config{Route: wiretest.Direct})
	a := requests.NewHTTPAdapter()
	s := requests.NewSession()
	s.Mount("http://", a)
	defer s.Close()
	if _, err := s.Get(t.Context(), "http://h.test/", requests.Proxies{"http": "http://user:hunter2@" + proxy.Addr()}); err != nil {
		t.Fatal(err)
	}
	if text := fmt.Sprint(a) + fmt.Sprintf("%+v %#v", a.Stats(), a.Stats()); strings.Contains(text, "hunter2") {
		t.Errorf("the password is in %s", text)
	}
}

// TestPoolAges: too old or too long idle, a connection is replaced.
func TestPoolAges(t *testing.T) {
	for name, option := range map[string]requests.AdapterOption{"age": requests.PoolMaxAge(30 * time.Millisecond), "idle": requests.PoolMaxIdle(30 * time.Millisecond)} {
		server := wiretest.Origin(t)
		s := retrySession(t, option)
		for range 2 {
			if _, err := s.Get(t.Context(), server.URL("/")); err != nil {
				t.Fatal(err)
			}
			time.Sleep(40 * time.Millisecond)
		}
		if n := server.Accepted(); n != 2 {
			t.Errorf("%s: %d connections, want 2", name, n)
		}
	}
}

// fickleServer echoes the target and closes connections at random, after a reply
// and without a word. It counts the requests it works on at a time.
type fickleServer struct {
	listener  net.Listener
	running   sync.WaitGroup
	now, most atomic.Int64
	served    atomic.Int64
	dropped   atomic.Int64
}

func newFickleServer(t *testing.T) *fickleServer {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fickleServer{listener: l}
	f.running.Go(func() {
		for seed := uint64(1); ; seed++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			f.running.Go(func() { f.serve(c, rand.New(rand.NewPCG(1, seed))) })
		}
	})
	t.Cleanup(func() { l.Close(); f.running.Wait() })
	return f
}

func (f *fickleServer) serve(c net.Conn, random *rand.Rand) {
	defer c.Close()
	in := bufio.NewReader(c)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		n := f.now.Add(1)
		for most := f.most.Load(); n > most && !f.most.CompareAndSwap(most, n); most = f.most.Load() {
		}
		for header := line; header != "\r\n"; {
			if header, err = in.ReadString('\n'); err != nil {
				return
			}
		}
		target := strings.Fields(line)[1]
		f.served.Add(1)
		f.now.Add(-1)
		fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(target), target)
		if random.IntN(20) == 0 {
			f.dropped.Add(1)
			return
		}
	}
}

// TestPoolUnderLoad sends 10,000 requests from 200 goroutines over at most 20
// connections to a server that closes at random: every answer is the right one,
// and the server never has more to do at a time.
func TestPoolUnderLoad(t *testing.T) {
	const users, bound = 200, 20
	each := 50
	if testing.Short() {
		each = 5
	}
	server := newFickleServer(t)
	a := requests.NewHTTPAdapter(requests.PoolMaxSize(bound), requests.PoolBlock(true))
	s := requests.NewSession()
	s.TrustEnv = false
	s.Mount("http://", a)
	var wg sync.WaitGroup
	for user := range users {
		wg.Go(func() {
			for i := range each {
				target := fmt.Sprintf("/%d/%d", user, i)
				r, err := s.Get(t.Context(), "http://"+server.listener.Addr().String()+target, requests.Timeouts{Read: ample})
				if err != nil {
					t.Errorf("%s: %v", target, err)
					return
				}
				if text, _ := r.Text(); text != target {
					t.Errorf("%s got %q", target, text)
				}
			}
		})
	}
	wg.Wait()
	stats := a.Stats()
	s.Close()
	if most := server.most.Load(); most > bound {
		t.Errorf("%d requests at a time, want %d at most", most, bound)
	}
	if n := server.served.Load(); n != int64(users*each) || server.dropped.Load() == 0 {
		t.Errorf("%d requests served, %d connections dropped", n, server.dropped.Load())
	}
	if stats.InUse != 0 || stats.Waiting != 0 || stats.Idle > bound {
		t.Errorf("left: %+v", stats)
	}
}

// idleConnections leaves n connections idle and returns what each takes of heap
// and stack, and how many goroutines came with them. The server is one goroutine
// and keeps nothing but the sockets.
func idleConnections(tb testing.TB, n int) (bytes float64, goroutines int) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	files := make([]net.Conn, 0, n)
	var serving sync.WaitGroup
	serving.Go(func() {
		block := make([]byte, 4<<10)
		for range n {
			c, err := l.Accept()
			if err != nil {
				return
			}
			files = append(files, c)
			c.Read(block)
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	})
	s := retrySession(tb, requests.PoolMaxSize(n))
	url := "http://" + l.Addr().String() + "/"
	before, count := inUse(), runtime.NumGoroutine()
	held := hold(tb, s, url, n)
	serving.Wait()
	release(held)
	clear(held)
	held = nil
	after := inUse()
	goroutines = runtime.NumGoroutine() - count + 1 // the server has ended
	l.Close()
	for _, c := range files {
		c.Close()
	}
	runtime.KeepAlive(s)
	return (after - before) / float64(n), goroutines
}

// inUse is what heap and stacks hold after a collection.
func inUse() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc + m.StackInuse)
}

// TestPoolIdleMemory: an idle connection holds no buffer and no goroutine. The two
// ends of it, the server's socket included, take less than 2 KiB.
func TestPoolIdleMemory(t *testing.T) {
	bytes, goroutines := idleConnections(t, 400)
	if bytes > 2<<10 || goroutines > 0 {
		t.Errorf("%.0f bytes and %d goroutines for 400 idle connections, want 2048 bytes each at most and none", bytes, goroutines)
	}
}

func BenchmarkIdleConnection(b *testing.B) {
	for b.Loop() {
		bytes, _ := idleConnections(b, 2000)
		b.ReportMetric(bytes, "B/conn")
	}
}
