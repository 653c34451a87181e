package uri

import "testing"

// TestIPv6EndsInIPv4: an IPv6 address may end in four decimal numbers, with a zone or without.
func TestIPv6EndsInIPv4(t *testing.T) {
	for url, want := range map[string]string{
		"http://[::ffff:127.0.0.1]/":     "::ffff:127.0.0.1",
		"http://[::FFFF:127.0.0.1]:80/":  "::ffff:127.0.0.1",
		"http://[64:ff9b::10.0.0.1]/":    "64:ff9b::10.0.0.1",
		"http://[fe80::1%251.2.3.4]/":    "fe80::1%1.2.3.4",
		"http://[::1.2.3.4%25eth0.1]:1/": "::1.2.3.4%eth0.1",
	} {
		u, err := Parse(url)
		if err != nil || u.Host != want {
			t.Errorf("%s: host %q, %v; want %q", url, u.Host, err, want)
		}
		if prepared, err := Prepare(url, nil); err != nil {
			t.Errorf("%s: prepared as %q, %v", url, prepared, err)
		}
	}
}
