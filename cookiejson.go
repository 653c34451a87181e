package requests

import (
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// jsonCookie is a cookie as JSON holds it. Text that is no UTF-8 is base64.
type jsonCookie struct {
	Cookie
	RawName  []byte `json:"raw_name,omitempty"`
	RawValue []byte `json:"raw_value,omitempty"`
	Port     string `json:"port,omitempty"`
}

// MarshalJSON writes the cookies, session cookies and expired ones included, as an
// array of objects in the jar's order. Those without a domain are left out: what
// is read back must not go to every host (security rule 36).
func (j *CookieJar) MarshalJSON() ([]byte, error) { return j.marshalJSON(everything) }

// UnmarshalJSON adds the cookies that MarshalJSON has written. On an error none
// is added.
func (j *CookieJar) UnmarshalJSON(data []byte) error { return j.unmarshalJSON(data, everything) }

func (j *CookieJar) marshalJSON(o FileOption) ([]byte, error) {
	cookies := []jsonCookie{}
	for _, c := range j.writable(o) {
		entry := jsonCookie{Cookie: c.Cookie, Port: c.port}
		if !utf8.ValidString(c.Name) {
			entry.Name, entry.RawName = "", []byte(c.Name)
		}
		if !utf8.ValidString(c.Value) {
			entry.Value, entry.RawValue = "", []byte(c.Value)
		}
		cookies = append(cookies, entry)
	}
	return json.MarshalIndent(cookies, "", "  ")
}

func (j *CookieJar) unmarshalJSON(data []byte, o FileOption) error {
	var entries []jsonCookie
	if err := json.Unmarshal(data, &entries); err != nil {
		return fmt.Errorf("not the JSON of a cookie jar: %w", err)
	}
	cookies := make([]storedCookie, 0, len(entries))
	for i, e := range entries {
		c, err := e.stored()
		if err != nil {
			return fmt.Errorf("cookie %d: %w", i+1, err)
		}
		cookies = append(cookies, c)
	}
	return j.take(cookies, o)
}

func (e *jsonCookie) stored() (storedCookie, error) {
	c := storedCookie{Cookie: e.Cookie, port: e.Port, trusted: true}
	if len(e.RawName) > 0 {
		c.Name = string(e.RawName)
	}
	if len(e.RawValue) > 0 {
		c.Value = string(e.RawValue)
	}
	var err error
	if c.Cookie, err = c.checked(); err == nil && c.Domain == "" {
		err = fmt.Errorf("no domain")
	}
	return c, err
}
