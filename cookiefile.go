package requests

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// FileOption says which cookies [CookieJar.Save] writes and [CookieJar.Load]
// takes, and in what form.
type FileOption uint8

// The options. Without them Save and Load leave session cookies and expired ones
// out, as http.cookiejar does, and the file is a cookies.txt.
const (
	WithSessionCookies FileOption = 1 << iota // cookies that no date ends as well
	WithExpired                               // expired ones as well
	AsJSON                                    // Save: JSON. Load sees for itself what the file is.
	SkipBadLines                              // Load: leave out what is no cookie in a cookies.txt, as curl does
)

func joinFileOptions(options []FileOption) (all FileOption) {
	for _, o := range options {
		all |= o
	}
	return all
}

// wants reports whether a cookie is to be written or taken. One that belongs to
// no domain is not: a file must not make it go to every host (security rule 36).
func (o FileOption) wants(c *Cookie, now time.Time) bool {
	switch {
	case c.Domain == "":
		return false
	case c.Expires.IsZero():
		return o&WithSessionCookies != 0
	}
	return o&WithExpired != 0 || !c.expired(now)
}

// writable returns the cookies to be written. Those that could not be read back,
// such as a path that no URL has, are not: no request would get them either.
func (j *CookieJar) writable(o FileOption) []storedCookie {
	if j == nil {
		return nil
	}
	now := j.now()
	return slices.DeleteFunc(j.snapshot(), func(c storedCookie) bool {
		_, err := c.checked()
		return err != nil || !o.wants(&c.Cookie, now)
	})
}

// everything is what the Marshal methods write.
const everything = WithSessionCookies | WithExpired

// maxCookieFile bounds the files that Load reads.
const maxCookieFile = 32 << 20

// Save writes the cookies to the named file, in the format of cookies.txt that
// curl, wget and browsers share, or as JSON. The file is readable by its owner
// only, and takes the place of an older one, or of a link, once it is complete.
//
// Cookies without a domain are not saved, nor are, in cookies.txt, those whose
// text has a tab in it. An error is [ErrFile].
func (j *CookieJar) Save(name string, options ...FileOption) error {
	all := joinFileOptions(options)
	data, err := j.encode(all)
	if err != nil {
		return wrap(ErrFile, err, "the cookies cannot be written")
	}
	return wrap(ErrFile, replaceFile(name, data), "the cookies cannot be saved")
}

func (j *CookieJar) encode(o FileOption) ([]byte, error) {
	if o&AsJSON != 0 {
		return j.marshalJSON(o)
	}
	return j.marshalText(o), nil
}

// replaceFile writes a file of its own beside the named one and renames it.
func replaceFile(name string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), ".cookies-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(data)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

// Load adds the cookies of a file that [CookieJar.Save] or another program has
// written. Either all of the file is taken or, on an error, nothing: [ErrFile] for
// a file that cannot be read or has overlong lines, control characters or, without
// [SkipBadLines], lines that are no cookies.
func (j *CookieJar) Load(name string, options ...FileOption) error {
	data, err := readCookieFile(name)
	if err != nil {
		return wrap(ErrFile, err, "the cookies cannot be loaded")
	}
	if err := j.decode(data, joinFileOptions(options)); err != nil {
		return wrap(ErrFile, err, fmt.Sprintf("the cookies of %q cannot be loaded", filepath.Base(name)))
	}
	return nil
}

func readCookieFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxCookieFile+1))
	if err == nil && len(data) > maxCookieFile {
		err = fmt.Errorf("more than %d bytes", maxCookieFile)
	}
	return data, err
}

func (j *CookieJar) decode(data []byte, o FileOption) error {
	if start := bytes.TrimLeft(data, " \t\r\n"); len(start) > 0 && (start[0] == '[' || start[0] == '{') {
		return j.unmarshalJSON(start, o)
	}
	return j.unmarshalText(data, o)
}

// take adds cookies from a file.
func (j *CookieJar) take(cookies []storedCookie, o FileOption) error {
	if j == nil {
		return fmt.Errorf("a nil CookieJar cannot keep cookies")
	}
	now := j.now()
	for _, c := range cookies {
		if o.wants(&c.Cookie, now) {
			j.change(func(index *cookieIndex) { index.put(c) }, c.Cookie)
		}
	}
	return nil
}
