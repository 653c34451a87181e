// Package coding undoes HTTP content codings (RFC 9110 section 8.4) while a
// body streams by: gzip and x-gzip, deflate with or without its zlib wrapper,
// br and zstd.
//
// What it keeps of Requests: names in any letter case, lists undone in
// reverse, several gzip members joined into one body, and bytes after the last
// member ignored. What it does not keep, because data would be lost without a
// word: a stream that is cut short is an error in every coding, unless Leniency
// allows it, a damaged second gzip member is reported instead of dropped, and
// an unknown coding inside a list of known ones is named instead of taken for
// deflate.
package coding

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// MaxCodings is how many codings one response may have. Each of them can
// multiply the size of the body, so a longer list is an attack.
const MaxCodings = 5

var (
	// ErrTooManyCodings reports a Content-Encoding of more than MaxCodings.
	ErrTooManyCodings = fmt.Errorf("more than %d content codings", MaxCodings)
	// ErrTooLarge reports a decoded body beyond its Limits.
	ErrTooLarge = errors.New("decoded body exceeds its limit")
	// ErrUnsupported reports a coding nobody here can undo.
	ErrUnsupported = errors.New("unsupported content coding")
	// ErrClosed is what Read returns after Close.
	ErrClosed = errors.New("coding: read on closed body")
)

// Error says which coding failed and why. An error of the source itself is
// never wrapped in one.
type Error struct {
	Coding string
	Err    error
}

func (e *Error) Error() string { return "content coding " + e.Coding + ": " + e.Err.Error() }

// Unwrap gives the cause, for errors.Is.
func (e *Error) Unwrap() error { return e.Err }

// Limits bounds what decoding may produce. The zero value is safe for bodies
// of any honest size: the ratio is the one Apache's mod_deflate has long used,
// and it counts only once a body is larger than anybody would mind.
type Limits struct {
	// MaxDecoded is the largest decoded body in bytes; zero or less: no bound.
	MaxDecoded int64
	// MaxRatio is how many times larger than its coded bytes the body may
	// become at any coding of the list; zero: 200, negative: no bound.
	MaxRatio int
	// RatioFloor is the decoded size in bytes below which MaxRatio is not
	// looked at; zero: 32 MiB. The codings of a list share it: each of their
	// decoders keeps a window of what it has decoded.
	RatioFloor int64
	// Leniency says which streams may end early. Any other that does is
	// io.ErrUnexpectedEOF in an *Error.
	Leniency Leniency
}

// Leniency is what may be missing at the end of a stream.
type Leniency uint8

const (
	// Complete: nothing.
	Complete Leniency = iota
	// WithoutTrailer: a gzip member's trailer, and the last block before it if
	// what came ends in a flush, with all blocks whole. Some devices send
	// gzip that way.
	WithoutTrailer
	// Truncated: anything of gzip and deflate. Requests gives what could be
	// decoded.
	Truncated
)

// Unlimited is a MaxRatio that allows everything, as Requests does.
const Unlimited = -1

const (
	defaultRatio = 200
	defaultFloor = 32 << 20
)

// LimitsFor returns the Limits of a reader that takes truncated streams for whole, or gzip
// without its trailer, and of one that has no bounds.
func LimitsFor(truncated, withoutTrailer, unlimited bool) (l Limits) {
	switch {
	case truncated:
		l.Leniency = Truncated
	case withoutTrailer:
		l.Leniency = WithoutTrailer
	}
	if unlimited {
		l.MaxRatio = Unlimited
	}
	return l
}

func (l Limits) withDefaults() Limits {
	if l.MaxRatio == 0 {
		l.MaxRatio = defaultRatio
	}
	if l.RatioFloor == 0 {
		l.RatioFloor = defaultFloor
	}
	return l
}

// allows reports how many of the bytes decoded so far may be handed out.
func (l Limits) allows(decoded, coded int64) int64 {
	allowed := decoded
	if l.MaxDecoded > 0 {
		allowed = min(allowed, l.MaxDecoded)
	}
	if l.MaxRatio > 0 && decoded > l.RatioFloor && decoded/int64(l.MaxRatio) > coded {
		allowed = min(allowed, max(l.RatioFloor, coded*int64(l.MaxRatio)))
	}
	return allowed
}

// supported: NewReader can undo it.
func supported(name string) bool {
	switch name {
	case "gzip", "x-gzip", "deflate", "br", "zstd":
		return true
	}
	return false
}

// AcceptEncoding is the Accept-Encoding value that asks for them.
func AcceptEncoding() string { return "gzip, deflate, br, zstd" }

// Decoders undo codings of a program's own, by lower-case name; those that are known here, too,
// are undone by them instead. A decoder that is an io.Closer is closed.
type Decoders map[string]func(io.Reader) (io.Reader, error)

// In reports whether one of them is among the codings of a response.
func (d Decoders) In(contentEncoding []string) bool {
	for _, value := range contentEncoding {
		for name := range strings.SplitSeq(value, ",") {
			if d[strings.ToLower(strings.Trim(name, " \t"))] != nil {
				return true
			}
		}
	}
	return false
}

// Parse reads the values of the Content-Encoding fields, in order, and returns
// the codings to undo, in the order they were applied, lower-case. Empty
// elements and identity are left out. A response in which no coding is known
// has nothing to undo, as in Requests.
func Parse(contentEncoding []string) ([]string, error) { return Decoders(nil).parse(contentEncoding) }

func (d Decoders) parse(contentEncoding []string) ([]string, error) {
	var codings []string
	count, known := 0, false
	for _, value := range contentEncoding {
		for name := range strings.SplitSeq(value, ",") {
			name = strings.ToLower(strings.Trim(name, " \t"))
			if name == "" {
				continue
			}
			count++
			if name != "identity" {
				codings = append(codings, name)
				known = known || supported(name) || d[name] != nil
			}
		}
	}
	if !known {
		return nil, nil
	}
	if count > MaxCodings {
		return nil, &Error{Coding: "list", Err: ErrTooManyCodings}
	}
	return codings, nil
}

// NewReader returns src with the codings of a response undone.
//
// Data is handed out as soon as it can be decoded: a block the server flushed
// comes out although the connection stays open and silent behind it. Read
// reads src to its end, also past the end of the coded data, and never returns
// 0, nil for a non-empty buffer. Errors are *Error, or those of src unchanged.
//
// Close gives pooled decoders back; it does not close src. It may be called at
// any time, from any goroutine, more than once; a Read that is waiting for src
// is not interrupted by it. Read itself is for one goroutine at a time.
func NewReader(src io.Reader, contentEncoding []string, lim Limits) (io.ReadCloser, error) {
	return Decoders(nil).NewReader(src, contentEncoding, lim)
}

// NewReader is the function of that name, with decoders of a program's own.
func (d Decoders) NewReader(src io.Reader, contentEncoding []string, lim Limits) (io.ReadCloser, error) {
	codings, err := d.parse(contentEncoding)
	if err != nil {
		return nil, err
	}
	lim = lim.withDefaults()
	raw := &source{r: src}
	if len(codings) == 0 {
		return &body{top: raw}, nil
	}
	lim.RatioFloor /= int64(len(codings))
	b := &body{layers: make([]layer, len(codings))}
	in := raw
	for i := len(codings) - 1; i >= 0; i-- {
		l := &b.layers[i]
		l.start(codings[i], in, raw, lim)
		if open := d[codings[i]]; open != nil {
			l.dec, l.lenient = &own{in: in, open: open}, false
		}
		if i > 0 {
			in = &source{r: l}
		}
	}
	b.top = &b.layers[0]
	return b, nil
}
