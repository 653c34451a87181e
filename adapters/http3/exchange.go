package http3

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/quic-go/quic-go"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/h1"
	"github.com/mountable/requests/internal/section"
)

// exchange is a request and its response on a stream, and the body of that.
//
//	state      left by
//	asking     the head of the response; a failure: finished
//	receiving  the end of the body, Close, a failure: finished
//	finished   -; the connection has been given back
type exchange struct {
	conn    *conn
	pool    *connections
	sending *sending
	stream  *quic.Stream
	stop    func() bool // watching the context
	frames  frames
	wrote   bool
	heard   bool // something has come

	resp     *http.Response
	left     uint64 // of the DATA frame that is being read
	length   int64  // of the body, -1 where it is not known
	received int64
	trailed  bool
	ended    error // what Read gives at last

	sent   atomic.Bool // all of the request
	once   sync.Once
	closed chan struct{}
	cause  atomic.Pointer[error] // why this side has reset the stream

	panicked atomic.Pointer[any] // what the caller's body has panicked with
}

// do sends the request and waits for the head of the response.
func (x *exchange) do(req *http.Request) (*http.Response, error) {
	e, err := head(x.sending, req)
	if err != nil {
		return nil, err
	}
	first, err := e.frame(x.conn.mostHead.Load())
	if err != nil {
		return nil, err
	}
	if x.stream, err = x.conn.quic.OpenStreamSync(req.Context()); err != nil {
		return nil, x.unopened(req.Context(), err)
	}
	x.stop = context.AfterFunc(req.Context(), func() { x.fail(context.Cause(req.Context())) })
	if !x.conn.enter(x) {
		return nil, errUnprocessed
	}
	x.frames.r = bufio.NewReader(x.stream)
	x.wrote = true
	if err := x.write(first); err != nil && !isStopped(err) {
		return nil, x.because(err)
	}
	u := &upload{exchange: x, req: req, continued: make(chan struct{})}
	if req.Body == nil {
		x.close()
	} else {
		go u.run()
	}
	resp, err := x.response(req, u)
	if err != nil {
		x.conn.violated(err)
		return nil, x.because(err)
	}
	return resp, nil
}

// unopened is why there is no stream: the connection has ended before the request was on it.
func (x *exchange) unopened(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	x.conn.retire()
	return errors.Join(errUnprocessed, err)
}

// write writes within Timeouts.Read.
func (x *exchange) write(p []byte) error {
	if limit := x.sending.opts.Timeouts.Read; limit > 0 && limit != requests.Forever {
		_ = x.stream.SetWriteDeadline(time.Now().Add(limit))
	}
	_, err := x.stream.Write(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = &requests.Error{Kind: requests.ErrWriteTimeout, Detail: "the server takes no more (Timeouts.Read)", Err: os.ErrDeadlineExceeded}
	}
	return err
}

// close ends the request, whose end is then on its way.
func (x *exchange) close() {
	x.sent.Store(true)
	_ = x.stream.Close()
}

// isStopped reports whether the server wants no more of the request, and has not failed.
func isStopped(err error) bool {
	reset, ok := errors.AsType[*quic.StreamError](err)
	return ok && reset.Remote && reset.ErrorCode != codeRequestRejected
}

// fail ends the exchange from this side.
func (x *exchange) fail(err error) {
	x.cause.CompareAndSwap(nil, &err)
	x.stream.CancelRead(codeRequestCancelled)
	x.stream.CancelWrite(codeRequestCancelled)
}

// because is the cause that is known better than from the stream.
func (x *exchange) because(err error) error {
	if own := x.cause.Load(); own != nil {
		return *own
	}
	return err
}

// panicOn goes on with a panic of the caller's body, once the connection has been given back.
func (x *exchange) panicOn() {
	if v := x.panicked.Load(); v != nil {
		panic(*v)
	}
}

// finish gives the connection back, if there is one.
func (x *exchange) finish() {
	if x == nil {
		return
	}
	x.once.Do(func() {
		if x.stop != nil {
			x.stop()
		}
		if x.stream != nil {
			x.stream.CancelRead(codeNone)
			if !x.sent.Load() {
				x.stream.CancelWrite(codeRequestCancelled)
			}
			x.conn.leave(x)
		}
		close(x.closed)
		x.pool.put(x.conn)
	})
}

// section reads the field section of a HEADERS frame.
func (x *exchange) section(length uint64, most int, trailers bool) (block, error) {
	if length > uint64(most) {
		return block{}, ofStream(codeExcessiveLoad, "the server's header is larger than %d bytes", most)
	}
	encoded := make([]byte, length)
	if _, err := io.ReadFull(x.frames.r, encoded); err != nil {
		return block{}, unexpected(err)
	}
	return decode(encoded, most, trailers)
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// response reads up to the final head.
func (x *exchange) response(req *http.Request, u *upload) (*http.Response, error) {
	for interims, size := 0, 0; ; {
		kind, length, err := x.frames.next()
		if err != nil {
			return nil, unexpected(err)
		}
		x.heard = true
		if kind != frameHeaders {
			if err := x.frames.skip(kind, length); err != nil {
				return nil, err
			}
			continue
		}
		b, err := x.section(length, h1.DefaultHeadBytes, false)
		if err != nil {
			return nil, err
		}
		if b.status >= 200 {
			u.proceed()
			return x.final(req, b)
		}
		if b.status == 100 {
			u.proceed()
		}
		interims, size = interims+1, size+b.size
		if interims > h1.DefaultInterim || size > h1.DefaultInterimBytes {
			return nil, ofStream(codeExcessiveLoad, "the server sent too many interim responses")
		}
		if err := x.interim(req, b); err != nil {
			return nil, err
		}
	}
}

// interim passes a 1xx response on.
func (x *exchange) interim(req *http.Request, b block) error {
	trace := httptrace.ContextClientTrace(req.Context())
	if trace == nil || trace.Got1xxResponse == nil {
		return nil
	}
	x.sending.fields = b.fields
	return trace.Got1xxResponse(b.status, textproto.MIMEHeader(header(b.fields)))
}

func header(fields [][2]string) http.Header {
	h := http.Header{}
	for _, f := range fields {
		h.Add(f[0], f[1])
	}
	return h
}

// final makes the response.
func (x *exchange) final(req *http.Request, b block) (*http.Response, error) {
	length, ok := section.ContentLength(b.fields)
	if !ok {
		return nil, ofStream(codeMessage, "the server sent an invalid Content-Length")
	}
	x.sending.fields, x.length = b.fields, length
	x.resp = &http.Response{
		Status: strconv.Itoa(b.status), StatusCode: b.status, Proto: "HTTP/3.0", ProtoMajor: 3,
		Header: header(b.fields), ContentLength: length, Body: x, Request: req, TLS: &x.conn.state,
	}
	if req.Method == "HEAD" || b.status == 204 || b.status == 304 || length == 0 {
		x.resp.Body, x.resp.ContentLength = http.NoBody, 0
		x.ended = io.EOF
		x.finish()
	}
	return x.resp, nil
}
