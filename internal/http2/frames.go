package http2

import (
	"errors"

	"golang.org/x/net/http2"
)

// dataFrame is the DATA frame whose content is being taken.
type dataFrame struct {
	stream *Stream // nil where nobody wants it
	left   int     // of the content
	pad    int     // behind it
	last   bool    // it ends the stream
}

// handle takes what is buffered of the next frame. The caller leads.
func (c *Conn) handle() {
	c.handling = true
	defer func() { c.handling = false }()
	if c.data.left > 0 || c.data.pad > 0 {
		c.takeContent()
		return
	}
	header, err := c.framer.ReadFrameHeader()
	if err != nil {
		c.violated(c.malformed(err))
		return
	}
	if !c.peer.seen && (header.Type != http2.FrameSettings || header.Flags.Has(http2.FlagSettingsAck)) {
		c.violated(violation(http2.ErrCodeProtocol, "the server does not begin with SETTINGS, but with %v", header.Type))
		return
	}
	switch header.Type {
	case http2.FrameData:
		c.dataHeader(header)
		return
	case http2.FrameHeaders:
		c.headers(header)
		return
	}
	frame, err := c.framer.ReadFrameForHeader(header)
	if reset, ok := err.(http2.StreamError); ok {
		if s := c.streams[reset.StreamID]; s != nil {
			s.violated(c.malformed(err))
		}
		return
	}
	if err != nil {
		c.violated(c.malformed(err))
		return
	}
	c.take(frame)
}

// malformed makes the violation of what the framer found.
func (c *Conn) malformed(err error) *ViolationError {
	code := http2.ErrCodeProtocol
	switch e := err.(type) {
	case http2.ConnectionError:
		code = http2.ErrCode(e)
	case http2.StreamError:
		code = e.Code
	}
	if errors.Is(err, http2.ErrFrameTooLarge) {
		code = http2.ErrCodeFrameSize
	}
	if detail := c.framer.ErrorDetail(); detail != nil {
		err = detail
	}
	return violation(code, "the server sent a malformed frame: %v", err)
}

// take handles a frame of one of the rarer types.
func (c *Conn) take(frame http2.Frame) {
	switch f := frame.(type) {
	case *http2.ContinuationFrame:
		c.addBlock(f.HeaderBlockFragment(), f.HeadersEnded())
	case *http2.SettingsFrame:
		c.settings(f)
	case *http2.WindowUpdateFrame:
		c.windowUpdate(f)
	case *http2.RSTStreamFrame:
		c.resetByPeer(f)
	case *http2.GoAwayFrame:
		c.goingAway(f)
	case *http2.PingFrame:
		c.ping(f)
	case *http2.PushPromiseFrame:
		c.violated(violation(http2.ErrCodeProtocol, "the server pushes, though it was told not to"))
	default: // PRIORITY and what is not known is to be ignored
		c.useless()
	}
}

// known returns the stream a frame is about, nil if it has been closed or never was, which is a violation.
func (c *Conn) known(id uint32, typ http2.FrameType) *Stream {
	if id%2 == 0 || id >= c.nextID {
		c.violated(violation(http2.ErrCodeProtocol, "the server sent %v on stream %d, which was not opened", typ, id))
		return nil
	}
	s := c.streams[id]
	if s == nil {
		c.useless()
	}
	return s
}

// dataHeader begins a DATA frame. The connection's window is given back as its bytes arrive, the stream's as the
// reader takes them.
func (c *Conn) dataHeader(h http2.FrameHeader) {
	pad, overhead := 0, 0
	if h.Flags.Has(http2.FlagDataPadded) {
		if b := c.in.next(1); h.Length > 0 && len(b) == 1 {
			pad, overhead = int(b[0]), int(b[0])+1
		}
		if overhead == 0 || overhead > int(h.Length) {
			c.violated(violation(http2.ErrCodeProtocol, "the server sent a DATA frame with more padding than content"))
			return
		}
	}
	if h.StreamID%2 == 0 || h.StreamID >= c.nextID {
		c.known(h.StreamID, h.Type)
		return
	}
	if !c.receive.use(int(h.Length)) {
		c.violated(violation(http2.ErrCodeFlowControl, "the server sends more than the connection's window"))
		return
	}
	c.creditConn(int(h.Length))
	c.data = dataFrame{left: int(h.Length) - overhead, pad: pad, last: h.Flags.Has(http2.FlagDataEndStream)}
	if c.data.left == 0 && !c.data.last {
		c.useless()
	} else {
		c.useful()
	}
	if s := c.streams[h.StreamID]; s != nil {
		c.data.stream = s
		s.dataHeader(int(h.Length), overhead)
	} else if c.orphans -= int64(h.Length); c.orphans < 0 {
		c.violated(violation(http2.ErrCodeStreamClosed, "the server sends data on streams that are closed"))
	}
	if c.failed == nil && c.data.left == 0 && c.data.pad == 0 {
		c.endData()
	}
}

// dataHeader checks that s may take a DATA frame of so many bytes.
func (s *Stream) dataHeader(length, overhead int) {
	content := int64(length - overhead)
	switch {
	case !s.receive.use(length):
		s.violated(violation(http2.ErrCodeFlowControl, "the server sends more than the stream's window"))
	case s.ended:
		s.violated(violation(http2.ErrCodeStreamClosed, "the server sends data behind the end of the response"))
	case !s.headed:
		s.violated(violation(http2.ErrCodeProtocol, "the server sends a body without a head"))
	case content > 0 && s.bodiless:
		s.violated(violation(http2.ErrCodeProtocol, "the server sends a body where there is none"))
	case s.length >= 0 && content > s.length-s.received:
		s.violated(violation(http2.ErrCodeProtocol, "the body is longer than its Content-Length of %d", s.length))
	default:
		s.received += content
		s.conn.credit(s, overhead)
	}
}

// takeContent takes what is there of a DATA frame: to where its reader wants it, if he waits, else to the stream.
func (c *Conn) takeContent() {
	d := &c.data
	if d.left > 0 {
		if !c.toReader() {
			c.toStream()
		}
	}
	if d.left == 0 && d.pad > 0 {
		d.pad -= len(c.in.next(d.pad))
	}
	if d.left == 0 && d.pad == 0 {
		c.endData()
	}
}

// toReader copies content to the reader of the stream if it is who leads, and nothing is stored before it.
func (c *Conn) toReader() bool {
	d, w := &c.data, c.leader
	if d.stream == nil || w.stream != d.stream || w.need != someData || w.n == len(w.dst) || d.stream.content.size > 0 {
		return false
	}
	n := copy(w.dst[w.n:], c.in.next(min(d.left, len(w.dst)-w.n)))
	w.n += n
	d.left -= n
	c.credit(d.stream, n)
	return true
}

func (c *Conn) toStream() {
	b := c.in.next(c.data.left)
	c.data.left -= len(b)
	if s := c.data.stream; s != nil {
		s.content.add(b)
		s.notify()
	}
}

// endData is the end of a DATA frame.
func (c *Conn) endData() {
	s, last := c.data.stream, c.data.last
	c.data = dataFrame{}
	if s != nil && last {
		s.receivedEnd()
	}
}

// settings takes the peer's settings and acknowledges them (RFC 9113 section 6.5).
func (c *Conn) settings(f *http2.SettingsFrame) {
	c.useless()
	if f.IsAck() {
		return
	}
	if !c.peer.seen {
		c.peer.seen = true
		c.most = mostStreams
	}
	err := f.ForeachSetting(func(s http2.Setting) error {
		if s.ID == http2.SettingMaxConcurrentStreams {
			c.most = int(min(s.Val, mostStreams))
		}
		return c.setting(s)
	})
	if v, ok := err.(*ViolationError); ok {
		c.violated(v)
		return
	}
	if c.goAway == nil && !c.final && !c.muted && c.nextID <= 1<<31-1 {
		c.capacity.Store(int32(c.most))
		c.changed = true
	}
	c.pong(c.framer.WriteSettingsAck())
}

// setting takes one of the peer's settings.
func (c *Conn) setting(s http2.Setting) error {
	if err := s.Valid(); err != nil || s.ID == http2.SettingEnablePush && s.Val != 0 {
		code := http2.ErrCodeProtocol
		if e, ok := err.(http2.ConnectionError); ok {
			code = http2.ErrCode(e)
		}
		return violation(code, "the server sent the setting %v", s)
	}
	switch s.ID {
	case http2.SettingHeaderTableSize:
		c.enc.SetMaxDynamicTableSizeLimit(s.Val)
	case http2.SettingMaxHeaderListSize:
		c.peer.headers = uint64(s.Val)
	case http2.SettingInitialWindowSize:
		return c.moveWindows(int64(s.Val) - c.peer.window)
	}
	return nil
}

// moveWindows changes the window of every stream, which may make it negative (RFC 9113 section 6.9.2).
func (c *Conn) moveWindows(by int64) error {
	c.peer.window += by
	for _, s := range c.streams {
		if s.window += by; s.window > maxWindow {
			return violation(http2.ErrCodeFlowControl, "the server opened the streams' windows too far")
		}
		s.notify()
	}
	return nil
}

// mostPongs is how many acknowledgements may wait to be written: more are wanted only by a peer that does not read.
const mostPongs = 1000

func (c *Conn) pong(error) {
	if c.pongs++; c.pongs > mostPongs {
		c.violated(violation(http2.ErrCodeEnhanceYourCalm, "the server asks for more than it reads"))
	}
}

func (c *Conn) ping(f *http2.PingFrame) {
	c.useless()
	if !f.IsAck() && c.failed == nil {
		c.pong(c.framer.WritePing(true, f.Data))
	}
}

// resetByPeer ends a stream that the peer has reset. A response that is complete stays valid: the peer wants no more
// of the request (RFC 9113 section 8.1). nghttpd says so instead of its trailers, behind all of the content.
func (c *Conn) resetByPeer(f *http2.RSTStreamFrame) {
	s := c.known(f.StreamID, f.Type)
	if s == nil {
		return
	}
	s.stopUpload()
	if f.ErrCode == http2.ErrCodeNo && s.headed && s.received == s.length {
		s.ended = true
	}
	if !s.ended {
		unprocessed := f.ErrCode == http2.ErrCodeRefusedStream && !s.headed
		s.end(&cause{err: &ResetError{Code: f.ErrCode}, unprocessed: unprocessed})
	}
	c.remove(s)
	s.notify()
}

// mostDebug is how much of a GOAWAY's text an error quotes.
const mostDebug = 100

// goingAway ends the streams that the peer has not looked at, and takes no more. A peer that goes away because of an
// error is not tried again with what it refused: it may be the cause.
func (c *Conn) goingAway(f *http2.GoAwayFrame) {
	if c.goAway != nil {
		c.useless()
		if f.LastStreamID > c.lastID {
			c.violated(violation(http2.ErrCodeProtocol, "the server goes away after stream %d, and then after %d", c.lastID, f.LastStreamID))
			return
		}
	}
	debug := f.DebugData()
	c.goAway = &GoAwayError{Code: f.ErrCode, Last: f.LastStreamID, Debug: string(debug[:min(len(debug), mostDebug)])}
	c.lastID = f.LastStreamID
	c.capacity.Store(0)
	for id, s := range c.streams {
		if id > f.LastStreamID {
			s.end(&cause{err: c.goAway, unprocessed: f.ErrCode == http2.ErrCodeNo})
			c.remove(s)
		}
	}
}
