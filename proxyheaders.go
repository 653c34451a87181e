package requests

import (
	"strings"
)

// ProxyHeaders are header fields for a proxy as a comparable value. They go with
// CONNECT where there is a tunnel, and else with each request that the proxy is
// asked for, as what a subclass of Requests' HTTPAdapter returns from proxy_headers.
type ProxyHeaders struct{ lines string }

// NewProxyHeaders makes the value; the fields keep their order and letter case. A
// field that no head can hold, or that would frame a body, is [ErrInvalidHeader].
func NewProxyHeaders(headers Headers) (ProxyHeaders, error) {
	var b strings.Builder
	for _, f := range headers {
		if err := checkHeader(f[0], f[1]); err != nil {
			return ProxyHeaders{}, err
		}
		if strings.EqualFold(f[0], "Content-Length") || strings.EqualFold(f[0], "Transfer-Encoding") {
			return ProxyHeaders{}, fail(ErrInvalidHeader, "%s is no header for a proxy: a CONNECT has no body", f[0])
		}
		b.WriteString(f[0] + ":" + f[1] + "\n")
	}
	return ProxyHeaders{b.String()}, nil
}

// All returns the fields in order.
func (h ProxyHeaders) All() Headers {
	var headers Headers
	for line := range strings.Lines(h.lines) {
		name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		headers = append(headers, [2]string{name, value})
	}
	return headers
}

// over returns the fields of a request in absolute form: those for the proxy take the
// place of the request's own.
func (h ProxyHeaders) over(fields [][2]string) [][2]string {
	if h.lines == "" {
		return fields
	}
	forProxy := h.All()
	kept := fields[:0]
	for _, f := range fields {
		if !forProxy.Has(f[0]) {
			kept = append(kept, f)
		}
	}
	return append(kept, forProxy...)
}
