package requests

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"os"
	"sync"
	"time"

	"github.com/mountable/requests/internal/certs"
)

// certStore remembers what has been read from certificate files until they change.
var certStore certs.Store

// load returns the roots to verify against, nil for the system's.
func (v Verification) load() (*x509.CertPool, error) {
	var bundle *certs.Bundle
	var err error
	switch {
	case v.mode != verifyBundle:
		return nil, nil
	case v.pool != nil:
		return v.pool, nil
	case v.file != "":
		bundle, err = certStore.Bundle(v.file)
	default:
		bundle, err = certStore.BundleBytes([]byte(v.pem))
	}
	if err != nil {
		return nil, wrap(ErrFile, err, "")
	}
	return bundle.Pool, nil
}

// check finds a bundle that is not there before anything is sent.
func (v Verification) check() error {
	if v.mode != verifyBundle || v.file == "" {
		return nil
	}
	if _, err := os.Stat(v.file); err != nil {
		return wrap(ErrFile, err, "the CA bundle cannot be used")
	}
	return nil
}

// over lays the request's verification over what the connection's editors chose:
// a request that does not say gets what they chose.
func (v Verification) over(edited Verification) Verification {
	if edited.mode != verifyInherit && v.undecided() {
		return edited
	}
	return v
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
	identity, err := certStore.Identity(c.files())
	if err != nil {
		return nil, wrap(ErrFile, err, "")
	}
	if err := identity.CheckValidity(time.Now()); err != nil {
		return nil, wrap(ErrFile, err, "client certificate "+c.String())
	}
	return []tls.Certificate{identity.Certificate}, nil
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
		s.PasswordFunc = c.source.password
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

// keyLogs are the files SSLKEYLOGFILE has named. They stay open: the secrets of
// every connection go there for as long as the program runs.
var keyLogs struct {
	sync.Mutex
	path string
	file *os.File
}

// keyLog returns where TLS secrets are to be written for debugging, nil for
// nowhere: the file SSLKEYLOGFILE names, as OpenSSL and urllib3 have it.
func keyLog() io.Writer {
	path := os.Getenv("SSLKEYLOGFILE")
	if path == "" {
		return nil
	}
	keyLogs.Lock()
	defer keyLogs.Unlock()
	if keyLogs.path == path {
		return keyLogs.file
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil // logging for debugging must not break what is debugged
	}
	if keyLogs.file != nil {
		_ = keyLogs.file.Close()
	}
	keyLogs.path, keyLogs.file = path, file
	return file
}
