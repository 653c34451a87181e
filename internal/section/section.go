// Package section is what HTTP/2 and HTTP/3 ask of the fields of a message: names in lower case,
// pseudo-header fields first, and nothing of HTTP/1.1's connections (RFC 9113 section 8.2, RFC 9114
// section 4.2).
package section

import (
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/mountable/requests/internal/ascii"
)

// Status returns the status code of a :status field. fault is what is wrong with it, "" for nothing.
func Status(value string) (status int, fault string) {
	if len(value) != 3 || value[0] < '1' || value[0] > '9' || !ascii.IsDigits(value) || value == "101" {
		return 0, "the server sent the status " + Excerpt(value)
	}
	status, _ = strconv.Atoi(value)
	return status, ""
}

// Field checks an ordinary field of a response in a protocol, which its errors name, and returns
// its value without the blanks around it. fault is what is wrong with it, "" for nothing.
func Field(name, value, protocol string) (trimmed, fault string) {
	value = strings.Trim(value, " \t")
	switch {
	case !validName(name):
		return "", "the server sent the invalid field name " + Excerpt(name)
	case !httpguts.ValidHeaderFieldValue(value):
		return "", "the server sent an invalid value of the field " + name
	case OfConnection(name):
		return "", "the server sent the field " + name + ", which is not " + protocol
	}
	return value, ""
}

func validName(name string) bool {
	for i := range len(name) {
		if ascii.IsUpper(name[i]) {
			return false
		}
	}
	return ascii.IsToken(name)
}

// Excerpt quotes the start of what a peer sent.
func Excerpt(s string) string { return strconv.QuoteToASCII(s[:min(len(s), 32)]) }

// OfConnection reports whether a field, in lower case, is about an HTTP/1.1 connection.
func OfConnection(name string) bool {
	switch name {
	case "connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade", "http2-settings":
		return true
	}
	return false
}

// ContentLength returns what the fields say, -1 for nothing; ok is false where that is not one number.
func ContentLength(fields [][2]string) (n int64, ok bool) {
	n = -1
	for _, f := range fields {
		if f[0] != "content-length" {
			continue
		}
		v, err := strconv.ParseUint(f[1], 10, 63)
		if err != nil || n >= 0 && int64(v) != n {
			return 0, false
		}
		n = int64(v)
	}
	return n, true
}

// HasToken reports whether a list has a token, in any case and whatever its parameters.
func HasToken(list, token string) bool {
	for item := range strings.SplitSeq(list, ",") {
		item, _, _ = strings.Cut(item, ";")
		if ascii.EqualFold(strings.Trim(item, " \t"), token) {
			return true
		}
	}
	return false
}
