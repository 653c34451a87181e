package cookie

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

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

// ReadText reads a cookies.txt. On request it leaves out lines that are not cookies.
func ReadText(data []byte, skipBadLines bool, rules Rules) ([]Stored, error) {
	var cookies []Stored
	number := 0
	for line := range bytes.Lines(data) {
		number++
		c, ok, err := readLine(line)
		if err != nil && (!skipBadLines || !errors.As(err, new(badLine))) {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if ok && (!c.NoValue || rules.Netscape) {
			cookies = append(cookies, c)
		}
	}
	return cookies, nil
}

// badLine is the error of a line that is text, but no cookie.
type badLine struct{ error }

// readLine reads one line; not ok are comments and empty lines.
func readLine(line []byte) (c Stored, ok bool, err error) {
	if len(line) > maxLine {
		return c, false, fmt.Errorf("longer than %d bytes", maxLine)
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(line), "\n"), "\r")
	if hasControl(text) {
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
		return c, false, badLine{fmt.Errorf("%d fields, not 7", len(fields))}
	}
	if err := c.setFields(fields); err != nil {
		return c, false, badLine{err}
	}
	return c, true, nil
}

func (c *Stored) setFields(fields []string) error {
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
		c.Expires = httpdate.Unix(seconds)
	}
	c.Name, c.Value = fields[5], fields[6]
	if c.NoValue = c.Name == ""; c.NoValue {
		c.Name, c.Value = c.Value, ""
	}
	var err error
	c.Cookie, err = c.Check()
	return err
}
