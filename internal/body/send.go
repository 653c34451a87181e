package body

import (
	"bytes"
	"io"
	"iter"
	"sync"
	"time"
)

// use is who reads a stream.
//
//	state     left by
//	unread    Open, WriteTo, ReadAll
//	reading   the end of that
//	read      Restart; another Open, WriteTo or ReadAll restarts as well
//
// What cannot be restarted stays read, and is not sent again: an empty body instead of
// the one that was given would be taken for it.
type use struct {
	// mu protects the fields below.
	mu      sync.Mutex
	reading chan struct{} // closed when the reading that is under way has ended
	read    bool
}

// patience is how long an earlier reading is waited for that has been given up: as long
// as a Read may take that is about to return.
const patience = time.Second

// begin makes the caller the reader of the body, from its beginning.
func (b *Body) begin() error {
	if b.use == nil {
		return nil
	}
	if err := b.use.settled(); err != nil {
		return err
	}
	b.use.mu.Lock()
	defer b.use.mu.Unlock()
	if b.use.read {
		if err := b.rewound(); err != nil {
			return err
		}
	}
	b.use.read, b.use.reading = true, make(chan struct{})
	return nil
}

// end ends what begin began.
func (b *Body) end() {
	if b.use == nil {
		return
	}
	b.use.mu.Lock()
	defer b.use.mu.Unlock()
	close(b.use.reading)
	b.use.reading = nil
}

// settled waits for the end of an earlier reading.
func (u *use) settled() error {
	u.mu.Lock()
	reading := u.reading
	u.mu.Unlock()
	if reading == nil {
		return nil
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-reading:
		return nil
	case <-timer.C:
		return fault(Unrewindable, nil, "the body is still being read by an earlier try, so it cannot be sent again")
	}
}

// Replayable reports whether the body gives the same bytes again each time it is sent.
func (b *Body) Replayable() bool {
	switch b.kind {
	case none, inMemory:
		return true
	}
	return b.rewind == rewindable
}

// Restart brings a stream back to where it was first read from. Its error is an *Error,
// Unrewindable: the stream has been read and cannot be read again.
func (b *Body) Restart() error {
	if b.use == nil {
		return nil
	}
	if err := b.use.settled(); err != nil {
		return err
	}
	b.use.mu.Lock()
	defer b.use.mu.Unlock()
	if !b.use.read && b.rewind != rewindable {
		return nil // it is where it was
	}
	if err := b.rewound(); err != nil {
		return err
	}
	b.use.read = false
	return nil
}

// Emptied returns what a stream without a position gives that is read a second time:
// nothing, framed as before. ok is false for any other body.
func (b *Body) Emptied() (spent Body, ok bool) {
	if b.use == nil || b.rewind != oneShot {
		return Body{}, false
	}
	return Body{kind: fromReader, reader: bytes.NewReader(nil), length: b.length, use: new(use)}, true
}

func (b *Body) rewound() error {
	var err error
	switch {
	case b.kind == fromSeq && b.again == nil:
		return fault(Unrewindable, nil, "the body is an iterator that has been read, so it cannot be sent again")
	case b.rewind == unrewindable:
		return fault(Unrewindable, nil, "the body's position could not be told, so it cannot be sent again")
	case b.rewind == oneShot:
		return fault(Unrewindable, nil, "the body is a %T that has been read, so it cannot be sent again", b.reader)
	}
	switch r := b.reader.(type) {
	case streamer:
		err = r.Rewind()
	case io.Seeker:
		_, err = r.Seek(b.start, io.SeekStart)
	default:
		err = b.again()
	}
	if err != nil {
		return fault(Unrewindable, err, "the body cannot be rewound to be sent again")
	}
	return nil
}

// Open returns the body as a reader, from its beginning, and what ends the reading. A
// body that cannot be read again gives that error.
func (b *Body) Open() (r io.Reader, stop func()) {
	if err := b.begin(); err != nil {
		return failed{err}, func() {}
	}
	switch b.kind {
	case fromReader:
		return b.reader, sync.OnceFunc(b.end)
	case fromSeq:
		next, stop := iter.Pull2(b.seq)
		return &seqReader{next: next}, sync.OnceFunc(func() { stop(); b.end() })
	}
	return bytes.NewReader(b.data), func() {}
}

// OpenAs is Open as one value, whose Close ends the reading. fault says what an error of
// Read is.
func (b *Body) OpenAs(fault func(error) error) io.ReadCloser {
	src, stop := b.Open()
	return &opened{src, stop, fault}
}

type opened struct {
	io.Reader
	stop  func()
	fault func(error) error
}

func (o *opened) Read(p []byte) (int, error) {
	n, err := o.Reader.Read(p)
	if err != nil && err != io.EOF {
		err = o.fault(err)
	}
	return n, err
}

func (o *opened) Close() error {
	o.stop()
	return nil
}

type failed struct{ err error }

func (f failed) Read([]byte) (int, error) { return 0, f.err }

// Sink is what a body is written to.
type Sink interface {
	io.Writer
	io.ReaderFrom
}

// Send writes the body to w: what is in memory at once, an iterator item by item, a
// streamer by its own WriteTo, and any other reader by the ReadFrom of w. It gives that at
// most what was announced of a reader that does not wait, as an *io.LimitedReader.
func (b *Body) Send(w Sink) error {
	if err := b.begin(); err != nil {
		return err
	}
	defer b.end()
	var err error
	switch b.kind {
	case inMemory:
		_, err = w.Write(b.data)
	case fromReader:
		err = b.sendReader(w)
	case fromSeq:
		err = sendSeq(w, b.seq)
	}
	return err
}

func (b *Body) sendReader(w Sink) error {
	_, own := b.reader.(streamer)
	to, ok := b.reader.(io.WriterTo)
	var err error
	switch {
	case own && ok:
		_, err = to.WriteTo(w)
	case !b.waits && b.length >= 0:
		err = b.sendMeasured(w)
	default:
		_, err = w.ReadFrom(b.reader)
	}
	return err
}

// EndSize is how much of a body of known length is held back at most until it is known to end there: a server that has
// all that was announced could respond before it is found out that there is more. It takes one more write.
const EndSize = 1 << 10

// sendMeasured sends a reader that does not wait, and of one that goes on, as a file that has grown does, not the end.
func (b *Body) sendMeasured(w Sink) error {
	most := max(b.length-EndSize, 0)
	if most > 0 {
		if _, err := w.ReadFrom(&io.LimitedReader{R: b.reader, N: most}); err != nil {
			return err
		}
	}
	var end [EndSize + 1]byte
	rest := int(b.length - most)
	n, err := io.ReadFull(b.reader, end[:rest+1])
	switch {
	case n > rest:
		return LengthError("the body is longer than the %d bytes announced", b.length)
	case err != io.EOF && err != io.ErrUnexpectedEOF:
		return ReadError(err)
	}
	_, err = w.Write(end[:n])
	return err
}

// ended returns an error if the reader, of which all has been read that was announced, goes on.
func (b *Body) ended() error {
	var more [1]byte
	if n, _ := b.reader.Read(more[:]); n > 0 {
		return LengthError("the body is longer than the %d bytes announced", b.length)
	}
	return nil
}

func sendSeq(w io.Writer, seq iter.Seq2[[]byte, error]) error {
	for item, err := range seq {
		if err != nil {
			return err
		}
		if _, err := w.Write(item); err != nil {
			return err
		}
	}
	return nil
}

// Append appends a body that does not wait to dst. Its error is an *Error.
func (b *Body) Append(dst []byte) ([]byte, error) {
	if b.use == nil {
		return append(dst, b.data...), nil
	}
	if err := b.begin(); err != nil {
		return dst, err
	}
	defer b.end()
	head := len(dst)
	dst = append(dst, make([]byte, b.length)...)
	n, err := io.ReadFull(b.reader, dst[head:])
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return dst[:head], LengthError("the body ended after %d bytes of %d", n, b.length)
	}
	if err == nil {
		err = b.ended()
	} else {
		err = ReadError(err)
	}
	if err != nil {
		return dst[:head], err
	}
	return dst, nil
}

// seqReader reads the items of an iterator.
type seqReader struct {
	next func() ([]byte, error, bool)
	rest []byte
}

func (r *seqReader) Read(p []byte) (int, error) {
	for len(r.rest) == 0 {
		item, err, ok := r.next()
		if err != nil {
			return 0, err
		}
		if !ok {
			return 0, io.EOF
		}
		r.rest = item
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// Copy writes the body to w, and leaves it ready to be sent.
func (b *Body) Copy(w io.Writer) error {
	if err := b.Restart(); err != nil {
		return err
	}
	r, stop := b.Open()
	_, err := io.Copy(w, r)
	stop()
	if err != nil {
		return err
	}
	return b.Restart()
}
