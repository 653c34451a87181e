package certs

import (
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"os"
	"time"
)

// Identity is a client certificate with its chain and key. It is immutable and safe for concurrent use.
type Identity struct {
	// Certificate is ready for tls.Config; Leaf is set.
	Certificate tls.Certificate
	// Key identifies the chain, and with its leaf the private key.
	Key string
}

// Source says where a client certificate is. Every input may be PEM, DER, or for the certificate PKCS #12, which
// brings its own key. The first certificate is the client's, the others are sent as its chain.
type Source struct {
	// CertFile holds the certificate, and the key as well where KeyFile is "".
	CertFile, KeyFile string
	// Cert and Key, where not empty, are contents instead of files.
	Cert, Key []byte
	// Password opens an encrypted key or PKCS #12.
	Password string
	// PasswordFunc is asked where Password is "" and one is needed, once a load.
	PasswordFunc func() (string, error)
	// Owner, which is comparable, stands for PasswordFunc in a Store.
	Owner any
}

// Load reads and checks the source. Every error is an *Error.
func (s Source) Load() (*Identity, error) {
	id, _, err := s.load()
	return id, err
}

// ValidityError is a certificate used outside its dates.
type ValidityError struct {
	Subject             string
	NotBefore, NotAfter time.Time
	Now                 time.Time
}

func (e *ValidityError) Error() string {
	if e.Now.Before(e.NotBefore) {
		return fmt.Sprintf("%s is not valid before %s", e.Subject, e.NotBefore.UTC().Format(time.RFC3339))
	}
	return fmt.Sprintf("%s has expired on %s", e.Subject, e.NotAfter.UTC().Format(time.RFC3339))
}

// CheckValidity returns a *ValidityError if the leaf is not valid at that time.
func (id *Identity) CheckValidity(now time.Time) error {
	leaf := id.Certificate.Leaf
	if now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		return &ValidityError{leaf.Subject.String(), leaf.NotBefore, leaf.NotAfter, now}
	}
	return nil
}

// CheckFiles returns an *Error for the first file that is not there, without reading any: certificate, then key.
func (s Source) CheckFiles() error {
	for _, f := range [...][2]string{{"client certificate", s.CertFile}, {"private key", s.KeyFile}} {
		if f[1] == "" {
			continue
		}
		if _, err := os.Stat(f[1]); err != nil {
			return &Error{What: f[0], Path: f[1], Err: err}
		}
	}
	return nil
}

// load also returns the state of each file, the certificate's first.
func (s Source) load() (*Identity, []stamp, error) {
	var stamps []stamp
	read := func(what, path string, content []byte) ([]byte, error) {
		if len(content) > 0 || path == "" {
			return content, nil
		}
		content, stamp, err := readFile(path)
		if err != nil {
			return nil, &Error{What: what, Path: path, Err: err}
		}
		stamps = append(stamps, stamp)
		return content, nil
	}
	cert, err := read("client certificate", s.CertFile, s.Cert)
	if err != nil {
		return nil, nil, err
	}
	key, err := read("private key", s.KeyFile, s.Key)
	if err != nil {
		return nil, nil, err
	}
	id, err := s.assemble(cert, key)
	return id, stamps, err
}

// assemble makes the identity of the contents; key is empty where the certificate's file holds it.
func (s Source) assemble(cert, key []byte) (*Identity, error) {
	password := s.passwords()
	chain, signer, err := decodeCertificate(cert, password)
	if err != nil {
		return nil, &Error{What: "client certificate", Path: s.CertFile, Err: err}
	}
	if signer == nil {
		path := s.KeyFile
		if path == "" && len(s.Key) == 0 {
			key, path = cert, s.CertFile
		}
		if signer, err = decodeKey(key, password); err != nil {
			return nil, &Error{What: "private key", Path: path, Err: err}
		}
	}
	if !belongs(signer, chain[0]) {
		path := s.KeyFile
		if path == "" {
			path = s.CertFile
		}
		return nil, &Error{What: "private key", Path: path, Err: ErrKeyMismatch}
	}
	return newIdentity(chain, signer), nil
}

// passwords returns a function that asks at most once.
func (s Source) passwords() func() (string, error) {
	asked, known := false, s.Password
	return func() (string, error) {
		if known == "" && !asked && s.PasswordFunc != nil {
			answer, err := s.PasswordFunc()
			if err != nil {
				return "", fmt.Errorf("asking for the password: %w", err)
			}
			known = answer
		}
		asked = true
		return known, nil
	}
}

func newIdentity(chain []*x509.Certificate, signer crypto.Signer) *Identity {
	c := tls.Certificate{PrivateKey: signer, Leaf: chain[0]}
	for _, cert := range chain {
		c.Certificate = append(c.Certificate, cert.Raw)
	}
	return &Identity{Certificate: c, Key: contentKey(c.Certificate)}
}

// belongs reports whether the key is the certificate's.
func belongs(signer crypto.Signer, cert *x509.Certificate) bool {
	public, ok := signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(cert.PublicKey)
}

// decodeCertificate reads a chain, and a key with it where the content is PKCS #12.
func decodeCertificate(content []byte, password func() (string, error)) ([]*x509.Certificate, crypto.Signer, error) {
	if isPKCS12(content) {
		return decodePKCS12(content, password)
	}
	var chain []*x509.Certificate
	for _, der := range certificateBlocks(content) {
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, nil, fmt.Errorf("certificate %d: %w", len(chain)+1, err)
		}
		chain = append(chain, cert)
	}
	if len(chain) == 0 {
		return nil, nil, ErrNoCertificate
	}
	return chain, nil, nil
}

// isPKCS12 recognises PFX ::= SEQUENCE { version INTEGER 3, … } (RFC 7292 4).
func isPKCS12(content []byte) bool {
	var pfx struct {
		Version int
		Rest    asn1.RawValue
	}
	_, err := asn1.Unmarshal(content, &pfx)
	return err == nil && pfx.Version == 3
}
