package secret

import (
	"strings"

	"github.com/mountable/requests/internal/ascii"
)

// schemes may be shown before credentials; another first word may be the secret itself.
var schemes = set(`basic bearer digest negotiate ntlm token aws4-hmac-sha256 hawk oauth dpop gnap apikey
	scram-sha-1 scram-sha-256 hoba mutual vapid privatetoken kerberos sharedkey`)

// addresses are fields that hold URLs.
var addresses = set("location content-location referer refresh link x-original-url x-original-uri x-rewrite-url x-forwarded-uri x-forwarded-url x-request-uri destination")

// Field masks what is secret in a header field: all of the value, but for the scheme of
// credentials, the names and attributes of cookies, the parameters of a challenge, and
// what of a URL is not secret.
func (n *Names) Field(name, value string) string {
	if value == "" || n.none {
		return value
	}
	if n.chosen(join(words(name))) {
		return Mask
	}
	name = ascii.Lower(ascii.TrimBlanks(name))
	switch name {
	case "authorization", "proxy-authorization":
		return credentials(value)
	case "www-authenticate", "proxy-authenticate":
		return challenges(value)
	case "cookie":
		return cookies(value, len(value))
	case "set-cookie", "set-cookie2":
		return cookies(value, 1)
	}
	switch {
	case n.Is(name):
		return Mask
	case addresses[name], strings.Contains(value, "://"):
		return n.Text(value)
	}
	return value
}

// Fields returns a copy of header fields, their secrets masked.
func (n *Names) Fields(fields [][2]string) [][2]string {
	masked := make([][2]string, len(fields))
	for i, f := range fields {
		masked[i] = [2]string{f[0], n.Field(f[0], f[1])}
	}
	return masked
}

func credentials(value string) string {
	scheme, rest, ok := strings.Cut(value, " ")
	if ok && rest != "" && schemes[ascii.Lower(scheme)] {
		return scheme + " " + Mask
	}
	return Mask
}

// challenges masks what a scheme such as Negotiate sends that is not a parameter.
func challenges(value string) string {
	parts := strings.Split(value, ",")
	for i, part := range parts {
		text := strings.TrimLeft(part, " \t")
		scheme, rest, _ := strings.Cut(text, " ")
		if rest = ascii.TrimBlanks(rest); rest != "" && !strings.Contains(strings.TrimRight(rest, "="), "=") {
			parts[i] = part[:len(part)-len(text)] + scheme + " " + Mask
		}
	}
	return strings.Join(parts, ",")
}

// cookies masks the values of the first n "name=value" of a list.
func cookies(value string, n int) string {
	pairs := strings.Split(value, ";")
	for i, pair := range pairs[:min(n, len(pairs))] {
		name, _, ok := strings.Cut(pair, "=")
		switch {
		case ok:
			pairs[i] = name + "=" + Mask
		case ascii.TrimBlanks(pair) != "":
			pairs[i] = Mask
		}
	}
	return strings.Join(pairs, ";")
}
