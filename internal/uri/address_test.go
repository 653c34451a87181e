package uri

import "testing"

func TestAddress(t *testing.T) {
	for _, c := range []struct {
		a, b   string
		origin string // of a
		same   bool
	}{
		{"http://a.test/x", "HTTP://A.test:80/y?z", "http://a.test:80", true},
		{"https://a.test", "https://u:p@a.test:443/", "https://a.test:443", true},
		{"https://a.test", "http://a.test", "https://a.test:443", false},
		{"https://a.test", "https://a.test:444", "https://a.test:443", false},
		{"https://a.test", "https://b.test", "https://a.test:443", false},
		{"http://[::1]:8/", "http://[::1]:8", "http://[::1]:8", true},
		{"not a URL", "not a URL", "", false},
		{"", "", "", false},
		{"http://a.test", "http://a.test:x", "http://a.test:80", false},
	} {
		if origin, same := OriginOf(c.a), ShareOrigin(c.a, c.b); origin != c.origin || same != c.same || ShareOrigin(c.b, c.a) != same {
			t.Errorf("%q and %q: %q, %t, want %q, %t", c.a, c.b, origin, same, c.origin, c.same)
		}
	}
}
