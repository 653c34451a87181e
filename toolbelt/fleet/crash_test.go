package fleet

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mountable/requests"
)

// The jobs of TestCrashes: every fifth may not be repeated, and they are for so many hosts, each of
// which allows five requests a second.
const (
	crashJobs  = 600 // FLEET_JOBS=100000 for more
	crashHosts = 60
	crashRate  = 5
	crashOnce  = 5
	crashKills = 6 // without FLEET_JOBS, which kills to the end
	crashLease = 5 * time.Second
	crewSize   = 4
)

func sizeOf() (jobs, hosts int) {
	if n, err := strconv.Atoi(os.Getenv("FLEET_JOBS")); err == nil && n > 0 {
		return n, max(crashHosts, n/500)
	}
	return crashJobs, crashHosts
}

// crashWorker is the process that TestCrashes kills: it writes when it was allowed to send to a host.
func crashWorker(url string) error {
	ctx := context.Background()
	f, err := Open(ctx, Connect(url))
	if err != nil {
		return err
	}
	defer f.Close()
	w, err := f.RateLimit(ctx, crashRate)
	if err != nil {
		return err
	}
	_, hosts := sizeOf()
	to := map[string]string{}
	for i := range hosts {
		to[fmt.Sprintf("h%d.test", i)] = os.Getenv("FLEET_ORIGIN")
	}
	a := w(requests.NewHTTPAdapter(requests.ResolveTo(to), requests.PoolConnections(hosts))).(*limited)
	a.limits.granted = func(host string, t time.Time) { fmt.Printf("%s %d\n", host, t.UnixNano()) }
	s := requests.NewSession()
	defer s.Close()
	s.TrustEnv = false
	s.Mount("http://", a)
	return f.Run(ctx, s, Workers(16), UntilEmpty)
}

func crashURLs(jobs, hosts int) iter.Seq[*requests.Request] {
	return func(yield func(*requests.Request) bool) {
		for i := range jobs {
			r := &requests.Request{URL: fmt.Sprintf("http://h%d.test/%d", i%hosts, i)}
			if i%crashOnce == 0 {
				r.Method, r.Body = "POST", "once"
			}
			if !yield(r) {
				return
			}
		}
	}
}

// tally is what the origin has seen.
type tally struct {
	// mu protects the fields below.
	mu      sync.Mutex
	arrived map[string]int
	times   map[string][]time.Time
}

func (c *tally) count(w http.ResponseWriter, r *http.Request, at time.Time) {
	c.mu.Lock()
	c.arrived[r.Method+" "+r.URL.Path]++
	c.times[r.Host] = append(c.times[r.Host], at)
	c.mu.Unlock()
	io.WriteString(w, "ok")
}

// crew keeps four workers alive, whatever kills them.
type crew struct {
	t           *testing.T
	url, origin string
	grants      *grants
	readers     sync.WaitGroup
	alive       []*worker
	stops       int
}

// worker is a process, and whether it has sent anything.
type worker struct {
	*exec.Cmd
	sends atomic.Bool
}

func (c *crew) start() *worker {
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), "FLEET_WORKER="+c.url, "FLEET_ORIGIN="+c.origin)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		c.t.Fatal(err)
	}
	w := &worker{Cmd: cmd}
	c.readers.Go(func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			w.sends.Store(true)
			host, at, _ := strings.Cut(lines.Text(), " ")
			if n, err := strconv.ParseInt(at, 10, 64); err == nil {
				c.grants.note(host, time.Unix(0, n))
			}
		}
	})
	return w
}

// killOne kills a worker at random and starts another. One that has not sent anything yet is
// spared: a busy machine may take longer than a second to start it.
func (c *crew) killOne() bool {
	i := rand.IntN(len(c.alive))
	if !c.alive[i].sends.Load() {
		return false
	}
	c.alive[i].Process.Kill()
	c.alive[i].Wait()
	c.alive[i] = c.start()
	return true
}

// stopOne keeps a worker from running for a while, now and then: what it was about to do is late.
func (c *crew) stopOne() {
	p := c.alive[rand.IntN(len(c.alive))].Process
	if rand.IntN(3) > 0 || !stopProcess(p) {
		return
	}
	c.stops++
	time.AfterFunc(time.Duration(rand.IntN(1500))*time.Millisecond, func() { continueProcess(p) })
}

// TestCrashes: workers are killed at random every second, and every job has one result.
func TestCrashes(t *testing.T) {
	jobs, hosts := sizeOf()
	seen := &tally{arrived: map[string]int{}, times: map[string][]time.Time{}}
	origin := newStamped(t, seen.count)
	origin.Start()
	f := open(t, Embedded(t.TempDir()), Lease(crashLease))
	enqueue(t, f, crashURLs(jobs, hosts), jobs)
	c := &crew{t: t, url: f.URL(), origin: origin.Listener.Addr().String(), grants: &grants{at: map[string][]time.Time{}}}
	begun := time.Now()
	for range crewSize {
		c.alive = append(c.alive, c.start())
	}
	kills := 0
	for {
		if err := pause(t.Context(), time.Second); err != nil {
			t.Fatal(err)
		}
		s, err := f.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s.Waiting+s.Running == 0 {
			break
		}
		if (kills < crashKills || os.Getenv("FLEET_JOBS") != "") && c.killOne() {
			kills++
			c.stopOne()
		}
	}
	took := time.Since(begun)
	for _, cmd := range c.alive {
		if err := cmd.Wait(); err != nil {
			t.Errorf("a worker that was not killed: %v", err)
		}
	}
	c.readers.Wait()
	checkCrashes(t, f, seen, jobs)
	granted, arrived := 0, 0
	for _, at := range c.grants.at {
		granted = max(granted, excess(at, crashRate))
	}
	for _, at := range seen.times {
		arrived = max(arrived, excess(at, crashRate))
	}
	if arrived > 1 {
		t.Errorf("a host has seen %d requests above its rate in a second, and granted were %d", arrived, granted)
	}
	t.Logf("%d jobs for %d hosts in %v (%.0f/s), %d kills, %d stops; above the rate in any second: %d granted, %d as the server saw it",
		jobs, hosts, took.Round(time.Millisecond), float64(jobs)/took.Seconds(), kills, c.stops, granted, arrived)
}

func checkCrashes(t *testing.T, f *Fleet, seen *tally, jobs int) {
	t.Helper()
	ids, unknown, repeated := map[string]bool{}, 0, 0
	for _, r := range results(t, f) {
		n := seen.arrived[r.Method+" /"+r.URL[strings.LastIndex(r.URL, "/")+1:]]
		switch {
		case ids[r.ID]:
			t.Errorf("%s has two results", r.URL)
		case r.Method == "POST" && n > 1:
			t.Errorf("%s was sent %d times", r.URL, n)
		case r.Method == "POST" && n == 0 && !r.Unknown || r.Method == "GET" && n == 0:
			t.Errorf("%s was not sent: %v", r.URL, r.Err)
		case r.Method == "GET" && r.Err != nil:
			t.Errorf("%s: %v", r.URL, r.Err)
		}
		ids[r.ID] = true
		repeated += max(0, n-1)
		if r.Unknown {
			unknown++
		}
	}
	if len(ids) != jobs {
		t.Errorf("%d jobs have a result, want %d", len(ids), jobs)
	}
	t.Logf("%d results, %d of them unknown; %d requests were sent again", len(ids), unknown, repeated)
}
