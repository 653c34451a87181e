package adapters

import (
	"regexp"
	"slices"
	"strings"

	"github.com/mountable/requests"
)

// redacted stands where a secret was.
const redacted = "REDACTED"

// secretNames are names of headers, parameters, form and JSON fields whose values are
// secrets. Hyphens and underscores are alike, and letter case does not matter.
var secretNames = []string{
	"authorization", "proxy-authorization", "www-authenticate", "authentication-info", "cookie", "set-cookie",
	"x-api-key", "api-key", "apikey", "x-auth-token", "x-csrf-token", "x-xsrf-token", "x-amz-security-token", "private-token",
	"access-token", "refresh-token", "id-token", "auth-token", "token", "password", "passwd", "pwd", "secret", "client-secret",
	"client-assertion", "assertion", "x-amz-signature", "x-amz-credential", "x-goog-signature",
}

// secretPairs are secrets in a query or a form, but common words in JSON.
var secretPairs = []string{"code", "key", "session", "session-id", "sessionid", "sid", "sig", "signature", "jwt", "otp", "pin", "pass", "auth"}

// secretEnds are what the names of other secrets end with.
var secretEnds = []string{"token", "secret", "password", "passwd", "passphrase", "api-key", "apikey", "access-key", "secret-key", "private-key", "subscription-key", "credential"}

// secrets is a set of such names.
type secrets struct {
	keep  bool // redact nothing
	names []string
	json  *regexp.Regexp // "name": "value" for any of them
	part  *regexp.Regexp // and as a part of a multipart body
}

func newSecrets(more ...string) *secrets {
	s := &secrets{}
	var alternatives []string
	for _, name := range slices.Concat(secretNames, more) {
		name = foldName(name)
		s.names = append(s.names, name)
		alternatives = append(alternatives, strings.ReplaceAll(regexp.QuoteMeta(name), "-", "[-_]?"))
	}
	s.names = append(s.names, secretPairs...)
	for _, end := range secretEnds {
		alternatives = append(alternatives, `[^"\\]*`+strings.ReplaceAll(end, "-", "[-_]?"))
	}
	names := strings.Join(alternatives, "|")
	s.json = regexp.MustCompile(`(?i)("(?:` + names + `)"\s*:\s*)"(?:[^"\\]|\\.)*"`)
	s.part = regexp.MustCompile(`(?is)(; name="(?:` + names + `)".*?\r\n\r\n).*?(\r\n--)`)
	return s
}

func foldName(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "-")) }

func (s *secrets) has(name string) bool {
	name = foldName(name)
	return !s.keep && (slices.Contains(s.names, name) || slices.ContainsFunc(secretEnds, func(end string) bool { return strings.HasSuffix(name, end) }))
}

// defaultSecrets are what logs and messages leave out.
var defaultSecrets = newSecrets()

// redactURL leaves user info and the values of secret parameters out of a URL.
func redactURL(raw string) string { return defaultSecrets.url(raw) }

func (s *secrets) url(raw string) string {
	if s.keep {
		return raw
	}
	start := 0
	if i := strings.Index(raw, ":"); i >= 0 && strings.HasPrefix(raw[i+1:], "/") {
		start = i + 1
	}
	start += len(raw[start:]) - len(strings.TrimLeft(raw[start:], `/\`))
	if at := userEnd(raw[start:]); at >= 0 {
		raw = raw[:start] + redacted + raw[start+at:]
	}
	i := strings.IndexAny(raw, "?#")
	if i < 0 {
		return raw
	}
	return raw[:i+1] + s.pairs(raw[i+1:])
}

// userEnd finds the "@" behind user info, -1 if there is none. Where what follows a
// colon is no port, the URL is broken, and a password may have ended the authority.
func userEnd(s string) int {
	end := strings.IndexAny(s, "/?#")
	if end < 0 {
		end = len(s)
	}
	_, port, _ := strings.Cut(s[:end], ":")
	if !strings.HasPrefix(s, "[") && strings.Trim(port, "0123456789") != "" {
		end = len(s)
	}
	return strings.LastIndexByte(s[:end], '@')
}

// pairs redacts text like a=1&b=2.
func (s *secrets) pairs(text string) string {
	var b strings.Builder
	for text != "" {
		end := strings.IndexAny(text, "&;?#")
		if end < 0 {
			end = len(text)
		}
		name, value, _ := strings.Cut(text[:end], "=")
		if value != "" && s.has(string(unescape(name))) {
			b.WriteString(name + "=" + redacted)
		} else {
			b.WriteString(text[:end])
		}
		if end < len(text) {
			b.WriteByte(text[end])
			end++
		}
		text = text[end:]
	}
	return b.String()
}

// addresses are headers that hold URLs.
var addresses = []string{"location", "content-location", "referer", "refresh", "link"}

// headers returns a copy without secret values. Cookies that are set keep their names
// and attributes.
func (s *secrets) headers(h requests.Headers) requests.Headers {
	h = h.Clone()
	for i, f := range h {
		switch {
		case slices.Contains(addresses, strings.ToLower(f[0])):
			h[i][1] = s.url(f[1])
		case !s.has(f[0]):
		case strings.EqualFold(f[0], "Set-Cookie"):
			cookie, attributes, more := strings.Cut(f[1], ";")
			name, _, _ := strings.Cut(cookie, "=")
			h[i][1] = name + "=" + redacted
			if more {
				h[i][1] += ";" + attributes
			}
		default:
			h[i][1] = redacted
		}
	}
	return h
}

// body redacts what is text of a form, of its parts, or JSON.
func (s *secrets) body(kind string, data []byte) []byte {
	kind = strings.ToLower(kind)
	switch {
	case s.keep:
	case strings.Contains(kind, "x-www-form-urlencoded"):
		return []byte(s.pairs(string(data)))
	case strings.Contains(kind, "multipart/"):
		return s.part.ReplaceAll(data, []byte(`${1}`+redacted+`${2}`))
	case strings.Contains(kind, "json"):
		return s.json.ReplaceAll(data, []byte(`${1}"`+redacted+`"`))
	}
	return data
}
