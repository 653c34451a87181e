package http3

import (
	"io"
	"strconv"
	"strings"

	"github.com/quic-go/qpack"
	"golang.org/x/net/http/httpguts"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/h1"
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
	trimmed := strings.Trim(value, " \t")
	switch {
	case name == ":status" && b.status == 0 && len(b.fields) == 0 && !trailers:
		if !validStatus(value) {
			return ofStream(codeMessage, "the server sent the status %s", excerpt(value))
		}
		b.status, _ = strconv.Atoi(value)
		return nil
	case strings.HasPrefix(name, ":"):
		return ofStream(codeMessage, "the server sent the field %s where it does not belong", excerpt(name))
	case !ascii.IsToken(name) || strings.ContainsFunc(name, func(r rune) bool { return 'A' <= r && r <= 'Z' }):
		return ofStream(codeMessage, "the server sent the invalid field name %s", excerpt(name))
	case !httpguts.ValidHeaderFieldValue(trimmed):
		return ofStream(codeMessage, "the server sent an invalid value of the field %s", name)
	case ofConnections(name):
		return ofStream(codeMessage, "the server sent the field %s, which is not HTTP/3", name)
	}
	b.fields = append(b.fields, [2]string{name, trimmed})
	return nil
}

// validStatus reports whether s is a status code that HTTP/3 has.
func validStatus(s string) bool {
	return len(s) == 3 && '1' <= s[0] && s[0] <= '9' && ascii.IsDigits(s) && s != "101"
}

// excerpt quotes the start of what a peer sent.
func excerpt(s string) string { return strconv.QuoteToASCII(s[:min(len(s), 32)]) }

// ofConnections reports whether a field, in lower case, is about an HTTP/1.1 connection (RFC 9114 section 4.2).
func ofConnections(name string) bool {
	switch name {
	case "connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade", "http2-settings":
		return true
	}
	return false
}

// contentLength returns what the fields say, -1 for nothing.
func contentLength(fields [][2]string) (n int64, err error) {
	n = -1
	for _, f := range fields {
		if f[0] != "content-length" {
			continue
		}
		v, err := strconv.ParseUint(f[1], 10, 63)
		if err != nil || n >= 0 && int64(v) != n {
			return 0, ofStream(codeMessage, "the server sent an invalid Content-Length")
		}
		n = int64(v)
	}
	return n, nil
}
