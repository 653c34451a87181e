package wiretest

import (
	"flag"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Main runs the tests of a package and then fails it if a goroutine or a file descriptor is left over:
//
//	func TestMain(m *testing.M) { wiretest.Main(m) }
func Main(m *testing.M) { os.Exit(Checked{m}.Run()) }

// Checked is the check of Main as an m by itself, for a TestMain that has to wrap it once more.
type Checked struct{ M *testing.M }

// Run runs the tests and returns the exit code.
func (c Checked) Run() int {
	flag.Parse()
	if f := flag.Lookup("test.fuzz"); f != nil && f.Value.String() != "" {
		return c.M.Run() // the fuzzer leaves goroutines of its own
	}
	before := resources()
	code := c.M.Run()
	if left := waitFor(before); left != "" && code == 0 {
		fmt.Fprintln(os.Stderr, "leak after the tests:", left)
		code = 1
	}
	return code
}

// NoLeak fails t if, when all else has been cleaned up, there are more goroutines or descriptors than at the call. Call
// it first, and not in parallel tests.
func NoLeak(t testing.TB) {
	t.Helper()
	before := resources()
	t.Cleanup(func() {
		if left := waitFor(before); left != "" {
			t.Error("leak:", left)
		}
	})
}

type usage struct{ goroutines, files int }

// resources counts; descriptors on Linux only, and not those the runtime keeps for itself (its poller, and pipes for
// splice).
func resources() usage {
	now := usage{goroutines: runtime.NumGoroutine()}
	const dir = "/proc/self/fd/"
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		what, err := os.Readlink(dir + e.Name())
		if err == nil && !strings.HasPrefix(what, "anon_inode:") && !strings.HasPrefix(what, "pipe:") {
			now.files++
		}
	}
	return now
}

// waitFor gives what is ending twenty seconds to do so, which a busy machine may need, and
// describes what is left then.
func waitFor(before usage) string {
	var now usage
	for range 2000 {
		now = resources()
		if now.goroutines <= before.goroutines && now.files <= before.files {
			return ""
		}
		time.Sleep(10 * time.Millisecond)
	}
	stacks := make([]byte, 64<<10)
	stacks = stacks[:runtime.Stack(stacks, true)]
	return fmt.Sprintf("%d goroutines (%d before), %d descriptors (%d before)\n%s",
		now.goroutines, before.goroutines, now.files, before.files, stacks)
}

// Closed returns an address on which nothing listens: connections are refused. It is that
// of the near end of a connection, which stays open until the test ends, so that no other
// program, or server of the test, can be given the port.
func Closed(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	near, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { near.Close() })
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { far.Close() })
	return near.LocalAddr().String()
}
