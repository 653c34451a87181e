package requests

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/mountable/requests/internal/coding"
	"github.com/mountable/requests/internal/nethttp"
	"github.com/mountable/requests/internal/wire"
)

// responseTo makes net/http's response of ours, as the documentation of [http.Response]
// has its fields. decode undoes the content coding that the session had asked for.
func responseTo(x *nethttp.Transit, r *Response, decode bool) *http.Response {
	raw := wire.StreamOf(r.Raw)
	block := new(httpBlock)
	resp := &block.response
	*resp = http.Response{
		StatusCode: r.StatusCode, Status: nethttp.Status(r.StatusCode, r.Proto, r.Reason),
		Proto: r.Proto, Header: nethttp.Header(r.Headers), Request: x.Request, TLS: r.TLS, ContentLength: raw.Remaining(),
	}
	resp.ProtoMajor, resp.ProtoMinor, _ = http.ParseHTTPVersion(r.Proto)
	if x.Request.Method == http.MethodHead {
		resp.ContentLength = nethttp.AnnouncedLength(resp.Header)
	}
	conn, left := r.Conn()
	empty := !left && nethttp.IsEmpty(r.StatusCode, r.Raw, raw.Remaining(), raw)
	if empty && x.Request.Method != http.MethodHead {
		resp.ContentLength = 0
	}
	nethttp.Frame(resp, r.Headers.Has("Transfer-Encoding"))
	if left {
		resp.Body = &nethttp.Upgraded{ReadWriteCloser: conn, Transit: x}
		if r.StatusCode == http.StatusSwitchingProtocols {
			resp.ContentLength = 0
		}
		return resp
	}
	if empty {
		if r.StatusCode >= 400 {
			x.EndUpload() // no more of it is wanted
		}
		_ = r.Close()
		x.End()
		resp.Body = http.NoBody
		return resp
	}
	block.source = httpSource{r, x.Context, !decode}
	block.body.Begin(&block.source, resp, x)
	if decode && isDecoded(resp.Header.Values("Content-Encoding")) {
		resp.Header.Del("Content-Encoding")
		resp.Header.Del("Content-Length")
		resp.ContentLength, resp.Uncompressed = -1, true
	}
	return resp
}

// httpBlock is net/http's response and what reads its body, in one allocation.
type httpBlock struct {
	response http.Response
	body     nethttp.Body
	source   httpSource
}

// isDecoded reports whether there is a coding that is undone: an unknown one is passed on.
func isDecoded(contentEncoding []string) bool {
	codings, err := coding.Parse(contentEncoding)
	return err == nil && len(codings) > 0
}

// httpSource is a response as net/http reads it: decoded, or raw.
type httpSource struct {
	*Response
	ctx context.Context
	raw bool
}

func (s *httpSource) Read(p []byte) (int, error) {
	if s.raw && s.Raw != nil {
		return s.Raw.Read(p)
	}
	return s.Response.Read(p)
}

// Stop closes what is read.
func (s *httpSource) Stop() error {
	if s.Raw != nil {
		return s.Raw.Close()
	}
	return s.Close()
}

// Trailers returns the fields behind the body.
func (s *httpSource) Trailers() [][2]string { return s.Response.Trailers() }

// Bare gives what programs compare with ==.
func (s *httpSource) Bare(err error) error {
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, ErrContentDecoding) {
		return io.ErrUnexpectedEOF
	}
	return err
}
