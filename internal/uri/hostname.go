package uri

import (
	"strings"

	"github.com/mountable/requests/internal/ascii"
)

// problem is what a part of a URL is refused for.
type problem struct {
	code   Code
	detail string
}

// invalidLabel: no name has a wildcard in it, or begins with a dot.
const invalidLabel = "invalid label"

// maxHost bounds a host. No name is longer than 253 bytes (RFC 1035), and no
// time is to be spent on one that is.
const maxHost = 1024

// normaliseHost returns the host of an http or https URL in the form that
// everything is decided by: ASCII, lower-case, an IPv6 literal without brackets.
// Non-ASCII labels are encoded by strict IDNA 2008. Escapes of unreserved
// characters are decoded; any other escape, and every character that ends or
// splits an authority for some parser, is refused.
//
// A host that ends in a number and is not an IPv4 address, and one that begins with a
// wildcard or an empty label, are refused.
func normaliseHost(host string) (string, *problem) {
	if len(host) > maxHost {
		return "", &problem{InvalidHost, "too long"}
	}
	if strings.HasPrefix(host, "[") {
		name, ok := parseIPv6(strings.TrimSuffix(host[1:], "]"))
		if !ok || !strings.HasSuffix(host, "]") {
			return "", &problem{InvalidHost, "no IPv6 address in the brackets"}
		}
		return name, nil
	}
	if strings.IndexByte(host, '%') >= 0 {
		unquoted, bad := unquoteHost(host)
		if bad != nil {
			return "", bad
		}
		host = unquoted
	}
	if bad := checkHostChars(host); bad != nil {
		return "", bad
	}
	host = ascii.Lower(host)
	if strings.Contains(host, "*") || strings.HasPrefix(host, ".") {
		return "", &problem{InvalidHost, invalidLabel}
	}
	if strings.Contains(host, "xn--") || !ascii.Only(host) {
		encoded, bad := encodeLabels(host)
		if bad != nil {
			return "", bad
		}
		if host = encoded; len(host) > maxHost {
			return "", &problem{InvalidHost, "too long"}
		}
	}
	if _, ok := canonicalIPv4(host); !ok {
		return "", &problem{AmbiguousHost, "it ends in a number and is not an IPv4 address"}
	}
	return host, nil
}

// ASCIIHost returns a host in the form of [URL].Host: ASCII, in lower case, an IPv6
// address without brackets, an IPv4 address in dotted form. It is "" for what is not
// a host, a host with a port included.
func ASCIIHost(host string) string {
	if strings.ContainsAny(host, "/?#\\@") || host == "" {
		return ""
	}
	name, bad := normaliseHost(host)
	if bad != nil {
		return ""
	}
	name, _ = canonicalIPv4(name)
	return name
}

func unquoteHost(host string) (string, *problem) {
	unquoted, err := UnquoteUnreserved(host)
	switch {
	case err != nil || !allEscaped(host):
		return "", &problem{InvalidHost, "broken percent-escape"}
	case strings.IndexByte(unquoted, '%') >= 0:
		return "", &problem{AmbiguousHost, "percent-escape"}
	}
	return unquoted, nil
}

func checkHostChars(host string) *problem {
	for i := range len(host) {
		switch c := host[i]; {
		case is(c, control) || c == ' ' || c == '[' || c == ']':
			return &problem{InvalidHost, "forbidden character"}
		case is(c, badInURL) || c == '@' || c == ':':
			return &problem{AmbiguousHost, "forbidden character"}
		}
	}
	return nil
}

func encodeLabels(host string) (string, *problem) {
	labels := strings.Split(host, ".")
	for i, label := range labels {
		encoded, err := encodeLabel(label)
		if err != nil && ascii.Only(label) {
			return "", &problem{AmbiguousHost, "label encodes no name"}
		}
		if err != nil {
			return "", &problem{InvalidHost, "label is not valid in IDNA 2008"}
		}
		labels[i] = encoded
	}
	return strings.Join(labels, "."), nil
}
