package uri

import "strings"

// secretParams are the query parameters whose values no message shows (rule 39), in
// lower case with hyphens for underscores, and secretEnds what the names of others
// end with.
var (
	secretParams = map[string]bool{
		"key": true, "code": true, "sig": true, "pwd": true, "pass": true, "pin": true, "otp": true, "jwt": true, "sid": true,
		"auth": true, "authorization": true, "session": true, "session-id": true, "sessionid": true, "credentials": true,
		"passphrase": true, "assertion": true, "client-assertion": true, "code-verifier": true, "awsaccesskeyid": true,
	}
	secretEnds = []string{
		"token", "secret", "password", "passwd", "api-key", "apikey", "access-key", "accesskey", "secret-key", "private-key",
		"signature", "credential",
	}
)

// IsSecret reports whether what has this name is not to be shown. Letter case does not matter, nor does whether
// words are joined by hyphens or underscores.
func IsSecret(name string) bool {
	name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
	for _, end := range secretEnds {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return secretParams[name]
}

// redactQuery masks the values of secret parameters in query and fragment.
func redactQuery(s string) string {
	at := strings.IndexAny(s, "?#")
	if at < 0 {
		return s
	}
	var b strings.Builder
	b.WriteString(s[:at])
	for s = s[at:]; s != ""; {
		end := strings.IndexAny(s[1:], "&;?#") + 1
		if end == 0 {
			end = len(s)
		}
		name, value, _ := strings.Cut(s[1:end], "=")
		if value != "" && IsSecret(unquote(name)) {
			b.WriteString(s[:1] + name + "=***")
		} else {
			b.WriteString(s[:end])
		}
		s = s[end:]
	}
	return b.String()
}

// userinfoSpan finds what may be user information: everything between the start
// of the authority and the last "@" before the path. Slashes of any kind and number
// may stand before it. Where what follows a colon is no port, the URL is broken, and
// a password may have ended the authority: then the last "@" of all counts.
func userinfoSpan(s string) (start, at int) {
	if i := schemeLen(s); i > 0 && i+1 < len(s) && isSlash(s[i+1]) {
		start = i + 1
	} else if i := strings.Index(s, "://"); i >= 0 {
		start = i + 1
	}
	for start < len(s) && isSlash(s[start]) {
		start++
	}
	end := start + authorityEnd(s[start:])
	if _, _, _, ok := splitHostPort(s[start:end]); !ok {
		end = len(s)
	}
	at = strings.LastIndexByte(s[start:end], '@')
	if at < 0 {
		return start, -1
	}
	return start, start + at
}

func isSlash(c byte) bool { return c == '/' || c == '\\' }
