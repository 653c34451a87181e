package dial

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
)

// IsTLS reports whether TLS itself has failed: a certificate, an alert, or a peer that
// does not speak it.
func IsTLS(err error) bool {
	if IsAlert(err) {
		return true
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.AlertError](err); ok {
		return true
	}
	return isCertificate(err)
}

// isCertificate reports whether a certificate was refused outside of a handshake of
// crypto/tls.
func isCertificate(err error) bool {
	_, authority := errors.AsType[x509.UnknownAuthorityError](err)
	_, host := errors.AsType[x509.HostnameError](err)
	_, invalid := errors.AsType[x509.CertificateInvalidError](err)
	return authority || host || invalid
}

// IsDeadline reports whether a time limit of a connection ran out.
func IsDeadline(err error) bool {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return true
	}
	var ne net.Error
	return errors.As(err, &ne) && ne.Timeout()
}

// Overdue is a timeout that is os.ErrDeadlineExceeded like any other: those of a
// net.Dialer are not.
type Overdue struct{ Err error }

func (e Overdue) Error() string        { return e.Err.Error() }
func (e Overdue) Unwrap() error        { return e.Err }
func (e Overdue) Is(target error) bool { return target == os.ErrDeadlineExceeded }
func (e Overdue) Timeout() bool        { return true }

// BeforeProxy reports whether an HTTP proxy was not there to be spoken to yet. Until then
// everything is its failure, in Requests: lookup, connection, TLS, and the time they take.
// A SOCKS proxy's failures are those of any connection.
func (e *Error) BeforeProxy() bool {
	http := e.Proxy == "http" || e.Proxy == "https"
	return http && (e.Op == PhaseProxyConnect || e.Op == PhaseProxyTLS)
}

// InHandshake reports whether the connection was there, and a handshake on it failed.
func (e *Error) InHandshake() bool {
	return e.Op == PhaseTLS || e.Op == PhaseTunnel || e.Op == PhaseProxyTLS
}
