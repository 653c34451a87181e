// Package http2 is the client's side of an HTTP/2 connection (RFC 9113), over the frames and the header
// compression of golang.org/x/net.
//
// # Reading
//
// A connection has no goroutine of its own. Of those who wait for something to arrive, one leads: it reads frames
// for all of them, and wakes those whose wait is over. When it has what it came for, it passes the lead on.
//
//	waiting, nobody leads         -> leading
//	waiting, somebody leads       -> following, until woken or out of time
//	leading, has what it wants    -> handles what is buffered, passes the lead on
//	leading, out of time          -> passes the lead on; what has been read stays buffered
//	streams open, nobody waits    -> the caretaker, a timer, looks now and then whether the peer wants something
//
// # Writing
//
// Frames are appended to a buffer under the connection's lock. Who finds no write under way writes the buffer out,
// and whatever others append meanwhile, with the lock released. Uploads take turns.
//
// # Streams
//
// A stream is removed when both directions have ended, or when either side resets it:
//
//	idle           -> open                 HEADERS are in the buffer
//	open           -> half-closed, local   END_STREAM sent
//	open           -> half-closed, remote  END_STREAM received; an upload goes on
//	half-closed    -> closed               END_STREAM in the other direction
//	any            -> closed               RST_STREAM either way, GOAWAY below its number, the end of the connection
package http2
