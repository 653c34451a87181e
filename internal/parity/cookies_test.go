package parity

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/mountable/requests"
)

// cookieSpec is a cookie put in by hand; a null value deletes.
type cookieSpec struct {
	Name    string          `json:"name"`
	Value   *string         `json:"value"`
	Domain  string          `json:"domain"`
	Path    *string         `json:"path"`
	Secure  bool            `json:"secure"`
	Expires json.RawMessage `json:"expires"`
}

func addCookies(jar *requests.CookieJar, cookies []cookieSpec) error {
	for _, c := range cookies {
		if err := addCookie(jar, c); err != nil {
			return err
		}
	}
	return nil
}

// addCookie sets a cookie by hand, or deletes it where the value is null.
func addCookie(jar *requests.CookieJar, c cookieSpec) error {
	if c.Value == nil {
		jar.Delete(c.Name, c.Domain, value(c.Path))
		return nil
	}
	cookie := requests.Cookie{Name: c.Name, Value: *c.Value, Domain: c.Domain, Path: value(c.Path), Secure: c.Secure}
	expires, err := expiry(c.Expires)
	cookie.Expires = expires
	if err != nil {
		return err
	}
	return jar.Set(cookie)
}

// expiry reads an epoch, {"in": seconds}, or nothing.
func expiry(raw json.RawMessage) (time.Time, error) {
	var epoch int64
	var relative struct{ In *int64 }
	switch {
	case raw == nil || isNull(raw):
		return time.Time{}, nil
	case json.Unmarshal(raw, &epoch) == nil:
		return time.Unix(epoch, 0), nil
	case json.Unmarshal(raw, &relative) == nil && relative.In != nil:
		return time.Now().Add(time.Duration(*relative.In) * time.Second), nil
	}
	return time.Time{}, cannot("an expiry time of %s", raw)
}

// cookieOption gives the cookies of one call: a mapping, or a jar.
func cookieOption(raw json.RawMessage) (requests.Option, error) {
	var in struct {
		Map json.RawMessage `json:"map"`
		Jar []cookieSpec    `json:"jar"`
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return nil, err
	}
	if in.Map != nil {
		pairs, null, err := fields(in.Map)
		if len(null) > 0 {
			return nil, cannot("a cookie whose value is null")
		}
		return requests.Cookies(pairs), err
	}
	jar := requests.NewCookieJar()
	if err := addCookies(jar, in.Jar); err != nil {
		return nil, err
	}
	return requests.OptionFunc(func(r *requests.Request) error {
		r.Jar = jar
		return nil
	}), nil
}

// cookieRows shows a jar as rows of name, value, domain and path.
func cookieRows(jar *requests.CookieJar) []any {
	rows := []any{}
	for c := range jar.All() {
		rows = append(rows, []any{latin1(c.Name), latin1(c.Value), c.Domain, c.Path})
	}
	return rows
}

// showCookies shows a jar in its order.
func showCookies(jar *requests.CookieJar) []any {
	out := []any{}
	for c := range jar.All() {
		cookie := map[string]any{"name": latin1(c.Name), "value": latin1(c.Value), "domain": c.Domain, "path": c.Path}
		if c.Secure {
			cookie["secure"] = true
		}
		if !c.Expires.IsZero() {
			cookie["expires"] = c.Expires.Unix()
		}
		out = append(out, cookie)
	}
	return out
}

// emptyValue writes the value of a cookie without one as "": a Go string is never null.
func emptyValue(o map[string]any) {
	if v, ok := o["value"]; ok && v == nil && o["domain"] != nil {
		o["value"] = ""
	}
}

func sessionCookies(r *runner, _ *testing.T, _ *step) (map[string]any, error) {
	return map[string]any{"cookies": showCookies(r.session.Cookies)}, nil
}

func cookieGet(r *runner, _ *testing.T, s *step) (map[string]any, error) {
	c, err := r.session.Cookies.Find(s.Name, value(s.Domain), value(s.Path))
	switch {
	case errors.Is(err, requests.ErrNoCookie):
		return map[string]any{"value": nil}, nil
	case err != nil:
		return nil, err
	}
	return map[string]any{"value": latin1(c.Value)}, nil
}

func cookieSet(r *runner, t *testing.T, s *step) (map[string]any, error) {
	if err := addCookie(r.session.Cookies, *s.Cookie); err != nil {
		return nil, err
	}
	return sessionCookies(r, t, s)
}

func cookieDelete(r *runner, t *testing.T, s *step) (map[string]any, error) {
	r.session.Cookies.Delete(s.Name, value(s.Domain), value(s.Path))
	return sessionCookies(r, t, s)
}

func cookieClear(r *runner, _ *testing.T, _ *step) (map[string]any, error) {
	r.session.Cookies.Clear()
	return nil, nil
}

func cookieDict(r *runner, _ *testing.T, s *step) (map[string]any, error) {
	return map[string]any{"dict": orderedMap(r.session.Cookies, value(s.Domain), value(s.Path))}, nil
}

// orderedMap shows what Map returns as pairs, in the order of the jar.
func orderedMap(jar *requests.CookieJar, domain, path string) [][2]string {
	values := jar.Map(domain, path)
	pairs := [][2]string{}
	for c := range jar.All() {
		if v, ok := values[c.Name]; ok {
			pairs = append(pairs, [2]string{latin1(c.Name), latin1(v)})
			delete(values, c.Name)
		}
	}
	return pairs
}
