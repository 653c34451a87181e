package h1

import (
	"strconv"

	"github.com/mountable/requests/internal/ascii"
)

// AppendRequestHead appends a request head with its final empty line, fields in the order and case given.
//
// The method must be a token; the target free of blanks and controls; names must be tokens, and values free of
// CR, LF and NUL (RFC 9112 section 11.1: nothing given by a caller may start a second line). Host must consist of
// characters that a host and a port may have. On an error (*Error) dst is returned as it was.
func AppendRequestHead(dst []byte, method, target string, fields Fields) ([]byte, error) {
	if err := CheckRequestLine(method, target); err != nil {
		return dst, err
	}
	out := append(dst, method...)
	out = append(out, ' ')
	out = append(out, target...)
	out = append(out, " HTTP/1.1\r\n"...)
	return appendFields(dst, out, fields)
}

// AppendResponseHead appends an HTTP/1.1 response head with its final empty line: the server's side, for tests and
// proxies. The rules for fields are those of AppendRequestHead.
func AppendResponseHead(dst []byte, status int, reason string, fields Fields) ([]byte, error) {
	if status < 100 || status > 999 || hasControl(reason) {
		return dst, fault(InvalidStatus, strconv.Itoa(status))
	}
	out := append(dst, "HTTP/1.1 "...)
	out = strconv.AppendInt(out, int64(status), 10)
	out = append(out, ' ')
	out = append(out, reason...)
	out = append(out, "\r\n"...)
	return appendFields(dst, out, fields)
}

// appendFields finishes the head in out, or returns dst as it was.
func appendFields(dst, out []byte, fields Fields) ([]byte, error) {
	for i := range fields {
		name, value := fields[i][0], fields[i][1]
		if err := CheckField(name, value); err != nil {
			return dst, err
		}
		out = append(out, name...)
		out = append(out, ": "...)
		out = append(out, value...)
		out = append(out, "\r\n"...)
	}
	return append(out, "\r\n"...), nil
}

// CheckRequestLine finds what AppendRequestHead would refuse of a method and a target. Its error is an *Error.
func CheckRequestLine(method, target string) error {
	if !ascii.IsToken(method) {
		return fault(InvalidMethod, excerpt(method))
	}
	if !validTarget(target) {
		return fault(InvalidTarget, "empty, or holds a blank or a control character")
	}
	return nil
}

// CheckField finds what AppendRequestHead would refuse of a field. Its error is an *Error.
func CheckField(name, value string) error {
	if !ascii.IsToken(name) {
		return fault(InvalidFieldName, excerpt(name))
	}
	if !validValue(value) || len(name) == len("host") && ascii.EqualFold(name, "host") && !validHost(value) {
		return fault(InvalidFieldValue, "of "+name)
	}
	return nil
}

// validTarget refuses what would end the target early. Bytes outside ASCII do not: an http.Request may have
// them in its query, and net/http sends them as they are.
func validTarget(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] == 0x7f {
			return false
		}
	}
	return s != ""
}

// validValue refuses what would end the line early. Other control characters are the caller's own business, as
// in Requests.
func validValue(s string) bool {
	if !hasControl(s) {
		return true
	}
	for i := range len(s) {
		if c := s[i]; c == '\r' || c == '\n' || c == 0 {
			return false
		}
	}
	return true
}

// validHost refuses what is in no host with port (RFC 9110 section 7.2, RFC 3986 section 3.2.2), and would be taken for
// a path, a query or a user by a server that reads the field carelessly.
func validHost(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', ascii.IsDigit(c):
		case c == '.' || c == '-' || c == ':' || c == '_' || c == '[' || c == ']' || c == '%' || c == '~':
		case c == '!' || c == '$' || c == '&' || c == '\'' || c == '(' || c == ')' || c == '*' || c == '+' || c == ',' || c == ';' || c == '=':
		default:
			return false
		}
	}
	return true
}

// AppendTrailers appends the last chunk and the fields behind a chunked body, by the rules
// of AppendRequestHead.
func AppendTrailers(dst []byte, fields Fields) ([]byte, error) {
	return appendFields(dst, append(dst, "0\r\n"...), fields)
}
