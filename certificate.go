package requests

import (
	"crypto/tls"
	"crypto/x509"
	"sync"
	"time"

	"github.com/mountable/requests/internal/certs"
)

// Certificate is a client certificate with its key. The zero value takes the
// session's, or none. Every file may be PEM, DER or PKCS#12. What the files hold
// at the time of a request counts: one replaced on disk is shown from then on. One
// that cannot be used, or has expired, is [ErrFile]. It is an [Option] and comparable.
type Certificate struct {
	certFile, keyFile string
	certData, keyData string
	given             bool // the data counts, even if it is empty
	password          string
	none              bool
	source            *certificateSource
	read              *certs.Identity // what the files held when the connection was planned
}

// certificateSource holds what is not comparable by value.
type certificateSource struct {
	certificate tls.Certificate
	password    func() (string, error)
}

// CertFile is a client certificate and its key in one PEM file.
func CertFile(path string) Certificate { return Certificate{certFile: path} }

// CertFiles is a client certificate and its key in two PEM files.
func CertFiles(cert, key string) Certificate { return Certificate{certFile: cert, keyFile: key} }

// CertPEM is a client certificate, with its chain, and its key as PEM text.
func CertPEM(cert, key []byte) Certificate {
	return Certificate{certData: string(cert), keyData: string(key), given: true}
}

// CertPKCS12 is a client certificate, its chain and its key in a PKCS#12 file.
func CertPKCS12(path, password string) Certificate {
	return Certificate{certFile: path, password: password}
}

// CertTLS is a client certificate that the caller has loaded. Requests share
// connections only if they use the value of one CertTLS call.
func CertTLS(c tls.Certificate) Certificate {
	return Certificate{source: &certificateSource{certificate: c}}
}

// NoCert shows no client certificate, whatever the session says.
var NoCert = Certificate{none: true}

// WithPassword gives the password of an encrypted key.
func (c Certificate) WithPassword(password string) Certificate {
	c.password = password
	return c
}

// WithPasswordFunc gives a function that is asked for the password, once, when the
// key is first read. A certificate of CertTLS has no use for one.
func (c Certificate) WithPasswordFunc(ask func() (string, error)) Certificate {
	if ask == nil || c.source != nil && c.source.password == nil {
		return c
	}
	c.source = &certificateSource{password: sync.OnceValues(ask)}
	return c
}

// Apply makes c the client certificate of r.
func (c Certificate) Apply(r *Request) error {
	r.Send.Cert = c
	return nil
}

// Files returns the paths of the certificate and of the key.
func (c Certificate) Files() (cert, key string) { return c.certFile, c.keyFile }

// text names the files and never shows a password or a key.
func (c Certificate) shown() string {
	switch {
	case c == Certificate{}, c.none:
		return "none"
	case c.certFile != "" && c.keyFile != "":
		return c.certFile + " with " + c.keyFile
	case c.certFile != "":
		return c.certFile
	}
	return "given as data"
}

func (c Certificate) or(other Certificate) Certificate {
	if c == (Certificate{}) {
		return other
	}
	return c
}

// load returns the certificate to show, if any. One that has expired is refused here, by name: a server only hangs up.
func (c Certificate) load() ([]tls.Certificate, error) {
	switch {
	case c == Certificate{}, c.none:
		return nil, nil
	case c.source != nil && c.source.password == nil && len(c.source.certificate.Certificate) == 0:
		return nil, fail(ErrFile, "CertTLS was given no certificate")
	case c.source != nil && c.source.password == nil:
		return []tls.Certificate{c.source.certificate}, nil
	}
	identity, err := c.identity()
	if err != nil {
		return nil, err
	}
	if err := identity.CheckValidity(time.Now()); err != nil {
		return nil, wrap(ErrFile, err, "client certificate "+c.shown())
	}
	return []tls.Certificate{identity.Certificate}, nil
}

// identity is what the certificate's files, or its data, hold.
func (c Certificate) identity() (*certs.Identity, error) {
	if c.read != nil {
		return c.read, nil
	}
	identity, err := certStore.Identity(c.files())
	return identity, wrap(ErrFile, err, "")
}

// reread returns c with what its files hold now, as a part of the pool's key: no
// connection, and no TLS session, of another identity is used for it.
func (c Certificate) reread() (Certificate, error) {
	if c.certFile == "" && c.keyFile == "" {
		return c, nil
	}
	c.read = nil
	identity, err := c.identity()
	c.read = identity
	return c, err
}

// Load reads the certificate, its chain and its key, and checks that they belong
// together. What cannot be used, the zero value included, is [ErrFile]. Leaf is set.
func (c Certificate) Load() (tls.Certificate, error) {
	loaded, err := c.load()
	switch {
	case err != nil:
		return tls.Certificate{}, err
	case len(loaded) == 0:
		return tls.Certificate{}, fail(ErrFile, "no client certificate is given")
	case loaded[0].Leaf == nil && len(loaded[0].Certificate) > 0:
		leaf, err := x509.ParseCertificate(loaded[0].Certificate[0])
		if err != nil {
			return tls.Certificate{}, wrap(ErrFile, err, "the client certificate cannot be read")
		}
		loaded[0].Leaf = leaf
	}
	return loaded[0], nil
}

func (c Certificate) files() certs.Source {
	s := certs.Source{CertFile: c.certFile, KeyFile: c.keyFile, Cert: []byte(c.certData), Key: []byte(c.keyData), Password: c.password}
	if c.source != nil {
		s.PasswordFunc, s.Owner = c.source.password, c.source
	}
	return s
}

// check finds files that are not there before anything is sent, for plain http
// as well, as Requests does.
func (c Certificate) check() error {
	if c.certFile == "" && c.keyFile == "" {
		return nil
	}
	return wrap(ErrFile, c.files().CheckFiles(), "")
}
