package requests

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/mountable/requests/internal/netrc"
	"github.com/mountable/requests/internal/uri"
)

// netrcCache keeps the parsed netrc file until the file changes. The zero value
// is empty.
type netrcCache struct {
	mu     sync.Mutex
	path   string
	size   int64
	time   time.Time
	parsed *netrc.File
}

// netrcAuth returns the credentials netrc has for the host of p, nil if none. The
// host is that of the parsed URL (rule 14); a user named in the URL must be the
// entry's, unless Policy restores Requests' way. A file that cannot be read or
// parsed is no file, as in Requests.
func (s *Session) netrcAuth(p *PreparedRequest) (Auth, error) {
	file := s.netrc.load()
	if file == nil {
		return nil, nil
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
	if !ok {
		return nil, nil
	}
	if user, _, given := u.Userinfo(); given && user != login && !s.Policy.NetrcOnRedirect {
		return nil, nil
	}
	return BasicAuth(login, password), nil
}

// load returns the file as it is now: NETRC names it, else it is ~/.netrc, else
// ~/_netrc.
func (c *netrcCache) load() *netrc.File {
	if path := os.Getenv("NETRC"); path != "" {
		return c.read(expandHome(path))
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return nil
	}
	for _, name := range []string{".netrc", "_netrc"} {
		if file := c.read(filepath.Join(home, name)); file != nil {
			return file
		}
	}
	return nil
}

func (c *netrcCache) read(path string) *netrc.File {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.path == path && c.size == info.Size() && c.time.Equal(info.ModTime()) {
		return c.parsed
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	parsed, err := netrc.Parse(text)
	if err != nil {
		parsed = nil
	}
	c.path, c.size, c.time, c.parsed = path, info.Size(), info.ModTime(), parsed
	return parsed
}

func expandHome(path string) string {
	rest, ok := strings.CutPrefix(path, "~/")
	if !ok {
		return path
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return path
	}
	return filepath.Join(home, rest)
}
