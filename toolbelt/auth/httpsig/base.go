package httpsig

import (
	"cmp"
	"net/url"
	"strings"

	"github.com/mountable/requests"
)

// base is what is signed, and the parameters of the signature (RFC 9421 section 2.5).
func (a *Auth) base(p *requests.PreparedRequest, components []string) (base, params string, err error) {
	u, err := url.Parse(p.URL)
	if err != nil {
		return "", "", &requests.Error{Kind: requests.ErrInvalidURL, Detail: "httpsig: the URL cannot be read"}
	}
	var b strings.Builder
	identifiers := make([]string, len(components))
	for i, component := range components {
		name, parameter, _ := strings.Cut(component, ";")
		value, err := valueOf(p, u, name, parameter)
		if err != nil {
			return "", "", err
		}
		identifiers[i] = quoted(strings.ToLower(name))
		if parameter != "" {
			identifiers[i] += ";" + parameter
		}
		b.WriteString(identifiers[i] + ": " + value + "\n")
	}
	params = a.params(identifiers)
	return b.String() + `"@signature-params": ` + params, params, nil
}

func valueOf(p *requests.PreparedRequest, u *url.URL, name, parameter string) (string, error) {
	switch {
	case name == "@query-param":
		return queryParam(u, parameter)
	case parameter != "":
		return "", fail("the parameter %q of component %q is not supported", parameter, name)
	case strings.HasPrefix(name, "@"):
		return derived(p, u, name)
	}
	return fieldValue(p, name)
}

// derived are the components that are not fields (section 2.2).
func derived(p *requests.PreparedRequest, u *url.URL, name string) (string, error) {
	switch name {
	case "@method":
		return p.Method, nil
	case "@target-uri":
		target := *u
		target.Fragment, target.RawFragment, target.User = "", "", nil
		target.Host, target.Path = authority(u.Host, u.Scheme), cmp.Or(target.Path, "/")
		return target.String(), nil
	case "@authority":
		return authority(cmp.Or(p.Headers.Get("Host"), u.Host), u.Scheme), nil
	case "@scheme":
		return strings.ToLower(u.Scheme), nil
	case "@request-target":
		return p.Target(), nil
	case "@path":
		return cmp.Or(u.EscapedPath(), "/"), nil
	case "@query":
		return "?" + u.RawQuery, nil
	}
	return "", fail("component %q is not one of a request", name)
}

// authority is a host in lower case and without the default port (section 2.2.3).
func authority(host, scheme string) string {
	host = strings.ToLower(host)
	switch strings.ToLower(scheme) {
	case "http":
		return strings.TrimSuffix(host, ":80")
	case "https":
		return strings.TrimSuffix(host, ":443")
	}
	return host
}

// queryParam is the value of a parameter that occurs once, encoded again (section 2.2.8).
func queryParam(u *url.URL, parameter string) (string, error) {
	name, ok := strings.CutPrefix(parameter, `name="`)
	name, closed := strings.CutSuffix(name, `"`)
	if !ok || !closed {
		return "", fail(`component "@query-param" needs ;name="…", and has %q`, parameter)
	}
	var values []string
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		key, value, _ := strings.Cut(pair, "=")
		if encodeParam(key) == name {
			values = append(values, encodeParam(value))
		}
	}
	if len(values) != 1 {
		return "", fail("the query has parameter %q %d times, and once is wanted", name, len(values))
	}
	return values[0], nil
}

// encodeParam decodes what a query has and encodes it as a URL does.
func encodeParam(s string) string {
	plain, err := url.QueryUnescape(s)
	if err != nil {
		plain = s
	}
	return strings.ReplaceAll(url.QueryEscape(plain), "+", "%20")
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
