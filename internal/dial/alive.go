package dial

import (
	"errors"
	"net"
	"os"
	"syscall"
	"time"
)

// Alive reports whether an idle connection can be used again: still open, and
// without bytes nobody asked for (those would be taken for the next response). It does
// not wait where the platform has a non-blocking peek. It must not run at the same
// time as a Read, and leaves the connection without a read deadline.
func Alive(c net.Conn) bool {
	p, layered := probeOf(c)
	if p == nil || !canPeek {
		return quietFor(c, time.Now().Add(time.Millisecond))
	}
	if !p.quiet() {
		return false
	}
	// What a TLS layer has read from the socket already shows only above it.
	return !layered || p.quietAbove(c)
}

// Quiet returns what reports, without waiting, whether nothing has arrived at the socket beneath c, and it is open. It is
// nil where the socket or the platform cannot tell. What a TLS layer has read from the socket already does not count.
func (c *Conn) Quiet() func() bool {
	if c.probe == nil || !canPeek {
		return nil
	}
	return c.probe.quiet
}

// Spoke reports whether the peer of a connection that has just been opened has sent bytes
// before it was asked anything: they are not a response. Where the platform has no
// non-blocking peek, it reports false. It must not run at the same time as a Read, and
// leaves the connection without a read deadline.
func Spoke(c net.Conn) bool {
	p, layered := probeOf(c)
	if p == nil || !canPeek {
		return false
	}
	spoke := p.spoke()
	if !layered {
		return spoke
	}
	// A TLS server may have sent session tickets, or alerts, which the request meets. What
	// came with the end of the handshake has been read from the socket already.
	end := past
	if spoke {
		end = time.Now().Add(time.Millisecond)
	}
	_ = c.SetReadDeadline(end)
	var b [1]byte
	n, _ := c.Read(b[:])
	_ = c.SetReadDeadline(time.Time{})
	return n > 0
}

// probed is a connection that has found out what is beneath it.
type probed interface {
	probed() (p *probe, layered bool)
}

func (c *Conn) probed() (*probe, bool) { return c.probe, !c.Plain() }

// probeOf finds the socket beneath c, and whether layers lie between.
func probeOf(c net.Conn) (p *probe, layered bool) {
	if own, ok := c.(probed); ok {
		return own.probed()
	}
	for {
		inner, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			return newProbe(c), layered
		}
		c, layered = inner.NetConn(), true
	}
}

// quietFor reads until the deadline and reports whether that is all that happened.
func quietFor(c net.Conn, end time.Time) bool {
	if c.SetReadDeadline(end) != nil {
		return false
	}
	return readsNothing(c, make([]byte, 1))
}

// quietAbove is quietFor a layer over the socket, without waiting.
func (p *probe) quietAbove(c net.Conn) bool {
	return c.SetReadDeadline(past) == nil && readsNothing(c, p.one[:])
}

// readsNothing reports whether a read ends with its deadline, which it takes away.
func readsNothing(c net.Conn, b []byte) bool {
	_, err := c.Read(b)
	return errors.Is(err, os.ErrDeadlineExceeded) && c.SetReadDeadline(time.Time{}) == nil
}

// probe peeks at one socket. It is made once a connection, so that a check allocates nothing.
type probe struct {
	raw  syscall.RawConn
	peek func(fd uintptr)
	ok   bool
	one  [1]byte // for a read that is to give nothing
}

// newProbe returns nil where c is not a socket.
func newProbe(c net.Conn) *probe {
	sc, ok := c.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	p := &probe{raw: raw}
	p.peek = func(fd uintptr) { p.ok = nothingToRead(fd) }
	return p
}

// spoke is called once a connection, and may allocate.
func (p *probe) spoke() (something bool) {
	err := p.raw.Control(func(fd uintptr) { something = somethingToRead(fd) })
	return err == nil && something
}

func (p *probe) quiet() bool {
	p.ok = false
	return p.raw.Control(p.peek) == nil && p.ok
}
