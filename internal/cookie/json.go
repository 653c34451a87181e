package cookie

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

// JSON writes cookies as an array of objects.
func JSON(cookies []Stored) ([]byte, error) {
	entries := make([]jsonCookie, 0, len(cookies))
	for _, c := range cookies {
		if !c.readable() {
			continue
		}
		entry := jsonCookie{Cookie: c.Cookie, Port: c.port}
		if !utf8.ValidString(c.Name) {
			entry.Name, entry.RawName = "", []byte(c.Name)
		}
		if !utf8.ValidString(c.Value) {
			entry.Value, entry.RawValue = "", []byte(c.Value)
		}
		entries = append(entries, entry)
	}
	return json.MarshalIndent(entries, "", "  ")
}

// ReadJSON reads what JSON has written.
func ReadJSON(data []byte) ([]Stored, error) {
	var entries []jsonCookie
	if err := json.Unmarshal(data, &entries); err != nil {
		return nil, fmt.Errorf("not the JSON of a cookie jar: %w", err)
	}
	cookies := make([]Stored, 0, len(entries))
	for i, e := range entries {
		c, err := e.stored()
		if err != nil {
			return nil, fmt.Errorf("cookie %d: %w", i+1, err)
		}
		cookies = append(cookies, c)
	}
	return cookies, nil
}

func (e *jsonCookie) stored() (Stored, error) {
	c := Stored{Cookie: e.Cookie, port: e.Port, trusted: true}
	if len(e.RawName) > 0 {
		c.Name = string(e.RawName)
	}
	if len(e.RawValue) > 0 {
		c.Value = string(e.RawValue)
	}
	var err error
	if c.Cookie, err = c.Check(); err == nil && c.Domain == "" {
		err = fmt.Errorf("no domain")
	}
	return c, err
}
