package http3

import (
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
	host string // "" for the origin's
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
	authority, ok = strings.CutSuffix(authority, `"`)
	colon := strings.LastIndexByte(authority, ':')
	if !ok || colon < 0 || strings.ContainsAny(authority, "\"\\/@?# \t") {
		return s, false
	}
	s.host = authority[:colon]
	s.port, ok = number(authority[colon+1:], 65535)
	if s.age = defaultAge; s.port == 0 || !ok {
		return s, false
	}
	for param := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.Trim(param, " \t"), "=")
		if ascii.EqualFold(name, "ma") {
			seconds, ok := number(strings.Trim(value, `"`), int(mostAge/time.Second))
			if !ok {
				return s, false
			}
			s.age = time.Duration(seconds) * time.Second
		}
	}
	return s, true
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
