package cookie

import (
	"net/http"
	"strconv"
	"strings"
)

// SetCookieFields writes cookies as a server would, but for those that no field can hold.
func SetCookieFields(cookies []*http.Cookie) []string {
	fields := make([]string, 0, len(cookies))
	for _, c := range cookies {
		if c != nil && !strings.Contains(c.Name+c.Value, ";") {
			fields = append(fields, setCookieField(c))
		}
	}
	return fields
}

// HTTP returns cookies as net/http has them, but for those without a name: it would send "=value".
func HTTP(cookies []Cookie) (all []*http.Cookie) {
	for _, c := range cookies {
		if c.Name != "" {
			all = append(all, c.http())
		}
	}
	return all
}

// setCookieField writes a cookie as a server would. A cookie that came from one
// brings its field along.
func setCookieField(c *http.Cookie) string {
	if c.Raw != "" {
		return c.Raw
	}
	var b strings.Builder
	b.WriteString(c.Name + "=" + plainValue(c))
	attr := func(name, value string) {
		if value != "" && !strings.Contains(value, ";") {
			b.WriteString("; " + name + "=" + value)
		}
	}
	attr("Domain", c.Domain)
	attr("Path", c.Path)
	switch {
	case c.MaxAge < 0:
		attr("Max-Age", "0")
	case c.MaxAge > 0:
		attr("Max-Age", strconv.Itoa(c.MaxAge))
	case !c.Expires.IsZero():
		attr("Expires", c.Expires.UTC().Format(http.TimeFormat))
	}
	if c.Secure {
		b.WriteString("; Secure")
	}
	if c.HttpOnly {
		b.WriteString("; HttpOnly")
	}
	attr("SameSite", sameSiteModes[c.SameSite])
	return b.String()
}

func plainValue(c *http.Cookie) string {
	if c.Quoted {
		return `"` + c.Value + `"`
	}
	return c.Value
}

var sameSiteModes = map[http.SameSite]string{
	http.SameSiteStrictMode: "Strict", http.SameSiteLaxMode: "Lax", http.SameSiteNoneMode: "None",
}

// HTTP returns the cookie as net/http sends it.
func (c *Cookie) http() *http.Cookie {
	value, quoted := c.Value, false
	if n := len(value); n > 1 && value[0] == '"' && value[n-1] == '"' {
		value, quoted = value[1:n-1], true
	}
	return &http.Cookie{Name: c.Name, Value: value, Quoted: quoted}
}
