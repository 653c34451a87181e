package http1

import (
	"math"
	"slices"
	"strconv"
	"sync"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/body"
	"github.com/mountable/requests/internal/h1"
	"github.com/mountable/requests/internal/wire"
)

// oneWrite is up to how many bytes head and body go out in one write.
const oneWrite = 32 << 10

// scratch is what writing a request needs for a moment.
type scratch struct {
	buf    []byte
	fields [32][2]string
}

var scratchPool = sync.Pool{New: func() any { return &scratch{buf: make([]byte, 0, 4<<10)} }}

// note keeps what is needed of the request once it has been sent.
func (s *sent) note(req *wire.Request, heads *h1.Limits) {
	s.method, s.limits, s.heads = req.Method, req.Limits, heads
	s.closes = h1.HasToken(req.Fields, "connection", "close")
	s.upgrade = field(req.Fields, "upgrade") != "" && h1.HasToken(req.Fields, "connection", "upgrade")
}

// send writes the request, or its head and leaves the body to an upload.
func (x *Exchange) send(req *wire.Request) error {
	framing, err := frame(req)
	if err != nil {
		return err
	}
	// A body that is announced and does not come, which is sent as in Requests, must not be
	// made up of the next request.
	x.unsent = req.Body == nil && framing.length > 0
	r := scratchPool.Get().(*scratch)
	defer scratchPool.Put(r)
	fields := framing.fields(r.fields[:0], req)
	head, err := h1.AppendRequestHead(r.buf[:0], req.Method, req.Target, fields)
	if err == nil {
		x.trace.wroteFields(fields)
	}
	clear(fields) // what is pooled must not keep credentials alive
	if err != nil {
		return err
	}
	r.buf = head[:0]
	if !framing.atOnce(req, len(head)) {
		x.startUpload(req, framing, head)
		return nil
	}
	whole, err := framing.appendBody(head, req)
	if err != nil {
		return err
	}
	if cap(whole) <= oneWrite {
		r.buf = whole[:0]
	}
	if whole, err = x.turn(whole); err == nil && len(whole) > 0 {
		err = x.writeAll(whole)
	}
	if err == nil {
		x.trace.wroteHead()
	}
	x.trace.wroteRequest(err)
	return err
}

// framing is how the body of a request is delimited.
type framing struct {
	chunked bool
	tunnel  bool  // it is not a body, but what is said in the tunnel of a CONNECT
	length  int64 // with a Content-Length field; of a tunnel there is no end; else -1
	add     [2]string
}

// frame decides from the fields how the body goes out, and which field has to be added
// for that. Content-Length must tell the truth about a body of known length: otherwise
// the rest would be taken for another request.
func frame(req *wire.Request) (framing, error) {
	f := framing{length: -1}
	given := field(req.Fields, "content-length")
	f.chunked = field(req.Fields, "transfer-encoding") != ""
	switch {
	case given != "" && f.chunked:
		return f, badFraming("Content-Length and Transfer-Encoding cannot both be sent")
	case given != "":
		n, err := strconv.ParseUint(given, 10, 62)
		if err != nil {
			return f, badFraming("Content-Length " + strconv.Quote(given) + " is not a length")
		}
		f.length = int64(n)
		if req.Body != nil && req.Body.Len() >= 0 && req.Body.Len() != f.length {
			return f, body.LengthError("Content-Length is %d, but the body has %d bytes", f.length, req.Body.Len())
		}
	case f.chunked:
	case req.Body != nil && req.Method == "CONNECT":
		f.tunnel, f.length = true, math.MaxInt64
	case req.Body != nil:
		f.chunked, f.add = true, [2]string{"Transfer-Encoding", "chunked"}
	case !req.AsGiven && !bareMethod(req.Method):
		f.add = [2]string{"Content-Length", "0"}
	}
	return f, nil
}

func badFraming(detail string) error { return &h1.Error{Code: h1.InvalidFraming, Detail: detail} }

// field returns the first value of a field, whose name is given in small letters, "" without one.
func field(fields [][2]string, name string) string {
	for i := range fields {
		if ascii.EqualFold(fields[i][0], name) {
			return fields[i][1]
		}
	}
	return ""
}

// bareMethod lists the methods whose requests need no Content-Length: 0.
func bareMethod(method string) bool {
	switch method {
	case "GET", "HEAD", "DELETE", "TRACE", "OPTIONS", "CONNECT":
		return true
	}
	return false
}

// fields lists the fields of the head: what has to be added comes first, behind Host and
// Accept-Encoding where these lead, as in Requests.
func (f framing) fields(fields [][2]string, req *wire.Request) [][2]string {
	lead := 0
	for lead < min(2, len(req.Fields)) && ascii.EqualFold(req.Fields[lead][0], leading[lead]) {
		lead++
	}
	if lead == 0 && field(req.Fields, "host") == "" {
		fields = append(fields, [2]string{"Host", req.Authority})
	}
	if f.add[0] == "" {
		return f.announced(append(fields, req.Fields...), req)
	}
	fields = append(append(fields, req.Fields[:lead]...), f.add)
	return f.announced(append(fields, req.Fields[lead:]...), req)
}

// announced leaves the announcement of trailers out where none can follow: behind chunks
// alone they can (RFC 9112 section 6.5).
func (f framing) announced(fields [][2]string, req *wire.Request) [][2]string {
	if f.chunked || req.Trailers == nil {
		return fields
	}
	return slices.DeleteFunc(fields, func(f [2]string) bool { return ascii.EqualFold(f[0], "trailer") })
}

var leading = [2]string{"host", "accept-encoding"}

// atOnce reports whether the request goes out in one write: it is small, and having its
// body takes no waiting.
func (f framing) atOnce(req *wire.Request, head int) bool {
	switch {
	case req.Body == nil:
		return req.Trailers == nil
	case f.tunnel || req.Body.Waits() || req.Body.Len() < 0 || req.ContinueWait > 0 || req.Trailers != nil:
		return false
	}
	return int64(head)+req.Body.Len()+h1.ChunkHeadSize+int64(len(h1.LastChunk)) <= oneWrite
}

// appendBody appends the body of a request that goes out at once.
func (f framing) appendBody(head []byte, req *wire.Request) ([]byte, error) {
	if req.Body == nil {
		if f.chunked {
			head = append(head, h1.LastChunk...)
		}
		return head, nil
	}
	if !f.chunked {
		return req.Body.Append(head)
	}
	data, err := req.Body.Append(nil)
	if err != nil {
		return nil, err
	}
	head = h1.AppendChunk(head, data)
	return append(head, h1.LastChunk...), nil
}
