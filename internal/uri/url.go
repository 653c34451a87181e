package uri

import (
	"strconv"
	"strings"
)

// URL is an absolute URL, read once. Host is the form every decision is made
// by: lower-case ASCII, an IPv6 address without brackets, its zone (if any)
// behind a single "%", and an IPv4 address always in dotted form. The other
// texts are as they stand in the URL, percent-encoded.
//
// For schemes other than http and https Host is verbatim and may be empty.
type URL struct {
	Scheme   string // lower-case
	User     string // "user:password", without the "@"
	Host     string
	Port     int // -1: the URL names none
	Path     string
	Query    string // without the "?"
	Fragment string // without the "#"

	HasUser     bool
	HasQuery    bool
	HasFragment bool

	hostPort string // the authority as written, where it is Host and Port in their normal form
}

// String puts the URL together again. For a URL that [Prepare] made it is the
// text that was parsed, unless the host is an IPv4 address in an unusual form.
func (u *URL) String() string {
	var b strings.Builder
	b.WriteString(u.Scheme)
	b.WriteByte(':')
	if u.Host != "" || u.isWeb() {
		b.WriteString("//")
		if u.HasUser {
			b.WriteString(u.User)
			b.WriteByte('@')
		}
		b.WriteString(bracket(u.Host, "%25"))
		u.writePort(&b)
	}
	b.WriteString(u.Path)
	if u.HasQuery {
		b.WriteByte('?')
		b.WriteString(u.Query)
	}
	if u.HasFragment {
		b.WriteByte('#')
		b.WriteString(u.Fragment)
	}
	return b.String()
}

func (u *URL) writePort(b *strings.Builder) {
	if u.Port >= 0 {
		b.WriteByte(':')
		b.WriteString(strconv.Itoa(u.Port))
	}
}

// bracket puts an IPv6 address into brackets, with the zone separator given.
func bracket(host, zoneSep string) string {
	if strings.IndexByte(host, ':') < 0 {
		return host
	}
	if addr, zone, ok := strings.Cut(host, "%"); ok && zoneSep != "%" {
		host = addr + zoneSep + zone
	}
	return "[" + host + "]"
}

func (u *URL) isWeb() bool { return isWebScheme(u.Scheme) }

func isWebScheme(s string) bool { return s == "http" || s == "https" }

func defaultPort(scheme string) int {
	switch scheme {
	case "http":
		return 80
	case "https":
		return 443
	}
	return -1
}

// EffectivePort is the port of the URL or else that of its scheme; -1 where
// neither is known.
func (u *URL) EffectivePort() int {
	if u.Port >= 0 {
		return u.Port
	}
	return defaultPort(u.Scheme)
}

// Hostname is Host without an IPv6 zone. Compare this with domain names,
// suffixes and networks: a zone is not part of a name.
func (u *URL) Hostname() string {
	host, _, _ := strings.Cut(u.Host, "%")
	return host
}

// Netloc is the host and, if the URL names one, the port: "example.com:80",
// "[::1]:8080". That is what request lines and Host fields for a proxy have. An IPv6 zone
// is not part of it: it means something on this machine alone (RFC 6874 section 4).
func (u *URL) Netloc() string {
	host := bracket(u.Hostname(), "%")
	if u.Port < 0 {
		return host
	}
	return host + ":" + strconv.Itoa(u.Port)
}

// HostHeader is the Host field of a request sent straight to the origin: no
// default port, no trailing dots, no IPv6 zone (RFC 6874 section 4).
func (u *URL) HostHeader() string {
	if u.hostPort != "" && u.Port != defaultPort(u.Scheme) {
		return u.hostPort
	}
	host := bracket(strings.TrimRight(u.Hostname(), "."), "%")
	if u.Port < 0 || u.Port == defaultPort(u.Scheme) {
		return host
	}
	return host + ":" + strconv.Itoa(u.Port)
}

// DialHost is the name or address to connect to, without brackets, with the
// zone and any trailing dot, which ends the search list of the resolver.
func (u *URL) DialHost() string { return u.Host }

// DialAddr is the address to connect to in the form net.Dial takes.
func (u *URL) DialAddr() string {
	return bracket(u.Host, "%") + ":" + strconv.Itoa(max(u.EffectivePort(), 0))
}

// ServerName is the name for TLS: the host without trailing dots and zone.
func (u *URL) ServerName() string { return strings.TrimRight(u.Hostname(), ".") }

// SameOrigin reports whether a and b have the same scheme, host and port, where
// a default port may be named or not.
func SameOrigin(a, b *URL) bool {
	return a.Scheme == b.Scheme && a.Host == b.Host && a.EffectivePort() == b.EffectivePort()
}

// Userinfo returns the decoded user and password, like [SplitAuth].
func (u *URL) Userinfo() (user, password string, ok bool) {
	if !u.HasUser {
		return "", "", false
	}
	return decodeUserinfo(u.User)
}
