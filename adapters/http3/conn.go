package http3

import (
	"bytes"
	"crypto/tls"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/quicvarint"

	"github.com/mountable/requests/internal/h1"
)

// conn is a connection. Its streams:
//
//	ours, one way    control: SETTINGS, and nothing else
//	the server's     control: SETTINGS, then GOAWAY; QPACK's two, which have nothing to say as
//	                 there is no dynamic table; others are refused, a push ends the connection
//	ours, both ways  a request each
type conn struct {
	quic  *quic.Conn
	state tls.ConnectionState

	// These belong to connections.mu.
	users   int
	served  bool
	retired bool
	idle    *time.Timer

	retire func() // takes the connection out of use

	mostHead atomic.Uint64 // what the server takes of a head, plus 1; 0: not said

	// mu protects the fields below.
	mu      sync.Mutex
	streams map[quic.StreamID]*exchange
	gone    bool          // GOAWAY has come
	bound   quic.StreamID // of it: requests from here on were not looked at
	roles   [4]bool       // the critical streams that the server has opened
}

// The types of streams and frames, and the settings (RFC 9114 sections 6.2, 7.2, RFC 9204 section 5).
const (
	streamControl, streamPush, streamEncoder, streamDecoder = 0, 1, 2, 3

	frameData, frameHeaders, frameCancelPush, frameSettings = 0, 1, 3, 4
	framePushPromise, frameGoAway, frameMaxPushID           = 5, 7, 0xd

	settingTable, settingMaxHead, settingBlocked = 1, 6, 7
)

const (
	// mostUnknown bounds the frames of extensions, on a stream, between others. They are for
	// padding and for keeping receivers tolerant.
	mostUnknown = 1000
	// mostIgnored bounds what is read of them, and of QPACK's streams, to be thrown away.
	mostIgnored = 64 << 10
	// mostSettings is many times what servers send.
	mostSettings = 4 << 10
)

// begin sends what a client says first.
func (c *conn) begin() error {
	s, err := c.quic.OpenUniStream()
	if err != nil {
		return err
	}
	var settings []byte
	for _, v := range []uint64{settingTable, 0, settingMaxHead, h1.DefaultHeadBytes, settingBlocked, 0} {
		settings = quicvarint.Append(settings, v)
	}
	_, err = s.Write(appendFrame([]byte{streamControl}, frameSettings, settings))
	return err
}

// appendFrame appends a frame.
func appendFrame(to []byte, kind uint64, payload []byte) []byte {
	to = quicvarint.Append(quicvarint.Append(to, kind), uint64(len(payload)))
	return append(to, payload...)
}

// listen takes what the server opens, until the connection ends.
func (c *conn) listen() {
	for {
		s, err := c.quic.AcceptUniStream(c.quic.Context())
		if err != nil {
			return
		}
		go func() { c.violated(c.receive(s)) }()
	}
}

// violated ends the connection where err is the server's fault.
func (c *conn) violated(err error) {
	if v, ok := err.(*violationError); ok && v.whole {
		_ = c.quic.CloseWithError(quic.ApplicationErrorCode(v.code), v.detail)
	}
}

func (c *conn) close(code quic.ApplicationErrorCode) { _ = c.quic.CloseWithError(code, "") }

// receive reads a stream of the server's.
func (c *conn) receive(s *quic.ReceiveStream) error {
	r := quicvarint.NewReader(s)
	kind, err := quicvarint.Read(r)
	switch {
	case err != nil:
		return nil // it may end before it has said what it is
	case kind == streamPush:
		return ofConn(codeID, "the server pushes, and was not asked to")
	case kind > streamDecoder:
		s.CancelRead(codeStreamCreation)
		return nil
	}
	c.mu.Lock()
	again := c.roles[kind]
	c.roles[kind] = true
	c.mu.Unlock()
	if again {
		return ofConn(codeStreamCreation, "the server opened a second stream of the type %d", kind)
	}
	if kind == streamControl {
		if err = c.control(r); !isViolation(err) && c.quic.Context().Err() == nil {
			err = ofConn(codeClosedCritical, "the server closed its control stream")
		}
		return err
	}
	n, _ := io.Copy(io.Discard, io.LimitReader(r, mostIgnored))
	switch {
	case n == mostIgnored:
		return ofConn(codeExcessiveLoad, "the server's QPACK streams say more than %d bytes", mostIgnored)
	case c.quic.Context().Err() == nil:
		return ofConn(codeClosedCritical, "the server closed a stream of QPACK")
	}
	return nil
}

func isViolation(err error) bool {
	_, ok := err.(*violationError)
	return ok
}

// control reads the control stream.
func (c *conn) control(r quicvarint.Reader) error {
	f := frames{r: r}
	for first := true; ; first = false {
		kind, length, err := f.next()
		switch {
		case err != nil:
			return err
		case first != (kind == frameSettings):
			code := uint64(codeMissingSettings)
			if !first {
				code = codeFrameUnexpected
			}
			return ofConn(code, "the server's SETTINGS are not the first frame, and the only one of them")
		case kind == frameSettings:
			err = c.settings(r, length)
		case kind == frameGoAway:
			err = c.goAway(r, length)
		case kind == frameCancelPush:
			err = ofConn(codeID, "the server cancels a push that was not promised")
		default:
			err = f.skip(kind, length)
		}
		if err != nil {
			return err
		}
	}
}

// settings reads SETTINGS.
func (c *conn) settings(r io.Reader, length uint64) error {
	if length > mostSettings {
		return ofConn(codeExcessiveLoad, "the server's SETTINGS are larger than %d bytes", mostSettings)
	}
	payload := make([]byte, length)
	if _, err := io.ReadFull(r, payload); err != nil {
		return err
	}
	seen := map[uint64]bool{}
	for in := bytes.NewReader(payload); in.Len() > 0; {
		id, err := quicvarint.Read(in)
		value, err2 := quicvarint.Read(in)
		switch {
		case err != nil || err2 != nil:
			return ofConn(codeFrame, "the server's SETTINGS end in the middle")
		case seen[id] || 2 <= id && id <= 5:
			return ofConn(codeSettings, "the server's SETTINGS have %#x, twice or of HTTP/2", id)
		case id == settingMaxHead:
			c.mostHead.Store(value + 1)
		}
		seen[id] = true
	}
	return nil
}

// goAway reads GOAWAY: requests from its number on may be sent again elsewhere.
func (c *conn) goAway(r quicvarint.Reader, length uint64) error {
	id, err := quicvarint.Read(r)
	if err != nil {
		return err
	}
	c.mu.Lock()
	if quicvarint.Len(id) != int(length) || id%4 != 0 || c.gone && quic.StreamID(id) > c.bound {
		c.mu.Unlock()
		return ofConn(codeID, "the server's GOAWAY has the number %d", id)
	}
	c.gone, c.bound = true, quic.StreamID(id)
	var refused []*exchange
	for number, x := range c.streams {
		if number >= c.bound {
			refused = append(refused, x)
		}
	}
	c.mu.Unlock()
	for _, x := range refused {
		x.fail(errUnprocessed)
	}
	c.retire()
	return nil
}

// enter registers a request, unless the server takes no more.
func (c *conn) enter(x *exchange) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.gone && x.stream.StreamID() >= c.bound {
		return false
	}
	c.streams[x.stream.StreamID()] = x
	return true
}

func (c *conn) leave(x *exchange) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.streams, x.stream.StreamID())
}
