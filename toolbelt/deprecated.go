package toolbelt

import (
	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/charset"
)

// EncodingsFromContent returns the encodings an HTML or XML page names: those of
// all <meta charset=…> first, then of <meta content="…;charset=…">, then of an XML
// declaration at its very beginning. A name may come twice. Bytes are taken to be
// UTF-8; a name that is not is an error.
//
// It is the counterpart of requests_toolbelt.utils.deprecated; [requests.Response.Text] detects
// encodings by itself.
func EncodingsFromContent(content []byte) ([]string, error) {
	return charset.EncodingsFromBytes(content)
}

// UnicodeFromResponse returns the body of r as text: decoded by the charset of its
// Content-Type if it fits; else by the first encoding the page names that fits; else
// by that of the Content-Type with U+FFFD for bad bytes; else as
// [requests.Response.Text] does. A name met on the way that stands for no encoding
// is an error.
func UnicodeFromResponse(r *requests.Response) (string, error) {
	content, err := r.Content()
	if err != nil {
		return "", err
	}
	return charset.TextFromContent(content, r.Headers.Get("Content-Type"))
}
