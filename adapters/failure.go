package adapters

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"

	"github.com/mountable/requests"
)

// transportFailure gives an error of an [net/http.RoundTripper] its kind.
func transportFailure(p *requests.PreparedRequest, w *watch, body *sentBody, err error) error {
	if body != nil {
		if failed := body.failed.Load(); failed != nil {
			failed.Request = p
			return failed
		}
	}
	if failure := w.failure(p); failure != nil {
		return failure
	}
	if known, ok := errors.AsType[*requests.Error](err); ok {
		return known
	}
	e := &requests.Error{Kind: transportKind(err), Request: p, Err: err}
	if e.Kind == requests.ErrConnectTimeout || isDial(err) {
		return e
	}
	return e.MarkWritten()
}

// transportKind classifies by what net/http and package net return.
func transportKind(err error) requests.Kind {
	var op *net.OpError
	var timeout net.Error
	late := errors.As(err, &timeout) && timeout.Timeout()
	switch {
	case isTLS(err):
		return requests.ErrSSL
	case errors.As(err, &op) && (op.Op == "proxyconnect" || op.Op == "socks connect"):
		return requests.ErrProxy
	case late && isDial(err):
		return requests.ErrConnectTimeout
	case late:
		return requests.ErrReadTimeout
	}
	return requests.ErrConnection
}

// isDial reports whether there was not even a connection.
func isDial(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

func isTLS(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		record       tls.RecordHeaderError
		alert        tls.AlertError
		authority    x509.UnknownAuthorityError
		host         x509.HostnameError
		invalid      x509.CertificateInvalidError
		op           *net.OpError
	)
	return errors.As(err, &verification) || errors.As(err, &record) || errors.As(err, &alert) ||
		errors.As(err, &authority) || errors.As(err, &host) || errors.As(err, &invalid) ||
		errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error")
}
