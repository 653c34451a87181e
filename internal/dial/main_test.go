package dial

import (
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain fails the package when a goroutine of it is left over.
func TestMain(m *testing.M) {
	code := m.Run()
	if left := leftover(2 * time.Second); left != "" && code == 0 {
		fmt.Fprintln(os.Stderr, "goroutines left over:\n"+left)
		code = 1
	}
	os.Exit(code)
}

// leftover waits until no goroutine of this package but the caller runs, or returns their stacks.
func leftover(patience time.Duration) string {
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		var ours []string
		buf := make([]byte, 1<<20)
		stacks := strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n")
		for _, s := range stacks[1:] {
			if strings.Contains(s, "internal/dial.") && !strings.Contains(s, "testing.(*T).Run(") && !strings.Contains(s, "testing.runTests") {
				ours = append(ours, s)
			}
		}
		if len(ours) == 0 || time.Now().After(end) {
			return strings.Join(ours, "\n\n")
		}
	}
}

// serve accepts connections on loopback and hands each to handler until the test ends;
// the test waits for every handler.
func serve(t *testing.T, handler func(net.Conn)) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveOn(t, ln, handler)
	return ln
}

func serveOn(t *testing.T, ln net.Listener, handler func(net.Conn)) {
	var open connSet
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				open.wait()
				return
			}
			open.run(c, handler)
		}
	}()
	t.Cleanup(func() {
		ln.Close()
		open.closeAll()
		<-done
	})
}

func portOf(ln net.Listener) int { return ln.Addr().(*net.TCPAddr).Port }

// plan is a direct plan for a test's listener.
func plan(ln net.Listener) *Plan { return &Plan{Host: "127.0.0.1", Port: portOf(ln)} }
