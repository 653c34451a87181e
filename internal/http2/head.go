package http2

import (
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/mountable/requests/internal/section"
)

// headBlock is a header block that is being received: a head, an interim one, or trailers. All of it is decoded,
// whoever wants it, as later blocks refer to it.
type headBlock struct {
	stream *Stream // nil where nobody wants it
	last   bool    // END_STREAM
	raw    int     // bytes of its fragments
	frames int
	size   int // of its fields, as RFC 9113 section 6.5.2 counts
	status string
	fields [][2]string
	fault  string // what is wrong with it
}

// mostContinuations bounds the frames of one block. A peer that fills them needs 16.
const mostContinuations = 64

// headers begins a header block. The framer would allocate for the frame, of which there is one a response.
func (c *Conn) headers(h http2.FrameHeader) {
	fragment, ok := headerFragment(h.Flags, c.in.next(int(h.Length)))
	if !ok {
		c.violated(violation(http2.ErrCodeProtocol, "the server sent a HEADERS frame that is too short for what it says"))
		return
	}
	s := c.known(h.StreamID, h.Type)
	if c.failed != nil {
		return
	}
	c.head = headBlock{stream: s, last: h.Flags.Has(http2.FlagHeadersEndStream)}
	if s != nil && !s.headed {
		c.head.fields = s.array[:0]
	}
	c.dec.SetEmitEnabled(s != nil)
	c.addBlock(fragment, h.Flags.Has(http2.FlagHeadersEndHeaders))
}

// headerFragment takes padding and priority off the payload of a HEADERS frame (RFC 9113 section 6.2); false if they
// take more than there is.
func headerFragment(flags http2.Flags, p []byte) (fragment []byte, ok bool) {
	const priority = 5
	skip, pad := 0, 0
	if flags.Has(http2.FlagHeadersPadded) {
		if len(p) == 0 {
			return nil, false
		}
		skip, pad = 1, int(p[0])
	}
	if flags.Has(http2.FlagHeadersPriority) {
		skip += priority
	}
	if skip+pad > len(p) {
		return nil, false
	}
	return p[skip : len(p)-pad], true
}

// addBlock decodes a piece of the block.
func (c *Conn) addBlock(fragment []byte, last bool) {
	h := &c.head
	h.raw += len(fragment)
	if h.frames++; h.raw > c.cfg.HeadBytes || h.frames > mostContinuations {
		c.violated(violation(http2.ErrCodeEnhanceYourCalm, "the server's header is larger than %d bytes", c.cfg.HeadBytes))
		return
	}
	_, err := c.dec.Write(fragment)
	if err == nil && last {
		err = c.dec.Close()
	}
	if err != nil {
		c.violated(violation(http2.ErrCodeCompression, "the server's header cannot be decoded: %v", err))
		return
	}
	if !last {
		return
	}
	block := *h
	*h = headBlock{}
	if s := block.stream; s != nil {
		s.takeBlock(block)
	}
}

// addField takes a field of the block that is being received.
func (c *Conn) addField(f hpack.HeaderField) {
	h := &c.head
	h.size += int(f.Size())
	most := c.cfg.HeadBytes
	if h.stream != nil && h.stream.headed {
		most = c.cfg.TrailerBytes
	}
	switch {
	case h.size > most:
		h.fault = "the server's header is larger than " + strconv.Itoa(most) + " bytes"
	case len(h.fields) >= c.cfg.Fields:
		h.fault = "the server's header has more than " + strconv.Itoa(c.cfg.Fields) + " fields"
	case strings.HasPrefix(f.Name, ":"):
		h.pseudo(f)
	default:
		h.field(f)
	}
	if h.fault != "" {
		c.dec.SetEmitEnabled(false)
	}
}

// pseudo takes :status, the only pseudo-header field of a response, which comes once and first (RFC 9113 section
// 8.3.2).
func (h *headBlock) pseudo(f hpack.HeaderField) {
	if f.Name != ":status" || h.status != "" || len(h.fields) > 0 || h.stream.headed {
		h.fault = "the server sent the field " + strconv.QuoteToASCII(f.Name) + " where it does not belong"
		return
	}
	h.status = f.Value
	_, h.fault = section.Status(f.Value)
}

// field takes an ordinary field: its name in lower case, no field of HTTP/1.1's connections (RFC 9113 section 8.2).
func (h *headBlock) field(f hpack.HeaderField) {
	var value string
	if value, h.fault = section.Field(f.Name, f.Value, "HTTP/2"); h.fault == "" {
		h.fields = append(h.fields, [2]string{f.Name, value})
	}
}

// interim is a 1xx response that its request has not looked at yet.
type interim struct {
	status int
	fields [][2]string
}

// takeBlock takes a block that is complete.
func (s *Stream) takeBlock(b headBlock) {
	switch {
	case b.fault != "":
		s.violated(violation(http2.ErrCodeProtocol, "%s", b.fault))
	case s.ended:
		s.violated(violation(http2.ErrCodeStreamClosed, "the server sends a header behind the end of the response"))
	case s.headed && !b.last:
		s.violated(violation(http2.ErrCodeProtocol, "the server sends a second head"))
	case s.headed:
		s.trailers = b.fields
		s.receivedEnd()
	case b.status == "":
		s.violated(violation(http2.ErrCodeProtocol, "the server sent a head without a status"))
	case b.status[0] == '1':
		s.receivedInterim(b)
	default:
		s.receivedHead(b)
	}
}

func (s *Stream) receivedInterim(b headBlock) {
	status, _ := strconv.Atoi(b.status)
	s.interimCount++
	s.interimSize += b.size
	switch {
	case b.last:
		s.violated(violation(http2.ErrCodeProtocol, "the server ends a stream with the status %d", status))
	case s.interimCount > s.conn.cfg.Interim:
		s.violated(violation(http2.ErrCodeEnhanceYourCalm, "the server sent more than %d interim responses", s.conn.cfg.Interim))
	case s.interimSize > s.conn.cfg.InterimBytes:
		s.violated(violation(http2.ErrCodeEnhanceYourCalm, "the server's interim responses are larger than %d bytes", s.conn.cfg.InterimBytes))
	default:
		s.continued = s.continued || status == 100
		s.interims = append(s.interims, interim{status, slices.Clone(b.fields)})
		s.notify()
	}
}

func (s *Stream) receivedHead(b headBlock) {
	s.conn.useful()
	s.response.Status, _ = strconv.Atoi(b.status)
	length, ok := section.ContentLength(b.fields)
	if !ok {
		s.violated(violation(http2.ErrCodeProtocol, "the server sent an invalid Content-Length"))
		return
	}
	s.response.Fields, s.headed = b.fields, true
	s.length = length
	if s.bodiless = s.bodiless || s.response.Status == 204 || s.response.Status == 304; s.bodiless {
		s.length = -1
	}
	if b.last {
		s.receivedEnd()
		return
	}
	s.notify()
}
