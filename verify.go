package requests

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"sync"
)

// Verification says how a server's certificate is checked. The zero value takes
// the setting of the next level: call, session, environment (REQUESTS_CA_BUNDLE,
// then CURL_CA_BUNDLE), and in the end the system's roots. It is an [Option] and
// comparable.
type Verification struct {
	mode verifyMode
	file string // a CA file or directory
	pem  string // or the certificates themselves
	pool *x509.CertPool
}

type verifyMode uint8

const (
	verifyInherit verifyMode = iota
	verifyOn
	verifyOff
	verifyBundle
)

// Verify(true) checks certificates against the environment's CA bundle or the
// system's roots, whatever the session says; Verify(false) checks nothing.
func Verify(on bool) Verification {
	if on {
		return Verification{mode: verifyOn}
	}
	return Verification{mode: verifyOff}
}

// CABundle checks certificates against the CAs in a PEM file or in a directory of
// them. They take the place of the system's roots. A path that does not exist or
// holds no certificate is [ErrFile] before connecting.
func CABundle(path string) Verification {
	return Verification{mode: verifyBundle, file: path}
}

// CABundlePEM checks certificates against the CAs in pem.
func CABundlePEM(pem []byte) Verification {
	return Verification{mode: verifyBundle, pem: string(pem)}
}

// CAPool checks certificates against the CAs in pool, under the constraints they
// were added with, and against no others. The pool must not be changed any more;
// requests share connections only if they use the same one. Nil is [ErrFile].
func CAPool(pool *x509.CertPool) Verification {
	return Verification{mode: verifyBundle, pool: pool}
}

// Apply makes v the verification of r.
func (v Verification) Apply(r *Request) error {
	r.Send.Verify = v
	return nil
}

// Enabled reports whether certificates are checked at all.
func (v Verification) Enabled() bool { return v.mode != verifyOff }

// Bundle returns the path given to CABundle, "" otherwise.
func (v Verification) Bundle() string { return v.file }

// String describes v, "on", "off" or the path of the bundle.
func (v Verification) String() string {
	switch {
	case v.mode == verifyOff:
		return "off"
	case v.file != "":
		return v.file
	case v.pem != "":
		return "bundle given as PEM"
	case v.pool != nil:
		return "bundle given as a pool"
	}
	return "on"
}

func (v Verification) or(other Verification) Verification {
	if v.mode == verifyInherit {
		return other
	}
	return v
}

// undecided reports whether the environment may name the roots.
func (v Verification) undecided() bool { return v.mode == verifyInherit || v.mode == verifyOn }

// mergeVerify applies the precedence of rule 48, or Requests' if Policy says so.
func (s *Session) mergeVerify(call Verification) Verification {
	if s.Policy.EnvironmentCAFirst && call.undecided() {
		if v := s.environmentVerify(); v.mode == verifyBundle {
			return v
		}
		return call.or(s.Verify)
	}
	v := call.or(s.Verify)
	if v.undecided() {
		return s.environmentVerify().or(v)
	}
	return v
}

func (s *Session) environmentVerify() Verification {
	if !s.TrustEnv {
		return Verification{}
	}
	for _, name := range []string{"REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"} {
		if path := os.Getenv(name); path != "" {
			return CABundle(path)
		}
	}
	return Verification{}
}

// Certificate is a client certificate with its key. The zero value takes the
// session's, or none. Every file may be PEM, DER or PKCS#12. Files are read when a
// connection is made; one that cannot be used, or has expired, is [ErrFile]. It is
// an [Option] and comparable.
type Certificate struct {
	certFile, keyFile string
	certData, keyData string
	given             bool // the data counts, even if it is empty
	password          string
	none              bool
	source            *certificateSource
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

// String names the files and never shows a password or a key.
func (c Certificate) String() string {
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
