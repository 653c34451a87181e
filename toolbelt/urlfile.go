package toolbelt

import (
	"context"
	"io"
	"strconv"

	"github.com/mountable/requests"
)

// Getter sends GET requests: a [requests.Session], for example.
type Getter interface {
	Get(ctx context.Context, url string, options ...requests.Option) (*requests.Response, error)
}

// URLFile is a file at a URL, to be passed on while it is downloaded: the value of a
// [Field], or a body by itself. It is a [requests.Streamer] whose Rewind asks for the
// file again. It is not safe for concurrent use.
type URLFile struct {
	ctx     context.Context
	from    Getter
	url     string
	options []requests.Option

	reply *requests.Response
	left  int64
}

// FileFromURL asks for the file at url and returns it unread. from may be nil for a
// session of its own. The file is asked for without content coding; if the response has
// one nevertheless, it is passed on as it is. The response must be a success and tell
// its length in Content-Length, else the error is [ErrFileNotSupported]. ctx holds
// for the download, and for later ones by Rewind. Close the file if it is not read to
// its end.
func FileFromURL(ctx context.Context, from Getter, url string, options ...requests.Option) (*URLFile, error) {
	f := &URLFile{ctx: ctx, from: from, url: url, options: options}
	if f.from == nil {
		f.from = packageGetter{}
	}
	if err := f.ask(); err != nil {
		return nil, err
	}
	return f, nil
}

type packageGetter struct{}

func (packageGetter) Get(ctx context.Context, url string, options ...requests.Option) (*requests.Response, error) {
	return requests.Get(ctx, url, options...)
}

// ask sends the request.
func (f *URLFile) ask() error {
	options := append([]requests.Option{requests.Headers{{"Accept-Encoding", "identity"}}}, f.options...)
	r, err := f.from.Get(f.ctx, f.url, append(options, requests.Stream(true))...)
	if err != nil {
		return err
	}
	length, err := announced(r)
	if err != nil {
		r.Close()
		return err
	}
	f.reply, f.left = r, length
	return nil
}

// announced returns the length of the response's body.
func announced(r *requests.Response) (int64, error) {
	if err := r.RaiseForStatus(); err != nil {
		return 0, fail(ErrFileNotSupported, err, "the file cannot be had")
	}
	if !r.Headers.Has("Content-Length") {
		return 0, fail(ErrFileNotSupported, nil, "the response with the file has no Content-Length")
	}
	length, err := strconv.ParseUint(r.Headers.Get("Content-Length"), 10, 63)
	if err != nil {
		return 0, fail(ErrFileNotSupported, nil, "the Content-Length of the file is not a number")
	}
	return int64(length), nil
}

// Len returns how many bytes are left to be read.
func (f *URLFile) Len() int64 { return f.left }

// Read reads from the download. One that ends early, Close included, is
// [io.ErrUnexpectedEOF].
func (f *URLFile) Read(b []byte) (int, error) {
	switch {
	case f.left == 0:
		f.Close() // lets the connection go
		return 0, io.EOF
	case f.reply == nil || f.reply.Raw == nil:
		return 0, io.ErrUnexpectedEOF
	}
	n, err := f.reply.Raw.Read(b[:min(int64(len(b)), f.left)])
	f.left -= int64(n)
	if err == io.EOF && f.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// Rewind asks for the file again.
func (f *URLFile) Rewind() error {
	f.Close()
	return f.ask()
}

// Close ends the download. Rewind starts a new one.
func (f *URLFile) Close() error {
	if f.reply == nil {
		return nil
	}
	reply := f.reply
	f.reply = nil
	return reply.Close()
}

func (f *URLFile) abandon() { f.Close() }
