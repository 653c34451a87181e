package cookie

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// jsonCookie is a cookie as JSON holds it. Text that is not UTF-8 is base64.
type jsonCookie struct {
	Cookie
	RawName  []byte `json:"raw_name,omitempty"`
	RawValue []byte `json:"raw_value,omitempty"`
	RawPath  []byte `json:"raw_path,omitempty"`
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
		moveRaw(&entry.Name, &entry.RawName)
		moveRaw(&entry.Value, &entry.RawValue)
		moveRaw(&entry.Path, &entry.RawPath)
		entries = append(entries, entry)
	}
	return json.MarshalIndent(entries, "", "  ")
}

// moveRaw moves text that is not UTF-8, which JSON would change, to where it is base64.
func moveRaw(text *string, raw *[]byte) {
	if !utf8.ValidString(*text) {
		*raw = []byte(*text)
		*text = ""
	}
}

// ReadJSON reads what JSON has written, one cookie after the other, so that a file that
// is refused has cost no more than what was read of it.
func ReadJSON(data []byte) ([]Stored, error) {
	cookies, err := readEntries(json.NewDecoder(bytes.NewReader(data)))
	if err != nil {
		return nil, fmt.Errorf("not the JSON of a cookie jar: %w", err)
	}
	return cookies, nil
}

func readEntries(d *json.Decoder) (cookies []Stored, err error) {
	start, err := d.Token()
	if start == nil && err == nil { // null
		return nil, nil
	}
	if start != json.Delim('[') {
		return nil, cmp.Or(err, errors.New("not an array"))
	}
	for d.More() {
		c, err := readEntry(d)
		if err != nil {
			return nil, fmt.Errorf("cookie %d: %w", len(cookies)+1, err)
		}
		if cookies = append(cookies, c); len(cookies) > maxEntries {
			return nil, errTooMany
		}
	}
	if _, err = d.Token(); err != nil {
		return nil, err
	}
	if _, err = d.Token(); err != io.EOF {
		return nil, errors.New("more behind the array")
	}
	return cookies, nil
}

func readEntry(d *json.Decoder) (Stored, error) {
	var e jsonCookie
	if err := d.Decode(&e); err != nil {
		return Stored{}, err
	}
	return e.stored()
}

func (e *jsonCookie) stored() (Stored, error) {
	c := Stored{Cookie: e.Cookie, port: e.Port, trusted: true}
	if len(e.RawName) > 0 {
		c.Name = string(e.RawName)
	}
	if len(e.RawValue) > 0 {
		c.Value = string(e.RawValue)
	}
	if len(e.RawPath) > 0 {
		c.Path = string(e.RawPath)
	}
	var err error
	if c.Cookie, err = c.checkAll(); err == nil && c.Domain == "" {
		err = fmt.Errorf("no domain")
	}
	return c, err
}
