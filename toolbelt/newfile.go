package toolbelt

import (
	"bufio"
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/mountable/requests"
)

// newFile is a file that has its name only once it is complete: until then it is a
// temporary file in the same directory, of a name that nobody can foresee, and made
// so that a link planted under that name is not followed.
type newFile struct {
	file      *os.File
	buffer    *bufio.Writer
	target    string
	overwrite bool
	mode      fs.FileMode // of the file that is replaced, 0 for none
	committed bool
}

// createFile makes the temporary file for target.
func createFile(target string, d *download) (*newFile, error) {
	f := &newFile{target: target, overwrite: d.overwrite}
	if err := f.inspect(d); err != nil {
		return nil, err
	}
	temporary := filepath.Join(filepath.Dir(target), ".download-"+rand.Text())
	return f, f.open(temporary, os.O_RDWR|os.O_CREATE|os.O_EXCL, d.permissions())
}

func (d *download) permissions() fs.FileMode {
	if d.mode == 0 {
		return 0o666
	}
	return d.mode
}

// inspect looks at what has the name now.
func (f *newFile) inspect(d *download) error {
	old, err := os.Lstat(f.target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return f.broken(err)
	case !f.overwrite:
		return f.exists()
	case old.Mode().IsRegular() && d.mode == 0:
		f.mode = old.Mode().Perm()
	case !old.Mode().IsRegular() && old.Mode()&fs.ModeSymlink == 0:
		return fail(ErrStreaming, nil, "%q is not a file that could be replaced", f.target)
	}
	return nil
}

func (f *newFile) open(name string, flags int, perm fs.FileMode) error {
	file, err := os.OpenFile(name, flags, perm)
	if err != nil {
		return f.broken(err)
	}
	f.file, f.buffer = file, bufio.NewWriterSize(file, fileChunk)
	return nil
}

func (f *newFile) exists() error {
	return fail(ErrStreaming, fs.ErrExist, "cannot save as %q", f.target)
}

func (f *newFile) broken(err error) error {
	if err == nil {
		return nil
	}
	return &requests.Error{Kind: requests.ErrFile, Err: err, Detail: "cannot save as " + filepath.Base(f.target)}
}

// Write writes to the temporary file.
func (f *newFile) Write(b []byte) (int, error) {
	n, err := f.buffer.Write(b)
	return n, f.broken(err)
}

// discard removes the temporary file.
func (f *newFile) discard() {
	f.file.Close()
	os.Remove(f.file.Name())
}

// discardUncommitted removes the temporary file unless it has its name by now.
func (f *newFile) discardUncommitted() {
	if !f.committed {
		f.discard()
	}
}

// commit gives the file its name. If that fails, nothing is left of it.
func (f *newFile) commit() error {
	err := f.finish()
	if err == nil {
		err = f.rename()
	}
	if f.committed = err == nil; err != nil {
		f.discard()
	}
	return err
}

// finish writes all that is buffered, and closes.
func (f *newFile) finish() error {
	if err := f.buffer.Flush(); err != nil {
		return f.broken(err)
	}
	if f.mode != 0 {
		if err := f.file.Chmod(f.mode); err != nil {
			return f.broken(err)
		}
	}
	return f.broken(f.file.Close())
}

// rename replaces what has the name if that was asked for, and otherwise only takes
// a name that is free: a link fails where the name is taken, a rename does not.
func (f *newFile) rename() error {
	temporary := f.file.Name()
	if f.overwrite {
		return f.broken(os.Rename(temporary, f.target))
	}
	err := os.Link(temporary, f.target)
	switch {
	case err == nil:
		return f.broken(os.Remove(temporary))
	case errors.Is(err, fs.ErrExist):
		return f.exists()
	}
	return f.renameReserved(temporary)
}

// renameReserved is for file systems without links: it takes the name with an empty
// file of its own, and replaces that.
func (f *newFile) renameReserved(temporary string) error {
	reserved, err := os.OpenFile(f.target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return f.exists()
	}
	if err != nil {
		return f.broken(err)
	}
	own, statErr := reserved.Stat()
	reserved.Close()
	err = os.Rename(temporary, f.target)
	if err != nil && statErr == nil {
		if now, lerr := os.Lstat(f.target); lerr == nil && os.SameFile(own, now) {
			os.Remove(f.target)
		}
	}
	return f.broken(err)
}
