package toolbelt

import (
	"errors"
	"io"
	"iter"
	"strings"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/charset"
	"github.com/mountable/requests/internal/multipart"
)

// MultipartDecoder holds the parts of a multipart body. It splits as the toolbelt
// does, plainly at every line that begins with the boundary's delimiter, and not as
// RFC 2046 asks: a preamble that looks like a part is one.
type MultipartDecoder struct {
	ContentType string
	Boundary    string
	Parts       []*BodyPart
}

// NewMultipartDecoder takes content apart. The encoding is that of the part headers,
// and of [BodyPart.Text]; "" is UTF-8. A content type that is not multipart, or has
// no boundary, is [ErrNonMultipartContentType], a part without an empty line after
// its header [ErrImproperBodyPartContent]; an unknown encoding, or a header that is not
// of it, is [requests.ErrInvalidArgument]. The parts share content's memory.
func NewMultipartDecoder(content []byte, contentType, encoding string) (*MultipartDecoder, error) {
	boundary, err := boundaryOf(contentType)
	if err != nil {
		return nil, err
	}
	if err := checkEncoding(boundary, encoding); err != nil {
		return nil, err
	}
	d := &MultipartDecoder{ContentType: contentType, Boundary: boundary}
	raw, err := multipart.SplitParts(content, boundary)
	if err != nil {
		return nil, improper(err)
	}
	for _, p := range raw {
		part, err := newPart(p, encoding)
		if err != nil {
			return nil, err
		}
		d.Parts = append(d.Parts, part)
	}
	return d, nil
}

// DecodeResponse takes the body of r apart, as [NewMultipartDecoder] does with its
// Content-Type.
func DecodeResponse(r *requests.Response, encoding string) (*MultipartDecoder, error) {
	content, err := r.Content()
	if err != nil {
		return nil, err
	}
	return NewMultipartDecoder(content, r.Headers.Get("Content-Type"), encoding)
}

// BodyPart is one part of a multipart body.
type BodyPart struct {
	Headers requests.Headers // of repeated fields the last
	Content []byte

	encoding string
}

// NewBodyPart takes one part apart: its header, an empty line, its content. The
// errors are those of [NewMultipartDecoder].
func NewBodyPart(content []byte, encoding string) (*BodyPart, error) {
	raw, err := multipart.SplitPart(content)
	if err != nil {
		return nil, improper(err)
	}
	return newPart(raw, encoding)
}

func newPart(raw multipart.RawPart, encoding string) (*BodyPart, error) {
	headers, err := partHeaders(raw, encoding)
	return &BodyPart{Headers: headers, Content: raw.Content, encoding: encoding}, err
}

func partHeaders(raw multipart.RawPart, encoding string) (requests.Headers, error) {
	if err := checkEncoding(string(raw.Head), encoding); err != nil {
		return nil, err
	}
	var headers requests.Headers
	at := map[string]int{} // where each field is, by its name in lower case
	for _, field := range raw.Header() {
		name := ascii.Lower(field[0])
		if i, there := at[name]; there {
			headers[i] = field
			continue
		}
		at[name] = len(headers)
		headers = append(headers, field)
	}
	return headers, nil
}

// Text returns the content, which must be of the decoder's encoding.
func (p *BodyPart) Text() (string, error) { return decodeText(p.Content, p.encoding) }

// decodeText decodes strictly.
func decodeText(data []byte, encoding string) (string, error) {
	if encoding == "" {
		encoding = "utf-8"
	}
	text, err := charset.DecodeStrict(data, encoding)
	if err != nil {
		return "", &requests.Error{Kind: requests.ErrInvalidArgument, Err: err, Detail: "the part is not text of this encoding"}
	}
	return text, nil
}

func checkEncoding(text, encoding string) error {
	_, err := decodeText([]byte(text), encoding)
	return err
}

func improper(err error) error {
	if errors.Is(err, multipart.ErrNoBlankLine) {
		return fail(ErrImproperBodyPartContent, err, "a part cannot be read")
	}
	return err
}

// boundaryOf finds the boundary in a content type, taking it apart as plainly as the
// toolbelt: at every semicolon, quoted or not; the last boundary wins.
func boundaryOf(contentType string) (string, error) {
	items := strings.Split(contentType, ";")
	kind, _, _ := strings.Cut(strings.TrimSpace(items[0]), "/")
	if !strings.EqualFold(kind, "multipart") {
		return "", fail(ErrNonMultipartContentType, nil, "unexpected content type %q", items[0])
	}
	boundary, found := "", false
	for _, item := range items[1:] {
		name, value, ok := strings.Cut(strings.TrimSpace(item), "=")
		if ok && strings.EqualFold(name, "boundary") {
			boundary, found = strings.Trim(value, `"`), true
		}
	}
	if !found {
		return "", fail(ErrNonMultipartContentType, nil, "the content type names no boundary")
	}
	return boundary, nil
}

// StreamedPart is a part whose content is still arriving. It reads the content, decoded from the
// content coding of the response, and ends when the loop of [Parts] goes on.
type StreamedPart struct {
	io.Reader
	Headers requests.Headers // of repeated fields the last
}

// Parts iterates over the parts of r while its body arrives, for a response that is
// streamed; it splits as [MultipartDecoder] does and keeps a few KiB in memory. What
// the loop leaves of a part is skipped. It closes r at its end, or where the loop is
// left. After an error it stops; the errors are those of [NewMultipartDecoder] and of
// reading r. The header of a part must be UTF-8 and no longer than 64 KiB.
func Parts(r *requests.Response) iter.Seq2[*StreamedPart, error] {
	return func(yield func(*StreamedPart, error) bool) {
		defer r.Close()
		boundary, err := boundaryOf(r.Headers.Get("Content-Type"))
		if err != nil {
			yield(nil, err)
			return
		}
		parts := multipart.NewPartReader(r, boundary)
		for {
			part, err := nextPart(parts)
			if err == io.EOF || !yield(part, err) || err != nil {
				return
			}
		}
	}
}

func nextPart(parts *multipart.PartReader) (*StreamedPart, error) {
	raw, err := parts.Next()
	if err != nil {
		return nil, improper(err)
	}
	headers, err := partHeaders(raw.RawPart, "")
	if err != nil {
		return nil, err
	}
	return &StreamedPart{Reader: raw, Headers: headers}, nil
}
