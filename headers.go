package requests

import (
	"iter"
	"slices"
	"strings"

	"github.com/mountable/requests/internal/coding"
	"github.com/mountable/requests/internal/pairs"
	"github.com/mountable/requests/internal/version"
)

// Headers is an ordered list of header fields. Order, letter case and
// duplicates are kept exactly as given, on the wire too; lookups ignore case.
// The zero value is an empty list ready to use. Values are raw bytes: text
// outside ASCII goes out as the UTF-8 it is.
//
// Headers is an [Option] by itself: its fields are merged over the session's.
// It is not safe for concurrent modification.
type Headers [][2]string

// Get returns the value of name, or "" if it is absent. A repeated field gives
// its values joined by ", ", as Requests shows them.
func (h Headers) Get(name string) string {
	i := pairs.IndexField(h, name)
	if i < 0 {
		return ""
	}
	if pairs.HasField(h[i+1:], name) {
		return strings.Join(h.Values(name), ", ")
	}
	return h[i][1]
}

// Values returns every value of name in order, nil if it is absent.
func (h Headers) Values(name string) []string { return pairs.Fields(h, name) }

// Has reports whether name is present, an empty value included.
func (h Headers) Has(name string) bool { return pairs.HasField(h, name) }

// Set gives name the single value. A field that is there already keeps its
// place and takes the new spelling of the name; further ones are removed.
func (h *Headers) Set(name, value string) { *h = pairs.SetField(*h, name, value) }

// Add appends a field, whether or not the name is there already.
func (h *Headers) Add(name, value string) { *h = append(*h, [2]string{name, value}) }

// Del removes every field called name.
func (h *Headers) Del(name string) { *h = pairs.DeleteField(*h, name) }

// Clone returns a copy that shares nothing with h.
func (h Headers) Clone() Headers { return slices.Clone(h) }

// All iterates over the fields in order.
func (h Headers) All() iter.Seq2[string, string] { return pairs.All(h) }

// Apply merges h over the headers already in r: it makes Headers an [Option].
func (h Headers) Apply(r *Request) error {
	var fields Headers
	if r.pooled != nil {
		fields = r.pooled.fields[:0]
	}
	r.Headers = pairs.OverlayFields(fields, r.Headers, h)
	return nil
}

// setDefault appends the field unless the name is present.
func (h *Headers) setDefault(name, value string) {
	if !h.Has(name) {
		h.Add(name, value)
	}
}

// DefaultHeaders returns the headers a new Session starts with, in Requests'
// order: User-Agent, Accept-Encoding, Accept and Connection.
func DefaultHeaders() Headers {
	return Headers{
		{"User-Agent", DefaultUserAgent()},
		{"Accept-Encoding", coding.AcceptEncoding()},
		{"Accept", "*/*"},
		{"Connection", "keep-alive"},
	}
}

// DefaultUserAgent returns "go-requests/VERSION".
func DefaultUserAgent() string { return version.UserAgent() }
