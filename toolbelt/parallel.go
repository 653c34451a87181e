package toolbelt

import (
	"context"
	"errors"
	"io"
	"slices"
	"sync"

	"github.com/mountable/requests"
)

// A parallel download is a transfer whose missing bytes are stretches, each asked for by
// itself:
//
//	the first response          tells length and validator; it is the first stretch's as well
//	206 of just that stretch    is written where it belongs
//	any other response          what is there without a gap stays, and one connection goes on
//	a broken connection         what came stays; the next attempt has half as many workers
//
// The file has gaps meanwhile. With KeepPartial its note names them before they are there.

// Parallel makes a [Download] ask for n parts of the body at once, over as many
// connections, where the server says that it has parts (Accept-Ranges) and the body is
// of 2 MiB or more. All parts are of one representation, as its strong ETag or its date
// says (If-Range). Where a server sends anything but the part that was asked for, one
// connection goes on. [OnProgress] is called by one goroutine at a time then, not
// always by the same. 1 is the default; less is [requests.ErrInvalidArgument].
func Parallel(n int) DownloadOption {
	return func(d *download) {
		if n < 1 {
			d.err = invalid("Parallel(%d): a download takes at least one connection", n)
		}
		d.parallel = n
	}
}

const (
	// minStretch is what a round trip and a connection's start are small against.
	minStretch = 1 << 20
	// stretchesEach is how many stretches a worker has, so that a slow one does not hold up the rest.
	stretchesEach = 4
)

// stretch is a part that is missing: from pos on, up to end.
type stretch struct{ Pos, End int64 }

// errOneByOne is a response that is not the part that was asked for.
var errOneByOne = errors.New("the server does not send the parts that are asked for")

// wantsParts reports whether what r begins is to be asked for in parts.
func (t *transfer) wantsParts(r *requests.Response) bool {
	return t.d.parallel > 1 && t.validator != "" && t.total-t.offset >= 2*minStretch &&
		(r.StatusCode == 206 || r.Headers.Get("Accept-Ranges") == "bytes")
}

// split makes stretches of what is missing.
func (t *transfer) split() {
	size := max(minStretch, (t.total-t.offset)/int64(stretchesEach*t.d.parallel))
	for pos := t.offset; pos < t.total; {
		end := pos + min(size, t.total-pos) // what a server calls its length may be near the largest number
		t.missing = append(t.missing, &stretch{pos, end})
		pos = end
	}
}

// got is how many bytes are there.
func (t *transfer) got() int64 {
	if len(t.missing) == 0 {
		return t.offset
	}
	n := t.total
	for _, s := range t.missing {
		n -= s.End - s.Pos
	}
	return n
}

// fan is the work on the stretches of a transfer.
type fan struct {
	t      *transfer
	cancel context.CancelFunc

	// mu protects the fields below, the stretches, the checks and the note of the transfer.
	mu       sync.Mutex
	next     int // stretch that nobody works on
	done     int64
	failed   error
	panicked any
}

// fanOut gets all stretches, the first one from r unless that is nil. cancel ends r.
func (t *transfer) fanOut(ctx context.Context, cancel context.CancelFunc, r *requests.Response) error {
	if err := t.beginParts(); err != nil {
		return err
	}
	f := &fan{t: t, cancel: cancel, done: t.got()}
	var workers sync.WaitGroup
	for range min(t.d.parallel, len(t.missing)) {
		s, first := f.take(), r // r begins with the first one
		r = nil
		workers.Go(func() { f.work(ctx, s, first) })
	}
	workers.Wait()
	if f.panicked != nil {
		panic(f.panicked)
	}
	return t.endParts(f.failed)
}

// beginParts names the gaps before there are any.
func (t *transfer) beginParts() error {
	if len(t.missing) == 0 {
		t.split()
	}
	if err := t.file.buffer.Flush(); err != nil {
		return t.file.broken(err)
	}
	return t.noteParts()
}

func (t *transfer) noteParts() error {
	if !t.d.keepPartial {
		return nil
	}
	return t.writeNote()
}

// endParts says what is missing still, and what is to be done about it.
func (t *transfer) endParts(failed error) error {
	t.missing = slices.DeleteFunc(t.missing, func(s *stretch) bool { return s.Pos == s.End })
	switch {
	case len(t.missing) == 0:
		t.offset = t.total
		return t.file.replay(t.checks)
	case errors.Is(failed, errOneByOne):
		t.d.parallel = 1
		if err := t.closeGaps(); err != nil {
			return err
		}
	default:
		t.d.parallel = max(1, t.d.parallel/2)
		if err := t.noteParts(); err != nil {
			return err
		}
	}
	return failed
}

// closeGaps leaves of the file what has no gap before it.
func (t *transfer) closeGaps() error {
	t.offset, t.missing, t.checks = t.missing[0].Pos, nil, nil
	if err := t.file.file.Truncate(t.offset); err != nil {
		return t.file.broken(err)
	}
	t.file.buffer.Reset(t.file.file)
	if _, err := t.file.file.Seek(0, io.SeekEnd); err != nil {
		return t.file.broken(err)
	}
	return t.noteParts()
}

// work gets stretches until there are none or somebody has failed.
func (f *fan) work(ctx context.Context, s *stretch, r *requests.Response) {
	ended := false
	defer func() {
		if !ended {
			f.fail(nil, recover()) // what stops the goroutine goes on in the caller's
		}
	}()
	for ; s != nil; s = f.take() {
		if err := f.get(ctx, s, r); err != nil {
			f.fail(err, nil)
			break
		}
		r = nil
	}
	ended = true
}

func (f *fan) fail(err error, panicked any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil && panicked == nil {
		err = errors.New("a goroutine has ended itself")
	}
	if f.failed == nil {
		f.failed = err
	}
	if f.panicked == nil {
		f.panicked = panicked
	}
	f.cancel()
}

// take returns a stretch to work on, nil if there is none.
func (f *fan) take() *stretch {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.failed != nil || f.panicked != nil || f.next == len(f.t.missing) {
		return nil
	}
	f.next++
	return f.t.missing[f.next-1]
}

// get writes one stretch to where it belongs.
func (f *fan) get(ctx context.Context, s *stretch, r *requests.Response) (err error) {
	asked := r == nil
	if asked {
		if r, err = f.ask(ctx, s); err != nil {
			return err
		}
	}
	defer r.Close()
	block := make([]byte, f.t.d.chunk)
	for s.Pos < s.End {
		n, err := r.Read(block[:min(int64(len(block)), s.End-s.Pos)])
		if n > 0 {
			if _, werr := f.t.file.file.WriteAt(block[:n], s.Pos); werr != nil {
				return f.t.file.broken(werr)
			}
			f.saved(s, int64(n))
		}
		if err == io.EOF && s.Pos < s.End {
			return &requests.Error{Kind: requests.ErrChunkedEncoding, Request: r.Request, Response: r, Detail: "the body ended early"}
		}
		if err != nil && err != io.EOF {
			return err
		}
	}
	if asked {
		if n, _ := r.Read(block[:1]); n > 0 {
			return errOneByOne // it is longer than it said
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.t.noteParts()
}

func (f *fan) saved(s *stretch, n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s.Pos += n
	f.done += n
	f.t.d.report(f.done, f.t.total)
}

// ask sends the request for a stretch, whose response must be that and nothing else.
func (f *fan) ask(ctx context.Context, s *stretch) (*requests.Response, error) {
	r, err := f.t.request(ctx, requests.Headers{{"Range", rangeOf(s.Pos, s.End-1)}, {"If-Range", f.t.validator}})
	if err != nil {
		return nil, err
	}
	first, last, total, ok := parseContentRange(r.Headers.Get("Content-Range"))
	n := bodyLength(r, true)
	if r.StatusCode != 206 || !ok || first != s.Pos || last != s.End-1 || total != f.t.total || n >= 0 && n != s.End-s.Pos || r.Headers.Has("Content-Encoding") || f.t.isOther(r) {
		r.Close()
		return nil, errOneByOne
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.t.adopt(r)
	return r, nil
}
