package requests

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/mountable/requests/internal/charset"
	"github.com/mountable/requests/internal/jsontext"
	"github.com/mountable/requests/internal/secret"
)

// Kind classifies an [Error]. Kinds are error values to be used with
// [errors.Is], and know their parents, so that Requests' exception tree,
// multiple inheritance included, works:
//
//	errors.Is(err, requests.ErrTimeout)    // a connect, read, total or pool timeout
//	errors.Is(err, requests.ErrConnection) // anything that failed on the connection
type Kind uint8

// The kinds. Each is also every kind named after "is".
const (
	ErrRequest           Kind = iota + 1 // any error of this package: Requests' RequestException
	ErrHTTP                              // RaiseForStatus found a 4xx or 5xx
	ErrConnection                        // the connection failed: refused, reset, closed, malformed response
	ErrProxy                             // the proxy failed or refused; is ErrConnection
	ErrSSL                               // TLS failed; is ErrConnection
	ErrTimeout                           // any time limit
	ErrConnectTimeout                    // no connection in time; is ErrConnect and ErrTimeout
	ErrReadTimeout                       // the server sent nothing in time; is ErrTimeout
	ErrBodyTimeout                       // the same while the body was read; is ErrReadTimeout and, as in Requests, ErrConnection
	ErrTotalTimeout                      // Timeouts.Total ran out; is ErrTimeout
	ErrPoolTimeout                       // no connection of a full blocking pool came free; is ErrConnection and ErrTimeout
	ErrURLRequired                       // for Requests' tree: an empty URL is ErrMissingSchema here, as there
	ErrTooManyRedirects                  // the chain was longer than MaxRedirects
	ErrMissingSchema                     // the URL has no scheme
	ErrInvalidSchema                     // no adapter is mounted for the URL
	ErrInvalidURL                        // the URL cannot be used
	ErrInvalidHeader                     // a header cannot be sent, or came malformed
	ErrInvalidProxyURL                   // the proxy's URL cannot be used; is ErrInvalidURL
	ErrChunkedEncoding                   // the body was cut short or badly chunked
	ErrContentDecoding                   // the content coding was corrupt, or beyond its limits
	ErrStreamConsumed                    // the body has been read already
	ErrRetry                             // the retries were used up by responses to be tried again
	ErrUnrewindableBody                  // the body must be sent again and cannot be
	ErrInvalidJSON                       // a value cannot be sent as JSON
	ErrJSONDecode                        // the body is not JSON; is ErrInvalidJSON and ErrDecode
	ErrInvalidArgument                   // an argument that makes no sense, named in the message
	ErrInvalidTimeout                    // a negative time limit; is ErrInvalidArgument
	ErrInvalidMethod                     // a method that is not a token; is ErrInvalidArgument
	ErrInvalidBody                       // a body of no known kind, or conflicting bodies; is ErrInvalidArgument
	ErrFile                              // a named file (CA bundle, certificate, upload, cookie file) cannot be used
	ErrCookieConflict                    // several cookies match the name
	ErrNoCookie                          // no cookie matches the name
	ErrRedirectDowngrade                 // a redirect from https to http was refused by Policy; is ErrInvalidURL
	ErrRedirectScheme                    // a redirect to something that is not http or https; is ErrInvalidSchema
	ErrCanceled                          // the context was canceled
	ErrBodyLength                        // a body yielded more or less than it had announced
	ErrLimit                             // a bound on what a server may send was passed
	ErrConnect                           // no connection could be made, so nothing was sent: refused, unreachable, unknown host; is ErrConnection
	ErrWriteTimeout                      // the server did not take the request in time; is ErrConnection and ErrTimeout
	ErrBodyTooLarge                      // the body is longer than Limits.MaxBody; is ErrLimit
	ErrLineTooLong                       // a line is longer than Limits.MaxLine; is ErrLimit
	ErrTooSlow                           // the body came slower than adapters.MinThroughput allows; is ErrBodyTimeout
	ErrDecode                            // the body is not what its Content-Type says
	ErrDigest                            // the body does not have the digest that came with it; see adapters.Digests
	ErrDenied                            // a guard of the adapter refuses the scheme, host, port or address; nothing was sent
	kindCount
)

var kindNames = [kindCount]string{
	ErrRequest: "request error", ErrHTTP: "HTTP error", ErrConnection: "connection error", ErrProxy: "proxy error", ErrSSL: "TLS error",
	ErrTimeout: "timeout", ErrConnectTimeout: "connect timeout", ErrReadTimeout: "read timeout", ErrBodyTimeout: "read timeout in the body",
	ErrTotalTimeout: "total timeout", ErrPoolTimeout: "pool timeout", ErrURLRequired: "URL required", ErrTooManyRedirects: "too many redirects",
	ErrMissingSchema: "missing scheme", ErrInvalidSchema: "no adapter for URL", ErrInvalidURL: "invalid URL", ErrInvalidHeader: "invalid header",
	ErrInvalidProxyURL: "invalid proxy URL", ErrChunkedEncoding: "incomplete body", ErrContentDecoding: "content decoding failed",
	ErrStreamConsumed: "stream consumed", ErrRetry: "retries exhausted", ErrUnrewindableBody: "unrewindable body", ErrInvalidJSON: "invalid JSON",
	ErrJSONDecode: "JSON decoding failed", ErrInvalidArgument: "invalid argument", ErrInvalidTimeout: "invalid timeout",
	ErrInvalidMethod: "invalid method", ErrInvalidBody: "invalid body", ErrFile: "file error", ErrCookieConflict: "cookie conflict",
	ErrNoCookie: "no such cookie", ErrRedirectDowngrade: "redirect downgrade", ErrRedirectScheme: "redirect scheme", ErrCanceled: "canceled",
	ErrBodyLength: "body length mismatch", ErrLimit: "limit exceeded", ErrBodyTooLarge: "body too large", ErrLineTooLong: "line too long",
	ErrConnect: "no connection", ErrWriteTimeout: "write timeout", ErrTooSlow: "too slow", ErrDecode: "decoding failed",
	ErrDigest: "digest mismatch", ErrDenied: "denied",
}

// kindParents are what a kind is besides.
var kindParents = [kindCount][]Kind{
	ErrProxy: {ErrConnection}, ErrSSL: {ErrConnection}, ErrConnectTimeout: {ErrConnect, ErrTimeout}, ErrReadTimeout: {ErrTimeout},
	ErrBodyTimeout: {ErrReadTimeout, ErrConnection}, ErrTotalTimeout: {ErrTimeout}, ErrPoolTimeout: {ErrConnection, ErrTimeout},
	ErrInvalidProxyURL: {ErrInvalidURL}, ErrJSONDecode: {ErrInvalidJSON, ErrDecode}, ErrInvalidTimeout: {ErrInvalidArgument},
	ErrInvalidMethod: {ErrInvalidArgument}, ErrInvalidBody: {ErrInvalidArgument}, ErrRedirectDowngrade: {ErrInvalidURL},
	ErrRedirectScheme: {ErrInvalidSchema}, ErrConnect: {ErrConnection}, ErrWriteTimeout: {ErrConnection, ErrTimeout}, ErrTooSlow: {ErrBodyTimeout},
	ErrBodyTooLarge: {ErrLimit}, ErrLineTooLong: {ErrLimit},
}

// Error returns the name of the kind, "read timeout" for example.
func (k Kind) Error() string {
	if k > 0 && k < kindCount {
		return kindNames[k]
	}
	return "unknown kind"
}

// Is reports whether k is target or a descendant of it, for [errors.Is].
func (k Kind) Is(target error) bool {
	t, ok := target.(Kind)
	if !ok || k == 0 || k >= kindCount {
		return false
	}
	return t == k || t == ErrRequest || k.below(t)
}

func (k Kind) below(target Kind) bool {
	for _, parent := range kindParents[k] {
		if parent == target || parent.below(target) {
			return true
		}
	}
	return false
}

// Error is the error of every failed request. Use [errors.Is] with a [Kind] to
// ask what went wrong and with a cause ([context.Canceled],
// [syscall.ECONNREFUSED], …) to ask why; use [errors.As] for the causes' types.
// Its text never holds a password, a token or the user info of a URL.
type Error struct {
	Kind     Kind
	Request  *PreparedRequest // nil when it failed before it was prepared
	Response *Response        // nil unless a response had come
	Err      error            // the cause, may be nil
	Op       string           // what was being done: "GET http://h/", "connect", …
	Detail   string           // what was wrong, in words
	Snippet  string           // of ErrHTTP, how the body begins that was read: at most 1 KiB, secrets masked

	original *Error // what e is a copy of, if it is one

	written     bool // something of the request had been written
	unprocessed bool // the server says that it has not acted on the request
	dialing     bool // there was no connection yet: the body has not been read
}

// maxErrorText bounds the text of an error, in bytes: parts of it come from servers.
const maxErrorText = 4 << 10

// Error describes the request, its URL's secrets masked, what was being done, what failed
// and why: one line of at most 4 KiB, without control characters.
func (e *Error) Error() string {
	var b strings.Builder
	switch {
	case e.Request == nil:
	case e.Kind == ErrHTTP: // its text has the URL
		b.WriteString(e.Request.Method + ": ")
	default:
		b.WriteString(e.Request.Method + " " + redactURL(e.Request.URL) + ": ")
	}
	if e.Op != "" {
		b.WriteString(e.Op + ": ")
	}
	b.WriteString(secret.Reason(e.Op, e.Detail, e.Kind.Error(), e.Snippet, e.Err))
	text := cleanText(b.String())
	if len(text) > maxErrorText {
		text = strings.ToValidUTF8(text[:maxErrorText], "") + "..."
	}
	return text
}

// Problem is the problem details (RFC 9457) that a response of type application/problem+json
// has. [errors.As] finds it in the error of [Response.RaiseForStatus]. Its fields are as they
// came; package fmt, log/slog and encoding/json write what Error returns.
type Problem struct {
	Type       string // a URI; "about:blank" if there is none
	Title      string
	Status     int // 0 if there is none
	Detail     string
	Instance   string
	Extensions map[string]json.RawMessage // the other members
}

// Error is the title and the detail, secrets masked.
func (p *Problem) Error() string { return (*jsontext.Problem)(p).String() }

// tell adds what the body says, if it has been read, to an error of the status.
func (e *Error) tell(r *Response) *Error {
	if !r.content().InMemory() {
		return e
	}
	body, _ := r.Content()
	kind := r.Headers.Get("Content-Type")
	e.Snippet = secret.Snippet(kind, body)
	if charset.MediaType(kind) == "application/problem+json" { // which is UTF-8 (RFC 8259 section 8.1)
		if p := jsontext.ParseProblem(body); p != nil {
			e.Err = (*Problem)(p)
		}
	}
	return e
}

// Unwrap gives the kind and the cause to [errors.Is] and [errors.As]. An error that an
// adapter returned, and that was named after its request since, is among them.
func (e *Error) Unwrap() []error {
	all := []error{e.Kind}
	if e.Err != nil {
		all = append(all, e.Err)
	}
	if e.original != nil {
		all = append(all, e.original)
	}
	return all
}

// Timeout reports whether a time limit ended the request, as [net.Error] has it.
func (e *Error) Timeout() bool { return errors.Is(e, ErrTimeout) }

// SafeToRetry reports whether nothing of the request had been written, so that
// sending it again cannot repeat an effect.
func (e *Error) SafeToRetry() bool { return !e.written }

// MarkWritten returns a copy of e that says, for an [Adapter], that something of the
// request may have been written.
func (e *Error) MarkWritten() *Error {
	c := *e
	c.written = true
	return &c
}

// copy returns an error that can be changed before it is returned. Errors are values: one
// that somebody may have seen, or may return a second time, is never changed.
func (e *Error) copy() *Error {
	c := *e
	if c.original == nil {
		c.original = e
	}
	return &c
}

// fail builds an Error that has no cause.
func fail(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Detail: fmt.Sprintf(format, args...)}
}

// wrap builds an Error around a cause, unless the cause is one already.
func wrap(kind Kind, err error, detail string) error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok && error(e) == err {
		return err
	}
	return &Error{Kind: kind, Err: err, Detail: detail}
}

// withRequest names the request in an error of this package that names none: in a copy.
func withRequest(err error, p *PreparedRequest) error {
	e, ok := err.(*Error)
	if !ok || e.Request != nil {
		return err
	}
	named := e.copy()
	named.Request = p
	return named
}

// withResponse adds the response to an error of this package that has none, and the
// request it answers: in a copy.
func withResponse(err error, r *Response) error {
	e, ok := err.(*Error)
	if !ok || e.Response != nil {
		return withRequest(err, r.Request)
	}
	named := e.copy()
	named.Response = r
	if named.Request == nil {
		named.Request = r.Request
	}
	return named
}

// cleanText escapes control characters, which a server may have chosen, so that an error
// is always one line of plain text.
func cleanText(s string) string { return secret.Clean(s) }
