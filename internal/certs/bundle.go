package certs

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"encoding/pem"
	"fmt"
)

// Bundle is a set of authorities. It is immutable and safe for concurrent use.
type Bundle struct {
	// Pool holds the authorities and nothing else: they replace the system's.
	Pool *x509.CertPool
	// Key identifies the content: two bundles with one key hold the same certificates.
	Key string
	// Count is the number of certificates read.
	Count int
}

// ParseBundle reads authorities from PEM, or from DER where there is no PEM. Text between the
// blocks, other kinds of blocks, and certificates this platform cannot read are skipped; a bundle
// without a single certificate is an error. Nothing is cached; see Store.
func ParseBundle(content []byte) (*Bundle, error) {
	b, err := parseBundle([][]byte{content})
	if err != nil {
		return nil, &Error{What: "CA bundle", Err: err}
	}
	return b, nil
}

func parseBundle(contents [][]byte) (*Bundle, error) {
	b := &Bundle{Pool: x509.NewCertPool(), Key: contentKey(contents)}
	var first error
	for _, content := range contents {
		n, err := b.add(content)
		if b.Count += n; first == nil {
			first = err
		}
	}
	switch {
	case b.Count > 0:
		return b, nil
	case first != nil:
		return nil, fmt.Errorf("%w: %w", ErrNoCertificate, first)
	}
	return nil, ErrNoCertificate
}

// add puts the certificates of one file into the pool. The error is the first one's that could not be read.
func (b *Bundle) add(content []byte) (n int, first error) {
	for _, der := range certificateBlocks(content) {
		cert, err := x509.ParseCertificate(der)
		if err == nil {
			b.Pool.AddCert(cert)
			n++
		} else if first == nil {
			first = err
		}
	}
	return n, first
}

// certificateBlocks returns the DER of every certificate in content, in order.
func certificateBlocks(content []byte) (blocks [][]byte) {
	if !bytes.Contains(content, []byte("-----BEGIN ")) {
		return splitDER(content)
	}
	for rest := content; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return blocks
		}
		switch block.Type {
		case "CERTIFICATE", "X509 CERTIFICATE":
			blocks = append(blocks, block.Bytes)
		case "TRUSTED CERTIFICATE": // OpenSSL's own kind: trust settings follow the certificate
			if values := splitDER(block.Bytes); len(values) > 0 {
				blocks = append(blocks, values[0])
			}
		}
	}
}

// splitDER cuts content into its DER values; what is not DER is returned whole, for the parser to say so.
func splitDER(content []byte) (values [][]byte) {
	for rest := content; len(rest) > 0; {
		var v asn1.RawValue
		next, err := asn1.Unmarshal(rest, &v)
		if err != nil {
			return append(values, rest)
		}
		values, rest = append(values, v.FullBytes), next
	}
	return values
}

func contentKey(contents [][]byte) string {
	h := sha256.New()
	for _, c := range contents {
		sum := sha256.Sum256(c)
		h.Write(sum[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}
