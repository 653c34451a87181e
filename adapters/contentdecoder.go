package adapters

import (
	"context"
	"io"
	"strings"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/coding"
	"github.com/mountable/requests/internal/wire"
)

// ContentDecoder undoes a content coding with decode: one that is not known here, or another
// implementation of gzip, deflate, br or zstd. name is the coding, in any letter case; decode is
// called for each body, when that is first read, and what it returns is closed if it is an
// [io.Closer].
//
// If this is among the codings of a response, the wrapper undoes all of them, the others as usual and
// within the same bounds, so that Response.Raw comes decoded, without Content-Encoding and
// Content-Length. An error of decode or of its reader is [requests.ErrContentDecoding], one of the
// connection what it always is. To ask servers for the coding, name it in the Accept-Encoding header of
// the session or the call. A name that is not a token and a decode that is nil are
// [requests.ErrInvalidArgument] of each Send.
func ContentDecoder(name string, decode func(io.Reader) (io.Reader, error)) requests.Wrapper {
	decoders := coding.Decoders{strings.ToLower(name): decode}
	return around(func(ctx context.Context, base requests.Adapter, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
		if decode == nil || !ascii.IsToken(name) || strings.EqualFold(name, "identity") {
			return nil, invalid("ContentDecoder(%q): a coding's name and a function are needed", name)
		}
		r, err := base.Send(ctx, p, opts)
		if err != nil || r == nil {
			return r, err
		}
		if err := decodeWith(decoders, r); err != nil {
			return nil, err
		}
		return r, nil
	})
}

// decodeWith replaces the body of r by the decoded one.
func decodeWith(decoders coding.Decoders, r *requests.Response) error {
	codings := r.Headers.Values("Content-Encoding")
	if r.Raw == nil || !decoders.In(codings) {
		return nil
	}
	stream := wire.StreamOf(r.Raw)
	if stream.Remaining() == 0 {
		return nil
	}
	source, err := decoders.NewReader(stream, codings, coding.Limits{})
	if err != nil {
		_ = stream.Close()
		return &requests.Error{Kind: requests.ErrContentDecoding, Request: r.Request, Response: r, Err: err}
	}
	r.Raw = &decodedBody{Stream: stream, source: source}
	r.Headers = r.Headers.Clone()
	r.Headers.Del("Content-Encoding")
	r.Headers.Del("Content-Length")
	return nil
}

// decodedBody is a body with its codings undone: its length and its chunks are not those of the
// message.
type decodedBody struct {
	wire.Stream
	source io.ReadCloser
}

// Read implements [io.Reader].
func (b *decodedBody) Read(p []byte) (int, error) { return b.source.Read(p) }

// WriteTo implements [io.WriterTo].
func (b *decodedBody) WriteTo(w io.Writer) (int64, error) { return io.Copy(w, b.source) }

// Remaining is not known.
func (b *decodedBody) Remaining() int64 { return -1 }

// Chunked is false.
func (b *decodedBody) Chunked() bool { return false }

// ChunkRemaining is 0.
func (b *decodedBody) ChunkRemaining() int64 { return 0 }

// Close implements [io.Closer].
func (b *decodedBody) Close() error {
	_ = b.source.Close()
	return b.Stream.Close()
}
