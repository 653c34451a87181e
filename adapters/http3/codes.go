package http3

import (
	"errors"
	"fmt"

	"github.com/quic-go/quic-go"
)

// The error codes of HTTP/3 (RFC 9114 section 8.1) and of QPACK (RFC 9204 section 6) that are sent or known here.
const (
	codeNone             = 0x100
	codeStreamCreation   = 0x103
	codeClosedCritical   = 0x104
	codeFrameUnexpected  = 0x105
	codeFrame            = 0x106
	codeExcessiveLoad    = 0x107
	codeID               = 0x108
	codeSettings         = 0x109
	codeMissingSettings  = 0x10a
	codeRequestRejected  = 0x10b
	codeRequestCancelled = 0x10c
	codeMessage          = 0x10e
	codeDecompression    = 0x200
)

// violationError is what a server did against the protocol, or beyond the bounds set for it.
type violationError struct {
	code   uint64 // what it is told
	detail string
	whole  bool // it is told about the connection, which then ends
}

// Error says what the server did.
func (e *violationError) Error() string { return "http3: " + e.detail }

// ofStream is a violation that ends its request.
func ofStream(code uint64, format string, args ...any) error {
	return &violationError{code: code, detail: fmt.Sprintf(format, args...)}
}

// ofConn is one that ends the connection.
func ofConn(code uint64, format string, args ...any) error {
	return &violationError{code, fmt.Sprintf(format, args...), true}
}

// errUnprocessed is the cause where a server says that it has not looked at the request.
var errUnprocessed = errors.New("http3: the server has not looked at the request")

// errPanicked is what the server's side of a request is ended for; nobody is given it.
var errPanicked = errors.New("http3: the body of the request panicked")

// panicError is a panic of the caller's code on a goroutine of this package, on its way to the caller.
type panicError struct{ value any }

// Error is for the way; nobody is given it.
func (e *panicError) Error() string { return "http3: the caller's code panicked" }

// catch is deferred: it makes a panic an error.
func catch(err *error) {
	if v := recover(); v != nil {
		*err = &panicError{v}
	}
}

// isPanic reports whether err is a panic.
func isPanic(err error) bool {
	_, ok := errors.AsType[*panicError](err)
	return ok
}

// isRejected reports whether a stream was reset because the server did not look at the request.
func isRejected(err error) bool {
	reset, ok := errors.AsType[*quic.StreamError](err)
	return ok && reset.Remote && reset.ErrorCode == codeRequestRejected
}
