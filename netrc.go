package requests

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/mountable/requests/internal/netrc"
	"github.com/mountable/requests/internal/uri"
)

// netrcAuth returns the credentials netrc has for the host of p, nil if none. The
// host is that of the parsed URL; a user named in the URL must be the entry's.
func (s *Session) netrcAuth(p *PreparedRequest) (Auth, error) {
	file, err := s.netrc.load(s.Policy.NetrcAsRequests)
	if file == nil {
		return nil, err
	}
	to := p.at()
	if to.err != nil || to.url.Host == "" {
		return nil, nil
	}
	login, password, ok := s.netrcEntry(file, &to.url)
	if !ok {
		return nil, nil
	}
	return BasicAuth(login, password), nil
}

func (s *Session) netrcEntry(file *netrc.File, u *uri.URL) (login, password string, ok bool) {
	named := u.HasUser && !s.Policy.NetrcIgnoresUser
	if named {
		if login, password, ok = file.LookupUser(u.Hostname(), userOf(u)); ok {
			return login, password, true
		}
	}
	if s.Policy.NetrcDefault {
		login, password, ok = file.LookupOrDefault(u.Hostname())
	} else {
		login, password, ok = file.Lookup(u.Hostname())
	}
	return login, password, ok && (!named || login == userOf(u))
}

// userOf returns the user named in a URL, with a password or without.
func userOf(u *uri.URL) string {
	if user, _, ok := u.Userinfo(); ok {
		return user
	}
	with := *u
	with.User += ":"
	user, _, _ := with.Userinfo()
	return user
}

// netrcCache keeps the parsed netrc file until the file changes. The zero value
// is empty.
type netrcCache struct {
	// mu protects the fields below.
	mu        sync.Mutex
	env, home string    // what the search depends on
	absent    time.Time // when it last found no file
	path      string
	info      os.FileInfo // of the file that was read
	python    bool        // it was read as Python does
	parsed    *netrc.File
	err       error
}

// netrcRecheck is how long a netrc file may be there unnoticed. Changes to one that
// was there are noticed at once.
const netrcRecheck = time.Second

// load returns the file as it is now, nil if there is none. NETRC names it, or else
// it is ~/.netrc or ~/_netrc: the first that exists, whether or not it is any good.
// Its permissions do not matter, as in Requests.
func (c *netrcCache) load(python bool) (*netrc.File, error) {
	env, named := os.LookupEnv("NETRC")
	home, _ := os.UserHomeDir()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.env == env && c.home == home && time.Since(c.absent) < netrcRecheck {
		return nil, nil
	}
	for _, path := range netrcPaths(env, named, home) {
		if info, err := os.Stat(path); err == nil {
			c.absent = time.Time{}
			return c.read(path, info, python)
		}
	}
	c.env, c.home, c.absent = env, home, time.Now()
	return nil, nil
}

func netrcPaths(env string, named bool, home string) []string {
	if named {
		return []string{expandHome(env, home)}
	}
	if home == "" {
		return nil
	}
	return []string{filepath.Join(home, ".netrc"), filepath.Join(home, "_netrc")}
}

// read parses the file unless it has not changed. A device, such as /dev/null, is no
// file; anything else that cannot be read or makes no sense is [ErrFile]. As Python does,
// so does Requests: only a file that is not UTF-8 is an error, others have no credentials.
func (c *netrcCache) read(path string, info os.FileInfo, python bool) (*netrc.File, error) {
	if info.Mode()&os.ModeDevice != 0 {
		return nil, nil
	}
	if c.path == path && c.python == python && sameFile(c.info, info) {
		return c.parsed, c.err
	}
	text, err := readNetrc(path, info)
	switch {
	case err != nil:
		c.parsed = nil
	case python:
		c.parsed, err = netrc.ParsePython(text)
	default:
		c.parsed, err = netrc.Parse(text)
	}
	c.path, c.info, c.python, c.err = path, info, python, nil
	if err != nil && (!python || errors.Is(err, netrc.ErrEncoding)) {
		c.err = wrap(ErrFile, err, "the netrc file "+path+" cannot be used")
	}
	return c.parsed, c.err
}

func sameFile(a, b os.FileInfo) bool {
	return a != nil && os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// maxNetrc bounds a netrc file: one has a few lines for each host.
const maxNetrc = 4 << 20

func readNetrc(path string, info os.FileInfo) ([]byte, error) {
	switch {
	case !info.Mode().IsRegular():
		return nil, errors.New("it is not a regular file")
	case info.Size() > maxNetrc:
		return nil, errors.New("it is larger than 4 MiB")
	}
	return os.ReadFile(path)
}

// expandHome replaces a leading "~".
func expandHome(path, home string) string {
	if rest, ok := strings.CutPrefix(path, "~"); ok && home != "" && (rest == "" || os.IsPathSeparator(rest[0])) {
		return home + rest
	}
	return path
}
