package adapters

import (
	"crypto/tls"
	"fmt"

	"github.com/mountable/requests"
)

// SSLVersion bounds the version of TLS towards the origin: [tls.VersionTLS10] to
// [tls.VersionTLS13]. A bound of 0 is the default one, TLS 1.2 below and the newest
// above. The toolbelt's SSLAdapter(v) is SSLVersion(v, v). What crypto/tls does not
// speak, SSL 3.0 first of all, is an error.
func SSLVersion(lowest, highest uint16) (requests.AdapterOption, error) {
	if err := checkVersion("lowest", lowest); err != nil {
		return nil, err
	}
	if err := checkVersion("highest", highest); err != nil {
		return nil, err
	}
	if lowest == 0 && highest != 0 {
		lowest = min(tls.VersionTLS12, highest)
	}
	if highest != 0 && lowest > highest {
		return nil, invalid("SSLVersion: lowest is %s, above highest, %s", tls.VersionName(lowest), tls.VersionName(highest))
	}
	return requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
		if c.Scheme == "https" {
			c.TLS.MinVersion, c.TLS.MaxVersion = lowest, highest
		}
		return nil
	}), nil
}

const versionSSL30 = 0x0300 // what the deprecated tls.VersionSSL30 is

func checkVersion(argument string, version uint16) error {
	switch version {
	case 0, tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13:
		return nil
	case versionSSL30, 0x0002:
		return invalid("SSLVersion: %s is SSL %d.0, which is broken and not spoken: expected TLS 1.0 to 1.3", argument, max(version>>8, 2))
	}
	return invalid("SSLVersion: %s is %s: expected TLS 1.0 to 1.3, or 0 for the default", argument, fmt.Sprintf("%#04x", version))
}
