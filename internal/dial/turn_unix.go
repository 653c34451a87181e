//go:build unix

package dial

import (
	"net"
	"os"
	"sync"
	"syscall"
)

// A turn writes a request and reads what comes back as one operation of the runtime's poller. Write and Read, one after
// the other, take three calls of the system: the first read nearly always comes too soon and finds nothing. Here the
// goroutine begins to wait for the socket before it writes, so that nothing that comes is missed, and reads once, when
// there is something to read:
//
//	call of step   does                                     then
//	first          writes without waiting                   all of it: waits to be called again; else ends
//	others         reads without waiting                    nothing there after all: waits again; else ends
type turn struct {
	step          func(fd uintptr) (done bool) // its method, made once
	request, into []byte
	writing       bool
	wrote, read   int
	writeErr      error
	readErr       error
}

// turns are used again, so that an idle connection holds none.
var turns = sync.Pool{New: func() any {
	t := new(turn)
	t.step = t.next
	return t
}}

func (t *turn) next(fd uintptr) (done bool) {
	if t.writing {
		t.writing = false
		t.wrote, t.writeErr = again(syscall.Write, fd, t.request)
		return t.writeErr != nil || t.wrote < len(t.request)
	}
	t.read, t.readErr = again(syscall.Read, fd, t.into)
	return t.read > 0 || t.readErr != syscall.EAGAIN && t.readErr != syscall.EWOULDBLOCK
}

// again makes a call until no signal interrupts it. What it returns is not below 0.
func again(call func(int, []byte) (int, error), fd uintptr, b []byte) (int, error) {
	for {
		if n, err := call(int(fd), b); err != syscall.EINTR {
			return max(n, 0), err
		}
	}
}

// Turn writes request and waits for bytes, which it reads into a buffer that is not empty. It may do less than that,
// without an error, and leaves the rest to Write and Read: a part of request is not written, or nothing is read, where
// c is not a plain socket, the socket takes no more at once, a deadline ends the wait, or the peer has ended. Nobody else
// may read or write meanwhile; Close and deadlines, which are those of Read, end the wait.
func (c *Conn) Turn(request, into []byte) (wrote, read int, writeErr, readErr error) {
	if socket, ok := c.Conn.(turning); ok && c.probe != nil {
		return socket.turn(c.probe.raw, request, into)
	}
	return 0, 0, nil, nil
}

// turning is a socket, which can do that.
type turning interface {
	turn(raw syscall.RawConn, request, into []byte) (wrote, read int, writeErr, readErr error)
}

func (c *timed) turn(raw syscall.RawConn, request, into []byte) (wrote, read int, writeErr, readErr error) {
	if c.reads.begin() != nil {
		return 0, 0, nil, nil
	}
	t := turns.Get().(*turn)
	t.request, t.into, t.writing = request, into, true
	_ = raw.Read(t.step) // its error is Read's to find, which knows more of deadlines
	wrote, read = t.wrote, t.read
	writeErr, readErr = c.opError("write", t.writeErr), c.opError("read", t.readErr)
	*t = turn{step: t.step}
	turns.Put(t)
	c.reads.end(nil)
	return wrote, read, writeErr, readErr
}

// opError is what Read and Write of the socket make of an error, but for the one that says there is nothing to do yet.
func (c *timed) opError(op string, err error) error {
	if err == nil || err == syscall.EAGAIN || err == syscall.EWOULDBLOCK {
		return nil
	}
	return &net.OpError{Op: op, Net: c.LocalAddr().Network(), Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: os.NewSyscallError(op, err)}
}
