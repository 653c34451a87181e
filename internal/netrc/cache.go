package netrc

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/mountable/requests/internal/bounded"
)

// Cache keeps the parsed netrc file until the file changes. The zero value
// is empty.
type Cache struct {
	// mu protects the fields below.
	mu        sync.Mutex
	env, home string    // what the search depends on
	absent    time.Time // when it last found no file
	path      string
	info      os.FileInfo // of the file that was read
	python    bool        // it was read as Python does
	parsed    *File
	err       error
}

// recheck is how long a netrc file may be there unnoticed. Changes to one that
// was there are noticed at once.
const recheck = time.Second

// Load returns the file as it is now, nil if there is none. NETRC names it, or else
// it is ~/.netrc or ~/_netrc: the first that exists, whether or not it is any good.
// Its permissions do not matter, as in Requests.
func (c *Cache) Load(python bool) (*File, error) {
	env, named := os.LookupEnv("NETRC")
	home, _ := os.UserHomeDir()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.env == env && c.home == home && time.Since(c.absent) < recheck {
		return nil, nil
	}
	for _, path := range paths(env, named, home) {
		if info, err := os.Stat(path); err == nil {
			c.absent = time.Time{}
			return c.read(path, info, python)
		}
	}
	c.env, c.home, c.absent = env, home, time.Now()
	return nil, nil
}

func paths(env string, named bool, home string) []string {
	if named {
		return []string{expandHome(env, home)}
	}
	if home == "" {
		return nil
	}
	return []string{filepath.Join(home, ".netrc"), filepath.Join(home, "_netrc")}
}

// read parses the file unless it has not changed. A device, such as /dev/null,
// counts as none; anything else that cannot be read or makes no sense is a [*FileError]. As
// in Python, only a file that is not UTF-8 is an error then; others have no credentials.
func (c *Cache) read(path string, info os.FileInfo, python bool) (*File, error) {
	if info.Mode()&os.ModeDevice != 0 {
		return nil, nil
	}
	if c.path == path && c.python == python && sameFile(c.info, info) {
		return c.parsed, c.err
	}
	text, err := readFile(path, info)
	switch {
	case err != nil:
		c.parsed = nil
	case python:
		c.parsed, err = ParsePython(text)
	default:
		c.parsed, err = Parse(text)
	}
	c.path, c.info, c.python, c.err = path, info, python, nil
	if err != nil && (!python || errors.Is(err, ErrEncoding)) {
		c.err = &FileError{Path: path, Err: err}
	}
	return c.parsed, c.err
}

func sameFile(a, b os.FileInfo) bool {
	return a != nil && os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// maxSize bounds a netrc file: one has a few lines for each host.
const maxSize = 4 << 20

// readFile reads within the bound whatever size the file had when it was looked at.
func readFile(path string, info os.FileInfo) ([]byte, error) {
	if !info.Mode().IsRegular() {
		return nil, errors.New("it is not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return bounded.ReadAll(f, maxSize)
}

// expandHome replaces a leading "~".
func expandHome(path, home string) string {
	if rest, ok := strings.CutPrefix(path, "~"); ok && home != "" && (rest == "" || os.IsPathSeparator(rest[0])) {
		return home + rest
	}
	return path
}

// FileError is for a netrc file that cannot be used.
type FileError struct {
	Path string
	Err  error
}

func (e *FileError) Error() string {
	return "the netrc file " + e.Path + " cannot be used: " + e.Err.Error()
}

// Unwrap returns the cause.
func (e *FileError) Unwrap() error { return e.Err }
