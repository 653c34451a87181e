package progress

import (
	"io"
	"os"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// openTerminal opens both ends of a pseudoterminal with so many columns: what
// programs write to the second one is read from the first.
func openTerminal(t *testing.T, columns uint16) (master, terminal *os.File) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no pseudoterminals here:", err)
	}
	t.Cleanup(func() { master.Close() })
	fd := int(master.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns})
	}
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile("/dev/pts/"+strconv.Itoa(n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return master, terminal
}

// TestTerminal draws in a real one, which is narrow, and in one that cannot go back
// to the beginning of a line.
func TestTerminal(t *testing.T) {
	for kind, want := range map[string]string{"xterm": "file  50% |██   | (500 B/1.0 kB", "dumb": ""} {
		t.Setenv("TERM", kind)
		master, terminal := openTerminal(t, 50)
		bar := New("file", To(terminal))
		bar.report(500, 1000)
		bar.Close()
		terminal.Close()
		text, _ := io.ReadAll(master) // EIO when the other end is closed
		if diff := cmp.Diff(want, last(string(text))); diff != "" {
			t.Errorf("%s (-want +got)\n%s", kind, diff)
		}
	}
}
