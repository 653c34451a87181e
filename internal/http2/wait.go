package http2

import (
	"io"
	"time"

	"golang.org/x/net/http2"
)

// need is what somebody waits for.
type need uint8

const (
	nothing    need = iota
	aHead           // the head of the response, or an interim one
	toContinue      // 100, the final head, or anything that ends the upload
	someData        // of the response's body
	toSend          // window for the request's body
)

// waiter is one of the two who may wait on a stream: the reader of the response, or the sender of the request.
type waiter struct {
	stream *Stream
	need   need
	dst    []byte // of a reader: where content may go
	n      int    // how much of it has

	granted    bool   // may write
	alarm      *alarm // while in a list
	prev, next *waiter
}

// waiters is a list, in the order in which they came.
type waiters struct{ first, last *waiter }

func (l *waiters) add(w *waiter) {
	w.alarm = w.stream.conn.newAlarm()
	w.prev, w.next = l.last, nil
	if l.last == nil {
		l.first = w
	} else {
		l.last.next = w
	}
	l.last = w
}

func (l *waiters) remove(w *waiter) {
	if w.prev == nil {
		l.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		l.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	c := w.stream.conn
	c.alarms = append(c.alarms, w.alarm.reset())
	w.alarm, w.prev, w.next = nil, nil, nil
}

// alarm is what a waiter is woken by.
type alarm struct {
	wake  chan struct{}
	timer *time.Timer // nil until there is a limit
}

// newAlarm returns one that nobody uses. A connection keeps its own, as a synctest bubble wants it.
func (c *Conn) newAlarm() *alarm {
	n := len(c.alarms) - 1
	if n < 0 {
		return &alarm{wake: make(chan struct{}, 1)}
	}
	a := c.alarms[n]
	c.alarms = c.alarms[:n]
	return a
}

// reset forgets that the alarm went off.
func (a *alarm) reset() *alarm {
	if a.timer != nil {
		a.timer.Stop()
	}
	select {
	case <-a.wake:
	default:
	}
	return a
}

// wait waits to be woken, and returns false if the time is over before.
func (a *alarm) wait(until time.Time) bool {
	if until.IsZero() {
		<-a.wake
		return true
	}
	if d := time.Until(until); a.timer == nil {
		a.timer = time.NewTimer(d)
	} else {
		a.timer.Reset(d)
	}
	select {
	case <-a.wake:
		return true
	case <-a.timer.C:
		return false
	}
}

// signal wakes w if it is in a list.
func (w *waiter) signal() {
	if w.alarm == nil {
		return
	}
	select {
	case w.alarm.wake <- struct{}{}:
	default:
	}
}

// done reports whether w need not wait.
func (w *waiter) done() bool {
	s := w.stream
	if s.failed != nil {
		return true
	}
	switch w.need {
	case aHead:
		return s.headed || len(s.interims) > 0
	case toContinue:
		return s.continued || s.headed || s.stopped
	case someData:
		return w.n > 0 || s.content.size > 0 || s.ended
	case toSend:
		return s.stopped || s.window > 0 && s.conn.window > 0
	}
	return true
}

// greedy reports whether w takes more while it is there.
func (w *waiter) greedy() bool {
	return w.need == someData && w.n > 0 && w.n < len(w.dst) && w.stream.failed == nil && !w.stream.ended
}

// past is a deadline that ends what is under way.
var past = time.Unix(1, 0)

// interrupt makes w look at the state of its stream again.
func (c *Conn) interrupt(w *waiter) {
	switch {
	case c.leader != w:
		w.signal()
	case !c.handling:
		c.readUntil = past
		_ = c.nc.SetReadDeadline(past)
	}
}

// await waits until w has what it needs or its stream has ended, and returns false when the time was over before.
// The lock is held, and released while waiting. until says when the time is over, zero for never; it is asked again
// whenever w is woken.
func (c *Conn) await(w *waiter, need need, until func(*Stream) time.Time) bool {
	w.need = need
	inTime := true
	for inTime && !w.done() {
		if c.leader == nil {
			inTime = c.lead(w, until)
		} else {
			inTime = c.follow(w, until(w.stream))
		}
	}
	inTime = inTime || w.done()
	w.need = nothing
	c.passOn()
	return inTime
}

// follow waits to be woken by who leads.
func (c *Conn) follow(w *waiter, until time.Time) bool {
	c.following.add(w)
	a := w.alarm
	c.unlock()
	inTime := a.wait(until)
	c.mu.Lock()
	c.following.remove(w)
	return inTime
}

// passOn sees to it that somebody leads while somebody waits. The one who came last is chosen, who is likely to wait
// longest: the lead changes hands less often.
func (c *Conn) passOn() {
	if c.leader != nil {
		return
	}
	if w := c.following.last; w != nil {
		w.signal()
		return
	}
	c.in.release()
	c.takeCare()
}

// lead reads frames, for everybody, until w has what it needs.
func (c *Conn) lead(w *waiter, until func(*Stream) time.Time) (inTime bool) {
	c.leader, inTime = w, true
	for c.failed == nil && (!w.done() || w.greedy() && c.ready()) {
		if c.ready() {
			c.handle()
			continue
		}
		if end := until(w.stream); !c.read(w, end) {
			inTime = false
			break
		}
	}
	for c.failed == nil && c.ready() && (len(c.streams) > 1 || !c.atContent()) {
		c.handle()
	}
	c.leader = nil
	c.flushReplies()
	c.hangUp()
	return inTime
}

// ready reports whether something that is buffered can be handled.
func (c *Conn) ready() bool {
	if c.data.left > 0 || c.data.pad > 0 {
		return c.in.len() > 0
	}
	return c.in.ready()
}

// atContent reports whether content of a body comes next, which its reader may take without it being stored.
func (c *Conn) atContent() bool {
	if c.data.left > 0 {
		return true
	}
	length, typ, _, ok := c.in.frame()
	return ok && typ == http2.FrameData && length > 0
}

// read waits for bytes from the peer, and returns false when end has come before.
func (c *Conn) read(w *waiter, end time.Time) bool {
	now := time.Now()
	if !end.IsZero() && !now.Before(end) {
		return false
	}
	c.flushReplies()
	if c.failed != nil {
		return true
	}
	c.limitRead(now, end)
	c.unlock()
	err := c.during(c.fill, c.stopLeading)
	switch {
	case err == nil:
		c.heardAt, c.askedAt = time.Now(), time.Time{}
	case isOverdue(err):
		c.checkHealth()
	default:
		c.lost(err)
	}
	return true
}

// limitRead sets the deadline of the next read. One that is already set stays if it is not too late, nor so early
// that the read would have to be repeated often. If it cannot be set, the read says why.
func (c *Conn) limitRead(now, end time.Time) {
	until := c.healthCheck(now)
	if !end.IsZero() && end.Before(until) {
		until = end
	}
	if !c.readUntil.After(until) && until.Sub(c.readUntil) < c.readUntil.Sub(now) {
		return
	}
	c.readUntil = until
	_ = c.nc.SetReadDeadline(until)
}

// lost ends the connection because reading or writing failed.
func (c *Conn) lost(err error) {
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	c.fail(&cause{err: err, lost: isReset(err)})
}
