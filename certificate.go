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
type Certificate struct{ is certs.Handle[certificate] }

// certificate is what a Certificate stands for. The handle is short, as every request and
// every pool key carries several, and compares as quickly as a pointer.
type certificate struct {
	certFile, keyFile string
	certData, keyData string
	given             bool // the data counts, even if it is empty
	password          string
	none              bool
	source            *certificateSource
	read              *certs.Identity // what the files held when the connection was planned
}

func certificateOf(c certificate) Certificate { return Certificate{certs.HandleOf(c)} }

// certificateSource holds what is not comparable by value.
type certificateSource struct {
	certificate tls.Certificate
	password    func() (string, error)
}

// CertFile is a client certificate and its key in one PEM file.
func CertFile(path string) Certificate { return certificateOf(certificate{certFile: path}) }

// CertFiles is a client certificate and its key in two PEM files.
func CertFiles(cert, key string) Certificate {
	return certificateOf(certificate{certFile: cert, keyFile: key})
}

// CertPEM is a client certificate, with its chain, and its key as PEM text.
func CertPEM(cert, key []byte) Certificate {
	return certificateOf(certificate{certData: string(cert), keyData: string(key), given: true})
}

// CertPKCS12 is a client certificate, its chain and its key in a PKCS#12 file.
func CertPKCS12(path, password string) Certificate {
	return certificateOf(certificate{certFile: path, password: password})
}

// CertTLS is a client certificate that the caller has loaded. Requests share
// connections only if they use the value of one CertTLS call.
func CertTLS(c tls.Certificate) Certificate {
	return certificateOf(certificate{source: &certificateSource{certificate: c}})
}

// NoCert shows no client certificate, whatever the session says.
var NoCert = certificateOf(certificate{none: true})

// WithPassword gives the password of an encrypted key.
func (c Certificate) WithPassword(password string) Certificate {
	is := c.is.Value()
	is.password = password
	return certificateOf(is)
}

// WithPasswordFunc gives a function that is asked for the password, once, when the
// key is first read. A certificate of CertTLS has no use for one.
func (c Certificate) WithPasswordFunc(ask func() (string, error)) Certificate {
	is := c.is.Value()
	if ask == nil || is.source != nil && is.source.password == nil {
		return c
	}
	is.source = &certificateSource{password: sync.OnceValues(ask)}
	return certificateOf(is)
}

// Apply makes c the client certificate of r.
func (c Certificate) Apply(r *Request) error {
	r.Send.Cert = c
	return nil
}

// Files returns the paths of the certificate and of the key.
func (c Certificate) Files() (cert, key string) {
	is := c.is.Value()
	return is.certFile, is.keyFile
}

// text names the files and never shows a password or a key.
func (c Certificate) shown() string {
	switch is := c.is.Value(); {
	case is == certificate{}, is.none:
		return "none"
	case is.certFile != "" && is.keyFile != "":
		return is.certFile + " with " + is.keyFile
	case is.certFile != "":
		return is.certFile
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
	switch is := c.is.Value(); {
	case is == certificate{}, is.none:
		return nil, nil
	case is.source != nil && is.source.password == nil && len(is.source.certificate.Certificate) == 0:
		return nil, fail(ErrFile, "CertTLS was given no certificate")
	case is.source != nil && is.source.password == nil:
		return []tls.Certificate{is.source.certificate}, nil
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
	is := c.is.Value()
	if is.read != nil {
		return is.read, nil
	}
	identity, err := certStore.Identity(is.files())
	return identity, wrap(ErrFile, err, "")
}

// reread returns c with what its files hold now, as a part of the pool's key: no
// connection, and no TLS session, of another identity is used for it.
func (c Certificate) reread() (Certificate, error) {
	is := c.is.Value()
	if is.certFile == "" && is.keyFile == "" {
		return c, nil
	}
	identity, err := certStore.Identity(is.files())
	is.read = identity
	return certificateOf(is), wrap(ErrFile, err, "")
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

func (c *certificate) files() certs.Source {
	s := certs.Source{CertFile: c.certFile, KeyFile: c.keyFile, Cert: []byte(c.certData), Key: []byte(c.keyData), Password: c.password}
	if c.source != nil {
		s.PasswordFunc, s.Owner = c.source.password, c.source
	}
	return s
}

// check finds files that are not there before anything is sent, for plain http
// as well, as Requests does.
func (c Certificate) check() error {
	is := c.is.Value()
	if is.certFile == "" && is.keyFile == "" {
		return nil
	}
	return wrap(ErrFile, is.files().CheckFiles(), "")
}
