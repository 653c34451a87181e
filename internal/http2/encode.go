package http2

import (
	"strconv"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/body"
	"github.com/mountable/requests/internal/h1"
	"github.com/mountable/requests/internal/section"
	"github.com/mountable/requests/internal/wire"
)

// framing is what the head of a request says about its target and its body.
type framing struct {
	path   string
	length int64 // -1 where it is not known
	said   bool  // Content-Length is among the fields, and true
	added  bool  // it has to be added
}

// frame decides what is said. A Content-Length that is among the fields of a request without a body is left out, as
// the frames tell that nothing comes.
func frame(req *wire.Request) (framing, error) {
	f := framing{path: pathOf(req)}
	if req.Body != nil {
		f.length = req.Body.Len()
	}
	none := req.Body == nil || req.Body.None()
	for _, field := range req.Fields {
		if !ascii.EqualFold(field[0], "content-length") {
			continue
		}
		n, err := strconv.ParseUint(field[1], 10, 62)
		if err != nil {
			return f, &h1.Error{Code: h1.InvalidFieldValue, Detail: "of Content-Length"}
		}
		if f.length < 0 {
			f.length = int64(n)
		}
		if f.said = f.length == int64(n); !f.said && !none {
			return f, body.LengthError("Content-Length is %d, but the body has %d bytes", n, f.length)
		}
	}
	f.added = !f.said && (f.length > 0 || f.length == 0 && !req.AsGiven && !bareMethod(req.Method))
	return f, nil
}

// pathOf is the target as :path has it: without the origin, which the absolute form repeats
// (RFC 9113 section 8.3.1).
func pathOf(req *wire.Request) string {
	rest, ok := strings.CutPrefix(req.Target, req.Scheme+"://"+req.Authority)
	if ok && strings.HasPrefix(rest, "/") {
		return rest
	}
	return req.Target
}

// bareMethod lists the methods whose requests need no Content-Length: 0.
func bareMethod(method string) bool {
	switch method {
	case "GET", "HEAD", "DELETE", "TRACE", "OPTIONS", "CONNECT":
		return true
	}
	return false
}

// check finds what cannot be sent, and returns how large the head is (RFC 9113 section 6.5.2).
func check(req *wire.Request) (size uint64, err error) {
	if err := h1.CheckRequestLine(req.Method, req.Target); err != nil {
		return 0, err
	}
	if err := h1.CheckField("host", req.Authority); err != nil {
		return 0, err
	}
	size = uint64(len(req.Method)+len(req.Scheme)+len(req.Authority)+len(req.Target)) + 4*fieldOverhead + pseudoNames
	for i := range req.Fields {
		f := &req.Fields[i]
		if err := h1.CheckField(f[0], f[1]); err != nil {
			return 0, err
		}
		size += uint64(len(f[0])+len(f[1])) + fieldOverhead
	}
	return size, nil
}

const (
	fieldOverhead = 32 // what a field counts beside its name and value
	pseudoNames   = uint64(len(":method") + len(":scheme") + len(":authority") + len(":path"))
)

// writeHead writes the head of a request to the buffer, in the order given. HTTP/2 has no "Connection: close" to send, but
// the connection takes no further request behind one that asks for it.
func (c *Conn) writeHead(s *Stream, req *wire.Request, f framing, last bool) {
	c.block.Reset()
	c.encode(":method", req.Method)
	if req.Method != "CONNECT" {
		c.encode(":scheme", req.Scheme)
	}
	c.encode(":authority", req.Authority)
	if req.Method != "CONNECT" {
		c.encode(":path", f.path)
	}
	names := hasConnection(req.Fields)
	if names && h1.HasToken(req.Fields, "connection", "close") {
		c.final = true
		c.capacity.Store(0)
	}
	for i := range req.Fields {
		field := &req.Fields[i]
		name, value, ok := c.field(field[0], field[1])
		if !ok || name == "content-length" && !f.said || names && h1.HasToken(req.Fields, "connection", name) {
			continue
		}
		c.encode(name, value)
	}
	if f.added {
		c.encode("content-length", strconv.FormatInt(f.length, 10))
	}
	c.writeBlock(s, last)
}

// writeTrailers writes the fields behind the body.
func (c *Conn) writeTrailers(s *Stream, fields [][2]string) {
	c.block.Reset()
	for _, f := range fields {
		if name, value, ok := c.field(f[0], f[1]); ok {
			c.encode(name, value)
		}
	}
	c.writeBlock(s, true)
}

// field returns a field as HTTP/2 has it; ok is false for one that it does not have: those of the connection, Host,
// which :authority says, and of TE anything but "trailers" (RFC 9113 section 8.2.2).
func (c *Conn) field(name, value string) (lower, v string, ok bool) {
	lower = c.lower(name)
	switch lower {
	case "host":
		return lower, value, false
	case "te":
		return lower, "trailers", section.HasToken(value, "trailers")
	}
	return lower, value, !section.OfConnection(lower)
}

// mostNames bounds what is remembered of field names.
const mostNames = 200

// lower returns a field name in lower case, remembering it.
func (c *Conn) lower(name string) string {
	if lower, ok := c.names[name]; ok {
		return lower
	}
	lower := ascii.Lower(name)
	if len(c.names) < mostNames {
		c.names[strings.Clone(name)] = lower
	}
	return lower
}

// hasConnection reports whether there is a Connection field, which may name others that are the connection's own.
func hasConnection(fields [][2]string) bool {
	for i := range fields {
		if ascii.EqualFold(fields[i][0], "connection") {
			return true
		}
	}
	return false
}

// encode compresses a field. Credentials are not entered in the table of what is repeated, nor by whoever passes the
// request on (RFC 7541 section 7.1.3).
func (c *Conn) encode(name, value string) {
	if c.noting {
		c.noted = append(c.noted, [2]string{name, value})
	}
	_ = c.enc.WriteField(hpack.HeaderField{Name: name, Value: value, Sensitive: secret(name, value)})
}

// shortCookie is up to how many bytes a cookie could be found by trying, as nghttp2 has it.
const shortCookie = 20

func secret(name, value string) bool {
	switch name {
	case "authorization", "proxy-authorization":
		return true
	case "cookie":
		return len(value) < shortCookie
	}
	return false
}

// writeBlock writes what has been encoded as HEADERS and as many CONTINUATION frames as it takes.
func (c *Conn) writeBlock(s *Stream, last bool) {
	block := c.block.Bytes()
	piece := block[:min(len(block), maxFrame)]
	block = block[len(piece):]
	_ = c.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: s.id, BlockFragment: piece, EndStream: last, EndHeaders: len(block) == 0})
	for len(block) > 0 {
		piece = block[:min(len(block), maxFrame)]
		block = block[len(piece):]
		_ = c.framer.WriteContinuation(s.id, len(block) == 0, piece)
	}
	s.sentEnd = s.sentEnd || last
}
