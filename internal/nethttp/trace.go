package nethttp

import (
	"errors"
	"net/http/httptrace"
	"net/textproto"
	"slices"
)

// Interim returns what an exchange calls for each interim response, nil for nothing: the
// trace, and then f with a copy of the fields.
func Interim[H ~[][2]string](f func(status int, fields H) error, trace *httptrace.ClientTrace) func(int, [][2]string) error {
	if trace != nil && trace.Got1xxResponse != nil {
		return func(status int, fields [][2]string) error {
			if err := trace.Got1xxResponse(status, textproto.MIMEHeader(Header(fields))); err != nil || f == nil {
				return err
			}
			return f(status, slices.Clone(H(fields)))
		}
	}
	if f == nil {
		return nil
	}
	return func(status int, fields [][2]string) error { return f(status, slices.Clone(H(fields))) }
}

var errPoolFull = errors.New("the pool keeps no more connections")

// PutIdle tells a trace, which may be nil, that a connection was given back.
func PutIdle(trace *httptrace.ClientTrace, kept bool) {
	switch {
	case trace == nil || trace.PutIdleConn == nil:
	case kept:
		trace.PutIdleConn(nil)
	default:
		trace.PutIdleConn(errPoolFull)
	}
}
