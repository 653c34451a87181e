package requests

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/mountable/requests/internal/uri"
)

var _ http.CookieJar = (*CookieJar)(nil)

// SetCookies keeps cookies that the server at u set, for [http.CookieJar].
func (j *CookieJar) SetCookies(u *url.URL, cookies []*http.Cookie) {
	if j == nil || u == nil {
		return
	}
	fields := make([]string, 0, len(cookies))
	for _, c := range cookies[:min(len(cookies), maxSetCookies)] {
		if c != nil && !strings.Contains(c.Name+c.Value, ";") {
			fields = append(fields, setCookieField(c))
		}
	}
	j.receive(u.String(), fields)
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
	attr("SameSite", sameSiteName(c.SameSite))
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

func sameSiteName(mode http.SameSite) string { return sameSiteModes[mode] }

// Cookies returns the cookies for a request to u, for [http.CookieJar].
func (j *CookieJar) Cookies(u *url.URL) []*http.Cookie {
	if j.Len() == 0 || u == nil {
		return nil
	}
	parsed, err := uri.Parse(u.String())
	if err != nil {
		return nil
	}
	rules := j.rules()
	origin, ok := rules.origin(&parsed)
	if !ok {
		return nil
	}
	now := j.now()
	j.mu.RLock()
	defer j.mu.RUnlock()
	var cookies []*http.Cookie
	for c := range j.index.view(&origin, rules, true, now).forPath(origin.path) {
		value, quoted := c.Value, false
		if n := len(value); n > 1 && value[0] == '"' && value[n-1] == '"' {
			value, quoted = value[1:n-1], true
		}
		cookies = append(cookies, &http.Cookie{Name: c.Name, Value: value, Quoted: quoted})
	}
	return cookies
}
