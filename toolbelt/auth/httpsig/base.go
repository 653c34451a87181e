package httpsig

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/uri"
)

// base is what is signed, and the parameters of the signature (RFC 9421 section 2.5).
func (a *Auth) base(p *requests.PreparedRequest, components []string) (base, params string, err error) {
	t, err := targetOf(p)
	if err != nil {
		return "", "", err
	}
	var b strings.Builder
	identifiers := make([]string, len(components))
	for i, component := range components {
		name, parameter, _ := strings.Cut(component, ";")
		value, err := valueOf(p, t, name, parameter)
		if err != nil {
			return "", "", err
		}
		identifiers[i] = quoted(name)
		if parameter != "" {
			identifiers[i] += ";" + parameter
		}
		b.WriteString(identifiers[i] + ": " + value + "\n")
	}
	params = a.params(identifiers)
	return b.String() + `"@signature-params": ` + params, params, nil
}

// target is where a request goes, as its server sees it.
type target struct{ scheme, authority, path, query string }

// targetOf reads the request line and the Host field that p will have: that of the caller, or the one of
// the URL. The authority has no default port and is in lower case (section 2.2.3).
func targetOf(p *requests.PreparedRequest) (target, error) {
	u, err := uri.Parse(p.URL)
	if err != nil {
		return target{}, &requests.Error{Kind: requests.ErrInvalidURL, Detail: "httpsig: the URL cannot be read"}
	}
	authority := uri.WithoutDefaultPort(cmp.Or(p.Headers.Get("Host"), u.HostHeader()), u.Scheme)
	t := target{scheme: u.Scheme, authority: strings.ToLower(authority)}
	t.path, t.query, _ = strings.Cut(p.Target(), "?")
	return t, nil
}

func valueOf(p *requests.PreparedRequest, t target, name, parameter string) (string, error) {
	switch {
	case name == "@query-param":
		return t.param(parameter)
	case parameter != "":
		return "", fail("the parameter %q of component %q is not supported", parameter, name)
	case strings.HasPrefix(name, "@"):
		return derived(p, t, name)
	}
	return fieldValue(p, name)
}

// derived are the components that are not fields (section 2.2).
func derived(p *requests.PreparedRequest, t target, name string) (string, error) {
	switch name {
	case "@method":
		return p.Method, nil
	case "@target-uri":
		return t.scheme + "://" + t.authority + p.Target(), nil
	case "@authority":
		return t.authority, nil
	case "@scheme":
		return t.scheme, nil
	case "@request-target":
		return p.Target(), nil
	case "@path":
		return t.path, nil
	case "@query":
		return "?" + t.query, nil
	}
	return "", fail("component %q is not one of a request", name)
}

// param is the value of a parameter that occurs once, encoded again (section 2.2.8).
func (t target) param(parameter string) (string, error) {
	name, ok := strings.CutPrefix(parameter, `name="`)
	name, closed := strings.CutSuffix(name, `"`)
	if !ok || !closed {
		return "", fail(`component "@query-param" needs ;name="…", and has %q`, parameter)
	}
	var values []string
	for pair := range strings.SplitSeq(t.query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if pair != "" && encodeParam(key) == name {
			values = append(values, encodeParam(value))
		}
	}
	if len(values) != 1 {
		return "", fail("the query has parameter %q %d times, and once is wanted; it is named as it is encoded", name, len(values))
	}
	return values[0], nil
}

// encodeParam reads a name or a value as forms are read, and encodes all but letters, digits and *-._
// again: the set of the URL standard for forms, with %20 for a blank.
func encodeParam(s string) string {
	return uri.Escape(strings.ToValidUTF8(decodeParam(s), "\uFFFD"), "*-._")
}

// decodeParam leaves a percent sign that begins no escape as it is.
func decodeParam(s string) string {
	plain := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '+':
			c = ' '
		case c == '%' && i+2 < len(s):
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				c, i = byte(n), i+2
			}
		}
		plain = append(plain, c)
	}
	return string(plain)
}

// fieldValue is the value of a field, its lines joined (section 2.1).
func fieldValue(p *requests.PreparedRequest, name string) (string, error) {
	values := p.Headers.Values(name)
	if values == nil {
		return "", fail("the request has no field %q to be signed", name)
	}
	trimmed := make([]string, len(values))
	for i, v := range values {
		trimmed[i] = strings.Trim(v, " \t")
	}
	return strings.Join(trimmed, ", "), nil
}
