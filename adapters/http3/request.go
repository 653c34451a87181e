package http3

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/quic-go/qpack"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/body"
	"github.com/mountable/requests/internal/h1"
	"github.com/mountable/requests/internal/section"
)

var errTooLarge = errors.New("http3: the request's header is larger than the server allows")

// encoder writes a field section.
type encoder struct {
	buffer bytes.Buffer
	qpack  *qpack.Encoder
	size   uint64 // as the peer counts it
}

func newEncoder() *encoder {
	e := &encoder{}
	e.qpack = qpack.NewEncoder(&e.buffer)
	return e
}

func (e *encoder) field(name, value string) {
	e.size += uint64(len(name)+len(value)) + fieldOverhead
	_ = e.qpack.WriteField(qpack.HeaderField{Name: name, Value: value})
}

// frame is what has been encoded as a HEADERS frame. mostHead is what the peer takes, plus 1, or 0.
func (e *encoder) frame(mostHead uint64) ([]byte, error) {
	if mostHead > 0 && e.size >= mostHead {
		return nil, errTooLarge
	}
	return appendFrame(nil, frameHeaders, e.buffer.Bytes()), nil
}

// head encodes the head of the request: the pseudo-header fields, then the fields in the order of the request,
// but for those of a connection (RFC 9114 sections 4.2 and 4.3.1).
func head(s *sending, req *http.Request) (*encoder, error) {
	p, authority := s.prepared, req.Host
	if authority == "" {
		authority = req.URL.Host
	}
	if err := h1.CheckRequestLine(p.Method, p.Target()); err != nil {
		return nil, err
	}
	if err := h1.CheckField("host", authority); err != nil {
		return nil, err
	}
	e := newEncoder()
	e.field(":method", p.Method)
	if p.Method != "CONNECT" {
		e.field(":scheme", "https")
	}
	e.field(":authority", authority)
	if p.Method != "CONNECT" {
		e.field(":path", path(p.Target(), authority))
	}
	return e, e.fields(p.Headers, lengthOf(req))
}

// path is the target without the origin, which the absolute form repeats.
func path(target, authority string) string {
	if rest, ok := strings.CutPrefix(target, "https://"+authority); ok && strings.HasPrefix(rest, "/") {
		return rest
	}
	return target
}

// lengthOf is the length of the body, 0 for none and -1 where it is not known.
func lengthOf(req *http.Request) int64 {
	if req.Body == nil {
		return 0
	}
	return req.ContentLength
}

// fields encodes the fields of a request whose body has length bytes.
func (e *encoder) fields(fields [][2]string, length int64) error {
	said := false
	for _, f := range fields {
		name, value := ascii.Lower(f[0]), f[1]
		if err := h1.CheckField(f[0], value); err != nil {
			return err
		}
		switch {
		case name == "host" || name == "proxy-authorization" || section.OfConnection(name) || h1.HasToken(fields, "connection", name):
			continue
		case name == "te":
			if !section.HasToken(value, "trailers") {
				continue
			}
			value = "trailers"
		case name == "content-length":
			n, err := strconv.ParseUint(value, 10, 62)
			switch {
			case err != nil:
				return &h1.Error{Code: h1.InvalidFieldValue, Detail: "of Content-Length"}
			case length == 0 && n > 0:
				continue // no body comes, and the frames say so
			case length > 0 && int64(n) != length:
				return body.LengthError("Content-Length is %d, but the body has %d bytes", n, length)
			}
			said = true
		}
		e.field(name, value)
	}
	if length > 0 && !said {
		e.field("content-length", strconv.FormatInt(length, 10))
	}
	return nil
}

// trailers encodes the fields behind the body.
func trailers(fields [][2]string) (*encoder, error) {
	e := newEncoder()
	for _, f := range fields {
		lower := ascii.Lower(f[0])
		if err := h1.CheckField(f[0], f[1]); err != nil {
			return nil, err
		}
		if !section.OfConnection(lower) {
			e.field(lower, f[1])
		}
	}
	return e, nil
}
