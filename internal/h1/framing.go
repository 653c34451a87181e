package h1

import (
	"math"
	"strings"

	"github.com/mountable/requests/internal/ascii"
)

// Framing is how the end of a body is found.
type Framing uint8

// The framings.
const (
	NoBody     Framing = iota // nothing follows the head
	Length                    // Content-Length bytes
	Chunked                   // the chunked transfer coding
	UntilClose                // what the peer sends until it closes
)

func (f Framing) String() string {
	if int(f) < len(framingText) {
		return framingText[f]
	}
	return "unknown"
}

var framingText = [...]string{NoBody: "none", Length: "length", Chunked: "chunked", UntilClose: "close"}

// ResponseFraming decides how the body of a response is framed, in the order of RFC 9112 section 6.3, and strictly:
// Content-Length is digits, repeats must agree; Transfer-Encoding is "chunked", once, not in HTTP/1.0, and then wins
// over Content-Length (such a connection is not used again, see Exchange). The length is -1 where it is not known.
//
// A response without body (to HEAD, 1xx, 204, 304, or 2xx to CONNECT) has none whatever its fields announce; but
// Content-Length fields that are not lengths, or differ, are an error there too, as in Requests.
func ResponseFraming(reqMethod string, h *ResponseHead) (Framing, int64, error) {
	length, badLength := contentLength(h.Fields)
	switch coding := transferCoding(h.Fields); {
	case reqMethod == "CONNECT" && h.Status/100 == 2:
		return NoBody, 0, nil
	case badLength != nil:
		return NoBody, 0, badLength
	case reqMethod == "HEAD" || h.Status/100 == 1 || h.Status == 204 || h.Status == 304:
		return NoBody, 0, nil
	case coding != codingNone:
		return chunkedFraming(coding, h.Minor)
	case length >= 0:
		return Length, length, nil
	default:
		return UntilClose, -1, nil
	}
}

// RequestFraming is ResponseFraming for the server's side: a request without framing fields has no body.
func RequestFraming(h *RequestHead) (Framing, int64, error) {
	length, badLength := contentLength(h.Fields)
	switch coding := transferCoding(h.Fields); {
	case badLength != nil:
		return NoBody, 0, badLength
	case coding != codingNone:
		return chunkedFraming(coding, h.Minor)
	case length >= 0:
		return Length, length, nil
	default:
		return NoBody, 0, nil
	}
}

func chunkedFraming(coding coding, minor int) (Framing, int64, error) {
	switch {
	case minor == 0:
		return NoBody, 0, fault(BadTransferEncoding, "in HTTP/1.0")
	case coding != codingChunked:
		return NoBody, 0, fault(BadTransferEncoding, "not just chunked")
	}
	return Chunked, -1, nil
}

type coding uint8

const (
	codingNone coding = iota
	codingChunked
	codingOther
)

// transferCoding looks for exactly one Transfer-Encoding equal to "chunked".
func transferCoding(fields Fields) coding {
	found := codingNone
	for i := range fields {
		switch {
		case !ascii.EqualFold(fields[i][0], "transfer-encoding"):
		case found == codingNone && ascii.EqualFold(ascii.TrimBlanks(fields[i][1]), "chunked"):
			found = codingChunked
		default:
			found = codingOther
		}
	}
	return found
}

// contentLength returns the value all Content-Length members agree on ("3, 3" and repeated fields are accepted, RFC
// 9110 section 8.6), -1 without any.
func contentLength(fields Fields) (int64, error) {
	length := int64(-1)
	for i := range fields {
		if !ascii.EqualFold(fields[i][0], "content-length") {
			continue
		}
		for rest, more := fields[i][1], true; more; {
			var member string
			member, rest, more = strings.Cut(rest, ",")
			n, ok := parseLength(ascii.TrimBlanks(member))
			if !ok {
				return 0, fault(BadContentLength, "not digits, or too large")
			}
			if length >= 0 && n != length {
				return 0, fault(BadContentLength, "different values")
			}
			length = n
		}
	}
	return length, nil
}

// parseLength accepts digits only, up to the largest int64.
func parseLength(s string) (n int64, ok bool) {
	for i := range len(s) {
		d := int64(s[i] - '0')
		if !ascii.IsDigit(s[i]) || n > (math.MaxInt64-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, s != ""
}

// trimBreaks returns s without the blanks and line ends at both ends.
func trimBreaks(s string) string {
	for s != "" && isBreak(s[0]) {
		s = s[1:]
	}
	for s != "" && isBreak(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

func isBreak(c byte) bool { return ascii.IsBlank(c) || c == '\r' || c == '\n' }

// HasToken reports whether a list field holds the token, in any of its lines (RFC 9110 section 5.3).
func HasToken(fields Fields, name, token string) bool {
	for i := range fields {
		if !ascii.EqualFold(fields[i][0], name) {
			continue
		}
		for rest, more := fields[i][1], len(fields[i][1]) >= len(token); more; {
			var member string
			member, rest, more = strings.Cut(rest, ",")
			if len(member) >= len(token) && ascii.EqualFold(trimBreaks(member), token) {
				return true
			}
		}
	}
	return false
}
