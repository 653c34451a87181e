package adapters

import (
	"context"
	"errors"
	"sync"

	"github.com/mountable/requests"
)

// streamBuffer is how much a handler may write ahead of the reader, as much as sockets
// commonly hold.
const streamBuffer = 64 << 10

var errStreamClosed = errors.New("the response has been closed")

// stream is a bounded pipe from a handler to the reader of its response.
type stream struct {
	// mu protects the fields below.
	mu       sync.Mutex
	changed  sync.Cond
	buffer   []byte
	err      error // at the end of buffer; io.EOF for a good end
	closed   bool  // the reader has gone
	left     int64 // announced and not read yet, -1 if unknown
	trailers requests.Headers
}

func newStream() *stream {
	s := &stream{left: -1}
	s.changed.L = &s.mu
	return s
}

// write waits for room and fails once the reader has gone.
func (s *stream) write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	written := 0
	for len(p) > 0 {
		for len(s.buffer) >= streamBuffer && !s.closed {
			s.changed.Wait()
		}
		if s.closed {
			return written, errStreamClosed
		}
		n := min(len(p), streamBuffer-len(s.buffer))
		s.buffer = append(s.buffer, p[:n]...)
		written, p = written+n, p[n:]
		s.changed.Broadcast()
	}
	return written, nil
}

// read waits for bytes, for the end, or for the context's.
func (s *stream) read(ctx context.Context, p []byte) (int, error) {
	stop := context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.changed.Broadcast()
	})
	defer stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(s.buffer) == 0 && s.err == nil && !s.closed && ctx.Err() == nil && len(p) > 0 {
		s.changed.Wait()
	}
	switch {
	case s.closed:
		return 0, errStreamClosed
	case len(s.buffer) > 0:
		return s.take(p), nil
	case s.err != nil:
		return 0, s.err
	}
	return 0, ctx.Err()
}

func (s *stream) take(p []byte) int {
	n := copy(p, s.buffer)
	s.buffer = s.buffer[:copy(s.buffer, s.buffer[n:])]
	if s.left > 0 {
		s.left -= int64(n)
	}
	s.changed.Broadcast()
	return n
}

// end closes the writing side; what has been written can still be read.
func (s *stream) end(err error, trailers requests.Headers) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err, s.trailers = err, trailers
	s.changed.Broadcast()
}

// close closes the reading side, unless everything has been read.
func (s *stream) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil && len(s.buffer) == 0 {
		return
	}
	s.closed, s.buffer = true, nil
	s.changed.Broadcast()
}

func (s *stream) expect(length int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = length
}

func (s *stream) remaining() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.left
}

// trailing returns the trailers once everything has been read.
func (s *stream) trailing() requests.Headers {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil || len(s.buffer) > 0 {
		return nil
	}
	return s.trailers
}
