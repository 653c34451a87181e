package http2

import "time"

// A connection on which nothing has come for pingAfter while somebody waits, or between two requests, is asked by a
// PING, and given up if nothing comes within pingWait. Both are curl's order of magnitude, and below the
// minutes after which firewalls forget connections.
const (
	pingAfter = 15 * time.Second
	pingWait  = 10 * time.Second
)

var pingData = [8]byte{'r', 'e', 'q', 'u', 'e', 's', 't', 's'}

// healthCheck returns when the peer is to be asked or given up.
func (c *Conn) healthCheck(now time.Time) time.Time {
	if !c.askedAt.IsZero() {
		return c.askedAt.Add(pingWait)
	}
	return later(c.heardAt.Add(pingAfter), now)
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// checkHealth asks the peer when it is time to, and gives it up when it is time to.
func (c *Conn) checkHealth() {
	switch now := time.Now(); {
	case c.askedAt.IsZero() && now.Sub(c.heardAt) >= pingAfter:
		c.ask(now)
	case !c.askedAt.IsZero() && now.Sub(c.askedAt) >= pingWait:
		c.fail(&cause{err: errSilent, lost: true})
	}
}

// ask sends a PING, unless one is under way.
func (c *Conn) ask(now time.Time) {
	if c.askedAt.IsZero() && c.failed == nil {
		c.askedAt = now
		_ = c.framer.WritePing(false, pingData)
	}
}

// Alive reports whether c takes another stream, having handled what came while nobody waited. It does not block.
func (c *Conn) Alive() bool {
	c.mu.Lock()
	defer c.unlock()
	if c.leader == nil && c.failed == nil && len(c.streams) == 0 {
		c.look()
	}
	if len(c.streams) == 0 && c.failed == nil && time.Since(c.heardAt) >= pingAfter {
		c.ask(time.Now()) // which goes out with the request
	}
	return c.Capacity() > 0
}

const (
	lookTime  = time.Millisecond // for a read of what is there already
	mostLooks = 16
)

// look handles what has arrived, without waiting for more. Nobody leads.
func (c *Conn) look() {
	c.listen()
	c.flushReplies()
	c.hangUp()
	c.passOn()
}

// Listen handles what the peer of a new connection has said before the first request: settings are to be expected, but
// a response to a stream that has not been opened is a violation. It does not block, and writes nothing; nor is Settled
// called, as the connection is nobody's yet: the first request does, for those who wait for what the settings said. Where
// it takes waiting to find out, nothing is handled.
func (c *Conn) Listen() {
	if c.cfg.Quiet == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	settled := c.cfg.Settled
	c.cfg.Settled = nil
	c.listen()
	c.hangUp()
	c.cfg.Settled, c.changed = settled, c.peer.seen
}

// listen leads for as long as something has arrived. What a layer over the socket has read already shows only in a read,
// which does not wait.
func (c *Conn) listen() {
	c.leader = &c.looker
	for i := range mostLooks {
		for c.failed == nil && c.ready() {
			c.handle()
		}
		quiet := c.quiet()
		if c.failed != nil || quiet && (i > 0 || !c.cfg.Layered) {
			break
		}
		c.readUntil = time.Now()
		if !quiet {
			c.readUntil = c.readUntil.Add(lookTime)
		}
		_ = c.nc.SetReadDeadline(c.readUntil)
		c.unlock()
		err := c.during(c.fill, c.stopLeading)
		if err == nil {
			c.heardAt, c.askedAt = time.Now(), time.Time{}
		} else if !isOverdue(err) {
			c.lost(err)
		} else if quiet || c.cfg.Quiet == nil {
			break // there was nothing, neither at the socket nor above it
		}
	}
	c.leader = nil
}

func (c *Conn) quiet() bool { return c.cfg.Quiet != nil && c.cfg.Quiet() }

// careTime is how often the peer of a connection with open streams is listened to where nobody waits for it: it may
// ask whether we are there.
const careTime = time.Second

// takeCare starts the caretaker, if there is something to take care of.
func (c *Conn) takeCare() {
	if len(c.streams) == 0 || c.failed != nil || c.cared {
		return
	}
	c.cared = true
	if c.caretaker == nil {
		c.caretaker = time.AfterFunc(careTime, c.care)
		return
	}
	c.caretaker.Reset(careTime)
}

// care runs on the caretaker's timer.
func (c *Conn) care() {
	c.mu.Lock()
	defer c.unlock()
	c.cared = false
	if c.leader == nil && c.following.first == nil && len(c.streams) > 0 && c.failed == nil {
		c.look()
	}
}
