package uri

import "strings"

// normaliseHost returns the host of an http or https URL in the form that
// everything is decided by: ASCII, lower-case, an IPv6 literal without brackets.
// Non-ASCII labels are encoded by strict IDNA 2008. Escapes of unreserved
// characters are decoded; any other escape, and every character that ends or
// splits an authority for some parser, is refused.
func normaliseHost(host string) (name, problem string) {
	if strings.HasPrefix(host, "[") {
		name, ok := parseIPv6(strings.TrimSuffix(host[1:], "]"))
		if !ok || !strings.HasSuffix(host, "]") {
			return "", "no IPv6 address in the brackets"
		}
		return name, ""
	}
	if strings.IndexByte(host, '%') >= 0 {
		unquoted, err := UnquoteUnreserved(host)
		if err != nil || strings.IndexByte(unquoted, '%') >= 0 {
			return "", "percent-escape"
		}
		host = unquoted
	}
	ascii := true
	for i := range len(host) {
		switch c := host[i]; {
		case c >= 0x80:
			ascii = false
		case is(c, control|badInURL) || strings.IndexByte("/?#[]@:", c) >= 0:
			return "", "forbidden character"
		}
	}
	host = lowerASCII(host)
	if !ascii || strings.Contains(host, "xn--") {
		return encodeLabels(host)
	}
	return host, ""
}

func encodeLabels(host string) (name, problem string) {
	labels := strings.Split(host, ".")
	for i, label := range labels {
		encoded, err := encodeLabel(label)
		if err != nil {
			return "", "label is not valid in IDNA 2008"
		}
		labels[i] = encoded
	}
	return strings.Join(labels, "."), ""
}
