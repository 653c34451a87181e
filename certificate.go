package requests

import (
	"cmp"
	"crypto/tls"

	"github.com/mountable/requests/internal/certs"
)

// Certificate is a client certificate with its key. The zero value takes the
// session's, or none. Every file may be PEM, DER or PKCS#12. What the files hold
// at the time of a request counts: one replaced on disk is shown from then on. One
// that cannot be used, or has expired, is [ErrFile]. It is an [Option] and comparable.
type Certificate struct{ is certs.Handle[certs.Client] } // short: every request and pool key has several

func certificateOf(c certs.Client) Certificate { return Certificate{certs.HandleOf(c)} }

// CertFile is a client certificate and its key in one file: PEM, or PKCS#12, whose
// password [Certificate.WithPassword] gives.
func CertFile(path string) Certificate { return certificateOf(certs.Client{CertFile: path}) }

// CertFiles is a client certificate and its key in two PEM files.
func CertFiles(cert, key string) Certificate {
	return certificateOf(certs.Client{CertFile: cert, KeyFile: key})
}

// CertPEM is a client certificate, with its chain, and its key as PEM text.
func CertPEM(cert, key []byte) Certificate {
	return certificateOf(certs.Client{Cert: string(cert), Key: string(key), Given: true})
}

// CertTLS is a client certificate that the caller has loaded. Requests share
// connections only if they use the value of one CertTLS call.
func CertTLS(c tls.Certificate) Certificate { return certificateOf(certs.Loaded(c)) }

// NoCert shows no client certificate, whatever the session says.
var NoCert = certificateOf(certs.Client{None: true})

// WithPassword gives the password of an encrypted key.
func (c Certificate) WithPassword(password string) Certificate {
	is := c.is.Value()
	is.Password = password
	return certificateOf(is)
}

// WithPasswordFunc gives a function that is asked for the password, once, when the
// key is first read. A certificate of CertTLS has no use for one.
func (c Certificate) WithPasswordFunc(ask func() (string, error)) Certificate {
	return certificateOf(c.is.Value().Ask(ask))
}

// Apply makes c the client certificate of r.
func (c Certificate) Apply(r *Request) error {
	r.Send.Cert = c
	return nil
}

// Files returns the paths of the certificate and of the key.
func (c Certificate) Files() (cert, key string) {
	is := c.is.Value()
	return is.CertFile, is.KeyFile
}

// shown names the files and never shows a password or a key.
func (c Certificate) shown() string { return c.is.Value().String() }

func (c Certificate) or(other Certificate) Certificate { return cmp.Or(c, other) }

// load returns the certificate to show, if any. One that has expired is refused.
func (c Certificate) load() ([]tls.Certificate, error) {
	shown, err := c.is.Value().Show(&certStore)
	return shown, wrap(ErrFile, err, "")
}

// reread returns c with what its files hold now, as a part of the pool's key: no
// connection, and no TLS session, of another identity is used for it.
func (c Certificate) reread() (Certificate, error) {
	is := c.is.Value()
	if err := is.Reread(&certStore); err != nil || is.Read == nil {
		return c, wrap(ErrFile, err, "")
	}
	return certificateOf(is), nil
}

// Load reads the certificate, its chain and its key, and checks that they belong
// together. What cannot be used, the zero value included, is [ErrFile]. Leaf is set.
func (c Certificate) Load() (tls.Certificate, error) {
	loaded, err := c.is.Value().Load(&certStore)
	return loaded, wrap(ErrFile, err, "")
}

// check finds files that are not there before anything is sent, for plain http
// as well, as Requests does.
func (c Certificate) check() error {
	is := c.is.Value()
	return wrap(ErrFile, is.Check(), "")
}
