package requests

import (
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/mountable/requests/internal/body"
	"github.com/mountable/requests/internal/h1"
)

// oneWrite is up to how many bytes head and body go out in one write.
const oneWrite = 32 << 10

// writeRoom is what writing a head needs for a moment.
type writeRoom struct {
	buf    []byte
	fields [24][2]string
}

var writeRooms = sync.Pool{New: func() any { return &writeRoom{buf: make([]byte, 0, 4<<10)} }}

// roundTrip writes the request and reads the head of the reply. A server that
// answers before it has taken the whole body is listened to: its reply wins over
// the failure to write.
func (x *exchange) roundTrip(p *PreparedRequest, r *route, opts SendOptions) error {
	writeErr := x.write(p, r)
	if writeErr != nil {
		x.unsent = true
		if !x.mayHaveAnswered(writeErr) {
			return writeErr
		}
	}
	err := x.readHead()
	if writeErr != nil && writeErr != errAnswered && err != nil {
		return writeErr
	}
	return err
}

// mayHaveAnswered reports whether it makes sense to look for a reply after the
// writing ended: the server closed its side, or has been seen to answer early.
func (x *exchange) mayHaveAnswered(err error) bool {
	return err == errAnswered || isReset(err) && !x.stopped.Load()
}

// errAnswered ends the writing of a body because the reply is there already.
var errAnswered = errors.New("requests: answered before the body was sent")

// write sends head and body, in one write where they are small.
func (x *exchange) write(p *PreparedRequest, r *route) error {
	framing, err := x.frame(p)
	if err != nil {
		return err
	}
	// A body that is announced and does not come, which is sent as in Requests, must not be
	// made up of the next request.
	x.unsent = p.body.None() && framing.length > 0
	room := writeRooms.Get().(*writeRoom)
	defer writeRooms.Put(room)
	fields := p.wireFields(room.fields[:0], r, framing)
	buf, err := h1.AppendRequestHead(room.buf[:0], p.Method, r.target, fields)
	clear(fields) // a pooled room must not keep credentials alive
	if err != nil {
		return sendError(err)
	}
	room.buf = buf[:0]
	w := &x.writer
	*w = bodyWriter{x: x, pending: buf, framing: framing}
	if err := w.send(&p.body); err != nil {
		return err
	}
	if cap(w.pending) <= oneWrite {
		room.buf = w.pending[:0]
	}
	w.pending = nil
	return nil
}

// requestFraming is how the body of a request is delimited.
type requestFraming struct {
	chunked bool
	length  int64 // with a Content-Length header; else -1
	add     [2]string
}

// frame decides from the prepared headers how the body goes out, and which
// framing header has to be added. Content-Length must tell the truth about a body
// of known length: otherwise the rest would be taken for another request.
func (x *exchange) frame(p *PreparedRequest) (requestFraming, error) {
	f := requestFraming{length: -1}
	given := p.Headers.Get("Content-Length")
	f.chunked = p.Headers.Has("Transfer-Encoding")
	switch {
	case given != "" && f.chunked:
		return f, fail(ErrInvalidHeader, "Content-Length and Transfer-Encoding cannot both be sent")
	case given != "":
		n, err := strconv.ParseUint(given, 10, 62)
		if err != nil {
			return f, fail(ErrInvalidHeader, "Content-Length %q is no length", given)
		}
		f.length = int64(n)
		if known := p.ContentLength(); known >= 0 && known != f.length && !p.body.None() {
			return f, fail(ErrBodyLength, "Content-Length is %d, but the body has %d bytes", f.length, known)
		}
	case f.chunked:
	case !p.body.None():
		f.chunked, f.add = true, [2]string{"Transfer-Encoding", "chunked"}
	case !bareMethod(p.Method):
		f.add = [2]string{"Content-Length", "0"}
	}
	return f, nil
}

// bareMethod lists the methods whose requests need no Content-Length: 0.
func bareMethod(method string) bool {
	switch method {
	case "GET", "HEAD", "DELETE", "TRACE", "OPTIONS", "CONNECT":
		return true
	}
	return false
}

// wireFields lists the fields of the head: what the transport has to add first, then
// the prepared ones as they are. Proxy-Authorization goes to a proxy or nowhere.
func (p *PreparedRequest) wireFields(fields h1.Fields, r *route, f requestFraming) h1.Fields {
	if !p.Headers.Has("Host") {
		fields = append(fields, [2]string{"Host", r.host})
	}
	if !p.Headers.Has("Accept-Encoding") {
		fields = append(fields, [2]string{"Accept-Encoding", "identity"})
	}
	if f.add[0] != "" {
		fields = append(fields, f.add)
	}
	if !p.Headers.Has("User-Agent") {
		fields = append(fields, [2]string{"User-Agent", transportUserAgent})
	}
	proxyAuth := r.proxyAuth
	for _, field := range p.Headers {
		if strings.EqualFold(field[0], "Proxy-Authorization") {
			if !r.forwarded() {
				continue
			}
			if proxyAuth != "" {
				field[1], proxyAuth = proxyAuth, ""
			}
		}
		fields = append(fields, field)
	}
	if proxyAuth != "" {
		fields = append(fields, [2]string{"Proxy-Authorization", proxyAuth})
	}
	return r.forProxy.over(fields)
}

// transportUserAgent names the client where no User-Agent header is left.
const transportUserAgent = "go-requests-transport/" + fallbackVersion

// bodyWriter sends a body after what is pending, the head. It tells the errors of
// the connection from those of the body's own reader.
type bodyWriter struct {
	x       *exchange
	pending []byte
	framing requestFraming
	sent    int64 // bytes of the body
	long    bool  // the body takes many writes, between which the server may answer
	early   earlyWatch
}

func (w *bodyWriter) send(b *body.Body) error {
	data, whole := b.Bytes()
	switch {
	case b.None():
		if w.framing.chunked {
			w.pending = append(w.pending, h1.LastChunk...)
		}
		return w.flush()
	case whole:
		if w.framing.chunked {
			w.pending = h1.AppendChunk(w.pending, data)
			w.pending = append(w.pending, h1.LastChunk...)
			return w.flush()
		}
		return w.sendBytes(data)
	case b.Reader() != nil:
		return w.sendReader(b.Reader())
	}
	return w.sendSeq(b)
}

func (w *bodyWriter) sendBytes(data []byte) error {
	if len(w.pending)+len(data) <= oneWrite {
		w.pending = append(w.pending, data...)
		return w.flush()
	}
	if err := w.flush(); err != nil {
		return err
	}
	w.long = true
	for len(data) > 0 {
		n := min(len(data), segmentSize)
		if _, err := w.Write(data[:n]); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// sendReader sends a stream: exactly the announced length, or chunked.
func (w *bodyWriter) sendReader(r io.Reader) error {
	if w.framing.chunked {
		return w.sendChunked(r)
	}
	if err := w.sendLength(r); err != nil {
		return err
	}
	if w.sent != w.framing.length {
		return fail(ErrBodyLength, "the body ended after %d bytes of %d", w.sent, w.framing.length)
	}
	return nil
}

func (w *bodyWriter) sendLength(r io.Reader) error {
	if writerTo, ok := r.(io.WriterTo); ok && isStreamer(r) {
		w.long = true
		_, err := writerTo.WriteTo(w)
		return w.readerError(err)
	}
	limited := &io.LimitedReader{R: r, N: w.framing.length}
	if w.framing.length <= int64(oneWrite-len(w.pending)) {
		return w.sendSmall(limited)
	}
	return w.copy(limited)
}

func isStreamer(r io.Reader) bool {
	_, ok := r.(Streamer)
	return ok
}

// sendSmall reads the body behind the head, for one write.
func (w *bodyWriter) sendSmall(r io.Reader) error {
	head := len(w.pending)
	want := head + int(w.framing.length)
	for cap(w.pending) < want {
		w.pending = append(w.pending[:cap(w.pending)], 0)
	}
	w.pending = w.pending[:want]
	n, err := fill(r, w.pending[head:])
	w.pending, w.sent = w.pending[:head+n], int64(n)
	if err != nil && err != io.EOF {
		return w.readerError(err)
	}
	if int64(n) < w.framing.length {
		return nil // the caller reports it; nothing has been written
	}
	return w.flush()
}

// copy sends a long body through a pooled block.
func (w *bodyWriter) copy(r io.Reader) error {
	if err := w.flush(); err != nil {
		return err
	}
	w.long = true
	if n, done, err := w.sendFile(r); done || err != nil {
		w.sent += n
		return err
	}
	block := segments.Get().(*[segmentSize]byte)
	defer segments.Put(block)
	for {
		n, err := r.Read(block[:])
		if n > 0 {
			if _, err := w.Write(block[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return w.readerError(err)
		}
	}
}

// sendChunked sends a stream in blocks of Requests' size, each in one write.
func (w *bodyWriter) sendChunked(r io.Reader) error {
	w.long = true
	block := segments.Get().(*[segmentSize]byte)
	defer segments.Put(block)
	for {
		n, err := r.Read(block[h1.ChunkRoom : h1.ChunkRoom+h1.BlockSize])
		if n > 0 {
			if err := w.writeChunk(h1.FrameChunk(block[:], n)); err != nil {
				return err
			}
		}
		if err == io.EOF {
			w.pending = append(w.pending, h1.LastChunk...)
			return w.flush()
		}
		if err != nil {
			return w.readerError(err)
		}
	}
}

// sendSeq sends the items of an iterator, one chunk each, or as they are where
// the caller has set Content-Length.
func (w *bodyWriter) sendSeq(b *body.Body) error {
	w.long = true
	var failed error
	for item, err := range b.Items() {
		if failed = w.readerError(err); failed == nil {
			failed = w.sendItem(item)
		}
		if failed != nil {
			return failed
		}
	}
	if w.framing.chunked {
		w.pending = append(w.pending, h1.LastChunk...)
	}
	if err := w.flush(); err != nil {
		return err
	}
	if !w.framing.chunked && w.sent != w.framing.length {
		return fail(ErrBodyLength, "the body ended after %d bytes of %d", w.sent, w.framing.length)
	}
	return nil
}

func (w *bodyWriter) sendItem(item []byte) error {
	if len(item) == 0 {
		return nil
	}
	if !w.framing.chunked {
		_, err := w.Write(item)
		return err
	}
	w.pending = h1.AppendChunk(w.pending, item)
	return w.flush()
}

// writeChunk writes a framed chunk, behind what is pending.
func (w *bodyWriter) writeChunk(chunk []byte) error {
	w.pending = append(w.pending, chunk...)
	return w.flush()
}

// Write sends bytes of the body behind what is pending.
func (w *bodyWriter) Write(p []byte) (int, error) {
	if w.framing.length >= 0 && w.sent+int64(len(p)) > w.framing.length {
		return 0, fail(ErrBodyLength, "the body is longer than the %d bytes announced", w.framing.length)
	}
	w.sent += int64(len(p))
	if len(w.pending) > 0 && len(w.pending)+len(p) <= segmentSize {
		w.pending = append(w.pending, p...)
		return len(p), w.flush()
	}
	if err := w.flush(); err != nil {
		return 0, err
	}
	if err := w.write(p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// write writes a piece of a long body, unless the server has answered already.
func (w *bodyWriter) write(p []byte) error {
	c := w.x.conn
	if !w.long || w.x.written == 0 {
		return c.write(p, w.x)
	}
	if c.plain && c.hasInput() {
		return errAnswered
	}
	w.early.start(c)
	err := c.write(p, w.x)
	w.early.stop()
	return w.writeFailed(err)
}

// writeFailed tells a write that was ended because of a reply from one that failed.
func (w *bodyWriter) writeFailed(err error) error {
	if err != nil && w.early.answered.Load() {
		return errAnswered
	}
	return err
}

// flush writes what is pending.
func (w *bodyWriter) flush() error {
	if len(w.pending) == 0 {
		return nil
	}
	err := w.write(w.pending)
	w.pending = w.pending[:0]
	return err
}

// readerError marks an error of the body's own reader, which is the caller's, from
// those of the connection, which pass.
func (w *bodyWriter) readerError(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*Error](err); ok || err == errAnswered {
		return err
	}
	if _, ok := errors.AsType[*writeError](err); ok {
		return err
	}
	return &Error{Kind: ErrInvalidBody, Err: err, Detail: "the body could not be read to be sent"}
}

// writeError is a failure of the connection while writing.
type writeError struct{ err error }

func (e *writeError) Error() string { return "write: " + e.err.Error() }
func (e *writeError) Unwrap() error { return e.err }

// write writes b. Timeouts.Read bounds each wait for the server to take some of it,
// and not the whole.
func (c *conn) write(b []byte, x *exchange) error {
	for {
		n, err := c.writeSome(b, x)
		b = b[n:]
		switch {
		case err == nil && len(b) == 0:
			return nil
		case err == nil:
		case !x.progresses(n, err):
			return &writeError{err}
		}
	}
}

// progresses reports whether a write that ended early did so for its time limit only,
// and the server has taken something of it.
func (x *exchange) progresses(n int, err error) bool {
	return n > 0 && isDeadline(err) && !x.stopped.Load() && !x.writer.early.answered.Load() && !passed(x.conn.source.deadline)
}

// tlsRecord is how much a TLS connection sends at a time. A limit that passes
// within a longer write would be the end of the connection, progress or not.
const tlsRecord = 16 << 10

// writeSome writes what it can within the time limits.
func (c *conn) writeSome(b []byte, x *exchange) (int, error) {
	if err := c.armWrite(x); err != nil {
		return 0, err
	}
	if c.source.limit > 0 && c.state != nil && len(b) > tlsRecord {
		b = b[:tlsRecord]
	}
	n, err := c.Conn.Write(b)
	x.written += int64(n)
	return n, err
}

// armWrite sets the time limit of the next write.
func (c *conn) armWrite(x *exchange) error {
	d := &c.source
	if d.limit > 0 || !d.deadline.IsZero() || c.writeArmed {
		t := sooner(d.limit, d.deadline)
		if err := c.Conn.SetWriteDeadline(t); err != nil {
			return err
		}
		c.writeArmed = !t.IsZero()
	}
	if x.stopped.Load() {
		return errStopped
	}
	return nil
}

// sendError gives what may not be sent its kind.
func sendError(err error) error {
	e, ok := err.(*h1.Error)
	if !ok {
		return err
	}
	switch e.Code {
	case h1.InvalidMethod:
		return wrap(ErrInvalidMethod, err, "")
	case h1.InvalidTarget:
		return wrap(ErrInvalidURL, err, "")
	}
	return wrap(ErrInvalidHeader, err, "")
}
