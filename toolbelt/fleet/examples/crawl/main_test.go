package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests/internal/wiretest"
)

const wholeEnv = "CRAWL_WHOLE" // the test's program is the command

func TestMain(m *testing.M) {
	if os.Getenv(processEnv) != "" || os.Getenv(wholeEnv) != "" {
		main()
		return
	}
	wiretest.Main(m)
}

// patience bounds what never comes where something is wrong.
const patience = 2 * time.Minute

// together keeps the pages at the ends of the tree back until two processes have asked for a page: so
// one process cannot have fetched all before a busy machine has come to the next.
type together struct {
	*site
	two context.Context // ends when two have asked, or nobody has the patience to wait for the second
	met func()

	// mu protects the field below.
	mu     sync.Mutex
	agents map[string]bool
}

func (h *together) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var n int
	if strings.Contains(r.UserAgent(), "process") && r.URL.Path != "/robots.txt" {
		h.mu.Lock()
		if !h.agents[r.UserAgent()] && len(h.agents) == 1 {
			h.met()
		}
		h.agents[r.UserAgent()] = true
		h.mu.Unlock()
		fmt.Sscanf(r.URL.Path, "/page/%d", &n)
	}
	if n > fanout {
		select {
		case <-h.two.Done():
		case <-r.Context().Done():
			return
		}
	}
	h.site.ServeHTTP(w, r)
}

// TestCrawl: each page is fetched once, by processes that share the work, and nothing is left.
func TestCrawl(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	t.Setenv("TMP", tmp)
	const pages = 60
	s := newSite(pages)
	two, met := context.WithTimeout(t.Context(), patience)
	defer met()
	url, stop, err := serve(&together{site: s, agents: map[string]bool{}, two: two, met: met})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	var out bytes.Buffer
	found, err := crawl(t.Context(), settings{pages: pages, processes: 4, rate: 20}, url, &out)
	if err != nil {
		t.Fatal(err)
	}
	found.print(&out)
	s.print(&out)
	t.Logf("\n%s", &out)
	want, got, processes := map[string]int{}, map[string]int{}, map[string]bool{}
	for n := range pages {
		want[s.path(n)] = 1
	}
	for path, agents := range s.visits {
		got[path] = len(agents)
		for _, a := range agents {
			processes[a] = true
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("how often the pages were asked for (-want +got):\n%s", d)
	}
	if len(processes) < 2 {
		t.Errorf("asked for by %v, want more than one process", processes)
	}
	found.took = 0
	if want := (tally{pages: pages, disallowed: 1}); found != want {
		t.Errorf("%+v, want %+v", found, want)
	}
	isEmpty(t, tmp)
}

// whole starts the command with a directory for its temporary files, and returns its output, which
// ends when it and all that it has started have ended.
func whole(t *testing.T, args ...string) (cmd *exec.Cmd, tmp string, out io.Reader) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	if err := r.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Log("this system has no deadlines for pipes: ", err)
	}
	tmp = t.TempDir()
	cmd = exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), wholeEnv+"=1", "TMPDIR="+tmp, "TMP="+tmp)
	cmd.Stdout, cmd.Stderr = w, w
	err = cmd.Start()
	w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return cmd, tmp, r
}

// TestEnds: the processes end with the one that has started them, whatever ends it, and its directory
// goes, too.
func TestEnds(t *testing.T) {
	for name, signal := range map[string]os.Signal{"killed": os.Kill, "interrupted": os.Interrupt} {
		t.Run(name, func(t *testing.T) {
			cmd, tmp, out := whole(t, "-rate", "1")
			lines := bufio.NewReader(out)
			if line, err := lines.ReadString('\n'); !strings.HasPrefix(line, "crawling ") {
				t.Errorf("it prints %q, %v", line, err)
			}
			if err := cmd.Process.Signal(signal); err != nil {
				cmd.Process.Kill()
				t.Logf("this system has no such signal: %v", err)
			}
			if rest, err := io.ReadAll(lines); err != nil {
				t.Errorf("%q, %v", rest, err)
			}
			if cmd.Wait() == nil {
				t.Error("it ended well")
			}
			isEmpty(t, tmp)
		})
	}
}

func isEmpty(t *testing.T, dir string) {
	t.Helper()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestArguments: -h prints the usage, and nonsense is refused before anything starts.
func TestArguments(t *testing.T) {
	for _, c := range []struct {
		args string
		well bool
		want string
	}{
		{"-h", true, "usage: crawl [-pages N] [-processes N] [-rate N]"},
		{"-pages 0", false, ""},
		{"-processes 0", false, ""},
		{"-rate 0", false, ""},
		{"http://h.test/", false, ""},
		{"-rate x", false, "usage: crawl"},
	} {
		var out bytes.Buffer
		err := run(context.Background(), strings.Fields(c.args), &out)
		if (err == nil) != c.well || !strings.Contains(out.String(), c.want) {
			t.Errorf("%s: %q, %v", c.args, &out, err)
		}
	}
}

// TestLinks: links of other hosts and fragments are left out.
func TestLinks(t *testing.T) {
	page := `<a href="b">b<A HREF='/c?d=1&amp;e=2#f'>c</A><a href="#x">x<a name=y><a href="http://other.test/"><a href="mailto:a@h.test"><a href="b#2"><!-- <a href="no"> -->`
	want := []string{"http://h.test/a/", "http://h.test/a/b", "http://h.test/c?d=1&e=2"}
	if d := cmp.Diff(want, links("http://h.test/a/", []byte(page))); d != "" {
		t.Error(d)
	}
}
