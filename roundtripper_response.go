package requests

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/mountable/requests/internal/nethttp"
	"github.com/mountable/requests/internal/wire"
)

// responseTo makes net/http's response of ours, as the documentation of [http.Response]
// has its fields. decode undoes the content coding that the session had asked for.
func responseTo(x *nethttp.Transit, r *Response, decode bool) *http.Response {
	raw := wire.StreamOf(r.Raw)
	resp := &http.Response{
		StatusCode: r.StatusCode, Status: strings.TrimSpace(strconv.Itoa(r.StatusCode) + " " + r.Reason),
		Proto: r.Proto, Header: nethttp.Header(r.Headers), Request: x.Request, TLS: r.TLS, ContentLength: raw.Remaining(),
	}
	resp.ProtoMajor, resp.ProtoMinor, _ = http.ParseHTTPVersion(r.Proto)
	if resp.ProtoMajor == 2 && r.Reason == "" {
		resp.Status = strings.TrimSpace(resp.Status + " " + http.StatusText(r.StatusCode))
	}
	if x.Request.Method == http.MethodHead {
		resp.ContentLength = nethttp.AnnouncedLength(resp.Header)
	}
	nethttp.Frame(resp, r.Headers.Has("Transfer-Encoding"))
	if conn, ok := r.Conn(); ok {
		resp.Body = &nethttp.Upgraded{ReadWriteCloser: conn, Transit: x}
		if r.StatusCode == http.StatusSwitchingProtocols {
			resp.ContentLength = 0
		}
		return resp
	}
	if isEmpty(r, raw) {
		_ = r.Close()
		x.End()
		resp.Body = http.NoBody
		if x.Request.Method != http.MethodHead {
			resp.ContentLength = 0
		}
		return resp
	}
	resp.Body = &httpResponseBody{response: r, target: resp, transit: x, raw: !decode}
	if decode && resp.Header.Get("Content-Encoding") != "" {
		resp.Header.Del("Content-Encoding")
		resp.Header.Del("Content-Length")
		resp.ContentLength, resp.Uncompressed = -1, true
	}
	return resp
}

// isEmpty reports whether r is known to have no body. That of an adapter which says so is
// read to its end, as closing it may not be enough to free the connection.
func isEmpty(r *Response, raw wire.Stream) bool {
	if raw.Remaining() == 0 || r.StatusCode == 204 || r.StatusCode == 304 {
		return true
	}
	sized, ok := r.Raw.(interface{ Remaining() int64 })
	if !ok || sized.Remaining() != 0 {
		return false
	}
	_, _ = raw.Read(make([]byte, 1))
	return true
}

// httpResponseBody reads a response for net/http and fills in the trailers at its end.
// Close may be called while Read is under way: it ends the Read, which then closes the
// response.
type httpResponseBody struct {
	response *Response
	target   *http.Response
	transit  *nethttp.Transit
	raw      bool

	// mu protects the fields below.
	mu      sync.Mutex
	reading bool
	closed  bool
}

func (b *httpResponseBody) Read(p []byte) (int, error) {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return 0, http.ErrBodyReadAfterClose
	}
	b.reading = true
	b.mu.Unlock()
	n, err := b.read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.reading = false; b.closed {
		_ = b.response.Close()
		return n, http.ErrBodyReadAfterClose
	}
	return n, err
}

func (b *httpResponseBody) read(p []byte) (int, error) {
	src := io.Reader(b.response)
	if b.raw && b.response.Raw != nil {
		src = b.response.Raw
	}
	n, err := src.Read(p)
	switch {
	case err == io.EOF:
		for name, values := range nethttp.Header(b.response.Trailers()) {
			if b.target.Trailer == nil {
				b.target.Trailer = http.Header{}
			}
			b.target.Trailer[name] = values
		}
	case err != nil:
		err = bareBodyError(b.transit.Context, err)
	default:
		return n, nil
	}
	b.transit.End()
	return n, err
}

// bareBodyError gives what programs compare with ==.
func bareBodyError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, ErrContentDecoding) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (b *httpResponseBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	defer b.transit.End()
	if b.reading && b.response.Raw != nil {
		return b.response.Raw.Close()
	}
	return b.response.Close()
}
