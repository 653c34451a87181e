package dial

import (
	"context"
	"net"
	"time"
)

// past is a deadline that ends blocked reads and writes at once.
var past = time.Unix(1, 0)

// handshake runs one blocking exchange on conn within the plan's limits, and ends it
// when the context is done. Afterwards conn has no deadline.
func (p *Plan) handshake(ctx context.Context, conn net.Conn, op Phase, addr string, exchange func() error) error {
	if err := conn.SetDeadline(p.limit(p.handshakeTimeout())); err != nil {
		return fault(ctx, op, addr, err)
	}
	stop := interrupt(ctx, conn)
	err := exchange()
	if stop() && err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = conn.SetDeadline(time.Time{})
	}
	if err != nil {
		return fault(ctx, op, addr, err)
	}
	return nil
}

// limit is the earlier of now + timeout and the plan's deadline.
func (p *Plan) limit(timeout time.Duration) time.Time {
	if timeout <= 0 {
		return p.Deadline
	}
	end := time.Now().Add(timeout)
	if !p.Deadline.IsZero() && p.Deadline.Before(end) {
		return p.Deadline
	}
	return end
}

// interrupt gives conn a past deadline once ctx is done. stop ends the watch and
// reports whether that had happened; nothing of it runs any more after stop.
func interrupt(ctx context.Context, conn net.Conn) (stop func() (fired bool)) {
	if ctx.Done() == nil {
		return func() bool { return false }
	}
	done := make(chan struct{})
	undo := context.AfterFunc(ctx, func() {
		defer close(done)
		conn.SetDeadline(past)
	})
	return func() bool {
		if undo() {
			return false
		}
		<-done
		return true
	}
}
