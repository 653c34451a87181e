package requests

import (
	"crypto/x509"
	"io"
	"os"
	"sync"

	"github.com/mountable/requests/internal/certs"
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
