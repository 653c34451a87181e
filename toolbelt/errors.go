package toolbelt

import (
	"errors"
	"fmt"

	"github.com/mountable/requests"
)

// The errors of this package, for [errors.Is], named after the exceptions of
// requests-toolbelt. What goes wrong in a request itself, an upload that lies about its
// length included, is a [requests.Kind] instead. No text of an error holds credentials.
var (
	ErrStreaming               = errors.New("streaming failed")                // a download has no usable name, or its file exists: StreamingError
	ErrVersionMismatch         = errors.New("version mismatch")                // something this tool needs has another version: VersionMismatchError
	ErrRequestsVersionTooOld   = errors.New("the requests package is too old") // for this tool: RequestsVersionTooOld
	ErrFileNotSupported        = errors.New("file not supported")              // a file at a URL cannot be passed on: FileNotSupportedError
	ErrImproperBodyPartContent = errors.New("improper body part")              // a part without an empty line: ImproperBodyPartContentException
	ErrNonMultipartContentType = errors.New("not a multipart content type")    // not a multipart response, or no boundary: NonMultipartContentTypeException
	ErrChecksum                = error(checksumError{})                        // a download is not what its digest says; is ErrStreaming, and requests.ErrDigest
)

// checksumError is what ErrChecksum is.
type checksumError struct{}

func (checksumError) Error() string   { return ErrStreaming.Error() + ": checksum mismatch" }
func (checksumError) Unwrap() []error { return []error{ErrStreaming, requests.ErrDigest} }

// failure is an error of this package: which one, what was wrong, and why.
type failure struct {
	kind, cause error // the cause may be nil
	detail      string
}

func (e *failure) Error() string {
	if e.cause == nil {
		return e.detail
	}
	return e.detail + ": " + e.cause.Error()
}

// Unwrap gives the kind and the cause to [errors.Is] and [errors.As].
func (e *failure) Unwrap() []error {
	if e.cause == nil {
		return []error{e.kind}
	}
	return []error{e.kind, e.cause}
}

// fail builds an error; cause may be nil.
func fail(kind, cause error, format string, args ...any) error {
	return &failure{kind, cause, fmt.Sprintf(format, args...)}
}
