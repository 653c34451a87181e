package nethttp

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/h1"
	"github.com/mountable/requests/internal/secret"
)

// WrongField says, in net/http's words, which field of a request would break out of its
// head or trailers, "" if none would.
func WrongField(req *http.Request) string {
	if wrong := wrongIn("header", req.Header); wrong != "" {
		return wrong
	}
	for name := range req.Trailer {
		switch http.CanonicalHeaderKey(name) {
		case "Transfer-Encoding", "Trailer", "Content-Length":
			return fmt.Sprintf("invalid Trailer key %q", name)
		}
	}
	return wrongIn("trailer", req.Trailer)
}

func wrongIn(part string, fields http.Header) string {
	for name, values := range fields {
		if !ascii.IsToken(name) {
			return fmt.Sprintf("invalid %s field name %q", part, name)
		}
		for _, value := range values {
			if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
				return fmt.Sprintf("invalid %s field value for %q", part, name)
			}
		}
	}
	return ""
}

// Bare gives what programs compare with == or assert the type of, without anything around it,
// as net/http's transport does, and anything else as it is.
func Bare(ctx context.Context, err error) error {
	if ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx))) {
		return context.Cause(ctx)
	}
	if e := handshakeError(err); e != nil {
		return secret.CleanError(e)
	}
	if e, ok := errors.AsType[*h1.Error](err); ok && e.Code == h1.NoResponse {
		return &unanswered{err}
	}
	return err
}

// handshakeError finds the error of a server's certificate, or of a server without TLS,
// which an [http.Client] makes [http.ErrSchemeMismatch] of.
func handshakeError(err error) error {
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return e
	}
	if e, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return e
	}
	return nil
}

// unanswered is the error of a connection that ended before a response came: programs look
// for io.EOF to find that out.
type unanswered struct{ error }

func (e *unanswered) Unwrap() error        { return e.error }
func (e *unanswered) Is(target error) bool { return target == io.EOF }
