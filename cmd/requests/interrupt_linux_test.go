package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// started is the program itself, which the tests' binary is under that name.
func started(t *testing.T, stdin *os.File, args ...string) *exec.Cmd {
	t.Helper()
	path, err := exec.LookPath("requests")
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(path, args...)
	c.Stdin = stdin
	return c
}

// endsWith waits for the exit status.
func endsWith(t *testing.T, c *exec.Cmd, want int) {
	t.Helper()
	_ = c.Wait()
	if got := c.ProcessState.ExitCode(); got != want {
		t.Errorf("%v: %v, want exit status %d", c.Args[1:], c.ProcessState, want)
	}
}

// TestInterruptedInput: Ctrl-C ends the program while it waits for a body on the standard input, also
// behind one that has begun, and while it waits for the response.
func TestInterruptedInput(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	url := "http://" + server.Addr().String()
	for name, tt := range map[string]struct {
		input  string
		args   []string
		signal syscall.Signal
		want   int
		asks   bool // before it waits
	}{
		"offline":           {"half", []string{"--offline", url}, syscall.SIGINT, 130, false},
		"half of it":        {"half", []string{url}, syscall.SIGINT, 130, false},
		"terminated":        {"half", []string{url}, syscall.SIGTERM, 143, false},
		"while it is sent":  {strings.Repeat("x", maxInMemory), []string{url}, syscall.SIGINT, 130, true},
		"in chunks":         {strings.Repeat("x", maxInMemory), []string{"--chunked", url}, syscall.SIGINT, 130, true},
		"for the response":  {"", []string{"-I", url}, syscall.SIGINT, 130, true},
		"while it is saved": {"", []string{"-I", "-d", url}, syscall.SIGINT, 130, true},
	} {
		t.Run(name, func(t *testing.T) {
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer w.Close()
			c := started(t, r, tt.args...)
			c.Dir = t.TempDir()
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			_ = r.Close()
			_, _ = io.WriteString(w, tt.input)
			awaitRead(t, w)
			if tt.asks {
				conn, err := server.Accept()
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
			}
			_ = c.Process.Signal(tt.signal)
			endsWith(t, c, tt.want)
		})
	}
}

// awaitRead waits until a pipe is empty.
func awaitRead(t *testing.T, pipe *os.File) {
	t.Helper()
	for {
		n, err := unix.IoctlGetInt(int(pipe.Fd()), unix.TIOCINQ)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

// TestInterruptedPrompt: Ctrl-C at the prompt for a password ends the program, and the terminal echoes
// again.
func TestInterruptedPrompt(t *testing.T) {
	keyboard, terminal := openTerminal(t)
	before := echoes(t, terminal)
	c := started(t, terminal, "-a", "ada", "http://localhost:1/")
	c.Stderr = terminal
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	prompt := bufio.NewReader(keyboard)
	if _, err := prompt.ReadString(':'); err != nil {
		t.Fatal(err)
	}
	for echoes(t, terminal) {
		time.Sleep(time.Millisecond) // the prompt comes before that
	}
	if _, err := io.WriteString(keyboard, "sec\x03"); err != nil {
		t.Fatal(err)
	}
	endsWith(t, c, interrupted)
	if !before || !echoes(t, terminal) {
		t.Errorf("the terminal echoes: %v before, %v behind", before, echoes(t, terminal))
	}
}

// openTerminal is both ends of a pseudo-terminal.
func openTerminal(t *testing.T) (keyboard, terminal *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skip("this system gives no pseudo-terminal:", err)
	}
	t.Cleanup(func() { _ = keyboard.Close() })
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprint("/dev/pts/", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = terminal.Close() })
	return keyboard, terminal
}

func echoes(t *testing.T, terminal *os.File) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}
