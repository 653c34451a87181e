package dial

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http/httptrace"
	"strings"
)

// startTLS secures conn. op, PhaseTLS or PhaseProxyTLS, says whose connection it is.
func (p *Plan) startTLS(ctx context.Context, conn net.Conn, t *TLS, op Phase) (*tls.Conn, *tls.ConnectionState, error) {
	host, addr := p.Host, p.origin()
	if op == PhaseProxyTLS {
		host, addr = p.Proxy.Host, p.Proxy.addr()
	}
	check := t.verifier(host)
	secured := tls.Client(conn, t.config(host, check))
	trace := httptrace.ContextClientTrace(ctx)
	if trace != nil && trace.TLSHandshakeStart != nil {
		trace.TLSHandshakeStart()
	}
	err := p.handshake(ctx, conn, op, addr, func() error { return explain(secured.Handshake()) })
	if trace != nil && trace.TLSHandshakeDone != nil {
		trace.TLSHandshakeDone(secured.ConnectionState(), causeOf(err))
	}
	if err != nil {
		return nil, nil, err
	}
	state := secured.ConnectionState()
	state.VerifiedChains = check.chains
	return secured, &state, nil
}

// causeOf is the cause of a phase's error, for traces, whose programs assert its type.
func causeOf(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Err
	}
	return err
}

// config leaves crypto/tls the protocol and does the verification in VerifyConnection,
// which also runs when a session is resumed. One path for every combination of name,
// chain and fingerprint is one path to test.
func (t *TLS) config(host string, check *verifier) *tls.Config {
	return &tls.Config{
		ServerName:         tlsName(firstOf(t.ServerName, host)),
		InsecureSkipVerify: true,
		VerifyConnection:   check.verify,
		Certificates:       t.Certificates,
		MinVersion:         t.minVersion(),
		MaxVersion:         t.MaxVersion,
		NextProtos:         t.NextProtos,
		ClientSessionCache: t.SessionCache,
		KeyLogWriter:       t.KeyLog,
	}
}

// Client is the configuration for handshakes with host that are somebody else's, any number of them.
func (t *TLS) Client(host string) *tls.Config {
	c := t.config(host, t.verifier(host))
	c.VerifyConnection = func(state tls.ConnectionState) error {
		return t.verifier(host).verify(state) // each keeps its own chains
	}
	return c
}

// minVersion is TLS 1.2 unless set; a maximum below that would leave nothing to offer.
func (t *TLS) minVersion() uint16 {
	if t.MinVersion == 0 {
		return tls.VersionTLS12
	}
	return t.MinVersion
}

// tlsName brings a host into the form of certificates and SNI: no trailing dot
// (RFC 6066 3), no brackets, no zone.
func tlsName(host string) string {
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	if strings.Contains(host, ":") {
		host, _, _ = strings.Cut(host, "%")
	}
	return strings.TrimSuffix(host, ".")
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// explain names the two failures of a handshake whose own texts say little.
func explain(err error) error {
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &record) && string(record.RecordHeader[:]) == "HTTP/":
		return fmt.Errorf("the server speaks plain HTTP on this port: %w", err)
	case errors.As(err, &record):
		return fmt.Errorf("the server does not speak TLS on this port: %w", err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errClosedInHandshake
	}
	return err
}
