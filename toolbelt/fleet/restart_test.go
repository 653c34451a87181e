package fleet

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// backend is a server that a test starts and ends as it likes, on one directory and one port.
type backend struct {
	start func(dir string, port int) (end func(), url string, err error)
}

// inProcess is shut down as Close does it.
var inProcess = backend{func(dir string, port int) (func(), string, error) { return serve(dir, port, "token") }}

// ownProcess is killed.
var ownProcess = backend{func(dir string, port int) (func(), string, error) { return process(dir, strconv.Itoa(port)) }}

// process starts a server in a process of its own, an embedded one without a port. end kills it.
func process(dir, port string) (end func(), url string, err error) {
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), "FLEET_SERVER="+dir, "FLEET_PORT="+port)
	cmd.Stderr = os.Stderr
	hold, err := cmd.StdinPipe() // which ends with this process, whatever ends that
	if err != nil {
		return nil, "", err
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return nil, "", err
	}
	url, err = bufio.NewReader(out).ReadString('\n')
	return func() {
		cmd.Process.Kill()
		cmd.Wait()
		hold.Close()
	}, strings.TrimSpace(url), err
}

// serveAlone is that process.
func serveAlone(dir, port string) error {
	stop, url, err := func() {}, "", error(nil)
	if n, wrong := strconv.Atoi(port); wrong == nil {
		stop, url, err = serve(dir, n, "token")
	} else {
		var f *Fleet
		if f, err = Open(context.Background(), Embedded(dir)); err == nil {
			stop, url = func() { f.Close() }, f.URL()
		}
	}
	if err != nil {
		return err
	}
	defer stop()
	fmt.Println(url)
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// TestTakeOver: where the process of an embedded server was killed, the next one to open the directory
// is the server, and has what is there.
func TestTakeOver(t *testing.T) {
	const jobs = 20
	dir := t.TempDir()
	end, url, err := process(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	member := open(t, Embedded(dir)) // joins
	o := newOrigin(t, nil)
	enqueue(t, member, gets(o.URL, jobs), jobs)
	end()
	next := open(t, Embedded(dir))
	if member.URL() != url || next.URL() == url {
		t.Errorf("the server was %s, is %s, and a member joined %s", url, next.URL(), member.URL())
	}
	run(t, next, session(t))
	if all := results(t, next); len(all) != jobs {
		t.Errorf("%d results, want %d", len(all), jobs)
	}
}

// TestRestart: a server that is restarted, twice, loses nothing. Workers go on, and so do readers: one
// that stays in its loop, and one that begins anew behind what it has.
func TestRestart(t *testing.T) {
	for name, b := range map[string]backend{"shut down": inProcess, "killed": ownProcess} {
		t.Run(name, func(t *testing.T) { testRestart(t, b) })
	}
}

func testRestart(t *testing.T, b backend) {
	const jobs = 300
	dir := t.TempDir()
	end, url, err := b.start(dir, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { end() }()
	port, err := strconv.Atoi(url[strings.LastIndex(url, ":")+1:])
	if err != nil {
		t.Fatal(err)
	}
	thirds := make(chan struct{}, 2)
	var arrivals sync.Mutex
	n := 0
	o := newOrigin(t, func(http.ResponseWriter, *http.Request) {
		arrivals.Lock()
		defer arrivals.Unlock()
		if n++; n == jobs/3 || n == jobs*2/3 {
			thirds <- struct{}{}
		}
	})
	f := open(t, Connect(url), Lease(crashLease))
	enqueue(t, f, gets(o.URL, jobs), jobs)
	var members sync.WaitGroup
	members.Go(func() {
		if err := f.Run(t.Context(), session(t), Workers(4), UntilEmpty); err != nil {
			t.Error(err)
		}
	})
	var staying, resuming []uint64
	members.Go(func() { staying = sequences(t, f, jobs) })
	members.Go(func() { resuming = sequences(t, f, 10) })
	for range cap(thirds) {
		<-thirds
		end()
		if end, _, err = b.start(dir, port); err != nil {
			t.Fatal(err)
		}
	}
	members.Wait()
	all := sequences(t, f, jobs)
	if len(all) != jobs {
		t.Errorf("%d results are stored, want %d", len(all), jobs)
	}
	if diff := cmp.Diff([2][]uint64{all, all}, [2][]uint64{staying, resuming}); diff != "" {
		t.Errorf("stored, and read meanwhile by one who stayed and one who came again (-want +got):\n%s", diff)
	}
}

// sequences reads until the fleet is empty, in loops of some results each.
func sequences(t *testing.T, f *Fleet, each int) (read []uint64) {
	last, ids := uint64(0), map[string]bool{}
	for {
		before := len(read)
		for r, err := range f.Results(t.Context(), After(last), UntilEmpty) {
			if err != nil || r.Err != nil || ids[r.ID] {
				t.Errorf("behind %d: %+v, %v", last, r, err)
				return read
			}
			ids[r.ID], last = true, r.Sequence
			if read = append(read, last); len(read)-before == each {
				break
			}
		}
		if len(read)-before < each {
			return read
		}
	}
}
