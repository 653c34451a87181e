//go:build unix

package dial

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// option reads one integer option back from a connection's socket.
func option(t *testing.T, c *Conn, level, name int) (value int) {
	t.Helper()
	raw, ok := c.Socket()
	if !ok {
		t.Fatal("no socket")
	}
	var err error
	raw.Control(func(fd uintptr) { value, err = syscall.GetsockoptInt(int(fd), level, name) })
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestSocketOptions(t *testing.T) {
	noDelay := SocketOption{Level: syscall.IPPROTO_TCP, Name: syscall.TCP_NODELAY, Int: 1}
	delay := SocketOption{Level: syscall.IPPROTO_TCP, Name: syscall.TCP_NODELAY}
	keepAlive := SocketOption{Level: syscall.SOL_SOCKET, Name: syscall.SO_KEEPALIVE, Bytes: []byte{1, 0, 0, 0}}
	origin := echo(t)
	var w wire
	tunnel := connectProxy(t, origin, nil, &w)
	for _, c := range []struct {
		name             string
		options          []SocketOption
		noDelay, keepers int
	}{
		{"none", nil, 0, 0},
		{"no delay", []SocketOption{noDelay}, 1, 0},
		{"in order", []SocketOption{noDelay, delay}, 0, 0},
		{"bytes", []SocketOption{noDelay, keepAlive}, 1, 1},
	} {
		direct := plan(origin)
		proxied := &Plan{Host: "good.test", Port: 80, Proxy: &Proxy{Scheme: "http", Host: "127.0.0.1", Port: portOf(tunnel), Tunnel: true}}
		for _, p := range []*Plan{direct, proxied} {
			p.SocketOptions = c.options
			conn, err := Dial(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			got := [2]bool{option(t, conn, syscall.IPPROTO_TCP, syscall.TCP_NODELAY) != 0, option(t, conn, syscall.SOL_SOCKET, syscall.SO_KEEPALIVE) != 0}
			if diff := cmp.Diff([2]bool{c.noDelay != 0, c.keepers != 0}, got); diff != "" {
				t.Errorf("%s, proxy %t (-want +got)\n%s", c.name, p.Proxy != nil, diff)
			}
			conn.Close()
		}
	}
}

func TestLocalAddress(t *testing.T) {
	seen := make(chan string, 1)
	ln := serve(t, func(c net.Conn) {
		host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
		seen <- host
		io.Copy(onlyWriter{c}, onlyReader{c})
	})
	for _, local := range []string{"127.0.0.1:0", "127.0.0.2:0", "127.0.0.3:0"} {
		p := plan(ln)
		p.Local = netip.MustParseAddrPort(local)
		if _, err := talk(t, p); err != nil {
			t.Skip("this system does not have all of 127/8: ", err)
		}
		if diff := cmp.Diff(p.Local.Addr().String(), <-seen); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

func TestBindErrors(t *testing.T) {
	ln := echo(t)
	taken := netip.MustParseAddrPort(ln.Addr().String())
	bad := SocketOption{Level: syscall.SOL_SOCKET, Name: 0x7fff, Int: 1}
	for name, c := range map[string]struct {
		plan  Plan
		cause error
		addr  string
	}{
		"in use":         {Plan{Local: taken}, syscall.EADDRINUSE, taken.String()},
		"not ours":       {Plan{Local: netip.MustParseAddrPort("192.0.2.1:0")}, syscall.EADDRNOTAVAIL, "192.0.2.1:0"},
		"other family":   {Plan{Local: netip.MustParseAddrPort("[::1]:0")}, nil, "[::1]:0"},
		"unknown option": {Plan{SocketOptions: []SocketOption{bad}}, syscall.ENOPROTOOPT, "socket option"},
		"unknown":        {Plan{Interface: "nosuch0"}, nil, "nosuch0"},
	} {
		t.Run(name, func(t *testing.T) {
			c.plan.Host, c.plan.Port = "127.0.0.1", portOf(ln)
			_, err := Dial(t.Context(), &c.plan)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatal(err)
			}
			if diff := cmp.Diff([2]string{"bind", c.addr}, [2]string{e.Op.String(), e.Addr}); diff != "" {
				t.Errorf("(-want +got)\n%s%v", diff, err)
			}
			if c.cause != nil && !errors.Is(err, c.cause) {
				t.Errorf("cause %v not in %v", c.cause, err)
			}
		})
	}
}

// blackHole is a listener whose backlog is full, so that connects to it hang.
func blackHole(t *testing.T) netip.AddrPort {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(fd) })
	if err := errors.Join(syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), syscall.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(name.(*syscall.SockaddrInet4).Port))
	for range 8 {
		c, err := net.DialTimeout("tcp", addr.String(), 50*time.Millisecond)
		if err != nil {
			return addr
		}
		t.Cleanup(func() { c.Close() })
	}
	t.Skip("this kernel accepts beyond a backlog of 0, so no address is silent")
	return addr
}

func TestConnectTimeoutAndCancel(t *testing.T) {
	hole := blackHole(t)
	p := &Plan{Host: "127.0.0.1", Port: int(hole.Port()), ConnectTimeout: 30 * time.Millisecond}
	_, err := Dial(t.Context(), p)
	var e *Error
	if !errors.As(err, &e) || e.Op != PhaseConnect || !e.Timeout() {
		t.Errorf("time limit: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	p.ConnectTimeout = 0
	if _, err := Dial(ctx, p); !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &e) || !e.Timeout() {
		t.Errorf("context: %v", err)
	}
}

// TestSeveralAddresses dials names with more than one address, on one port of several 127/8 hosts.
func TestSeveralAddresses(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Skip("this system does not have all of 127/8: ", err)
	}
	serveOn(t, ln, func(c net.Conn) { io.Copy(onlyWriter{c}, onlyReader{c}) })
	for name, c := range map[string]struct {
		addrs, phase string
	}{
		"first":         {"127.0.0.2 127.0.0.1", ""},
		"second":        {"127.0.0.1 127.0.0.2", ""},
		"last of three": {"127.0.0.1 127.0.0.3 127.0.0.2", ""},
		"other family":  {"::1 127.0.0.2", ""},
		"none":          {"127.0.0.1 127.0.0.3", "connect"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := talk(t, &Plan{Host: "many.test", Port: portOf(ln), Resolver: table{"many.test": c.addrs}})
			if diff := cmp.Diff(c.phase, phaseOf(err)); diff != "" {
				t.Errorf("(-want +got)\n%s%v", diff, err)
			}
		})
	}
}

// TestStaggered tries the next address beside a silent one, and leaves nothing behind. TestRace has the times.
func TestStaggered(t *testing.T) {
	hole := blackHole(t)
	ln, err := net.Listen("tcp", netip.AddrPortFrom(netip.MustParseAddr("127.0.0.2"), hole.Port()).String())
	if err != nil {
		t.Skip("this system does not have all of 127/8, or the port is taken there: ", err)
	}
	serveOn(t, ln, func(c net.Conn) { io.Copy(onlyWriter{c}, onlyReader{c}) })
	p := &Plan{Host: "many.test", Port: portOf(ln), Resolver: table{"many.test": "127.0.0.1 127.0.0.2"}}
	if _, err := talk(t, p); err != nil {
		t.Fatal(err)
	}
	p.Resolver = table{"many.test": "127.0.0.1 127.0.0.1"}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := Dial(ctx, p); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if left := leftover(100 * time.Millisecond); left != "" && !t.Failed() {
		t.Logf("running: %s", left)
	}
}

func TestInterleave(t *testing.T) {
	parse := func(list ...string) (out []netip.AddrPort) {
		for _, s := range list {
			out = append(out, netip.AddrPortFrom(netip.MustParseAddr(s), 1))
		}
		return out
	}
	got := interleave(parse("::1", "::2", "::3", "10.0.0.1", "10.0.0.2"))
	want := parse("::1", "10.0.0.1", "::2", "10.0.0.2", "::3")
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.AddrPort) bool { return a == b })); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
