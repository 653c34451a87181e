package h1

import "github.com/mountable/requests/internal/ascii"

// Exchange is what is known of one request and response once it is over, or abandoned.
type Exchange struct {
	Method  string        // of the request
	Head    *ResponseHead // nil where no head was read
	Framing Framing
	Body    *Body   // nil where no body was begun
	Reader  *Reader // nil: nothing is known of what follows
	Unsent  bool    // the request was not sent to its end
}

// Verdict says whether the connection may be used again, and if not, why not.
type Verdict uint8

// The verdicts; all but Keep close the connection.
const (
	Keep        Verdict = iota
	NoHead              // no response, or a bad one
	HalfSent            // the server answered before it had the whole request
	Tunnelled           // the connection is a tunnel or speaks another protocol now
	ToTheClose          // the end of the connection ends the body
	PeerCloses          // Connection: close, in any of its lines
	OldVersion          // HTTP/1.0 without Connection: keep-alive
	TwoFramings         // Transfer-Encoding and Content-Length: maybe smuggled (RFC 9112 section 6.3)
	BodyUnread          // the body was not read to its proper end
	BytesLeft           // more than the response came
	SourceEnded         // the connection has ended or failed
)

// Verdict decides whether the connection of the exchange may carry another one: the first row that holds. What the
// request said is not among them: a Connection: close of the user is sent, and the peer closes (as with Requests).
func (x *Exchange) Verdict() Verdict {
	h := x.Head
	switch {
	case h == nil:
		return NoHead
	case x.Unsent:
		return HalfSent
	case h.Status == 101 || x.Method == "CONNECT" && h.Status/100 == 2:
		return Tunnelled
	case x.Framing == UntilClose:
		return ToTheClose
	case HasToken(h.Fields, "connection", "close"):
		return PeerCloses
	case h.Minor == 0 && !HasToken(h.Fields, "connection", "keep-alive"):
		return OldVersion
	case x.Framing == Chunked && hasField(h.Fields, "content-length"):
		return TwoFramings
	case x.Framing != NoBody && (x.Body == nil || !x.Body.Done()):
		return BodyUnread
	case x.Reader != nil && x.Reader.Buffered() > 0:
		return BytesLeft
	case x.Reader != nil && x.Reader.Ended():
		return SourceEnded
	}
	return Keep
}

func hasField(fields Fields, name string) bool {
	for i := range fields {
		if ascii.EqualFold(fields[i][0], name) {
			return true
		}
	}
	return false
}

var verdictText = [...]string{
	Keep:        "keep",
	NoHead:      "no response head",
	HalfSent:    "request not sent to its end",
	Tunnelled:   "connection left to another protocol",
	ToTheClose:  "body ends with the connection",
	PeerCloses:  "Connection: close",
	OldVersion:  "HTTP/1.0 without keep-alive",
	TwoFramings: "Transfer-Encoding with Content-Length",
	BodyUnread:  "body not read to its end",
	BytesLeft:   "bytes after the response",
	SourceEnded: "connection ended",
}

func (v Verdict) String() string {
	if int(v) < len(verdictText) {
		return verdictText[v]
	}
	return "unknown"
}
