// Package curl reads and writes commands of curl: the text that browsers copy and
// documentation of APIs shows. It sends nothing.
package curl

import "time"

// Command is what a command asks for.
type Command struct {
	Method, URL string
	Headers     [][2]string // one of a name replaces what would be sent without it
	Without     []string    // names left out
	Body        []byte
	HasBody     bool   // Body counts, an empty one too
	Chunked     bool   // it is sent in chunks
	Parts       []Part // of a multipart body
	Cookies     [][2]string
	CookieFiles []string

	User     string // "name:password"
	Scheme   string // "basic" or "digest" where User is given
	Bearer   string
	Proxy    string // with its user info
	NoProxy  string // hosts without
	Direct   bool   // no proxy at all
	Insecure bool
	CA       string
	Cert     string
	Key      string
	Password string // of the key

	PathAsIs bool
	Follow   bool // redirects

	MaxRedirects *int // nil: as many as usual

	Total     time.Duration
	Connect   time.Duration
	Continue  time.Duration
	addresses []string
}

// ByteChars returns s with a character of Latin-1 for each byte. What writes credentials as Latin-1, as
// Requests does, then sends the bytes of the command, as curl does.
func ByteChars(s string) string {
	chars := make([]rune, len(s))
	for i := range len(s) {
		chars[i] = rune(s[i])
	}
	return string(chars)
}

// Part is a part of a multipart body.
type Part struct {
	Name, FileName, Type string
	IsFile               bool
	Content              []byte
	Headers              [][2]string
}

// Proxies are those of the command as a table by scheme, nil where it names none.
func (c *Command) Proxies() map[string]string {
	m := map[string]string{}
	if c.Proxy != "" {
		m["all"] = c.Proxy
	}
	if c.NoProxy != "" {
		m["no_proxy"] = c.NoProxy
	}
	if c.Direct {
		m = map[string]string{"all": "", "http": "", "https": ""}
	}
	if len(m) == 0 {
		return nil
	}
	return m
}
