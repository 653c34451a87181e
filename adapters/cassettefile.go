package adapters

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wire"
)

// tape is the content of a cassette's file.
type tape struct {
	Version   int             `json:"version"`
	Exchanges []tapedExchange `json:"exchanges"`
}

const tapeVersion = 1

type tapedExchange struct {
	Request  tapedRequest  `json:"request"`
	Response tapedResponse `json:"response"`
}

type tapedRequest struct {
	Method  string       `json:"method"`
	URL     string       `json:"url"`
	Headers tapedHeaders `json:"headers,omitempty"`
	Body    tapedText    `json:"body,omitempty"`
}

type tapedResponse struct {
	Status   int          `json:"status"`
	Reason   tapedText    `json:"reason,omitempty"`
	Proto    string       `json:"proto,omitempty"`
	Headers  tapedHeaders `json:"headers,omitempty"`
	Body     tapedText    `json:"body,omitempty"`
	Trailers tapedHeaders `json:"trailers,omitempty"`
}

// response makes the response it was.
func (r *tapedResponse) response(p *requests.PreparedRequest) *requests.Response {
	body := &wire.Held{Content: r.Body, Fields: r.Trailers}
	resp := requests.NewResponse(p, r.Status, requests.Headers(r.Headers).Clone(), body)
	resp.Reason = string(r.Reason)
	if r.Proto != "" {
		resp.Proto = r.Proto
	}
	return resp
}

// tapedHeaders are written as lines, "Name: value".
type tapedHeaders requests.Headers

// MarshalJSON implements [json.Marshaler].
func (h tapedHeaders) MarshalJSON() ([]byte, error) {
	lines := make([]tapedText, len(h))
	for i, f := range h {
		lines[i] = tapedText(f[0] + ": " + f[1])
	}
	return marshalPlain(lines)
}

// UnmarshalJSON implements [json.Unmarshaler].
func (h *tapedHeaders) UnmarshalJSON(data []byte) error {
	var lines []tapedText
	if err := json.Unmarshal(data, &lines); err != nil {
		return err
	}
	for _, line := range lines {
		name, value, ok := strings.Cut(string(line), ":")
		if !ok || name == "" || strings.ContainsAny(string(line), "\r\n") {
			return fmt.Errorf("%q is not a header field", line)
		}
		*h = append(*h, [2]string{name, strings.TrimPrefix(value, " ")})
	}
	return nil
}

// tapedText is written as text where it is UTF-8, else as {"base64": "…"}: bodies, and
// header lines and reasons, which servers write in whatever they use.
type tapedText []byte

type codedText struct {
	Base64 string `json:"base64"`
}

// MarshalJSON implements [json.Marshaler].
func (b tapedText) MarshalJSON() ([]byte, error) {
	if utf8.Valid(b) {
		return marshalPlain(string(b))
	}
	return json.Marshal(codedText{base64.StdEncoding.EncodeToString(b)})
}

// UnmarshalJSON implements [json.Unmarshaler].
func (b *tapedText) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		*b = tapedText(text)
		return nil
	}
	var coded codedText
	if err := json.Unmarshal(data, &coded); err != nil {
		return err
	}
	content, err := base64.StdEncoding.DecodeString(coded.Base64)
	*b = content
	return err
}

// marshalPlain leaves <, > and & as they are.
func marshalPlain(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return bytes.TrimRight(out.Bytes(), "\n"), err
}

func decodeTape(data []byte) ([]tapedExchange, error) {
	var t tape
	if err := json.Unmarshal(data, &t); err != nil {
		return nil, err
	}
	if t.Version != tapeVersion {
		return nil, fmt.Errorf("it has version %d, expected %d", t.Version, tapeVersion)
	}
	return t.Exchanges, checkTape(t.Exchanges)
}

func checkTape(exchanges []tapedExchange) error {
	for i, e := range exchanges {
		if e.Response.Status < 100 || e.Response.Status > 999 {
			return fmt.Errorf("exchange %d has the status %d", i+1, e.Response.Status)
		}
	}
	return nil
}

// writeTape replaces the file in one step.
func writeTape(path string, exchanges []tapedExchange) error {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(tape{tapeVersion, exchanges}); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	temp, err := os.CreateTemp(filepath.Dir(path), ".cassette-*") // 0600, O_EXCL
	if err != nil {
		return err
	}
	_, err = temp.Write(out.Bytes())
	if err = errors.Join(err, temp.Close()); err == nil {
		err = os.Rename(temp.Name(), path)
	}
	if err != nil {
		_ = os.Remove(temp.Name())
	}
	return err
}
