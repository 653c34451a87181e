package requests

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/mountable/requests/internal/wire"
)

// response makes net/http's response of ours, as the documentation of [http.Response]
// has its fields. decode undoes the content coding that the session had asked for.
func (x *transit) response(r *Response, decode bool) *http.Response {
	raw := wire.StreamOf(r.Raw)
	resp := &http.Response{
		StatusCode: r.StatusCode, Status: strings.TrimSpace(strconv.Itoa(r.StatusCode) + " " + r.Reason),
		Proto: r.Proto, Header: httpHeader(r.Headers), Request: x.req, TLS: r.TLS, ContentLength: raw.Remaining(),
	}
	resp.ProtoMajor, resp.ProtoMinor, _ = http.ParseHTTPVersion(r.Proto)
	if resp.ProtoMajor == 2 && r.Reason == "" {
		resp.Status = strings.TrimSpace(resp.Status + " " + http.StatusText(r.StatusCode))
	}
	if x.req.Method == http.MethodHead {
		resp.ContentLength = announcedLength(resp.Header)
	}
	frameResponse(resp, r.Headers.Has("Transfer-Encoding"))
	if conn, ok := r.Conn(); ok {
		resp.Body = &httpUpgradedBody{conn, x}
		if r.StatusCode == http.StatusSwitchingProtocols {
			resp.ContentLength = 0
		}
		return resp
	}
	if isEmpty(r, raw) {
		_ = r.Close()
		x.end()
		resp.Body = http.NoBody
		if x.req.Method != http.MethodHead {
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

// announcedLength is what Content-Length says where there is no body, -1 if it says nothing.
func announcedLength(h http.Header) int64 {
	n, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// frameResponse fills in what the fields about the framing say, and takes them out of the
// header where net/http does.
func frameResponse(resp *http.Response, chunked bool) {
	if chunked {
		resp.TransferEncoding = []string{"chunked"}
	}
	resp.Header.Del("Transfer-Encoding")
	if names := resp.Header.Values("Trailer"); len(names) > 0 {
		resp.Trailer = http.Header{}
		for name := range strings.SplitSeq(strings.Join(names, ","), ",") {
			resp.Trailer[http.CanonicalHeaderKey(strings.TrimSpace(name))] = nil
		}
		resp.Header.Del("Trailer")
	}
	if resp.ProtoMajor == 1 {
		resp.Close = closesAfter(resp, chunked)
	}
}

// closesAfter reports whether the connection ends with the response (RFC 9112 section 9.3).
func closesAfter(resp *http.Response, chunked bool) bool {
	says := func(token string) bool {
		return slices.ContainsFunc(strings.Split(strings.Join(resp.Header.Values("Connection"), ","), ","), func(t string) bool {
			return strings.EqualFold(strings.TrimSpace(t), token)
		})
	}
	if says("close") {
		resp.Header.Del("Connection")
		return true
	}
	if resp.ProtoMinor == 0 && !says("keep-alive") {
		return true
	}
	return resp.ContentLength < 0 && !chunked && resp.Request.Method != http.MethodHead && resp.StatusCode != http.StatusSwitchingProtocols
}

// httpResponseBody reads a response for net/http and fills in the trailers at its end.
// Close may be called while Read is under way: it ends the Read, which then closes the
// response.
type httpResponseBody struct {
	response *Response
	target   *http.Response
	transit  *transit
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
		for name, values := range httpHeader(b.response.Trailers()) {
			if b.target.Trailer == nil {
				b.target.Trailer = http.Header{}
			}
			b.target.Trailer[name] = values
		}
	case err != nil:
		err = bareBodyError(b.transit.ctx, err)
	default:
		return n, nil
	}
	b.transit.end()
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
	defer b.transit.end()
	if b.reading && b.response.Raw != nil {
		return b.response.Raw.Close()
	}
	return b.response.Close()
}

// httpUpgradedBody is the connection behind a 101 or a CONNECT.
type httpUpgradedBody struct {
	io.ReadWriteCloser
	transit *transit
}

func (b *httpUpgradedBody) Close() error {
	defer b.transit.end()
	return b.ReadWriteCloser.Close()
}

// CloseWrite tells the server that nothing more is sent.
func (b *httpUpgradedBody) CloseWrite() error {
	if half, ok := b.ReadWriteCloser.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}
