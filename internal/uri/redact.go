package uri

import "strings"

// secretParams are the query parameters whose values no message shows (rule 39), in
// lower case with hyphens for underscores.
var secretParams = map[string]bool{
	"access-token": true, "refresh-token": true, "id-token": true, "auth-token": true, "token": true,
	"api-key": true, "apikey": true, "x-api-key": true, "client-secret": true, "secret": true,
	"password": true, "passwd": true, "pwd": true, "signature": true, "sig": true,
	"x-amz-signature": true, "x-amz-credential": true, "x-amz-security-token": true, "x-goog-signature": true,
}

// IsSecret reports whether what has this name is not to be shown. Letter case does not matter, nor does whether
// words are joined by hyphens or underscores.
func IsSecret(name string) bool {
	return secretParams[strings.ReplaceAll(strings.ToLower(name), "_", "-")]
}

// redactQuery masks the values of secret parameters.
func redactQuery(s string) string {
	at := strings.IndexByte(s, '?')
	if at < 0 {
		return s
	}
	query, fragment := s[at+1:], ""
	if i := strings.IndexByte(query, '#'); i >= 0 {
		query, fragment = query[:i], query[i:]
	}
	params := strings.FieldsFunc(query, func(r rune) bool { return r == '&' || r == ';' })
	masked := false
	for i, param := range params {
		name, value, _ := strings.Cut(param, "=")
		if value != "" && IsSecret(unquote(name)) {
			params[i], masked = name+"=***", true
		}
	}
	if !masked {
		return s
	}
	return s[:at+1] + strings.Join(params, "&") + fragment
}
