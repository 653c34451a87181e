package dial

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestCopy moves a file through a connection by io.Copy, in the clear (sendfile) and over TLS.
func TestCopy(t *testing.T) {
	text := strings.Repeat("0123456789", 50_000)
	path := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	secured := plan(echoTLS(t, &tls.Config{Certificates: []tls.Certificate{testCA().issue(t, "127.0.0.1")}}))
	secured.TLS = &TLS{Roots: testCA().pool()}
	for name, p := range map[string]*Plan{"plain": plan(echo(t)), "TLS": secured} {
		c, err := Dial(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		sent := make(chan error, 1)
		go func() {
			f, err := os.Open(path)
			if err == nil {
				_, err = io.Copy(c, f)
				f.Close()
				c.NetConn().(interface{ CloseWrite() error }).CloseWrite()
			}
			sent <- err
		}()
		var got bytes.Buffer
		_, err = io.Copy(&got, c)
		if err != nil || <-sent != nil || got.String() != text {
			t.Errorf("%s: %d bytes of %d came back: %v", name, got.Len(), len(text), err)
		}
		c.Close()
	}
}

// TestNoWayPastTLS: with the method, a file copied to a connection over TLS would go out in the clear.
func TestNoWayPastTLS(t *testing.T) {
	if _, ok := any((*Conn)(nil)).(syscall.Conn); ok {
		t.Error("Conn has a SyscallConn method")
	}
}

func TestPhaseString(t *testing.T) {
	if diff := cmp.Diff([]string{"resolve", "TLS", "unknown phase"}, []string{PhaseResolve.String(), PhaseTLS.String(), Phase(99).String()}); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestQueued: what the other side does not read is queued, and no longer when it has read all.
func TestQueued(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells how much a socket has queued: elsewhere Queued is 0 by its contract")
	}
	for name, cfg := range map[string]*tls.Config{"plain": nil, "TLS": {Certificates: []tls.Certificate{testCA().issue(t, "127.0.0.1")}}} {
		client, server := idle(t, cfg, func(ln net.Listener) *Plan {
			p := plan(ln)
			if cfg != nil {
				p.TLS = &TLS{Roots: testCA().pool()}
			}
			return p
		})
		const size = 8 << 20 // more than the buffers of both ends
		sent := make(chan error, 1)
		go func() {
			_, err := client.Write(make([]byte, size))
			sent <- err
		}()
		if !eventually(func() bool { return client.Queued() > 0 }) {
			t.Errorf("%s: nothing is queued", name)
		}
		if n, err := io.CopyN(io.Discard, server, size); n != size || err != nil || <-sent != nil {
			t.Errorf("%s: %d bytes, %v", name, n, err)
		}
		if !eventually(func() bool { return client.Queued() == 0 }) {
			t.Errorf("%s: %d bytes are queued", name, client.Queued())
		}
	}
}

// eventually waits for what the kernel does.
func eventually(done func() bool) bool {
	for range 10_000 {
		if done() {
			return true
		}
		time.Sleep(time.Millisecond)
	}
	return false
}
