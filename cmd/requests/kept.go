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
	if err != nil || u.Host == "" {
		return nil, misuse("--session: the URL has no host")
	}
	k := &kept{Origin: u.Scheme + "://" + u.Host, Cookies: requests.NewCookieJar(), path: name}
	if !strings.ContainsAny(name, `/\`) {
		folder, err := os.UserConfigDir()
		if err != nil {
			return nil, err
		}
		k.path = filepath.Join(folder, "requests", "sessions", strings.ReplaceAll(u.Host, ":", "_"), name+".json")
	}
	origin := k.Origin
	data, err := os.ReadFile(k.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return k, nil
	case err != nil:
		return nil, err
	}
	if err := json.Unmarshal(data, k); err != nil {
		return nil, misuse("--session: %s is not a session: %v", k.path, err)
	}
	if k.Origin != origin {
		return nil, misuse("--session: %s is for %s and not for %s", k.path, k.Origin, origin)
	}
	return k, nil
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
