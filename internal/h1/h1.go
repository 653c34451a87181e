// Package h1 is an HTTP/1.1 codec over []byte and io.Reader (RFC 9112), for both roles.
//
// It knows nothing of connections, clocks or URLs. Heads are written and kept in the order and case given, and
// read into ordered pairs; the framing of a body is decided by ResponseFraming alone; a Body reads it; an Exchange
// says whether the connection may be used again.
//
// Field values are raw bytes in Go strings: nothing is decoded, joined, sorted or re-cased here. Where senders are
// known to err, the package is as lenient as RFC 9112 allows a client to be (LF line ends in a head, folded values,
// blanks around a chunk size, chunk extensions) and refuses everything else.
//
// Nothing here is safe for concurrent use: one exchange is one caller's.
package h1

import "cmp"

// Fields are header or trailer fields in wire order, each a {name, value} pair with the case of the wire.
type Fields = [][2]string

// Defaults of Limits.
const (
	DefaultHeadBytes    = 256 << 10
	DefaultFields       = 1000
	DefaultInterim      = 20
	DefaultInterimBytes = 256 << 10
	DefaultTrailerBytes = 64 << 10
	DefaultChunkLine    = 4 << 10
)

// Limits bound what a peer can make the reader hold. A zero field means its default; a nil *Limits all defaults.
type Limits struct {
	HeadBytes    int // bytes of one head, from the start line to the empty line (256 KiB)
	LineBytes    int // bytes of one line of a head or trailer section, without its end (default: no bound of its own)
	Fields       int // fields of one head or trailer section (1,000)
	Interim      int // 1xx responses before the final one (20)
	InterimBytes int // bytes of all of them (256 KiB)
	TrailerBytes int // bytes of a trailer section (64 KiB)
	ChunkLine    int // bytes of one chunk-size line; extensions may exceed the data by four times as much (4 KiB)
}

func (l *Limits) orDefaults() Limits {
	if l == nil || *l == (Limits{}) {
		return Limits{
			HeadBytes: DefaultHeadBytes, LineBytes: max(DefaultHeadBytes, DefaultTrailerBytes), Fields: DefaultFields, Interim: DefaultInterim,
			InterimBytes: DefaultInterimBytes, TrailerBytes: DefaultTrailerBytes, ChunkLine: DefaultChunkLine,
		}
	}
	d := Limits{
		HeadBytes:    cmp.Or(l.HeadBytes, DefaultHeadBytes),
		Fields:       cmp.Or(l.Fields, DefaultFields),
		Interim:      cmp.Or(l.Interim, DefaultInterim),
		InterimBytes: cmp.Or(l.InterimBytes, DefaultInterimBytes),
		TrailerBytes: cmp.Or(l.TrailerBytes, DefaultTrailerBytes),
		ChunkLine:    cmp.Or(l.ChunkLine, DefaultChunkLine),
	}
	d.LineBytes = cmp.Or(l.LineBytes, max(d.HeadBytes, d.TrailerBytes))
	return d
}

// ResponseHead is one parsed response head. Its strings share one allocation, so keeping one field keeps the head.
type ResponseHead struct {
	Minor  int    // the version is HTTP/1.Minor, 0 to 9
	Status int    // 100 to 999
	Reason string // raw bytes without surrounding blanks; may be empty
	Fields Fields
}

// RequestHead is one parsed request head, for servers in tests. Its strings share one allocation.
type RequestHead struct {
	Method string
	Target string
	Minor  int
	Fields Fields
}
