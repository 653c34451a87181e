package requests

import (
	"io"
	"net/http"

	"github.com/mountable/requests/internal/coding"
	"github.com/mountable/requests/internal/content"
	"github.com/mountable/requests/internal/wire"
)

// The states of a body, and what each operation does in each of them, are the table at the
// head of internal/content. Here is what the response adds: where the body comes from, how
// it is decoded, and what its errors are.

// content returns the state of the body; a Response that is a literal gets one here.
func (r *Response) content() *content.Body {
	if r.body == nil {
		r.body = new(content.Body)
	}
	return r.body
}

// Content reads the rest of the decoded body into memory, once, and returns it;
// the slice is the response's own. A body that was read to its end by streaming
// is [ErrStreamConsumed], one that is longer than Limits.MaxBody, by default 256 MiB,
// [ErrBodyTooLarge].
func (r *Response) Content() ([]byte, error) {
	return r.content().All(r.owner(), r.maxContent(), bodyTooLarge)
}

// Read reads the decoded body: from the connection, or from memory where it has
// been read before.
func (r *Response) Read(p []byte) (int, error) { return r.content().Read(r.owner(), p) }

// WriteTo writes the rest of the decoded body to w; it is what [io.Copy] uses. An
// error of w is returned as it is, and leaves r to be closed.
func (r *Response) WriteTo(w io.Writer) (int64, error) { return r.content().WriteTo(r.owner(), w) }

// Close releases the connection: to the pool if the body has been read to its end, else
// by closing it. Closing twice, or a response that was read, is harmless. A body in
// memory stays readable; reading any other is [ErrStreamConsumed] from now on, and
// [http.ErrBodyReadAfterClose]. It may be called while another goroutine reads.
func (r *Response) Close() error {
	r.content().Close(r.owner())
	return nil
}

// Undecoded makes r give its body as it came, in its content coding, and returns r.
// It must be called before anything of the body is read.
func (r *Response) Undecoded() *Response {
	r.content().Undecoded(r.owner(), r.bounded)
	return r
}

// bounded holds source to the size that the call or the session allows.
func (r *Response) bounded(source io.ReadCloser) io.ReadCloser {
	if limit := r.opts.Limits.MaxBody; limit > 0 {
		return content.Bound(source, source, limit, bodyTooLarge)
	}
	return source
}

// bodyOwner is a Response as its body sees it.
type bodyOwner Response

func (r *Response) owner() content.Owner { return (*bodyOwner)(r) }

// Source is the body before content decoding.
func (o *bodyOwner) Source() io.ReadCloser { return o.Raw }

// Stream returns Raw with all it can do; a response without a body gets an empty one.
func (o *bodyOwner) Stream() wire.Stream {
	stream := wire.StreamOf(o.Raw)
	if o.Raw == nil {
		o.Raw = stream
	}
	return stream
}

// Decode returns stream with its codings undone, and whether it has none. An unknown
// single coding is left alone, as in Requests.
func (o *bodyOwner) Decode(stream wire.Stream) (source io.ReadCloser, plain bool, err error) {
	r := (*Response)(o)
	codings := r.Headers.Values("Content-Encoding")
	if len(codings) == 0 {
		return r.bounded(stream), true, nil
	}
	source, err = coding.NewReader(stream, codings, r.opts.policy.decoding())
	if err != nil {
		return nil, false, err
	}
	return r.bounded(source), false, nil
}

// Fail gives a failure of reading its Kind.
func (o *bodyOwner) Fail(cause error) error { return bodyError((*Response)(o), cause) }

// Spent is the error of reading a body again that was streamed.
func (o *bodyOwner) Spent() error {
	return &Error{Kind: ErrStreamConsumed, Request: o.Request, Response: (*Response)(o), Detail: "the body has been read to its end by streaming"}
}

// Closed is the error of reading a body that was closed.
func (o *bodyOwner) Closed() error {
	return &Error{Kind: ErrStreamConsumed, Request: o.Request, Response: (*Response)(o), Err: http.ErrBodyReadAfterClose, Detail: closedText}
}

// decoding are the bounds of decoding. A nil Policy is the zero one.
func (p *Policy) decoding() coding.Limits {
	if p == nil {
		return coding.Limits{}
	}
	return coding.LimitsFor(p.TruncatedContent, p.GzipWithoutTrailer, p.UnlimitedDecoding)
}
