package h1

import (
	"fmt"
	"strings"

	"github.com/mountable/requests/internal/ascii"
)

// CheckRequest refuses fields that two readers of a request could take for two requests, or
// for requests to two hosts: Host, Content-Length and Transfer-Encoding may stand once, and
// the only transfer coding there is to send is chunked (RFC 9112 sections 3.2 and 6).
func CheckRequest(fields [][2]string) error {
	var hosts, lengths, codings int
	for i := range fields {
		name, value := fields[i][0], fields[i][1]
		switch {
		case ascii.EqualFold(name, "host"):
			hosts++
		case ascii.EqualFold(name, "content-length"):
			lengths++
		case ascii.EqualFold(name, "transfer-encoding"):
			if codings++; !ascii.EqualFold(value, "chunked") {
				return fmt.Errorf("Transfer-Encoding %q cannot be sent: the only transfer coding is chunked", value)
			}
		}
	}
	switch {
	case hosts > 1:
		return fmt.Errorf("there are %d Host headers, and one may be sent", hosts)
	case lengths > 1:
		return fmt.Errorf("there are %d Content-Length headers, and one may be sent", lengths)
	case codings > 1:
		return fmt.Errorf("there are %d Transfer-Encoding headers, and one may be sent", codings)
	}
	return nil
}

// CheckAsRequests says what is wrong with a field by Requests' check_header_validity, "" if
// nothing is.
func CheckAsRequests(name, value string) string {
	switch {
	case !ascii.IsToken(name) && (name == "" || name[0] == ':' || ascii.IsSpace(name[0]) || strings.IndexByte(name, ':') >= 0 || !validValue(name)):
		return fmt.Sprintf("invalid header name %q", name)
	case value != "" && ascii.IsSpace(value[0]):
		return fmt.Sprintf("the value of header %q starts with white space", name)
	case !validValue(value):
		return fmt.Sprintf("the value of header %q contains a line break or NUL", name)
	}
	return ""
}
