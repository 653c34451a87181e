// Package http3 sends requests over HTTP/3 (RFC 9114), on github.com/quic-go/quic-go:
//
//	s.Mount("https://cdn.example/", http3.New())                                // asked for
//	s.Mount("https://", http3.Upgrade(http3.New())(requests.NewHTTPAdapter()))  // found by Alt-Svc
//
// Responses, time limits and checks are those of [requests.HTTPAdapter], and so are the
// options. Header fields are sent in the order of the request and in lower case, as the
// protocol wants it.
package http3
