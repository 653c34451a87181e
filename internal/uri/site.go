package uri

import (
	"net/netip"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/mountable/requests/internal/ascii"
)

// Site returns the registrable domain of a host or of a cookie's domain, in lower case and without
// dots around it: the public suffix and one label more. A suffix itself, an address without brackets
// and a name without a dot are sites of their own.
func Site(host string) string {
	bare := ascii.Lower(strings.Trim(host, "."))
	if _, err := netip.ParseAddr(bare); err == nil {
		return bare
	}
	if site, err := publicsuffix.EffectiveTLDPlusOne(bare); err == nil {
		return site
	}
	return bare
}

// WithoutDefaultPort returns a host and port, as in a Host field, without the port that scheme, in
// lower case, has anyway.
func WithoutDefaultPort(host, scheme string) string {
	switch scheme {
	case "http":
		return strings.TrimSuffix(host, ":80")
	case "https":
		return strings.TrimSuffix(host, ":443")
	}
	return host
}
