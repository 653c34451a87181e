package dial

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// timed is a socket that moves its deadlines only where it must. An exchange sets several,
// nearly all of them later than those of the exchange before, and each change of a timer
// may wake the runtime's poller, which costs as much as a write does. So the deadline that
// was asked for is told from the one that is armed:
//
//	asked for          armed                                       then
//	later, or none     stays                                       fires early: armed anew, and the call goes on where it was
//	sooner, in a call  at once                                     ends the call
//	sooner, else       when the next call begins                   ends that call
//	past, else         never                                       the next call fails without one of the system
//
// A call therefore ends when it was asked to, neither sooner nor later. No layer above, TLS in particular, which
// does not outlive a failed write, sees a deadline that fired early.
//
// Only sockets are wrapped: the connection that a dial function returns may be of any kind, and need not be able to go on
// after a deadline.
type timed struct {
	net.Conn // a *net.TCPConn or a *net.UnixConn
	reads    deadlines
	writes   deadlines
	order    sync.Mutex // writes do not mix, although one may take several calls
}

// timely returns conn, or where it is a socket one that sets its deadlines late.
func timely(conn net.Conn) net.Conn {
	switch conn.(type) {
	case *net.TCPConn, *net.UnixConn:
		return &timed{Conn: conn, reads: deadlines{set: conn.SetReadDeadline}, writes: deadlines{set: conn.SetWriteDeadline}}
	}
	return conn
}

// deadlines are those of one direction.
type deadlines struct {
	set func(time.Time) error // arms the socket's

	// mu protects the fields below.
	mu     sync.Mutex
	wanted time.Time // what was asked for, zero for none
	armed  time.Time // what the socket has, zero for none
	calls  int       // under way
	strict int       // of these, those that cannot go on after a deadline that fires early
}

// want asks for a deadline.
func (d *deadlines) want(t time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wanted = t
	if d.strict > 0 && !d.armed.Equal(t) || d.calls > 0 && before(t, d.armed) {
		return d.arm()
	}
	return nil
}

// begin is called before a call of the system. Where it fails, end must not be called.
func (d *deadlines) begin() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if before(d.wanted, d.armed) {
		if !time.Now().Before(d.wanted) {
			return os.ErrDeadlineExceeded
		}
		if err := d.arm(); err != nil {
			return err
		}
	}
	d.calls++
	return nil
}

// end is called after it, and reports whether it is to be repeated: its deadline fired early. Then the call is still
// under way.
func (d *deadlines) end(err error) (again bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil && errors.Is(err, os.ErrDeadlineExceeded) && !passed(d.wanted) && d.arm() == nil {
		return true
	}
	d.calls--
	return false
}

// beginStrict is begin for a call that cannot be repeated.
func (d *deadlines) beginStrict() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.armed.Equal(d.wanted) {
		if err := d.arm(); err != nil {
			return err
		}
	}
	d.calls++
	d.strict++
	return nil
}

func (d *deadlines) endStrict() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls--
	d.strict--
}

// arm sets the socket's deadline to the one that is wanted. mu is held.
func (d *deadlines) arm() error {
	err := d.set(d.wanted)
	if err == nil {
		d.armed = d.wanted
	}
	return err
}

// before reports whether a comes before b, where zero is never.
func before(a, b time.Time) bool {
	return !a.IsZero() && (b.IsZero() || a.Before(b))
}

// passed reports whether t, zero for never, is over.
func passed(t time.Time) bool { return !t.IsZero() && !time.Now().Before(t) }

func (c *timed) SetReadDeadline(t time.Time) error  { return c.reads.want(t) }
func (c *timed) SetWriteDeadline(t time.Time) error { return c.writes.want(t) }

func (c *timed) SetDeadline(t time.Time) error {
	return errors.Join(c.reads.want(t), c.writes.want(t))
}

func (c *timed) Read(b []byte) (n int, err error) {
	if err := c.reads.begin(); err != nil {
		return 0, err
	}
	for again := true; again; again = c.reads.end(err) {
		n, err = c.Conn.Read(b)
	}
	return n, err
}

func (c *timed) Write(b []byte) (n int, err error) {
	c.order.Lock()
	defer c.order.Unlock()
	if err := c.writes.begin(); err != nil {
		return 0, err
	}
	for again := true; again; again = c.writes.end(err) {
		var m int
		m, err = c.Conn.Write(b[n:])
		n += m
	}
	return n, err
}

// ReadFrom lets the kernel move what r has, where it can. It begins with the deadline that was asked for: what has been
// taken from r when one fires early could not be sent again. Writes wait until r has ended.
func (c *timed) ReadFrom(r io.Reader) (int64, error) {
	to, ok := c.Conn.(io.ReaderFrom)
	if !ok {
		return io.Copy(onlyWriter{c}, r)
	}
	c.order.Lock()
	defer c.order.Unlock()
	if err := c.writes.beginStrict(); err != nil {
		return 0, err
	}
	defer c.writes.endStrict()
	return to.ReadFrom(r)
}

// CloseWrite tells the peer that nothing more is sent.
func (c *timed) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// NetConn returns the socket.
func (c *timed) NetConn() net.Conn { return c.Conn }

// SyscallConn is the socket's, for those who find c beneath a *tls.Conn, as the trace of a request gives it to them, and
// ask for options or statistics of the socket.
func (c *timed) SyscallConn() (syscall.RawConn, error) {
	if socket, ok := c.Conn.(syscall.Conn); ok {
		return socket.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

func (c *timed) probed() (*probe, bool) { return newProbe(c.Conn), false }
