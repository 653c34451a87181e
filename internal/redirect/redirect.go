// Package redirect is what a redirect changes in a request: its method and body by the
// status, its header fields by the target. Whether Authorization goes along is decided by
// uri.ShouldStripAuth.
package redirect

import "strings"

// Method returns the method with which the target of a redirect is asked, and whether the
// body is sent again (RFC 9110 section 15.4): 303 makes a GET of everything but HEAD, 301
// and 302 of POST alone, and what becomes a GET loses its body. Everything else is sent as
// it was: a PUT without its body would empty what the target names.
func Method(method string, status int) (next string, withBody bool) {
	switch {
	case status == 303 && method == "HEAD":
		return "HEAD", false
	case status == 303, (status == 301 || status == 302) && method == "POST":
		return "GET", false
	}
	return method, true
}

// MethodAsRequests is Method as Requests has it: 303 and 302 make a GET of everything but
// HEAD, 301 only of POST, and only 307 and 308 keep the body.
func MethodAsRequests(method string, status int) (next string, withBody bool) {
	withBody = status == 307 || status == 308
	switch {
	case (status == 303 || status == 302) && method != "HEAD":
		return "GET", withBody
	case status == 301 && method == "POST":
		return "GET", withBody
	}
	return method, withBody
}

// BodyHeaders describe a body, and go with it.
var BodyHeaders = []string{"Content-Length", "Content-Type", "Content-Encoding", "Transfer-Encoding", "Trailer", "Expect"}

// MayCross reports whether a header may travel to another origin. The rest is meant for the
// origin it was given for. The body's headers describe the body, which travels;
// Authorization is decided by itself.
func MayCross(name string) bool { return crossing[strings.ToLower(name)] }

var crossing = map[string]bool{
	"accept": true, "accept-charset": true, "accept-encoding": true, "accept-language": true,
	"user-agent": true, "range": true, "if-range": true, "connection": true, "cache-control": true,
	"pragma": true, "content-length": true, "content-type": true, "content-encoding": true,
	"content-language": true, "transfer-encoding": true, "te": true, "date": true,
	"if-match": true, "if-none-match": true, "if-modified-since": true, "if-unmodified-since": true,
	"authorization": true,
}

// Location returns what the Location fields of a redirect say, and another one that differs
// from it, if there is one.
func Location(fields []string) (first, other string, differ bool) {
	first = strings.Trim(fields[0], " \t")
	for _, value := range fields[1:] {
		if other = strings.Trim(value, " \t"); other != first {
			return first, other, true
		}
	}
	return first, "", false
}
