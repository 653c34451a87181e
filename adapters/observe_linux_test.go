package adapters_test

import (
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"syscall"
	"testing"
)

// socket is what the first hop sees of a client's connection, and the options read back from its socket.
type socket struct {
	Address   string
	NoDelay   bool
	Small     bool // a small receive buffer was asked for
	KeepAlive [4]int
}

// relay passes connections on, untouched, and looks at the client's end of each.
type relay struct {
	net.Listener
	to string

	mu   sync.Mutex
	seen map[socket]int
	open []net.Conn
	busy sync.WaitGroup
}

func newRelay(t testing.TB, to string) *relay {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{Listener: l, to: to, seen: map[socket]int{}}
	r.busy.Go(r.accept)
	t.Cleanup(r.end)
	return r
}

func (r *relay) accept() {
	for {
		client, err := r.Accept()
		if err != nil {
			return
		}
		r.busy.Go(func() { r.pass(client) })
	}
}

func (r *relay) pass(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", r.to)
	if err != nil {
		return
	}
	defer server.Close()
	hello := make([]byte, 4096)
	n, err := client.Read(hello) // the socket is complete when the client speaks
	if err != nil {
		return
	}
	seen := look(client.RemoteAddr(), client.LocalAddr())
	r.mu.Lock()
	r.seen[seen]++
	r.open = append(r.open, client, server)
	r.mu.Unlock()
	r.busy.Go(func() {
		_, _ = server.Write(hello[:n])
		_, _ = io.Copy(server, client)
		server.Close()
	})
	_, _ = io.Copy(client, server)
}

// end closes everything and waits for it.
func (r *relay) end() {
	r.Close()
	r.mu.Lock()
	for _, c := range r.open {
		c.Close()
	}
	r.mu.Unlock()
	r.busy.Wait()
}

// sockets lists the different kinds of connection that came.
func (r *relay) sockets() []socket {
	r.mu.Lock()
	defer r.mu.Unlock()
	var kinds []socket
	for s := range r.seen {
		kinds = append(kinds, s)
	}
	return kinds
}

// look finds the socket of this process that connects two addresses, and reads it.
func look(from, to net.Addr) (s socket) {
	s.Address = from.(*net.TCPAddr).IP.String()
	entries, _ := os.ReadDir("/proc/self/fd")
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil || !connects(fd, from, to) {
			continue
		}
		option := func(level, name int) int {
			v, _ := syscall.GetsockoptInt(fd, level, name)
			return v
		}
		s.NoDelay = option(syscall.IPPROTO_TCP, syscall.TCP_NODELAY) != 0
		s.Small = option(syscall.SOL_SOCKET, syscall.SO_RCVBUF) == 2*smallBuffer // the kernel doubles it
		if option(syscall.SOL_SOCKET, syscall.SO_KEEPALIVE) != 0 {
			s.KeepAlive = [4]int{1, option(syscall.IPPROTO_TCP, syscall.TCP_KEEPIDLE), option(syscall.IPPROTO_TCP, syscall.TCP_KEEPINTVL), option(syscall.IPPROTO_TCP, syscall.TCP_KEEPCNT)}
		}
		return s
	}
	return s
}

const smallBuffer = 30000

// connects reports whether a descriptor is a TCP socket between two addresses.
func connects(fd int, from, to net.Addr) bool {
	local, errLocal := syscall.Getsockname(fd)
	remote, errRemote := syscall.Getpeername(fd)
	return errLocal == nil && errRemote == nil && shown(local) == from.String() && shown(remote) == to.String()
}

func shown(a syscall.Sockaddr) string {
	in4, ok := a.(*syscall.SockaddrInet4)
	if !ok {
		return ""
	}
	return netip.AddrPortFrom(netip.AddrFrom4(in4.Addr), uint16(in4.Port)).String()
}
