package cookie

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/cases"
)

// FuzzNetHTTP compares Set-Cookie fields with net/http's parser, where it takes them: name,
// value, path, and the two flags. It is stricter about values, cuts quotes, keeps blanks before a value, and knows no
// cookies without a name; dates and domains are read by other rules (RFC 6265bis).
func FuzzNetHTTP(f *testing.F) {
	for _, field := range sampleFields {
		f.Add(field)
	}
	for _, seed := range append(cases.Seeds("cookies.json", "cases", "set_cookie"), cases.FieldSeeds("Set-Cookie")...) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, field string) {
		theirs, err := http.ParseSetCookie(field)
		if err != nil || theirs.Quoted || len(theirs.Name)+len(theirs.Value) > maxSize || hasControl(field) {
			return
		}
		ours, ok := parseSetCookie(field, time.Now())
		if !ok || ours.Name != theirs.Name || ours.Value != strings.Trim(theirs.Value, " \t") {
			t.Errorf("%q: %v, %q=%q, net/http says %q=%q", field, ok, ours.Name, ours.Value, theirs.Name, theirs.Value)
		}
		if _, attributes, _ := strings.Cut(field, ";"); isOdd(attributes) {
			return
		}
		if lower := strings.ToLower(field); strings.Count(lower, "secure") == 1 && ours.Secure != theirs.Secure || strings.Count(lower, "httponly") == 1 && ours.HTTPOnly != theirs.HttpOnly {
			t.Errorf("%q: Secure %v, HttpOnly %v, net/http says %v, %v", field, ours.Secure, ours.HTTPOnly, theirs.Secure, theirs.HttpOnly)
		}
	})
}

// isOdd reports whether attributes have what net/http does not take: a blank behind a name, which
// RFC 6265bis takes away, or in a value what is in no cookie, though Secure has no use for a value.
func isOdd(attributes string) bool {
	for attribute := range strings.SplitSeq(attributes, ";") {
		name, value, _ := strings.Cut(attribute, "=")
		if strings.TrimRight(name, " \t") != name || strings.ContainsAny(value, " \t\",\\") || !ascii.Only(value) {
			return true
		}
	}
	return false
}
