// Package secret knows what is not to be shown: by which names headers, parameters, form
// and JSON fields hold secrets, and how text that holds them is masked. It is the one
// place for both, so that errors, String methods, logs, dumps and cassettes agree.
package secret

import (
	"slices"
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"
)

// Mask stands where a secret was.
const Mask = "***"

// Names says which names are those of secrets. The zero value has the package's own
// list. A Names must not be changed once it is in use.
type Names struct {
	more map[string]bool // further names, folded
	none bool            // nothing is secret
}

// With returns the names of n and further ones. Letter case does not matter, nor how
// the words of a name are joined.
func (n *Names) With(names ...string) *Names {
	more := make(map[string]bool, len(n.more)+len(names))
	for name := range n.more {
		more[name] = true
	}
	for _, name := range names {
		more[strings.Join(words(name), "")] = true
	}
	return &Names{more: more, none: n.none}
}

// None returns a Names by which nothing is secret.
func None() *Names { return &Names{none: true} }

// process holds the names that the program has added for itself.
var process atomic.Pointer[Names]

// Add makes further names secret for the whole process. It is safe for concurrent use.
func Add(names ...string) {
	for {
		old := process.Load()
		if old == nil {
			old = &Names{}
		}
		before := process.Load()
		if process.CompareAndSwap(before, old.With(names...)) {
			return
		}
	}
}

// Default returns the package's names and those that were added for the process.
func Default() *Names {
	if n := process.Load(); n != nil {
		return n
	}
	return &Names{}
}

// Is reports whether what has this name is secret by [Default].
func Is(name string) bool { return Default().Is(name) }

// wholeNames are secret as they stand, their words written together.
var wholeNames = set(
	"authorization", "proxyauthorization", "cookie", "setcookie", "authenticationinfo", "proxyauthenticationinfo",
	"key", "code", "sig", "sign", "auth", "sid", "sessid", "session", "sessionid", "assertion", "ticket", "mac", "hmac",
	"awsaccesskeyid", "googleaccessid", "xauthkey", "authkey", "userkey", "devicecode", "usercode", "authcode", "authorizationcode",
)

// words that make a secret of a name wherever they stand in it.
var anyWord = set("password", "passwd", "passphrase", "passcode", "pwd", "secret", "secrets", "credential", "credentials", "signature", "jwt", "csrf", "xsrf", "apikey")

// words that make a secret of a name whose last word they are.
var lastWord = set("token", "tokens", "pass", "pin", "otp", "totp", "sid", "sessid", "sig", "auth", "authorization", "verifier", "session", "cookie", "assertion", "hmac", "sas")

// qualifiers make a secret of a name when "key" comes behind them.
var keyQualifiers = set("api", "access", "secret", "private", "subscription", "functions", "function", "account", "auth", "encryption", "signing", "shared", "license", "master", "consumer", "app", "service", "host", "storage", "session")

// endings make a secret of a name whose words are written together.
var endings = []string{
	"token", "secret", "password", "passwd", "passphrase", "passcode", "apikey", "accesskey", "accesskeyid", "secretkey", "privatekey",
	"subscriptionkey", "functionskey", "credential", "credentials", "signature", "sessionid", "sessid",
}

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, name := range names {
		m[name] = true
	}
	return m
}

// Is reports whether what has this name is secret. Names are read by their words, however
// these are joined: client_secret, client-secret, clientSecret and CLIENTSECRET are one.
func (n *Names) Is(name string) bool {
	if n.none || name == "" {
		return false
	}
	w := words(name)
	if len(w) == 0 {
		return false
	}
	joined := strings.Join(w, "")
	if wholeNames[joined] || n.more[joined] || slices.ContainsFunc(w, func(word string) bool { return anyWord[word] }) {
		return true
	}
	last := w[len(w)-1]
	if last == "id" && len(w) > 1 {
		return secretID(w)
	}
	if lastWord[last] || last == "key" && len(w) > 1 && keyQualifiers[w[len(w)-2]] {
		return true
	}
	return slices.ContainsFunc(endings, func(end string) bool { return strings.HasSuffix(last, end) || strings.HasSuffix(joined, end) })
}

// secretID tells the identifiers that are as good as what they name.
func secretID(w []string) bool {
	before := w[len(w)-2]
	return before == "session" || before == "key" && len(w) > 2 && w[len(w)-3] == "access"
}

// words splits a name where its words meet: at what is not a letter or digit, and where
// a small letter is followed by a capital one.
func words(name string) []string {
	var all []string
	start, before := -1, rune(0)
	cut := func(end int) {
		if start >= 0 {
			word := strings.TrimRight(strings.ToLower(name[start:end]), "0123456789")
			if word == "" {
				word = name[start:end]
			}
			all = append(all, word)
			start = -1
		}
	}
	for i, r := range name {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			cut(i)
		case start >= 0 && unicode.IsUpper(r) && (unicode.IsLower(before) || unicode.IsUpper(before) && nextIsLower(name[i:])):
			cut(i)
			start = i
		case start < 0:
			start = i
		}
		before = r
	}
	cut(len(name))
	return all
}

// nextIsLower reports whether the second letter of s is a small one, as in "Token" of "XToken".
func nextIsLower(s string) bool {
	_, size := utf8.DecodeRuneInString(s)
	next, _ := utf8.DecodeRuneInString(s[size:])
	return unicode.IsLower(next)
}
