package dial

import (
	"context"
	"net"
	"net/netip"
	"time"
)

// attemptDelay is the head start of each address over the next (RFC 8305 5).
const attemptDelay = 250 * time.Millisecond

// race tries several addresses in order, each 250 ms after the one before, or at once when
// all before it have failed. The first connection wins; the losers have ended when run
// returns. If all fail, the error is the last address's, as urllib3's is.
type race struct {
	plan  *Plan
	addrs []netip.AddrPort
	op    Phase

	results        chan attempt
	started, ended int
	last           attempt
}

// attempt is the outcome of one address.
type attempt struct {
	index    int
	conn     net.Conn
	err      error
	panicked any // what a dialer of the caller's panicked with
}

func (p *Plan) race(ctx context.Context, addrs []netip.AddrPort, op Phase) (net.Conn, error) {
	r := race{plan: p, addrs: addrs, op: op, results: make(chan attempt)}
	return r.run(ctx)
}

func (r *race) run(ctx context.Context) (conn net.Conn, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer func() { r.drain(conn) }()
	defer cancel()
	timer := time.NewTimer(attemptDelay)
	defer timer.Stop()
	for r.start(ctx); r.ended < r.started; {
		select {
		case <-timer.C:
			r.start(ctx)
			timer.Reset(attemptDelay)
		case a := <-r.results:
			r.ended++
			if a.panicked != nil {
				panic(a.panicked)
			}
			if a.err == nil {
				return a.conn, nil
			}
			if r.note(a); r.ended == r.started {
				r.start(ctx)
				timer.Reset(attemptDelay)
			}
		}
	}
	return nil, r.last.err
}

// start begins the next attempt, if there is one and anybody still waits for it.
func (r *race) start(ctx context.Context) {
	i := r.started
	if i == len(r.addrs) || ctx.Err() != nil {
		return
	}
	r.started++
	go func() {
		a := attempt{index: i}
		defer func() {
			a.panicked = recover()
			r.results <- a
		}()
		a.conn, a.err = r.plan.dialFirst(ctx, r.plan.network(), r.addrs[i].String(), r.op)
	}()
}

func (r *race) note(a attempt) {
	if r.last.err == nil || a.index > r.last.index {
		r.last = a
	}
}

// drain waits for the losers, canceled by now, and closes what they opened. The panic of
// one of them goes on, and then there is no winner.
func (r *race) drain(winner net.Conn) {
	var panicked any
	for ; r.ended < r.started; r.ended++ {
		a := <-r.results
		if a.conn != nil {
			a.conn.Close()
		}
		if a.panicked != nil {
			panicked = a.panicked
		}
	}
	if panicked == nil {
		return
	}
	if winner != nil {
		winner.Close()
	}
	panic(panicked)
}

// interleave alternates the address families, the first one's order kept (RFC 8305 4).
func interleave(addrs []netip.AddrPort) []netip.AddrPort {
	var first, second []netip.AddrPort
	for _, a := range addrs {
		if a.Addr().Is4() == addrs[0].Addr().Is4() {
			first = append(first, a)
		} else {
			second = append(second, a)
		}
	}
	out := make([]netip.AddrPort, 0, len(addrs))
	for i := range max(len(first), len(second)) {
		if i < len(first) {
			out = append(out, first[i])
		}
		if i < len(second) {
			out = append(out, second[i])
		}
	}
	return out
}
