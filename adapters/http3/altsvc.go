package http3

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/fieldvalue"
)

// defaultAge is how long an alternative is fresh that does not say (RFC 7838 section 3.1).
const defaultAge = 24 * time.Hour

// mostAge bounds what a server may say: nobody plans further ahead.
const mostAge = 365 * 24 * time.Hour

// service is an alternative that speaks HTTP/3.
type service struct {
	host string // "" for the origin's; an address has no brackets
	port int
	age  time.Duration
}

// parseAltSvc reads the values of Alt-Svc fields (RFC 7838 section 3): the first alternative
// that speaks HTTP/3, and whether the server takes back what it has said before. Members that
// are malformed, or of protocols that nobody here speaks, are left out.
func parseAltSvc(values []string) (found service, ok, clear bool) {
	for _, value := range values {
		if strings.Trim(value, " \t") == "clear" {
			return service{}, false, true
		}
		for rest := value; rest != "" && !ok; {
			var item string
			item, rest = fieldvalue.CutItem(rest)
			found, ok = parseService(item)
		}
	}
	return found, ok, false
}

// parseService reads one member.
func parseService(item string) (s service, ok bool) {
	item, params, _ := strings.Cut(strings.Trim(item, " \t"), ";")
	authority, ok := strings.CutPrefix(strings.TrimRight(item, " \t"), `h3="`)
	if !ok {
		return s, false
	}
	if authority, ok = strings.CutSuffix(authority, `"`); !ok {
		return s, false
	}
	if s.host, s.port, ok = parseAuthority(authority); !ok {
		return s, false
	}
	s.age, ok = ageOf(params)
	return s, ok
}

// parseAuthority reads a host, which may be missing, and a port. An address is without brackets then;
// one with a zone would mean something else on each machine.
func parseAuthority(text string) (host string, port int, ok bool) {
	colon := strings.LastIndexByte(text, ':')
	if colon < 0 {
		return "", 0, false
	}
	host = text[:colon]
	if port, ok = number(text[colon+1:], 65536); !ok || port == 0 || port > 65535 {
		return "", 0, false
	}
	if inner, literal := strings.CutPrefix(host, "["); literal {
		inner, ok = strings.CutSuffix(inner, "]")
		address, err := netip.ParseAddr(inner)
		return inner, port, ok && err == nil && address.Is6() && address.Zone() == ""
	}
	return host, port, !strings.ContainsFunc(host, notHost)
}

// notHost reports whether r is in no name of a host and no IPv4 address.
func notHost(r rune) bool {
	return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '.' || r == '_')
}

// ageOf reads how long an alternative is fresh. Other parameters are passed over.
func ageOf(params string) (time.Duration, bool) {
	age := defaultAge
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.Trim(param, " \t"), "=")
		if !ascii.EqualFold(name, "ma") {
			continue
		}
		seconds, ok := number(strings.Trim(value, `"`), int(mostAge/time.Second))
		if !ok {
			return 0, false
		}
		age = time.Duration(seconds) * time.Second
	}
	return age, true
}

// number reads digits; what is more than most is that.
func number(text string, most int) (int, bool) {
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	if err != nil || n > most {
		return most, true
	}
	return n, true
}
