package cache

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/mountable/requests"
)

// Disk returns a store in a folder, which it makes if need be, for the user alone. Any number
// of processes may share it: each entry is a file that appears whole or not at all, so that a
// process that is killed leaves nothing to repair. Those that were not used for longest
// are removed when there are more than maxBytes, within an eighth. A folder that cannot be
// used is [requests.ErrFile]; one without a name, or a maxBytes below 1,
// [requests.ErrInvalidArgument].
func Disk(folder string, maxBytes int64) (Store, error) {
	if folder == "" || maxBytes < 1 {
		return nil, &requests.Error{Kind: requests.ErrInvalidArgument, Detail: "cache.Disk: expected a folder and a size above 0"}
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, &requests.Error{Kind: requests.ErrFile, Err: err, Detail: "the folder of the cache cannot be made"}
	}
	d := &diskStore{folder: folder, max: maxBytes}
	if err := d.trim(); err != nil {
		return nil, &requests.Error{Kind: requests.ErrFile, Err: err, Detail: "the folder of the cache cannot be read"}
	}
	return d, nil
}

type diskStore struct {
	folder string
	max    int64

	trimming sync.Mutex // held by the one who trims

	// mu protects the fields below.
	mu      sync.Mutex
	written int64 // since the last trim
}

const (
	temporary = "cache-tmp-" // how the names of files begin that are being written
	orphaned  = time.Hour    // after so long nobody is writing them any more
	touched   = time.Hour    // how exact the time of the last use is
)

func (d *diskStore) path(key string) string {
	return filepath.Join(d.folder, key[:min(2, len(key))], key)
}

// Get implements [Store].
func (d *diskStore) Get(_ context.Context, key string) ([]byte, error) {
	f, err := open(d.path(key))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() > d.max {
		return nil, errForeign
	}
	data := make([]byte, info.Size()) // it does not change: it is only ever replaced
	if _, err := io.ReadFull(f, data); err != nil {
		return nil, err
	}
	if now := time.Now(); now.Sub(info.ModTime()) > touched {
		_ = os.Chtimes(f.Name(), now, now) // that it was used
	}
	return data, nil
}

// errForeign is a file that this package does not write.
var errForeign = errors.New("the file is not a regular one, or larger than the whole store may be")

// open opens an entry. Opening anything but a file may wait, for the other end of a pipe, and have an effect.
func open(name string) (*os.File, error) {
	info, err := os.Lstat(name)
	if err == nil && !info.Mode().IsRegular() {
		err = errForeign
	}
	if err != nil {
		return nil, err
	}
	return os.Open(name)
}

// Set implements [Store].
func (d *diskStore) Set(ctx context.Context, key string, data []byte, _ time.Duration) error {
	name := d.path(key)
	if int64(len(data)) > d.max {
		return d.Delete(ctx, key)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	if err := replace(name, data); err != nil {
		return err
	}
	d.mu.Lock()
	d.written += int64(len(data))
	full := d.written > d.max/8
	d.mu.Unlock()
	if full {
		return d.trim()
	}
	return nil
}

// replace writes a file beside name and renames it.
func replace(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), temporary) // only its owner may read it
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// Delete implements [Store].
func (d *diskStore) Delete(_ context.Context, key string) error {
	if err := os.Remove(d.path(key)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// trim removes what was not used for longest, and what killed processes have left.
func (d *diskStore) trim() error {
	if !d.trimming.TryLock() {
		return nil
	}
	defer d.trimming.Unlock()
	d.mu.Lock()
	d.written = 0
	d.mu.Unlock()
	files, total, err := d.files()
	if err != nil || total <= d.max {
		return err
	}
	slices.SortFunc(files, func(a, b file) int { return a.used.Compare(b.used) })
	for _, f := range files {
		if total <= d.max-d.max/8 {
			break
		}
		if err := os.Remove(f.name); err == nil || errors.Is(err, fs.ErrNotExist) {
			total -= f.size
		}
	}
	return nil
}

// file is an entry as the folder lists it.
type file struct {
	name string
	size int64
	used time.Time
}

// files lists the entries. What goes away meanwhile is left out, and what is not the store's.
func (d *diskStore) files() (files []file, total int64, err error) {
	err = filepath.WalkDir(d.folder, func(name string, entry fs.DirEntry, err error) error {
		if err != nil && name == d.folder {
			return err
		}
		if err != nil || entry.IsDir() {
			return nil
		}
		info, err := entry.Info()
		switch {
		case err != nil:
		case d.path(entry.Name()) == name && len(entry.Name()) == keyLength:
			files = append(files, file{name, info.Size(), info.ModTime()})
			total += info.Size()
		case strings.HasPrefix(entry.Name(), temporary) && time.Since(info.ModTime()) > orphaned:
			_ = os.Remove(name)
		}
		return nil
	})
	return files, total, err
}
