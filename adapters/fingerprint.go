package adapters

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/mountable/requests"
)

// Fingerprint accepts only servers whose certificate has the given digest: MD5, SHA-1 or
// SHA-256 of its DER encoding, told apart by the length, in hexadecimal digits of any
// case with or without colons.
//
// As in Requests it takes the place of the check of the host name and not of that of the
// chain: a certificate of an unknown authority needs [requests.CABundle] or
// [requests.Verify](false) besides. Unlike there it holds through proxies as well, and
// text that is not a fingerprint is an error here, not at the first handshake.
func Fingerprint(digest string) (requests.AdapterOption, error) {
	raw, err := parseFingerprint(digest)
	if err != nil {
		return nil, err
	}
	return requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
		if c.Scheme == "https" {
			c.TLS.Fingerprint = raw
		}
		return nil
	}), nil
}

// parseFingerprint returns the raw digest.
func parseFingerprint(text string) (string, error) {
	raw, err := hex.DecodeString(strings.ReplaceAll(text, ":", ""))
	if err != nil {
		return "", invalid("fingerprint %q: expected hexadecimal digits, with or without colons", text)
	}
	switch len(raw) {
	case md5.Size, sha1.Size, sha256.Size:
		return string(raw), nil
	}
	return "", invalid("fingerprint %q has %d bytes: expected 16 (MD5), 20 (SHA-1) or 32 (SHA-256)", text, len(raw))
}
