package toolbelt

import (
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strconv"

	"github.com/mountable/requests"
)

// DownloadOption changes how [StreamResponseToFile], [Tee] and their kin save a
// body. Each says where it does not apply.
type DownloadOption func(d *download)

// ChunkSize is how many bytes are read, and written, at a time: 128 KiB by default,
// 64 KiB for the Tee functions. A chunk of a chunked body always ends one.
func ChunkSize(n int) DownloadOption {
	return func(d *download) {
		if n < 1 {
			d.err = invalid("ChunkSize(%d): a chunk has at least one byte", n)
		}
		d.chunk = n
	}
}

// Overwrite replaces a file that exists, with one of the same permissions, where
// that is an error by default. A symbolic link is replaced, never followed.
func Overwrite() DownloadOption { return func(d *download) { d.overwrite = true } }

// Mode gives the permissions of a new file before umask, 0o666 by default.
func Mode(perm fs.FileMode) DownloadOption { return func(d *download) { d.mode = perm.Perm() } }

// OnProgress calls f with the bytes saved so far, and the number there will be, -1
// where the server does not say: after each chunk, and once more at the end. f is
// called by the goroutine that downloads.
func OnProgress(f func(done, total int64)) DownloadOption {
	return func(d *download) { d.progress = f }
}

// NameFromURL takes the last segment of the URL's path as the file's name where the
// response has no Content-Disposition that gives one.
func NameFromURL() DownloadOption { return func(d *download) { d.nameFromURL = true } }

// Decoded makes the Tee functions save and yield the body with its content coding
// undone. What saves to a file or a writer without yielding always does so.
func Decoded() DownloadOption { return func(d *download) { d.decoded = true } }

// download is what the options say.
type download struct {
	chunk        int
	overwrite    bool
	mode         fs.FileMode
	progress     func(done, total int64)
	nameFromURL  bool
	decoded      bool
	checks       []*check // of the caller, on what is saved
	ignoreDigest bool
	request      []requests.Option // of Download, like the two below
	attempts     int
	keepPartial  bool
	parallel     int
	err          error
}

func newDownload(chunk int, options []DownloadOption) (*download, error) {
	d := &download{chunk: chunk, attempts: defaultAttempts}
	for _, o := range options {
		if o != nil {
			o(d)
		}
	}
	return d, d.err
}

const (
	fileChunk = 128 << 10
	teeChunk  = 64 << 10
)

// StreamResponseToFile saves the decoded body of r, which should be streamed, and
// returns the path of the file:
//
//	path                      file
//	"dir/name.pdf"            that one
//	"dir", which exists       the name of Content-Disposition, in that directory
//	""                        the name of Content-Disposition, in the working directory
//
// A server's name goes through [Filename] and [SafeFilename]. A response without a
// name, and a file that exists (unless [Overwrite] is given), are [ErrStreaming];
// the latter is [fs.ErrExist] as well. Before that nothing of the body is read.
//
// The file appears when it is complete and, where the server or the caller gives a
// digest (see [Checksum]), when it is right: a temporary file of a random name in the
// same directory is renamed. On an error that file is removed, and nothing else is
// touched. What the system says against a file is [requests.ErrFile].
//
// To find out the name only, use [DownloadPath].
func StreamResponseToFile(r *requests.Response, path string, options ...DownloadOption) (string, error) {
	d, err := newDownload(fileChunk, options)
	if err != nil {
		return "", err
	}
	target, err := d.path(r, path)
	if err != nil {
		return "", err
	}
	f, err := createFile(target, d)
	if err != nil {
		return "", err
	}
	defer f.discardUncommitted() // also when something of the caller's panics
	d.decoded = true
	for _, err := range d.save(r, f) {
		if err != nil {
			return "", err
		}
	}
	if err := f.commit(); err != nil {
		return "", err
	}
	return target, nil
}

// StreamResponseToWriter writes the decoded body of r to w, chunk by chunk, and
// returns the number of bytes written. w is not closed; its errors are returned as
// they are.
func StreamResponseToWriter(r *requests.Response, w io.Writer, options ...DownloadOption) (int64, error) {
	d, err := newDownload(fileChunk, options)
	if err != nil {
		return 0, err
	}
	if w == nil {
		return 0, invalid("StreamResponseToWriter needs a writer")
	}
	d.decoded = true
	var n int64
	for chunk, err := range d.save(r, w) {
		if err != nil {
			return n, err
		}
		n += int64(len(chunk))
	}
	return n, nil
}

// DownloadPath returns where [StreamResponseToFile] would save r. It looks at the
// file system to find out whether path is a directory, and changes nothing.
func DownloadPath(r *requests.Response, path string, options ...DownloadOption) (string, error) {
	d, err := newDownload(fileChunk, options)
	if err != nil {
		return "", err
	}
	return d.path(r, path)
}

func (d *download) path(r *requests.Response, path string) (string, error) {
	if path != "" && !isDirectory(path) {
		return path, nil
	}
	name, ok := d.name(r)
	if !ok {
		return "", fail(ErrStreaming, nil, "the response names no file to stream it to")
	}
	return filepath.Join(path, name), nil
}

func isDirectory(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// name finds the name of the file in the response.
func (d *download) name(r *requests.Response) (string, bool) {
	for _, header := range r.Headers.Values("Content-Disposition") {
		if name, ok := Filename(header); ok {
			return SafeFilename(name)
		}
	}
	if d.nameFromURL {
		return urlFilename(r.URL)
	}
	return "", false
}

// save reads the body, writes each chunk to w and then yields it. The body is given
// up when the loop ends early or something fails.
func (d *download) save(r *requests.Response, w io.Writer) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		checks := d.watch(r)
		if !d.decoded {
			r.Undecoded()
		}
		done, total := int64(0), bodyLength(r, d.decoded)
		defer r.Close()
		for {
			chunk, err := r.ReadChunk(d.chunk)
			if err == io.EOF {
				break
			}
			if err == nil {
				_, err = w.Write(chunk)
			}
			if err != nil {
				yield(nil, err)
				return
			}
			done += int64(len(chunk))
			checks.saved(chunk)
			d.report(done, total)
			if !yield(chunk, nil) {
				return
			}
		}
		d.report(done, done)
		if err := checks.verify(); err != nil {
			yield(nil, err)
		}
	}
}

func (d *download) report(done, total int64) {
	if d.progress != nil {
		d.progress(done, total)
	}
}

// bodyLength returns how many bytes the body will give, -1 if that is not known.
func bodyLength(r *requests.Response, decoded bool) int64 {
	if decoded && r.Headers.Has("Content-Encoding") || r.Headers.Has("Transfer-Encoding") {
		return -1
	}
	n, err := strconv.ParseInt(r.Headers.Get("Content-Length"), 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}
