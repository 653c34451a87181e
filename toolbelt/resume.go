package toolbelt

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/backoff"
)

// Attempts is how often in a row [Download] may fail without a further byte coming
// before it gives up: 5 times by default.
func Attempts(n int) DownloadOption {
	return func(d *download) {
		if n < 1 {
			d.err = invalid("Attempts(%d): a download takes at least one", n)
		}
		d.attempts = n
	}
}

// RequestOptions are given to each request of a [Download]: headers, auth, timeouts.
func RequestOptions(options ...requests.Option) DownloadOption {
	return func(d *download) { d.request = append(d.request, options...) }
}

// KeepPartial makes a [Download] that fails leave what has come in "path.part", with
// what is needed to go on in "path.part.json", and go on from there the next time.
// The path must name the file. Two downloads of one path must not run at once.
func KeepPartial() DownloadOption { return func(d *download) { d.keepPartial = true } }

const defaultAttempts = 5

// Download gets url and saves the body as [StreamResponseToFile] does; where the
// connection breaks, it asks for the rest (RFC 9110 section 14). The parts are of one
// representation: the rest is asked for with Range and If-Range, by its strong ETag or
// else its date. Where what comes does not continue what is there, or does not say
// what it is, the download starts over without a Range: a file that appears is whole.
// It is asked for without content coding.
//
// A part that is not as long as its Content-Range says, in any framing, is a failure too.
//
// Statuses other than 200 are errors: [requests.ErrHTTP] where they are one, else
// [ErrStreaming], as is a server that gives one strong ETag to bodies of different
// lengths. Connection errors and timeouts are tried again after a short wait; see
// [Attempts]. A digest is one of the whole, and checked when it is complete.
func Download(ctx context.Context, s Getter, url, path string, options ...DownloadOption) (_ string, err error) {
	d, err := newDownload(fileChunk, options)
	if err != nil {
		return "", err
	}
	t := &transfer{d: d, s: s, url: url, path: path, total: -1}
	if err := t.prepare(); err != nil {
		return "", err
	}
	ended := false
	defer func() {
		if !ended || err != nil { // or something of the caller's panics
			t.giveUp(err)
		}
	}()
	if err = t.run(ctx); err == nil {
		err = t.complete()
	}
	if ended = true; err != nil {
		return "", err
	}
	return t.file.target, nil
}

// transfer is a Download under way.
type transfer struct {
	d         *download
	s         Getter
	url, path string
	file      *newFile   // nil until a response has come
	checks    *checks    // of the bytes in the file; nil if those are from an earlier call
	validator string     // of the representation in the file; "" if it cannot be gone on with
	offset    int64      // bytes in the file
	total     int64      // of the representation, -1 if unknown
	due       int64      // where the part that comes ends, -1 where it is not one
	missing   []*stretch // gaps in the file of a parallel download, in order
	seen      partialNote
}

// prepare finds out what can be known before anything is sent.
func (t *transfer) prepare() error {
	named := t.path != "" && !isDirectory(t.path)
	switch {
	case t.d.keepPartial && !named:
		return invalid("KeepPartial needs the path of a file, not %q", t.path)
	case t.d.keepPartial:
		return t.reopen()
	case named:
		return (&newFile{target: t.path, overwrite: t.d.overwrite}).inspect(t.d)
	}
	return nil
}

// run asks until the body is complete or too many attempts in a row brought nothing.
func (t *transfer) run(ctx context.Context) error {
	furthest := t.got()
	for failures := 0; ; {
		err := t.attempt(ctx)
		switch {
		case err == nil || !passing(err) || ctx.Err() != nil:
			return err
		case errors.Is(err, errMore):
			continue // it brought at least a byte: a part has one
		case errors.Is(err, errOneByOne):
			continue // there is one connection from now on
		}
		if failures++; t.got() > furthest {
			furthest, failures = t.got(), 1
		}
		if failures >= t.d.attempts || !pause(ctx, failures) {
			return t.last(err)
		}
	}
}

// last is the error of the last attempt.
func (t *transfer) last(err error) error {
	if errors.Is(err, errStartOver) {
		return fail(ErrStreaming, err, "the download cannot go on")
	}
	return err
}

var (
	// errStartOver is a response that does not fit what is there.
	errStartOver = errors.New("what the server sent does not continue what came before")
	// errMore is a part that came whole and may not have been the last.
	errMore = errors.New("the server did not say how much there is")
)

// passing tells errors that another attempt may not have.
func passing(err error) bool {
	switch {
	case errors.Is(err, requests.ErrTotalTimeout), errors.Is(err, requests.ErrCanceled), errors.Is(err, requests.ErrSSL), refusesUser(err):
		return false
	case errors.Is(err, requests.ErrChunkedEncoding), errors.Is(err, requests.ErrConnection), errors.Is(err, requests.ErrTimeout):
		return true
	}
	return errors.Is(err, errStartOver) || errors.Is(err, errMore) || errors.Is(err, errOneByOne)
}

// refusesUser tells a proxy that has refused user or password: asking again with the same
// may lock the user out.
func refusesUser(err error) bool {
	e, ok := errors.AsType[*requests.Error](err)
	return ok && errors.Is(err, requests.ErrProxy) && e.Response != nil && e.Response.StatusCode == 407
}

// pause waits before an attempt: not for the first, then longer each time.
func pause(ctx context.Context, failures int) bool {
	if failures == 1 {
		return true
	}
	return backoff.Pause(ctx, min(100*time.Millisecond<<min(failures-2, 10), 5*time.Second), time.Time{}) == nil
}

// attempt sends one request and takes what comes.
func (t *transfer) attempt(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if len(t.missing) > 0 {
		return t.fanOut(ctx, cancel, nil)
	}
	t.due = -1
	var headers requests.Headers
	ranged := t.offset > 0 && t.validator != ""
	if ranged {
		headers = requests.Headers{{"Range", rangeOf(t.offset, -1)}, {"If-Range", t.validator}}
	}
	r, err := t.request(ctx, headers)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := t.place(r, ranged); err != nil || r.StatusCode == 416 {
		return err
	}
	if t.wantsParts(r) {
		return t.fanOut(ctx, cancel, r)
	}
	return t.receive(r)
}

// request asks for the body, or for the part that headers say.
func (t *transfer) request(ctx context.Context, headers requests.Headers) (*requests.Response, error) {
	headers = append(requests.Headers{{"Accept-Encoding", "identity"}}, headers...)
	return t.s.Get(ctx, t.url, append(t.d.request[:len(t.d.request):len(t.d.request)], headers, requests.Stream(true))...)
}

// place makes the file ready for the body of r:
//
//	status                     asked for the rest             asked for all
//	206, 200 that says where   goes on if it fits             ErrStreaming
//	200                        begins anew if it is whole     begins anew
//	416                        complete if it says so         ErrHTTP
//
// What does not fit, or may be another part, has the next attempt ask for all.
func (t *transfer) place(r *requests.Response, ranged bool) error {
	switch part := isPart(r); {
	case ranged && r.StatusCode == 416:
		if !t.endsWith(r) {
			return t.startOver(nil)
		}
		t.total = t.offset
		return t.proceed(r)
	case !r.OK():
		return r.RaiseForStatus()
	case r.StatusCode == 206 && !ranged || r.StatusCode != 200 && r.StatusCode != 206:
		return fail(ErrStreaming, nil, "the response to a download has the status %d", r.StatusCode)
	case part && !ranged:
		return fail(ErrStreaming, nil, "the server sent a part that was not asked for: Content-Range is %q", r.Headers.Get("Content-Range"))
	case r.StatusCode == 206 || part:
		if err := t.oneLength(r); err != nil {
			return err
		}
		if !t.continues(r) {
			return t.startOver(nil)
		}
		return t.proceed(r)
	}
	if err := t.oneLength(r); err != nil {
		return err
	}
	if ranged && !t.isWhole(r) {
		return t.startOver(nil)
	}
	return t.startOver(r)
}

// proceed makes the checks of a download ready that goes on.
func (t *transfer) proceed(r *requests.Response) error {
	if !t.adopt(r) {
		return nil
	}
	return t.file.replay(t.checks)
}

// adopt makes the checks, unless there are any. They have seen nothing.
func (t *transfer) adopt(r *requests.Response) bool {
	if t.checks != nil {
		return false
	}
	t.checks = &checks{own: t.d.checks}
	if !t.d.ignoreDigest {
		t.checks.own = append(t.checks.own, fieldChecks(r, "Repr-Digest")...)
	}
	return true
}

// startOver empties the file for the body of r; without r, for that of the next attempt.
func (t *transfer) startOver(r *requests.Response) error {
	t.offset, t.total, t.validator, t.checks = 0, -1, "", nil
	if r == nil {
		return errStartOver
	}
	t.total, t.validator = bodyLength(r, true), validatorOf(r)
	t.checks = t.d.watch(r)
	switch {
	case t.file == nil && t.d.keepPartial:
		return t.createPartial()
	case t.file == nil:
		return t.create(r)
	}
	if err := t.file.empty(); err != nil || !t.d.keepPartial {
		return err
	}
	return t.writeNote()
}

func (t *transfer) create(r *requests.Response) error {
	target, err := t.d.path(r, t.path)
	if err != nil {
		return err
	}
	f, err := createFile(target, t.d)
	if err == nil {
		t.file = f
	}
	return err
}

// receive appends the body of r to the file, to the last byte that comes.
func (t *transfer) receive(r *requests.Response) error {
	block := make([]byte, t.d.chunk)
	for {
		n, err := r.Read(block)
		if n > 0 {
			if _, werr := t.file.Write(block[:n]); werr != nil {
				return werr
			}
			t.offset += int64(n)
			t.checks.saved(block[:n])
			t.d.report(t.offset, t.total)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	return t.received(r)
}

// received says what a body that has come to its end was: a part has to be as long as it
// said, in any framing, so that what is asked next is never the same again.
func (t *transfer) received(r *requests.Response) error {
	switch {
	case t.due >= 0 && t.offset > t.due, t.total >= 0 && t.offset > t.total:
		return t.startOver(nil)
	case t.offset < max(t.due, t.total):
		return &requests.Error{Kind: requests.ErrChunkedEncoding, Request: r.Request, Response: r, Detail: "the body ended early"}
	case t.total < 0 && t.due >= 0:
		return errMore // the next one tells, or sends all
	}
	return nil
}

// complete checks the whole and gives the file its name.
func (t *transfer) complete() error {
	t.d.report(t.offset, t.offset)
	err := t.sameLength(partialNote{Validator: t.validator, Total: t.offset})
	if err == nil {
		err = t.checks.verify()
	}
	if err != nil {
		t.validator = "" // nothing to go on with
		return err
	}
	if err := t.file.commit(); err != nil {
		return err
	}
	if t.d.keepPartial {
		t.forget()
	}
	return nil
}

// giveUp keeps what can be gone on with, if that is wanted, and removes the rest.
func (t *transfer) giveUp(err error) {
	switch {
	case t.file == nil || t.file.committed:
	case t.d.keepPartial && t.got() > 0 && t.validator != "" && !errors.Is(err, requests.ErrFile):
		t.file.buffer.Flush()
		t.file.file.Close()
	default:
		t.file.discard()
		if t.d.keepPartial {
			t.forget()
		}
	}
}

// partial is the file of a download that goes on another time.
func (t *transfer) partial() string { return filepath.Clean(t.path) + ".part" }
