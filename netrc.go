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
// host is that of the parsed URL; a user named in the URL must be the entry's
// (rule 14).
func (s *Session) netrcAuth(p *PreparedRequest) (Auth, error) {
	file, err := s.netrc.load()
	if file == nil {
		return nil, err
	}
	u, err := uri.Parse(p.URL)
	if err != nil || u.Host == "" {
		return nil, nil
	}
	look := file.Lookup
	if s.Policy.NetrcDefault {
		look = file.LookupOrDefault
	}
	login, password, ok := look(u.Hostname())
	if !ok || !s.Policy.NetrcIgnoresUser && u.HasUser && userOf(&u) != login {
		return nil, nil
	}
	return BasicAuth(login, password), nil
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
	mu        sync.Mutex
	env, home string    // what the search depends on
	absent    time.Time // when it last found no file
	path      string
	size      int64
	time      time.Time
	parsed    *netrc.File
	err       error
}

// netrcRecheck is how long a netrc file may be there unnoticed. Changes to one that
// was there are noticed at once.
const netrcRecheck = time.Second

// load returns the file as it is now, nil if there is none. NETRC names it, or else
// it is ~/.netrc or ~/_netrc: the first that exists, whether or not it is any good.
// Its permissions do not matter, as in Requests.
func (c *netrcCache) load() (*netrc.File, error) {
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
			return c.read(path, info)
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

// read parses the file unless it has not changed. One that cannot be read or has
// bad syntax holds no credentials; one that is not UTF-8 is [ErrFile].
func (c *netrcCache) read(path string, info os.FileInfo) (*netrc.File, error) {
	if !info.Mode().IsRegular() {
		return nil, nil
	}
	if c.path == path && c.size == info.Size() && c.time.Equal(info.ModTime()) {
		return c.parsed, c.err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, nil
	}
	c.path, c.size, c.time = path, info.Size(), info.ModTime()
	c.parsed, err = netrc.Parse(text)
	c.err = nil
	if errors.Is(err, netrc.ErrEncoding) {
		c.err = wrap(ErrFile, err, "the netrc file cannot be used")
	}
	return c.parsed, c.err
}

// expandHome replaces a leading "~".
func expandHome(path, home string) string {
	if rest, ok := strings.CutPrefix(path, "~"); ok && home != "" && (rest == "" || os.IsPathSeparator(rest[0])) {
		return home + rest
	}
	return path
}
