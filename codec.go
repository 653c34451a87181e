package requests

import (
	"fmt"

	"github.com/mountable/requests/internal/codec"
	"github.com/mountable/requests/internal/secret"
)

// Codec encodes values in a media type, and decodes them. Either function may be nil; both must be
// safe for concurrent use.
type Codec struct {
	Marshal   func(v any) ([]byte, error)
	Unmarshal func(data []byte, v any) error
}

// Codecs are codecs by media type, in any letter case. That of "application/json" stands for
// encoding/json wherever JSON is written or read, and is given UTF-8; those of other types are
// for [Response.Decode]. It is an [Option].
type Codecs map[string]Codec

// Apply sets the codecs of r instead of the session's.
func (c Codecs) Apply(r *Request) error {
	r.Send.Codecs = c
	return nil
}

// Decode decodes the body into v, which must be a pointer, by its Content-Type: with the codec for
// it, as JSON like [Response.JSON], or as XML. A type that ends in "+json", "+xml" or the like is
// read by the codec of "application/json" and so on, unless it has its own. A body that does not
// fit is [ErrDecode], and an unknown type [ErrInvalidHeader].
func (r *Response) Decode(v any) error {
	contentType := r.Headers.Get("Content-Type")
	kind, base := codec.TypeOf(contentType)
	unmarshal := codec.Of(r.Codecs, kind).Unmarshal
	if unmarshal == nil && base != codec.JSONType {
		unmarshal = codec.Of(r.Codecs, base).Unmarshal
	}
	switch {
	case kind == codec.JSONType, unmarshal == nil && base == codec.JSONType:
		return r.JSON(v)
	case unmarshal == nil && base == codec.XMLType:
		unmarshal = func(data []byte, v any) error { return codec.XML(data, contentType, v) }
	case unmarshal == nil:
		return withResponse(fail(ErrInvalidHeader, "there is no codec for a body of type %.100q", kind), r)
	}
	data, err := r.Content()
	if err != nil {
		return err
	}
	if err = unmarshal(data, v); err == nil {
		return nil
	}
	detail := fmt.Sprintf("the body is not what its type %.100q says (%d, it begins with %q)", kind, r.StatusCode, secret.Excerpt(contentType, data))
	return withResponse(wrap(ErrDecode, err, detail), r)
}
