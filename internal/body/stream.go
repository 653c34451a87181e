package body

import (
	"bytes"
	"io"
	"os"
	"strings"
)

// stream finds out what a reader can tell about itself.
func stream(r io.Reader) (Body, error) {
	if buffer, ok := r.(*bytes.Buffer); ok {
		r = bytes.NewReader(buffer.Bytes()) // which can be read again
	}
	b := Body{kind: fromReader, reader: r, length: -1, waits: Waits(r), use: new(use)}
	if seeker, ok := r.(io.Seeker); ok && !isPipe(r) {
		position, err := seeker.Seek(0, io.SeekCurrent)
		if err != nil {
			b.rewind = unrewindable
		} else {
			b.start, b.rewind = position, rewindable
		}
	}
	length, err := remaining(r, b.start, b.rewind == rewindable)
	if err != nil {
		return Body{}, err
	}
	b.length = length
	return b, nil
}

// Waits reports whether a Read of r may wait, as far as that can be told.
func Waits(r io.Reader) bool {
	switch r.(type) {
	case *bytes.Buffer, *bytes.Reader, *strings.Reader:
		return false
	case *os.File:
		return isPipe(r)
	}
	return true
}

// isPipe reports whether r is an *os.File that is not a regular file: it has a Seek
// method, but neither a position nor a length.
func isPipe(r io.Reader) bool {
	f, ok := r.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && !info.Mode().IsRegular()
}

// remaining returns how many bytes r will give from where it stands, -1 if that
// cannot be known. Len means what remains, as in bytes.Reader; Size and the end
// found by seeking mean the whole.
func remaining(r io.Reader, position int64, seekable bool) (int64, error) {
	switch r := r.(type) {
	case *os.File:
		n, err := fileRemaining(r, position)
		return unlessEmpty(n), err
	case *bytes.Buffer, *bytes.Reader, *strings.Reader:
		return int64(r.(interface{ Len() int }).Len()), nil
	case interface{ Len() int }:
		return unlessEmpty(int64(r.Len())), nil
	case interface{ Len() int64 }:
		return unlessEmpty(r.Len()), nil
	case interface{ Size() int64 }:
		return max(r.Size()-position, 0), nil
	}
	if !seekable {
		return -1, nil
	}
	seeker := r.(io.Seeker)
	end, err := seeker.Seek(0, io.SeekEnd)
	if err != nil {
		return -1, nil // a stream that cannot seek is sent chunked
	}
	if _, err := seeker.Seek(position, io.SeekStart); err != nil {
		return 0, fault(Invalid, err, "Body cannot seek back to where it stood")
	}
	return max(end-position, 0), nil
}

// unlessEmpty returns n, or -1 where a stream says that it is empty: a file of /proc has the size 0, whatever there is to
// read, and to read is the only way to know.
func unlessEmpty(n int64) int64 {
	if n <= 0 {
		return -1
	}
	return n
}

func fileRemaining(f *os.File, position int64) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, fault(Unreadable, err, "the file cannot be examined")
	}
	if info.IsDir() {
		return 0, fault(Invalid, nil, "Body is a directory: %s", f.Name())
	}
	if !info.Mode().IsRegular() {
		return -1, nil
	}
	return max(info.Size()-position, 0), nil
}
