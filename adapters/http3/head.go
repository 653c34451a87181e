package http3

import (
	"io"
	"strings"

	"github.com/quic-go/qpack"

	"github.com/mountable/requests/internal/h1"
	"github.com/mountable/requests/internal/section"
)

// fieldOverhead is what a field counts beside its name and value (RFC 9114 section 4.2.2).
const fieldOverhead = 32

// block is a field section that has been received.
type block struct {
	status int // 0 in trailers
	size   int
	fields [][2]string
}

// decode reads a field section of at most most bytes; trailers have no status.
func decode(encoded []byte, most int, trailers bool) (block, error) {
	var b block
	for next := qpack.NewDecoder().Decode(encoded); ; {
		f, err := next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return b, ofConn(codeDecompression, "the server's header cannot be decoded: %v", err)
		}
		b.size += len(f.Name) + len(f.Value) + fieldOverhead
		switch {
		case b.size > most:
			return b, ofStream(codeExcessiveLoad, "the server's header is larger than %d bytes", most)
		case len(b.fields) >= h1.DefaultFields:
			return b, ofStream(codeExcessiveLoad, "the server's header has more than %d fields", h1.DefaultFields)
		}
		if err := b.add(f.Name, f.Value, trailers); err != nil {
			return b, err
		}
	}
	if b.status == 0 && !trailers {
		return b, ofStream(codeMessage, "the server sent a head without a status")
	}
	return b, nil
}

// add takes a field: :status comes first, once, and not in trailers; names are in lower case, and
// none is of HTTP/1.1's connections (RFC 9114 sections 4.2 and 4.3).
func (b *block) add(name, value string, trailers bool) error {
	fault := ""
	switch {
	case name == ":status" && b.status == 0 && len(b.fields) == 0 && !trailers:
		b.status, fault = section.Status(value)
	case strings.HasPrefix(name, ":"):
		fault = "the server sent the field " + section.Excerpt(name) + " where it does not belong"
	default:
		if value, fault = section.Field(name, value, "HTTP/3"); fault == "" {
			b.fields = append(b.fields, [2]string{name, value})
		}
	}
	if fault != "" {
		return ofStream(codeMessage, "%s", fault)
	}
	return nil
}
