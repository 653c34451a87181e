package requests

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/mountable/requests/internal/cookie"
)

// CookieFileOption says which cookies [CookieJar.Save] writes and [CookieJar.Load]
// takes, and in what form.
type CookieFileOption uint8

// The options. Without them Save and Load leave session cookies and expired ones
// out, as http.cookiejar does, and the file is a cookies.txt.
const (
	KeepSessionCookies CookieFileOption = 1 << iota // cookies that no date ends as well
	KeepExpired                                     // expired ones as well
	AsJSON                                          // Save: JSON. Load sees for itself what the file is.
	SkipBadLines                                    // Load: leave out what is not a cookie in a cookies.txt, as curl does
)

// everything is what the Marshal methods write.
const everything = KeepSessionCookies | KeepExpired

func joinFileOptions(options []CookieFileOption) (all CookieFileOption) {
	for _, o := range options {
		all |= o
	}
	return all
}

// chosen returns those of the cookies that are to be written or taken.
func (j *CookieJar) chosen(cookies []cookie.Stored, o CookieFileOption) []cookie.Stored {
	return cookie.Choose(cookies, j.jar.Now(), o&KeepSessionCookies != 0, o&KeepExpired != 0)
}

// writable returns the cookies to be written.
func (j *CookieJar) writable(o CookieFileOption) []cookie.Stored {
	if j == nil {
		return nil
	}
	return j.chosen(j.jar.Snapshot(), o)
}

// Save writes the cookies to the named file, in the format of cookies.txt that
// curl, wget and browsers share, or as JSON. The file is readable by its owner
// only, and takes the place of an older one, or of a link, once it is complete.
//
// Cookies without a domain are not saved, nor are, in cookies.txt, those whose
// text has a tab in it. An error is [ErrFile].
func (j *CookieJar) Save(name string, options ...CookieFileOption) error {
	all := joinFileOptions(options)
	data, err := j.text(all), error(nil)
	if all&AsJSON != 0 {
		data, err = cookie.JSON(j.writable(all))
	}
	if err != nil {
		return wrap(ErrFile, err, "the cookies cannot be written")
	}
	return wrap(ErrFile, cookie.ReplaceFile(name, data), "the cookies cannot be saved")
}

// Load adds the cookies of a file that [CookieJar.Save] or another program has
// written, in the format of cookies.txt or in Save's JSON: the text tells which. Either
// all of the file is taken or, on an error, nothing: [ErrFile] for a file that cannot be
// read or has overlong lines, control characters or, without [SkipBadLines], lines that are not cookies.
func (j *CookieJar) Load(name string, options ...CookieFileOption) error {
	data, err := cookie.ReadFile(name)
	if err != nil {
		return wrap(ErrFile, err, "the cookies cannot be loaded")
	}
	unmarshal := j.unmarshalText
	if start := bytes.TrimLeft(data, " \t\r\n"); len(start) > 0 && (start[0] == '[' || start[0] == '{') {
		unmarshal = j.unmarshalJSON
	}
	err = unmarshal(data, joinFileOptions(options))
	return wrap(ErrFile, err, fmt.Sprintf("the cookies of %q cannot be loaded", filepath.Base(name)))
}

// MarshalText writes all cookies in the format of cookies.txt; see
// [CookieJar.Save] for those that it cannot hold.
func (j *CookieJar) MarshalText() ([]byte, error) { return j.text(everything), nil }

func (j *CookieJar) text(o CookieFileOption) []byte {
	var rules cookie.Rules
	if j != nil {
		rules = j.rules
	}
	return cookie.Text(j.writable(o), rules)
}

// UnmarshalText adds the cookies of a cookies.txt. On an error none is added.
func (j *CookieJar) UnmarshalText(data []byte) error { return j.unmarshalText(data, everything) }

func (j *CookieJar) unmarshalText(data []byte, o CookieFileOption) error {
	if j == nil {
		return errNilJar
	}
	cookies, err := cookie.ReadText(data, o&SkipBadLines != 0, j.rules)
	return j.take(cookies, err, o)
}

// MarshalJSON writes the cookies, session cookies and expired ones included, as an
// array of objects in the jar's order. Those without a domain are left out: what
// is read back must not go to every host.
func (j *CookieJar) MarshalJSON() ([]byte, error) { return cookie.JSON(j.writable(everything)) }

// UnmarshalJSON adds the cookies that MarshalJSON has written. On an error none is added.
func (j *CookieJar) UnmarshalJSON(data []byte) error { return j.unmarshalJSON(data, everything) }

func (j *CookieJar) unmarshalJSON(data []byte, o CookieFileOption) error {
	if j == nil {
		return errNilJar
	}
	cookies, err := cookie.ReadJSON(data)
	return j.take(cookies, err, o)
}

var errNilJar = errors.New("a nil CookieJar cannot keep cookies")

// take adds cookies read from a file.
func (j *CookieJar) take(cookies []cookie.Stored, err error, o CookieFileOption) error {
	if err != nil {
		return err
	}
	j.jar.Put(j.chosen(cookies, o)...)
	return nil
}
