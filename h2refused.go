package requests

import "errors"

// maxRefusals is how often a request that HTTP/2 servers refuse unseen is sent again.
const maxRefusals = 3

// refusedUnseen reports whether p may be sent again, whatever its method: a server
// that ended the connection, or had too much to do, says that it has not looked at it.
func refusedUnseen(err error, p *PreparedRequest) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Kind == ErrConnection && unprocessed(e.Err) && p.Replayable()
}

// What net/http says, and does not export, of a stream that is younger than the last
// one of a GOAWAY, and of one that came too late to be opened.
const (
	beyondGoAway = "http2: Transport received Server's graceful shutdown GOAWAY"
	notOpened    = "http2: client conn not usable"
)

// unprocessed reports whether a stream ended without its request having been acted on
// (RFC 9113 section 8.7).
func unprocessed(err error) bool {
	if reset, ok := errors.AsType[h2StreamError](err); ok {
		return reset.Code == refusedStream
	}
	return err != nil && (err.Error() == beyondGoAway || err.Error() == notOpened)
}

// h2StreamError has the fields of net/http's, which gives itself to such a type.
type h2StreamError struct {
	StreamID, Code uint32
	Cause          error
}

func (e h2StreamError) Error() string { return "HTTP/2 stream reset" }

const refusedStream = 7 // REFUSED_STREAM (RFC 9113 section 7)
