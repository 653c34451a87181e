package nethttp

import (
	"net/http"
	"slices"
	"strings"
)

// WithoutForwarded removes the fields that mayNot chooses by their lower-case names and
// that have the values of the request before: those the client has carried along. One
// that its CheckRedirect has given another value is meant for the new place.
func WithoutForwarded(fields [][2]string, before http.Header, mayNot func(name string) bool) [][2]string {
	return slices.DeleteFunc(fields, func(f [2]string) bool {
		old, name := before[f[0]], strings.ToLower(f[0])
		if name == "host" {
			return mayNot(name)
		}
		return mayNot(name) && slices.ContainsFunc(old, func(v string) bool { return strings.Trim(v, " \t") == f[1] })
	})
}

// LeftOrigin reports whether a chain of redirects has left its origin at any step; what
// was dropped then does not come back.
func LeftOrigin(req *http.Request, same func(from, to string) bool) bool {
	for req.Response != nil && req.Response.Request != nil {
		before := req.Response.Request
		if !same(Text(before.URL), Text(req.URL)) {
			return true
		}
		req = before
	}
	return false
}
