package http2

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"golang.org/x/net/http2"

	"github.com/mountable/requests/internal/wire"
)

// ResetError is how a stream ends that the peer has reset.
type ResetError struct{ Code http2.ErrCode }

// Error names the code.
func (e *ResetError) Error() string { return "http2: the server reset the stream: " + e.Code.String() }

// GoAwayError is how streams end that the peer has refused with a GOAWAY frame.
type GoAwayError struct {
	Code  http2.ErrCode
	Last  uint32 // the last stream that the peer has looked at, 0 for none
	Debug string // what the peer said about it, the beginning
}

// Error names the code, and quotes what the peer said.
func (e *GoAwayError) Error() string {
	s := "http2: the server is closing the connection: " + e.Code.String()
	if e.Debug != "" {
		s += ": " + strconv.QuoteToASCII(e.Debug)
	}
	return s
}

// ViolationError is what a peer did against the protocol, or beyond the bounds set for it.
type ViolationError struct {
	Code   http2.ErrCode // what it is told
	Detail string
	cut    bool // a body ended too early
}

// Error says what the peer did.
func (e *ViolationError) Error() string { return "http2: " + e.Detail }

// Is reports whether e is a body that ended too early, where target is io.ErrUnexpectedEOF.
func (e *ViolationError) Is(target error) bool { return e.cut && target == io.ErrUnexpectedEOF }

func violation(code http2.ErrCode, format string, args ...any) *ViolationError {
	return &ViolationError{Code: code, Detail: fmt.Sprintf(format, args...)}
}

var (
	errClosed   = errors.New("http2: the connection has been closed")
	errNoRoom   = errors.New("http2: the connection takes no more streams")
	errSilent   = errors.New("http2: the server does not answer a PING")
	errStuck    = errors.New("http2: the connection takes no more bytes")
	errTooLarge = errors.New("http2: the request's header is larger than the server allows")
)

// cause is why a stream or a connection has ended before its time.
type cause struct {
	err         error
	limit       wire.Limit
	unprocessed bool // the peer has not looked at the request
	lost        bool // the connection ended, as one does that the peer has given up
	interim     bool // err was returned by Request.Interim
	writing     bool // it happened to the sending of the request
}

// overdue is the cause of a stream that has used up one of its limits.
func overdue(limit wire.Limit) *cause { return &cause{err: os.ErrDeadlineExceeded, limit: limit} }

// failure makes the error of a stream that has ended.
func (s *Stream) failure(phase wire.Phase) error {
	f := s.failed
	if f.writing {
		phase = wire.Writing
	}
	return &wire.Error{
		Phase: phase, Err: f.err, Limit: f.limit, Interim: f.interim, Unprocessed: f.unprocessed,
		Written: s.id != 0, Unanswered: f.lost && !s.headed,
	}
}

// contextError is the error of a context that has ended, and the cause that was given with the cancellation.
func contextError(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if cause != nil && !errors.Is(cause, err) {
		return fmt.Errorf("%w: %w", err, cause)
	}
	return err
}

// isReset reports whether the peer has ended the connection.
func isReset(err error) bool {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe} {
		if errors.Is(err, end) {
			return true
		}
	}
	return wire.IsReset(err)
}

// isOverdue reports whether a deadline of the connection has passed.
func isOverdue(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
