package toolbelt

import "fmt"

// Kind classifies an [Error] of this package. Kinds are error values to be used
// with [errors.Is]. What goes wrong in a request itself, an upload that lies about
// its length included, is a [requests.Kind] instead.
type Kind uint8

// The kinds, named after the exceptions of requests-toolbelt.
const (
	ErrStreaming               Kind = iota + 1 // a download has no usable name, or its file exists: StreamingError
	ErrVersionMismatch                         // something this tool needs has another version: VersionMismatchError
	ErrRequestsVersionTooOld                   // the requests package is too old for this tool: RequestsVersionTooOld
	ErrFileNotSupported                        // a file at a URL cannot be passed on: FileNotSupportedError
	ErrImproperBodyPartContent                 // a part without an empty line: ImproperBodyPartContentException
	ErrNonMultipartContentType                 // not a multipart response, or no boundary: NonMultipartContentTypeException
	ErrChecksum                                // a download is not what its digest says; is ErrStreaming
	kindCount
)

var kindNames = [kindCount]string{
	ErrStreaming:               "streaming failed",
	ErrVersionMismatch:         "version mismatch",
	ErrRequestsVersionTooOld:   "the requests package is too old",
	ErrFileNotSupported:        "file not supported",
	ErrImproperBodyPartContent: "improper body part",
	ErrNonMultipartContentType: "not a multipart content type",
	ErrChecksum:                "checksum mismatch",
}

// Error returns the name of the kind, "file not supported" for example.
func (k Kind) Error() string {
	if k > 0 && k < kindCount {
		return kindNames[k]
	}
	return "unknown kind"
}

// Is reports whether k is target or a kind of it, for [errors.Is].
func (k Kind) Is(target error) bool {
	return target == k || k == ErrChecksum && target == ErrStreaming
}

// Error is an error of this package: use [errors.Is] with a [Kind] to ask what went
// wrong and with a cause to ask why. Its text holds no credentials.
type Error struct {
	Kind   Kind
	Err    error  // the cause, may be nil
	Detail string // what was wrong, in words
}

// Error describes what failed and why.
func (e *Error) Error() string {
	text := e.Detail
	if text == "" {
		text = e.Kind.Error()
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap gives the kind and the cause to [errors.Is] and [errors.As].
func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// fail builds an Error; cause may be nil.
func fail(kind Kind, cause error, format string, args ...any) *Error {
	return &Error{Kind: kind, Err: cause, Detail: fmt.Sprintf(format, args...)}
}
