package toolbelt

import (
	"io"
	"iter"

	"github.com/mountable/requests"
)

// Tee iterates over the body of r and writes each chunk to w before it yields it. By
// default that is the body as it came, in its content coding, as in the toolbelt;
// [Decoded] undoes that. A chunk is valid until the next one. w is not closed.
//
// Leaving the loop early gives up the rest of the body; an error, of which w's are
// returned as they are, is yielded last. A body that is in memory already is yielded
// as it is there.
func Tee(r *requests.Response, w io.Writer, options ...DownloadOption) iter.Seq2[[]byte, error] {
	d, err := newDownload(teeChunk, options)
	if err == nil && w == nil {
		err = invalid("Tee needs a writer")
	}
	if err != nil {
		return failing(err)
	}
	return d.save(r, w)
}

// failing yields an error and nothing else.
func failing(err error) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) { yield(nil, err) }
}

// TeeToFile is [Tee] into a new file. It begins with the loop, and the file appears
// when the loop has seen the whole body; one that is left early leaves no file. Files
// are made as by [StreamResponseToFile], with its errors, but path is never a
// directory.
func TeeToFile(r *requests.Response, path string, options ...DownloadOption) iter.Seq2[[]byte, error] {
	d, err := newDownload(teeChunk, options)
	if err != nil {
		return failing(err)
	}
	return func(yield func([]byte, error) bool) {
		f, err := createFile(path, d)
		if err != nil {
			yield(nil, err)
			return
		}
		defer f.discardUncommitted()
		for chunk, err := range d.save(r, f) {
			if !yield(chunk, err) || err != nil {
				return
			}
		}
		if err := f.commit(); err != nil {
			yield(nil, err)
		}
	}
}

// TeeToBytes is [Tee] that appends to *b.
func TeeToBytes(r *requests.Response, b *[]byte, options ...DownloadOption) iter.Seq2[[]byte, error] {
	if b == nil {
		return failing(invalid("TeeToBytes needs a slice"))
	}
	return Tee(r, (*appender)(b), options...)
}

type appender []byte

func (a *appender) Write(b []byte) (int, error) {
	*a = append(*a, b...)
	return len(b), nil
}
