package dial

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Phase is the step of Dial that failed.
type Phase uint8

const (
	PhaseResolve      Phase = iota + 1 // looking up the host to connect to
	PhaseBind                          // source address, interface or socket option
	PhaseConnect                       // connecting to the origin
	PhaseProxyConnect                  // connecting to the proxy, its lookup included
	PhaseProxyTLS                      // TLS with an https proxy
	PhaseTunnel                        // CONNECT
	PhaseSocks                         // SOCKS handshake, with the lookup socks4 and socks5 need
	PhaseTLS                           // TLS with the origin
)

var phaseNames = [...]string{"", "resolve", "bind", "connect", "proxy connect", "proxy TLS", "proxy tunnel", "socks", "TLS"}

// String is a word or two for messages.
func (p Phase) String() string {
	if int(p) < len(phaseNames) {
		return phaseNames[p]
	}
	return "unknown phase"
}

// Error is what Dial returns for everything that fails, a done context included.
// It shows host, port, phase and cause; never a credential or a header.
type Error struct {
	Op Phase
	// Addr is the host and port, or the path, the phase was about.
	Addr string
	// Proxy is the scheme of the plan's proxy, "" for a direct connection.
	Proxy string
	// Reply is the proxy's answer to CONNECT where it gave one.
	Reply *ProxyReply
	// Err is the cause: *net.DNSError, *net.OpError, *SocksError, *TunnelError,
	// *tls.CertificateVerificationError, tls.RecordHeaderError, context.Canceled…
	Err error
}

// ProxyReply is a proxy's answer to CONNECT that did not open a tunnel.
type ProxyReply struct {
	Status int
	Reason string
	Fields [][2]string
	Body   []byte // at most 64 KiB of it
}

func (e *Error) Error() string {
	if e.Addr == "" {
		return fmt.Sprintf("%v: %s", e.Op, plain(e.Err))
	}
	addr := e.Addr
	if strings.ContainsFunc(addr, unicode.IsControl) {
		addr = strconv.QuoteToASCII(addr)
	}
	step := e.Op.String()
	if e.Op == PhaseTLS {
		step = "handshake with" // whoever shows this has said TLS before
	}
	return fmt.Sprintf("%s %s: %s", step, addr, plain(e.Err))
}

// plain is the text of a cause without the names of Go's packages. Where a certificate's
// authority is unknown it says how to trust it.
func plain(err error) string {
	text := withoutPackages.Replace(fmt.Sprint(brief(err)))
	unknown, ok := errors.AsType[x509.UnknownAuthorityError](err)
	switch {
	case !ok:
		return text
	case unknown.Cert != nil && bytes.Equal(unknown.Cert.RawIssuer, unknown.Cert.RawSubject):
		return "the certificate is signed by itself; to trust it, give it to CABundle"
	}
	return text + "; to trust it, give its certificate to CABundle"
}

var withoutPackages = strings.NewReplacer("tls: failed to verify certificate: ", "", "remote error: tls: ", "the other side says: ",
	"local error: tls: ", "", "x509: ", "", "tls: ", "", "h1: ", "", "dial: ", "")

func (e *Error) Unwrap() error { return e.Err }

// Timeout reports whether a time limit, or the context's deadline, ended the phase.
func (e *Error) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.Is(e.Err, context.DeadlineExceeded) || errors.As(e.Err, &t) && t.Timeout()
}

// SecurityFault reports whether TLS itself failed: a certificate, a version, an alert, or a
// peer that does not speak TLS. A connection lost or too slow during the handshake is not such a fault.
func (e *Error) SecurityFault() bool {
	if e.Op != PhaseTLS && e.Op != PhaseProxyTLS || e.Timeout() || errors.Is(e.Err, context.Canceled) {
		return false
	}
	return !isTransport(e.Err)
}

// IsAlert reports whether a read or write failed by a TLS alert, the peer's or our own. With TLS 1.3
// a refused client certificate shows only there, after Dial.
func IsAlert(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error")
}

// brief leaves out what net.OpError repeats of the address, and os.SyscallError of the
// phase.
func brief(err error) error {
	var op *net.OpError
	if errors.As(err, &op) && err == error(op) && op.Err != nil {
		err = op.Err
	}
	if sys, ok := err.(*os.SyscallError); ok {
		return sys.Err
	}
	return err
}

// isTransport reports whether the connection broke, not the protocol. A TLS alert
// comes as an OpError too, but is not a system call's error.
func isTransport(err error) bool {
	var sys *os.SyscallError
	return errors.As(err, &sys) || errors.Is(err, errClosedInHandshake) || errors.Is(err, net.ErrClosed)
}

// closedError is a peer that hung up in the middle of a handshake.
type closedError string

func (e closedError) Error() string { return string(e) }
func (e closedError) Unwrap() error { return io.ErrUnexpectedEOF }

const errClosedInHandshake = closedError("connection closed during the handshake")

// fault builds the error of a phase; a done context is the cause wherever it fired.
func fault(ctx context.Context, op Phase, addr string, err error) *Error {
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	if end, ok := ctx.Deadline(); ok && !time.Now().Before(end) {
		<-ctx.Done() // a socket's timer may run ahead of the context's by a moment
	}
	if ctx.Err() != nil {
		err = contextError(ctx)
	}
	return &Error{Op: op, Addr: addr, Err: err}
}

// contextError keeps both the sentinel and the cause given with the cancellation.
func contextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if cause == nil || errors.Is(cause, err) {
		return err
	}
	return fmt.Errorf("%w: %w", err, cause)
}
