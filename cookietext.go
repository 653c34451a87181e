package requests

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// cookieFileHeader is the line by which programs know the format.
const cookieFileHeader = "# Netscape HTTP Cookie File\n# This is a generated file. Do not edit.\n\n"

// httpOnlyPrefix marks the lines of HttpOnly cookies, which are comments to old
// programs.
const httpOnlyPrefix = "#HttpOnly_"

// maxCookieLine bounds a line of cookies.txt.
const maxCookieLine = 64 << 10

// MarshalText writes all cookies in the format of cookies.txt; see
// [CookieJar.Save] for those that it cannot hold.
func (j *CookieJar) MarshalText() ([]byte, error) { return j.marshalText(everything), nil }

// UnmarshalText adds the cookies of a cookies.txt. On an error none is added.
func (j *CookieJar) UnmarshalText(data []byte) error { return j.unmarshalText(data, everything) }

func (j *CookieJar) marshalText(o FileOption) []byte {
	b := []byte(cookieFileHeader)
	for _, c := range j.writable(o) {
		if !strings.Contains(c.Name+c.Value+c.Path, "\t") {
			b = c.appendLine(b, j.netscape.Load())
		}
	}
	return b
}

// appendLine writes a cookie's seven fields. A cookie without a value is written
// as a value without a name, as http.cookiejar has it.
func (c *storedCookie) appendLine(b []byte, netscape bool) []byte {
	domain, expires := c.Domain, int64(0)
	if !c.HostOnly && !netscape {
		domain = "." + strings.TrimPrefix(domain, ".")
	}
	if !c.Expires.IsZero() {
		expires = c.Expires.Unix()
	}
	name, value := c.Name, c.Value
	if c.NoValue {
		name, value = "", c.Name
	}
	if c.HTTPOnly {
		b = append(b, httpOnlyPrefix...)
	}
	return fmt.Appendf(b, "%s\t%s\t%s\t%s\t%d\t%s\t%s\n", domain, textBool(strings.HasPrefix(domain, ".")), c.Path, textBool(c.Secure), expires, name, value)
}

func textBool(b bool) string {
	if b {
		return "TRUE"
	}
	return "FALSE"
}

func (j *CookieJar) unmarshalText(data []byte, o FileOption) error {
	var cookies []storedCookie
	number := 0
	for line := range bytes.Lines(data) {
		number++
		c, ok, err := readCookieLine(line)
		if err != nil && (o&SkipBadLines == 0 || !errors.As(err, new(badCookieLine))) {
			return fmt.Errorf("line %d: %w", number, err)
		}
		if ok && (!c.NoValue || j.rules().netscape) {
			cookies = append(cookies, c)
		}
	}
	return j.take(cookies, o)
}

// badCookieLine is the error of a line that is text, but no cookie.
type badCookieLine struct{ error }

// readCookieLine reads one line; not ok are comments and empty lines.
func readCookieLine(line []byte) (c storedCookie, ok bool, err error) {
	if len(line) > maxCookieLine {
		return c, false, fmt.Errorf("longer than %d bytes", maxCookieLine)
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r")
	if hasCookieControl(text) {
		return c, false, fmt.Errorf("control character")
	}
	text, c.HTTPOnly = strings.CutPrefix(text, httpOnlyPrefix)
	if blank := strings.TrimSpace(text); blank == "" || !c.HTTPOnly && blank[0] == '#' {
		return c, false, nil
	}
	fields := strings.Split(text, "\t")
	if len(fields) == 6 { // the value was empty, and its tab has been trimmed
		fields = append(fields, "")
	}
	if len(fields) != 7 {
		return c, false, badCookieLine{fmt.Errorf("%d fields, not 7", len(fields))}
	}
	if err := c.setFields(fields); err != nil {
		return c, false, badCookieLine{err}
	}
	return c, true, nil
}

func (c *storedCookie) setFields(fields []string) error {
	c.trusted = true
	c.Domain, c.Path, c.Secure = fields[0], fields[2], strings.EqualFold(fields[3], "TRUE")
	switch below := strings.EqualFold(fields[1], "TRUE"); {
	case c.Domain == "" || c.Domain == ".":
		return fmt.Errorf("no domain")
	case below:
		c.Domain = "." + strings.TrimPrefix(c.Domain, ".")
	default:
		c.Domain, c.HostOnly = strings.TrimPrefix(c.Domain, "."), true
	}
	if fields[4] != "" && fields[4] != "0" {
		seconds, err := strconv.ParseInt(fields[4], 10, 64)
		if err != nil {
			return fmt.Errorf("no date")
		}
		c.Expires = unixTime(seconds)
	}
	c.Name, c.Value = fields[5], fields[6]
	if c.NoValue = c.Name == ""; c.NoValue {
		c.Name, c.Value = c.Value, ""
	}
	var err error
	c.Cookie, err = c.checked()
	return err
}
