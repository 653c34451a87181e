package adapters

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/mountable/requests"
)

// HostHeaderSSL takes the name a server's certificate must have, and the one that SNI
// announces, from the request's Host header, where there is one: for servers that are
// addressed by IP. A port is cut off, with which no certificate could match. The name is
// part of the connection, so requests at the same time cannot disturb each other, and
// it holds through proxies as well. A Host header that is not a host is
// [requests.ErrInvalidHeader].
func HostHeaderSSL() requests.AdapterOption {
	return requests.ConfigureConn(func(c *requests.ConnConfig, p *requests.PreparedRequest) error {
		values := p.Headers.Values("Host")
		if len(values) == 0 || c.Scheme != "https" {
			return nil
		}
		name, err := hostOf(values[0])
		if err == nil && name != "" {
			c.TLS.ServerName, c.TLS.VerifyName = name, name
		}
		return err
	})
}

// hostOf returns the host of a Host header (RFC 9110 section 7.2) in lower case,
// without port and brackets.
func hostOf(header string) (string, error) {
	host := strings.ToLower(strings.Trim(header, " \t"))
	if inner, ok := strings.CutPrefix(host, "["); ok {
		literal, rest, closed := strings.Cut(inner, "]")
		address, err := netip.ParseAddr(literal)
		if !closed || err != nil || !address.Is6() || rest != "" && !isPort(rest) {
			return "", badHost(header)
		}
		return literal, nil
	}
	if i := strings.IndexByte(host, ':'); i >= 0 {
		if !isPort(host[i:]) {
			return "", badHost(header)
		}
		host = host[:i]
	}
	if strings.ContainsFunc(host, notHost) {
		return "", badHost(header)
	}
	return host, nil
}

func notHost(r rune) bool {
	return !('a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '-' || r == '.' || r == '_')
}

// isPort reports whether s is a colon and digits, of which there may be none.
func isPort(s string) bool { return s[0] == ':' && strings.Trim(s[1:], "0123456789") == "" }

func badHost(header string) error {
	return &requests.Error{Kind: requests.ErrInvalidHeader, Detail: "Host header " + strconv.QuoteToASCII(header) + " is not a host name, with or without a port"}
}
