package cookie

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/mountable/requests/internal/httpdate"
)

// fileHeader is the line by which programs know the format.
const fileHeader = "# Netscape HTTP Cookie File\n# This is a generated file. Do not edit.\n\n"

// httpOnlyPrefix marks the lines of HttpOnly cookies, which are comments to old
// programs.
const httpOnlyPrefix = "#HttpOnly_"

// maxLine bounds a line of cookies.txt.
const maxLine = 64 << 10

// Text writes cookies in the format of cookies.txt, those with a tab in their text
// aside. By Netscape's rules the domains of cookies put in by hand have no dot.
func Text(cookies []Stored, rules Rules) []byte {
	b := []byte(fileHeader)
	for _, c := range cookies {
		if c.readable() && !strings.Contains(c.Name+c.Value+c.Path, "\t") {
			b = c.appendLine(b, rules.Netscape)
		}
	}
	return b
}

// appendLine writes a cookie's seven fields. A cookie without a value is written
// as a value without a name, as http.cookiejar has it.
func (c *Stored) appendLine(b []byte, netscape bool) []byte {
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

// maxEntries is how many cookies a file may have: some thirty times what a browser
// keeps, and less than fills the memory.
const maxEntries = 100_000

var errTooMany = fmt.Errorf("more than %d cookies", maxEntries)

// ReadText reads a cookies.txt. On request it leaves out lines that are not cookies.
func ReadText(data []byte, skipBadLines bool, rules Rules) ([]Stored, error) {
	var cookies []Stored
	number := 0
	for line := range bytes.Lines(bytes.TrimPrefix(data, []byte("\ufeff"))) {
		number++
		c, ok, err := readLine(line, rules)
		if err != nil && (!skipBadLines || !errors.As(err, new(badLine))) {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if ok {
			cookies = append(cookies, c)
		}
		if len(cookies) > maxEntries {
			return nil, errTooMany
		}
	}
	return cookies, nil
}

// badLine is the error of a line that is text, but not a cookie.
type badLine struct{ error }

// readLine reads one line; not ok are empty lines and comments, which begin with "#" or,
// in files that http.cookiejar reads, with "$".
func readLine(line []byte, rules Rules) (c Stored, ok bool, err error) {
	if len(line) > maxLine {
		return c, false, fmt.Errorf("longer than %d bytes", maxLine)
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r")
	if hasControl(text) {
		return c, false, fmt.Errorf("control character")
	}
	text, c.HTTPOnly = strings.CutPrefix(text, httpOnlyPrefix)
	if blank := strings.TrimSpace(text); blank == "" || !c.HTTPOnly && (blank[0] == '#' || blank[0] == '$') {
		return c, false, nil
	}
	fields := strings.Split(text, "\t")
	if len(fields) == 6 { // the value was empty, and its tab has been trimmed
		fields = append(fields, "")
	}
	if len(fields) != 7 {
		return c, false, badLine{fmt.Errorf("%d fields, not 7", len(fields))}
	}
	if err := c.setFields(fields, rules); err != nil {
		return c, false, badLine{err}
	}
	return c, true, nil
}

func (c *Stored) setFields(fields []string, rules Rules) (err error) {
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
	if c.Expires, err = readEnd(fields[4]); err != nil {
		return err
	}
	c.Name, c.Value = fields[5], fields[6]
	if c.Name == "" && rules.Netscape {
		c.Name, c.Value, c.NoValue = c.Value, "", true
	}
	c.Cookie, err = c.checkAll()
	return err
}

// readEnd reads the seconds since 1970 at which a cookie ends, nothing or 0 for the end of
// the session. Some programs write fractions of them, and blanks around them.
func readEnd(text string) (end time.Time, err error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return end, nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return end, fmt.Errorf("no date")
		}
		seconds = int64(max(min(f, 1<<60), -1<<60))
	}
	if seconds == 0 {
		return end, nil
	}
	return httpdate.Unix(seconds), nil
}
