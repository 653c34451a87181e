package dial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// dialer notes what it was asked for and connects to a listener.
type dialer struct {
	to    net.Listener
	asked []string
}

func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d.asked = append(d.asked, network+" "+address)
	return new(net.Dialer).DialContext(ctx, "tcp", d.to.Addr().String())
}

// TestDialFunc: a dial function is asked for the origin by name, for the proxy where there is
// one, and for addresses where a resolver or a check needs them.
func TestDialFunc(t *testing.T) {
	origin := echo(t)
	names := table{"name.test": "10.1.2.3"}
	allow := func(string, netip.AddrPort) error { return nil }
	http, socks := &wire{}, &wire{}
	httpProxy, socksProxy := connectProxy(t, origin, nil, http), socksProxy(t, origin, socks)
	for _, c := range []struct {
		name string
		to   net.Listener
		plan Plan
		want string
	}{
		{"direct", origin, Plan{}, "tcp name.test:80"},
		{"tcp6", origin, Plan{Network: "tcp6"}, "tcp6 name.test:80"},
		{"address instead of the host", origin, Plan{Address: "other.test:81"}, "tcp other.test:81"},
		{"resolver", origin, Plan{Resolver: names}, "tcp 10.1.2.3:80"},
		{"checked", origin, Plan{Resolver: names, Allow: allow}, "tcp 10.1.2.3:80"},
		{"Unix socket", origin, Plan{Network: "unix", Address: "/a/b"}, "unix /a/b"},
		{"http proxy", httpProxy, Plan{Proxy: &Proxy{Scheme: "http", Host: "proxy.test", Port: 3128, Tunnel: true}}, "tcp proxy.test:3128"},
		{"socks proxy", socksProxy, Plan{Proxy: &Proxy{Scheme: "socks5h", Host: "proxy.test", Port: 1080}}, "tcp proxy.test:1080"},
		{"a proxy's name is its own business", httpProxy, Plan{Host: "10.1.2.3", Allow: allow, Proxy: &Proxy{Scheme: "http", Host: "proxy.test", Port: 3128, Tunnel: true}}, "tcp proxy.test:3128"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &dialer{to: c.to}
			p := c.plan
			p.Port, p.Dial = 80, d.dial
			if p.Host == "" {
				p.Host = "name.test"
			}
			got, err := talk(t, &p)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"hello", c.want}, append([]string{got}, d.asked...)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestDialFuncFails: what a dial function does wrong is an error of connecting, and leaves nothing open.
func TestDialFuncFails(t *testing.T) {
	broken := errors.New("broken")
	silent := func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
	conn, other := net.Pipe()
	defer other.Close()
	late := func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return conn, nil }
	for name, c := range map[string]struct {
		host string
		dial DialFunc
		want error
	}{
		"an error":        {"h.test", func(context.Context, string, string) (net.Conn, error) { return nil, broken }, broken},
		"nothing":         {"h.test", func(context.Context, string, string) (net.Conn, error) { return nil, nil }, errNoConn},
		"too slow":        {"h.test", silent, os.ErrDeadlineExceeded},
		"too late":        {"h.test", late, os.ErrDeadlineExceeded},
		"not a host name": {"h\r\n", nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := &Plan{Host: c.host, Port: 80, Dial: c.dial, ConnectTimeout: 20 * time.Millisecond}
			if c.dial == nil {
				p.Dial = func(context.Context, string, string) (net.Conn, error) { t.Error("asked"); return nil, broken }
			}
			_, err := Dial(t.Context(), p)
			if phaseOf(err) != "connect" || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("want %v, got %v", c.want, err)
			}
		})
	}
	if _, err := conn.Write([]byte("x")); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("the late connection is open: %v", err)
	}
}

// TestDialFuncInOrder: several addresses are tried one after the other on this goroutine, so that the caller
// can recover a panic.
func TestDialFuncInOrder(t *testing.T) {
	var asked []string
	p := &Plan{Host: "two.test", Port: 80, Resolver: table{"two.test": "10.0.0.1 10.0.0.2"}}
	p.Dial = func(_ context.Context, _, address string) (net.Conn, error) {
		if asked = append(asked, address); len(asked) == 2 {
			panic("mine")
		}
		return nil, errors.New("no")
	}
	defer func() {
		if diff := cmp.Diff([]any{"mine", "10.0.0.1:80", "10.0.0.2:80"}, []any{recover(), asked[0], asked[1]}); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}()
	Dial(t.Context(), p)
}

// bare is a connection without deadlines, as an SSH channel is.
type bare struct{ net.Conn }

func (bare) SetDeadline(time.Time) error      { return os.ErrNoDeadline }
func (bare) SetReadDeadline(time.Time) error  { return os.ErrNoDeadline }
func (bare) SetWriteDeadline(time.Time) error { return os.ErrNoDeadline }

func pumpedPipe(t *testing.T) (ours, theirs net.Conn) {
	a, b := net.Pipe()
	c := withDeadlines(bare{a})
	t.Cleanup(func() { c.Close(); b.Close() })
	return c, b
}

// TestWithDeadlines: a connection gets deadlines where it has none, and otherwise stays as it is.
func TestWithDeadlines(t *testing.T) {
	own, _ := net.Pipe()
	defer own.Close()
	if withDeadlines(own) != own {
		t.Error("a connection with deadlines is wrapped")
	}
	c, peer := pumpedPipe(t)
	c.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("a read with a deadline:", err)
	}
	go peer.Write([]byte("hello"))
	c.SetReadDeadline(time.Time{})
	var got []byte
	for len(got) < 5 {
		var b [2]byte
		n, err := c.Read(b[:])
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, b[:n]...)
	}
	if diff := cmp.Diff("hello", string(got)); diff != "" {
		t.Errorf("nothing is lost to a deadline (-want +got)\n%s", diff)
	}
	c.SetDeadline(past)
	_, readErr := c.Read(make([]byte, 1))
	_, writeErr := c.Write([]byte("x"))
	if !errors.Is(readErr, os.ErrDeadlineExceeded) || !errors.Is(writeErr, os.ErrDeadlineExceeded) {
		t.Error("past deadlines:", readErr, writeErr)
	}
}

// TestWithDeadlinesInterrupted: a deadline that is set while a read or a write waits ends it.
func TestWithDeadlinesInterrupted(t *testing.T) {
	for name, wait := range map[string]func(net.Conn) error{
		"read":  func(c net.Conn) error { _, err := c.Read(make([]byte, 1)); return err },
		"write": func(c net.Conn) error { _, err := c.Write([]byte("x")); return err },
	} {
		c, _ := pumpedPipe(t)
		done := make(chan error)
		go func() { done <- wait(c) }()
		c.SetDeadline(time.Now().Add(time.Hour))
		c.SetDeadline(past)
		if err := <-done; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWithDeadlinesEnds: the end of the other side comes through, after what was sent; closing ends all.
func TestWithDeadlinesEnds(t *testing.T) {
	c, peer := pumpedPipe(t)
	go func() { peer.Write([]byte("bye")); peer.Close() }()
	got, err := io.ReadAll(c)
	if diff := cmp.Diff("bye", string(got)); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	c.Close()
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Error(err)
	}
}

// TestAliveWithoutDeadlines: the check of an idle connection works on them.
func TestAliveWithoutDeadlines(t *testing.T) {
	c, peer := pumpedPipe(t)
	if !Alive(c) {
		t.Error("an open connection is not alive")
	}
	peer.Close()
	for range 1000 {
		if !Alive(c) {
			return
		}
	}
	t.Error("a closed connection is alive")
}

// TestAllow: addresses that are not allowed are not connected to, nor named to a proxy, and the one that was
// checked is the one that is used.
func TestAllow(t *testing.T) {
	origin := echo(t)
	port := portOf(origin)
	names := table{"both.test": "10.0.0.1 127.0.0.1", "bad.test": "10.0.0.1 ::1", "ok.test": "127.0.0.1"}
	allow := func(host string, a netip.AddrPort) error {
		if a == netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(port)) {
			return nil
		}
		return errors.New("not allowed")
	}
	told := map[string]string{"": "", "http": fmt.Sprintf("CONNECT 127.0.0.1:%d auth=", port), "socks": fmt.Sprintf("socks 127.0.0.1 %d", port)}
	for _, scheme := range []string{"", "http", "socks5", "socks5h"} {
		for host, denied := range map[string]string{
			"both.test": "", "127.0.0.1": "", "ok.test": "",
			"bad.test": "bad.test (10.0.0.1): not allowed", "10.0.0.1": "10.0.0.1: not allowed", "::1": "::1: not allowed",
		} {
			w := &wire{}
			p := &Plan{Host: host, Port: port, Resolver: names, Allow: allow}
			switch scheme {
			case "http":
				p.Proxy = &Proxy{Scheme: scheme, Host: "127.0.0.1", Port: portOf(connectProxy(t, origin, nil, w)), Tunnel: true}
			case "socks5", "socks5h":
				p.Proxy = &Proxy{Scheme: scheme, Host: "127.0.0.1", Port: portOf(socksProxy(t, origin, w))}
			}
			_, err := talk(t, p)
			want := []string{denied, told[strings.TrimRight(scheme, "5h")]}
			got := []string{"", w.all()}
			if e, ok := errors.AsType[*DeniedError](err); ok {
				got[0], want[1] = e.Error(), ""
			} else if err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%q, %s (-want +got)\n%s", scheme, host, diff)
			}
		}
	}
}

// TestAllowNeedsTunnel: a proxy that is to look up the host by itself cannot be kept from an address.
func TestAllowNeedsTunnel(t *testing.T) {
	p := &Plan{Host: "h.test", Port: 80, Proxy: &Proxy{Scheme: "http", Host: "proxy.test", Port: 1},
		Allow: func(string, netip.AddrPort) error { return nil }}
	if _, err := Dial(t.Context(), p); !errors.Is(err, errNeedsTunnel) {
		t.Error(err)
	}
}

// TestAllowUnixSocket: a socket has no address; it is asked about all the same.
func TestAllowUnixSocket(t *testing.T) {
	p := &Plan{Network: "unix", Address: "/nowhere", Host: "h.test", Allow: func(_ string, a netip.AddrPort) error {
		if !a.IsValid() {
			return errors.New("not allowed")
		}
		return nil
	}}
	_, err := Dial(t.Context(), p)
	if e, ok := errors.AsType[*DeniedError](err); !ok || e.Error() != "h.test: not allowed" {
		t.Error(err)
	}
}
