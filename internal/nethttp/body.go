package nethttp

import (
	"io"
	"maps"
	"net/http"
	"sync"
)

// Source is the response that a Body reads.
type Source interface {
	io.ReadCloser
	Stop() error           // ends a Read that is under way
	Trailers() [][2]string // once it has been read to its end
	Bare(err error) error  // an error as programs compare it
}

// Body reads a response for net/http and fills in the trailers at its end. Close may be
// called while Read is under way:
//
//	            idle                    reading
//	Read begins → reading               -
//	Read ends   -                       → idle, or the source is closed, if Close has come
//	Close       the source is closed    the source is stopped, which ends the Read
//
// What ended the body is what every later Read gives.
type Body struct {
	source  Source
	target  *http.Response
	transit *Transit
	end     error // nil before that

	// mu protects the fields below.
	mu      sync.Mutex
	reading bool
	closed  bool
}

// Begin makes b the body of target.
func (b *Body) Begin(source Source, target *http.Response, transit *Transit) {
	b.source, b.target, b.transit = source, target, transit
	target.Body = b
}

func (b *Body) Read(p []byte) (int, error) {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return 0, http.ErrBodyReadAfterClose
	}
	b.reading = true
	b.mu.Unlock()
	n, err := b.read(p)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.reading = false; b.closed {
		_ = b.source.Close()
		return n, http.ErrBodyReadAfterClose
	}
	return n, err
}

func (b *Body) read(p []byte) (int, error) {
	if b.end != nil {
		return 0, b.end
	}
	n, err := b.source.Read(p)
	switch {
	case err == io.EOF:
		b.addTrailers(b.source.Trailers())
	case err != nil:
		err = b.source.Bare(err)
	default:
		return n, nil
	}
	b.end = err
	b.transit.End()
	return n, err
}

func (b *Body) addTrailers(fields [][2]string) {
	if len(fields) == 0 {
		return
	}
	if b.target.Trailer == nil {
		b.target.Trailer = http.Header{}
	}
	maps.Copy(b.target.Trailer, Header(fields))
}

// Close ends the reading and the transit.
func (b *Body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	defer b.transit.End()
	b.transit.EndUpload() // first, as a transport may wait for a Read of the request's body
	if b.reading {
		return b.source.Stop()
	}
	return b.source.Close()
}
