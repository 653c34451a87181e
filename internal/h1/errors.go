package h1

import (
	"io"
	"strconv"
)

// Code says what was wrong with a message.
type Code uint8

// The codes of Error. The first group concerns what was to be sent, the second a head, the third a body.
const (
	_ Code = iota
	InvalidMethod
	InvalidTarget
	InvalidFieldName
	InvalidFieldValue
	InvalidStatus
	InvalidFraming // fields of a request that contradict one another, or its body

	NoResponse        // the source ended before the first byte of a head
	HeadTruncated     // it ended inside a head, or after an interim response
	BadStatusLine     // not "HTTP/1.d ddd reason"
	BadRequestLine    // not "method target HTTP/1.d"
	BadHeader         // a field line that is none
	HeadTooLarge      // Limits.HeadBytes or Limits.LineBytes
	TooManyFields     // Limits.Fields
	TooManyInterim    // Limits.Interim or Limits.InterimBytes
	UnexpectedUpgrade // 101 which nobody asked for

	BadContentLength    // not digits, too large, or several that differ
	BadTransferEncoding // anything but one "chunked", or any in HTTP/1.0
	BadChunk            // a bad chunk-size line, or data not followed by CRLF
	BadTrailer          // a trailer line that is none
	TrailersTooLarge    // Limits.TrailerBytes or Limits.Fields
	BodyTruncated       // the source ended before the body did

	ReadFailed // the source failed; Err is its error
)

var codeText = [...]string{
	InvalidMethod:       "invalid method",
	InvalidTarget:       "invalid request target",
	InvalidFieldName:    "invalid header name",
	InvalidFieldValue:   "invalid header value",
	InvalidStatus:       "invalid status",
	InvalidFraming:      "invalid framing",
	NoResponse:          "connection closed without a response",
	HeadTruncated:       "connection closed inside the head",
	BadStatusLine:       "bad status line",
	BadRequestLine:      "bad request line",
	BadHeader:           "bad header line",
	HeadTooLarge:        "head too large",
	TooManyFields:       "too many header fields",
	TooManyInterim:      "too many interim responses",
	UnexpectedUpgrade:   "unexpected protocol upgrade",
	BadContentLength:    "bad Content-Length",
	BadTransferEncoding: "bad Transfer-Encoding",
	BadChunk:            "bad chunk",
	BadTrailer:          "bad trailer line",
	TrailersTooLarge:    "trailers too large",
	BodyTruncated:       "connection closed inside the body",
	ReadFailed:          "read failed",
}

func (c Code) String() string {
	if int(c) < len(codeText) && codeText[c] != "" {
		return codeText[c]
	}
	return "code " + strconv.Itoa(int(c))
}

// Error is every error of this package. Detail never holds a field value, so it is safe to log.
// Err is the cause where there is one: io.ErrUnexpectedEOF where the source ended too early (NoResponse,
// HeadTruncated, BodyTruncated), the error of the source's Read under ReadFailed.
type Error struct {
	Code   Code
	Detail string
	Err    error
}

// Error describes what was wrong with the message. That the source ended, or failed, is
// said once.
func (e *Error) Error() string {
	if e.Code == ReadFailed && e.Err != nil {
		return e.Err.Error()
	}
	s := e.Code.String()
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Err != nil && e.Err != io.ErrUnexpectedEOF {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

func fault(code Code, detail string) *Error { return &Error{Code: code, Detail: detail} }

// excerpt quotes the start of what a peer sent, short and without control characters.
func excerpt(s string) string {
	const most = 32
	if len(s) > most {
		return strconv.QuoteToASCII(s[:most]) + "…"
	}
	return strconv.QuoteToASCII(s)
}
