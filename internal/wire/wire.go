// Package wire is the shape that HTTP/1.1 and HTTP/2 share: what one exchange is
// asked to send, what it gives back, and how it fails. Whoever sends a request need
// not know which protocol carries it.
package wire

import (
	"io"
	"net/http/httptrace"
	"time"

	"github.com/mountable/requests/internal/body"
)

// Request is what one exchange sends. It is read before the exchange returns the
// response, and not kept.
//
// A Host among Fields is sent where it stands over HTTP/1.1, and left out by HTTP/2, as
// Authority says the same. Without one HTTP/1.1 sends Authority as the first field.
type Request struct {
	Method    string
	Scheme    string      // "http" or "https"
	Authority string      // Host over HTTP/1.1, :authority over HTTP/2
	Target    string      // of the request line; :path over HTTP/2
	Fields    [][2]string // in the order in which they are sent
	Body      *body.Body  // nil for none

	// Trailers is called when the body has been sent, for the fields behind it. Nil
	// sends none.
	Trailers func() [][2]string

	Limits Limits

	// ContinueWait is how long the body is held back for a 100 response after
	// "Expect: 100-continue". 0 means it is not held back.
	ContinueWait time.Duration

	// Interim is called with each 1xx response before the final one, except 101. Its
	// error ends the exchange with an Error whose Interim field is set. The fields are
	// valid during the call.
	Interim func(status int, fields [][2]string) error

	// AsGiven keeps HTTP/1.1 from adding "Content-Length: 0" where there is no body.
	AsGiven bool

	Trace *httptrace.ClientTrace // nil for none
}

// Limits bound the time an exchange takes. Zero values mean no limit.
type Limits struct {
	Read     time.Duration // each wait for bytes
	Write    time.Duration // each wait for the peer to take some
	Deadline time.Time     // of the whole exchange, the reading of the body included
}

// Response is what one exchange gives back, once its head has been read.
type Response struct {
	Proto  string // "HTTP/1.1"
	Status int
	Reason string
	Fields [][2]string
	Body   Stream
	Began  time.Time // when the first byte of it, or of an interim one, had come
}

// Stream is the body of a response, framing undone and content coding left alone. It
// holds what carries it until it has been read to its end, has failed, or is closed.
type Stream interface {
	// Read returns io.EOF at the end, an *Error where the body fails, the same one again
	// later, and after Close an *Error with ErrClosed, unless one of these had come.
	io.ReadCloser
	io.WriterTo
	// Remaining returns the number of bytes that are left, -1 if it is not known. At 0 the
	// end has come: Close keeps the connection, as reading the end does.
	Remaining() int64
	// Chunked reports whether the body comes in chunks. One Read never crosses the
	// border of a chunk.
	Chunked() bool
	// ChunkRemaining returns what is left of the current chunk; it waits for the size of
	// the next one where one has ended. 0 at the end, or on an error, which the next Read
	// gives.
	ChunkRemaining() int64
	// Trailers returns the fields behind the body, once it has been read to its end.
	Trailers() [][2]string
	// LimitUntil ends the reading of the body at t, if nothing ends it before.
	LimitUntil(t time.Time)
	// Verifiable reports whether the end of the body can be told from a connection cut
	// short.
	Verifiable() bool
}

// Error is how an exchange fails.
type Error struct {
	Phase       Phase
	Limit       Limit // which of the request's Limits ended it, if one did
	Err         error // of a context that has ended, its error and its cause
	Written     bool  // something of the request may have been written
	Unanswered  bool  // the connection ended before the first byte of a response, as one does that the peer has given up
	Unprocessed bool  // the peer says that it has not acted on the request (RFC 9113 section 8.7)
	Interim     bool  // Err was returned by Request.Interim
}

// Error describes the phase and the cause.
func (e *Error) Error() string { return e.Phase.String() + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Timeout reports whether a limit ended the exchange.
func (e *Error) Timeout() bool { return e.Limit != NoLimit }

// Phase is what an exchange was doing.
type Phase uint8

// The phases of an exchange.
const (
	Writing Phase = iota // the request
	Waiting              // for the head of the response, or reading it
	Reading              // the body of the response
)

// String names the phase.
func (p Phase) String() string {
	switch p {
	case Writing:
		return "writing the request"
	case Waiting:
		return "waiting for the response"
	}
	return "reading the response"
}

// Limit names a field of Limits.
type Limit uint8

// The limits.
const (
	NoLimit Limit = iota
	ReadLimit
	WriteLimit
	Deadline
)

// Identified is the key of a value of a response: it says that not the request has told the server who asks, but
// the connection, as with NTLM.
type Identified struct{}
