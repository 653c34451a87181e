package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt/fleet"
)

// orders are what a process is told on its standard input, where nobody else can read the key. A
// second line ends it; where its input ends without one, the process that crawls has died.
type orders struct {
	Dir, URL string
	Key      []byte
	Rate     float64
}

const ready = "ready\n" // what a process says when it can fetch

// work is a process that fetches, until it is told to end.
func work(ctx context.Context, name string, in io.Reader, out io.Writer) error {
	told := json.NewDecoder(in)
	var o orders
	if err := told.Decode(&o); err != nil {
		return fmt.Errorf("this is a process of a crawl, and was told nothing: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() { // ends with the process
		var end string
		if told.Decode(&end) != nil {
			os.RemoveAll(o.Dir) // nobody else is left to do it
			os.Exit(1)          // at once: the server has died, too, and is not to be waited for
		}
		stop()
	}()
	if err := fetch(ctx, name, o, out); ctx.Err() == nil {
		return err
	}
	return nil
}

// fetch sends what lies on the queue until ctx ends. It does not end when the queue is empty: the
// links of the last page may not be there yet.
func fetch(ctx context.Context, name string, o orders, out io.Writer) error {
	f, err := fleet.Open(ctx, fleet.Connect(o.URL), fleet.SealWith(o.Key))
	if err != nil {
		return err
	}
	defer f.Close()
	s := requests.NewSession()
	defer s.Close()
	s.TrustEnv = false // the site is on loopback: no proxy
	s.Timeouts.Total = time.Minute
	s.Headers.Set("User-Agent", "crawl/1.0 (process "+name+")")
	cookies, err := f.ShareCookies(ctx, s)
	if err != nil {
		return err
	}
	defer cookies.Close()
	limit, err := f.RateLimit(ctx, o.Rate)
	if err != nil {
		return err
	}
	robots, err := f.Robots(ctx)
	if err != nil {
		return err
	}
	s.Mount("http://", limit(robots(requests.NewHTTPAdapter())))
	if _, err := io.WriteString(out, ready); err != nil {
		return err
	}
	return f.Run(ctx, s, fleet.Workers(2))
}

// crew is the processes.
type crew struct {
	stop    context.CancelCauseFunc // of the crawl
	inputs  []io.WriteCloser
	ready   chan bool
	left    atomic.Int64
	waiting sync.WaitGroup
}

// newCrew is a crew of n, which calls stop when none of them is left.
func newCrew(n int, stop context.CancelCauseFunc) *crew {
	c := &crew{stop: stop, ready: make(chan bool, n), inputs: make([]io.WriteCloser, n)}
	c.left.Store(int64(n))
	return c
}

// start starts all and returns when they can fetch. They are killed when ctx ends.
func (c *crew) start(ctx context.Context, o orders) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	for i := range c.inputs {
		if err := c.startOne(ctx, self, i, o); err != nil {
			return err
		}
	}
	for range c.inputs {
		if !<-c.ready {
			return errors.Join(context.Cause(ctx), errors.New("a process did not start"))
		}
	}
	return nil
}

func (c *crew) startOne(ctx context.Context, self string, i int, o orders) error {
	name := strconv.Itoa(i + 1)
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), processEnv+"="+name)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	c.inputs[i] = in
	c.waiting.Go(func() {
		line, _ := bufio.NewReader(out).ReadString('\n')
		c.ready <- line == ready
		c.ended(ctx, name, cmd.Wait())
	})
	return json.NewEncoder(in).Encode(o)
}

// ended notes that a process has ended. What it had taken goes to the others when its lease is over.
func (c *crew) ended(ctx context.Context, name string, err error) {
	if err != nil && ctx.Err() == nil {
		log.Printf("process %s has ended: %v", name, err)
	}
	if c.left.Add(-1) == 0 {
		c.stop(errors.New("no process is left"))
	}
}

// end tells all to end and waits for them.
func (c *crew) end() {
	for _, in := range c.inputs {
		if in != nil {
			json.NewEncoder(in).Encode("end")
			in.Close()
		}
	}
	c.waiting.Wait()
}
