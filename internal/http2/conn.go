package http2

import (
	"bytes"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Config is what a connection keeps to. A zero field means its default.
type Config struct {
	HeadBytes    int // of the fields of one head, as RFC 9113 section 6.5.2 counts them, and of its frames (256 KiB)
	Fields       int // of one head or trailer section (1,000)
	Interim      int // 1xx responses before the final one (20)
	InterimBytes int // of the fields of all of them (256 KiB)
	TrailerBytes int // of one trailer section (64 KiB)

	// Quiet reports, without waiting, whether nothing has arrived at the connection's socket. If nil, that is found out
	// by a read with a short deadline.
	Quiet func() bool

	// Layered tells that TLS lies between the connection and its socket: what it has read of the socket already, Quiet
	// does not see.
	Layered bool

	// Settled is called, where no lock is held, when Capacity has changed because of the peer's settings. May be nil.
	Settled func()
}

func (c Config) withDefaults() Config {
	or := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	or(&c.HeadBytes, 256<<10)
	or(&c.Fields, 1000)
	or(&c.Interim, 20)
	or(&c.InterimBytes, 256<<10)
	or(&c.TrailerBytes, 64<<10)
	return c
}

// assumedStreams is how many streams are opened on a connection whose peer has not yet said how many it takes. RFC
// 9113 section 6.5.2 asks peers for no less.
const assumedStreams = 100

// mostStreams bounds what a peer may say: beyond it more connections serve better.
const mostStreams = 1000

// Conn is the client's side of an HTTP/2 connection. It is safe for concurrent use.
type Conn struct {
	nc       *guarded
	cfg      Config
	capacity atomic.Int32 // what Capacity returns
	framer   *http2.Framer
	in       input // of who leads

	// mu protects the fields below.
	mu sync.Mutex

	streams map[uint32]*Stream
	nextID  uint32
	leaving *Stream // whose owners are to be told
	most    int     // streams the peer takes at the same time
	changed bool    // Settled is to be called
	lastID  uint32  // of a GOAWAY
	goAway  *GoAwayError
	failed  *cause // why the connection has ended
	final   bool   // a request asks that the connection be closed behind it
	closed  bool   // nc has been closed

	leader    *waiter // nobody else reads
	looker    waiter  // who reads what is there, and waits for nothing
	handling  bool    // the leader is handling frames, with the lock held
	following waiters
	alarms    []*alarm // which nobody uses
	caretaker *time.Timer
	cared     bool      // its timer runs
	readUntil time.Time // the deadline of reads
	heardAt   time.Time // when bytes last came
	askedAt   time.Time // when a PING went out that is not answered, zero for none

	out        *output // frames to be written, nil for none
	writing    bool    // somebody writes
	muted      bool    // nothing can be written any more
	writer     *Stream // whose goroutine it is, nil for none of a stream
	turns      waiters // who waits to write
	writeUntil time.Time
	uploads    int // bodies that are being sent
	pongs      int // PING and SETTINGS acknowledged since the last write

	enc    *hpack.Encoder
	block  bytes.Buffer // where enc writes
	noting bool         // noted takes what is encoded
	noted  [][2]string
	names  map[string]string // field names in lower case
	peer   peerSettings
	window int64 // what may be sent on the connection

	dec     *hpack.Decoder
	head    headBlock // that is being received
	data    dataFrame // that is being received
	receive window    // what the peer may send on the connection
	orphans int64     // bytes that may still arrive for streams that were given up
	idle    flood
}

// peerSettings are what the peer's SETTINGS say, where it matters here.
type peerSettings struct {
	seen    bool
	window  int64 // of a new stream
	headers uint64
}

// New makes a connection of nc, on which nothing has been read or written since HTTP/2 was agreed on. The preface
// goes out with the first request.
func New(nc net.Conn, cfg Config) *Conn {
	c := &Conn{nc: &guarded{nc}, cfg: cfg.withDefaults(), streams: map[uint32]*Stream{}, nextID: 1, names: map[string]string{}}
	c.framer = http2.NewFramer(outputOf{c}, &c.in)
	c.framer.SetMaxReadFrameSize(maxFrame)
	c.enc = hpack.NewEncoder(&c.block)
	c.dec = hpack.NewDecoder(4096, c.addField)
	c.dec.SetMaxStringLength(c.cfg.HeadBytes)
	c.peer = peerSettings{window: 65535, headers: 1<<64 - 1}
	c.window = 65535
	c.receive = newWindow(connWindow)
	c.most = assumedStreams
	c.capacity.Store(1)
	c.heardAt = time.Now()
	c.preface()
	return c
}

func (c *Conn) preface() {
	_, _ = outputOf{c}.Write([]byte(http2.ClientPreface))
	_ = c.framer.WriteSettings(
		http2.Setting{ID: http2.SettingEnablePush, Val: 0},
		http2.Setting{ID: http2.SettingInitialWindowSize, Val: streamWindow},
		http2.Setting{ID: http2.SettingMaxHeaderListSize, Val: uint32(c.cfg.HeadBytes)},
	)
	_ = c.framer.WriteWindowUpdate(0, connWindow-65535)
}

// Capacity returns how many streams it is wise to have open at the same time: 1 until the peer has said how many it takes, 0
// when the connection takes no more of them, as it has ended, is about to, or has run out of numbers. It does not wait.
func (c *Conn) Capacity() int { return int(c.capacity.Load()) }

// NetConn returns the connection beneath.
func (c *Conn) NetConn() net.Conn { return c.nc.Conn }

// Close ends the connection and every stream on it.
func (c *Conn) Close() error {
	c.mu.Lock()
	defer c.unlock()
	c.fail(&cause{err: errClosed})
	c.hangUp()
	return nil
}

// fail ends the connection: what waits on it is woken. The caller hangs up when it is done with the state.
func (c *Conn) fail(why *cause) {
	if c.failed != nil {
		return
	}
	c.failed = why
	c.capacity.Store(0)
	if c.caretaker != nil {
		c.caretaker.Stop()
	}
	for _, s := range c.streams {
		s.end(why)
	}
	for w := c.turns.first; w != nil; w = w.next {
		w.signal()
	}
}

// violated ends the connection because of what the peer did.
func (c *Conn) violated(v *ViolationError) { c.fail(&cause{err: v}) }

// goodbyeWait is how long the last frame of a connection may take.
const goodbyeWait = 100 * time.Millisecond

// hangUp closes the connection beneath if c has ended. The lock is released for the time that takes. A write that is
// under way comes first: whoever writes hangs up.
func (c *Conn) hangUp() {
	if c.failed == nil || c.closed {
		return
	}
	if c.writing {
		_ = c.nc.SetWriteDeadline(time.Now().Add(goodbyeWait))
		return
	}
	c.closed = true
	last := c.goodbye()
	c.mu.Unlock()
	_ = c.during(func() error {
		if last != nil && c.nc.SetWriteDeadline(time.Now().Add(goodbyeWait)) == nil {
			_, _ = c.nc.Write(last.b)
		}
		return c.nc.Close()
	}, func() {})
	last.release()
}

// goodbye returns what is to be written last: a GOAWAY frame, where the peer is there to read it.
func (c *Conn) goodbye() *output {
	code := http2.ErrCodeNo
	if v, ok := c.failed.err.(*ViolationError); ok {
		code = v.Code
	} else if c.failed.err != errClosed {
		return nil
	}
	if c.muted || !c.peer.seen {
		return nil
	}
	_ = c.framer.WriteGoAway(0, code, nil)
	last := c.out
	c.out = nil
	return last
}

// open enters a stream, which the caller is about to announce to the peer.
func (c *Conn) open(s *Stream) *cause {
	switch {
	case s.failed != nil:
		return s.failed
	case c.failed != nil:
		return &cause{err: c.failed.err, unprocessed: true}
	case c.goAway != nil:
		return &cause{err: c.goAway, unprocessed: true}
	case c.muted:
		return &cause{err: errClosed, unprocessed: true}
	case len(c.streams) >= c.most || c.Capacity() == 0:
		return &cause{err: errNoRoom, unprocessed: true}
	}
	s.id = c.nextID
	c.nextID += 2
	if c.nextID > 1<<31-1 {
		c.capacity.Store(0)
	}
	s.window = c.peer.window
	s.receive = newWindow(streamWindow)
	c.streams[s.id] = s
	return nil
}

// remove forgets a stream.
func (c *Conn) remove(s *Stream) {
	if c.streams[s.id] != s {
		return
	}
	delete(c.streams, s.id)
	if c.data.stream == s {
		c.data.stream = nil
	}
	if c.head.stream == s {
		c.head.stream = nil
	}
}

// reset ends a stream with RST_STREAM, which is written with whatever is written next. What the peer has sent on it,
// or sends before it knows, is taken and thrown away.
func (c *Conn) reset(s *Stream, code http2.ErrCode) {
	if c.streams[s.id] != s || c.failed != nil {
		return
	}
	_ = c.framer.WriteRSTStream(s.id, code)
	if !s.ended {
		c.orphans += max(s.receive.open, 0)
	}
	c.remove(s)
}
