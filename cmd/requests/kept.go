package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/uri"
)

// kept is what a named session keeps from one command to the next, for one origin: what it holds is
// sent to no other, whatever the file is called.
type kept struct {
	Origin  string              `json:"origin"`
	Headers [][2]string         `json:"headers,omitempty"`
	Auth    *credentials        `json:"auth,omitempty"`
	Cookies *requests.CookieJar `json:"cookies"`
	path    string
}

// openKept reads a session, or begins one. The name is that of one for the host, or a path.
func openKept(name, address string) (*kept, error) {
	u, err := url.Parse(address)
	origin := uri.OriginOf(address)
	if err != nil || u.Host == "" || origin == "" { // ".." has none, and would be a folder
		return nil, misuse("--session: the URL has no host")
	}
	k := &kept{Cookies: requests.NewCookieJar(), path: atHome(name)}
	if !strings.ContainsAny(name, `/\`) {
		folder, err := os.UserConfigDir()
		if err != nil {
			return nil, err
		}
		k.path = filepath.Join(folder, "requests", "sessions", strings.ReplaceAll(u.Host, ":", "_"), name+".json")
	}
	data, err := os.ReadFile(k.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		k.Origin = origin
		return k, nil
	case err != nil:
		return nil, err
	}
	return k, k.read(data, origin)
}

// read takes what a file keeps. One that does not say for whom is not used: what another program, or
// a person, has written is for a host that only they know.
func (k *kept) read(data []byte, origin string) error {
	if err := json.Unmarshal(data, k); err != nil {
		return misuse("--session: %s is not a session: %v", k.path, err)
	}
	switch {
	case k.Origin == "":
		return misuse(`--session: %s does not say for which origin it is, as in "origin": %q`, k.path, origin)
	case uri.OriginOf(k.Origin) != origin:
		return misuse("--session: %s is for %s and not for %s", k.path, k.Origin, origin)
	}
	if k.Cookies == nil {
		k.Cookies = requests.NewCookieJar()
	}
	return nil
}

// apply adds what is kept to a request, which wins, and keeps what it brings.
func (k *kept) apply(s *requests.Session, r *requests.Request, given *credentials) {
	s.Cookies = k.Cookies
	own := r.Headers.Clone()
	for _, field := range k.Headers {
		if !r.Headers.Has(field[0]) {
			r.Headers.Add(field[0], field[1])
		}
	}
	switch {
	case given != nil:
		k.Auth = given
	case own.Has("Authorization"):
		k.Auth = nil
	}
	if k.Auth != nil && (given != nil || r.Auth == nil && !namesUser(r.URL)) {
		r.Auth = k.Auth.auth()
	}
	merged := requests.Headers(k.Headers)
	for name, value := range own.All() {
		if lower := strings.ToLower(name); !strings.HasPrefix(lower, "content-") && !strings.HasPrefix(lower, "if-") && lower != "cookie" && lower != "accept" {
			merged.Set(name, value)
		}
	}
	k.Headers = merged
}

// namesUser reports whether a URL has credentials of its own.
func namesUser(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.User != nil
}

// save writes the session for its owner only, in one step.
func (k *kept) save() error {
	data, err := json.MarshalIndent(k, "", "  ")
	if err != nil {
		return err
	}
	folder := filepath.Dir(k.path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(folder, ".session-")
	if err != nil {
		return err
	}
	_, err = f.Write(append(data, '\n'))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), k.path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
