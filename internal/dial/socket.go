package dial

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
)

// control runs on the fresh socket, before bind and connect.
func (p *Plan) control(_ context.Context, network, _ string, c syscall.RawConn) error {
	var err error
	outer := c.Control(func(fd uintptr) {
		for _, o := range p.SocketOptions {
			if network == "unix" && o.Level == ipprotoTCP {
				continue
			}
			if err = setOption(fd, o); err != nil {
				err = os.NewSyscallError("setsockopt", err)
				return
			}
		}
		if p.Interface != "" {
			err = os.NewSyscallError("bind to interface "+p.Interface, bindInterface(fd, network, p.Interface))
		}
	})
	return errors.Join(outer, err)
}

// settle undoes what the net package does unasked: it turns TCP_NODELAY on after connecting.
func (p *Plan) settle(conn net.Conn) error {
	tcp, ok := conn.(*net.TCPConn)
	if !ok || p.noDelay() {
		return nil
	}
	return tcp.SetNoDelay(false)
}

// These are the same numbers on every platform.
const (
	ipprotoTCP = 6
	tcpNoDelay = 1
)

func (p *Plan) noDelay() (on bool) {
	for _, o := range p.SocketOptions {
		if o.Level == ipprotoTCP && o.Name == tcpNoDelay {
			on = o.Int != 0 || len(o.Bytes) > 0 && o.Bytes[0] != 0
		}
	}
	return on
}

// bindFault recognises a failure of our own side of the socket, and says what of it.
func (p *Plan) bindFault(err error) (local string, ok bool) {
	var sys *os.SyscallError
	if !errors.As(err, &sys) {
		return "", false
	}
	switch {
	case sys.Syscall == "bind":
		return p.Local.String(), true
	case sys.Syscall == "setsockopt":
		return "socket option", true
	}
	return p.Interface, p.Interface != "" && strings.HasPrefix(sys.Syscall, "bind to interface")
}
