package jsontext

import (
	"encoding/json"

	"github.com/mountable/requests/internal/secret"
)

// Problem is an object of problem details (RFC 9457).
type Problem struct {
	Type, Title      string
	Status           int
	Detail, Instance string
	Extensions       map[string]json.RawMessage
}

// ParseProblem reads problem details; nil is text that has none. A member of another type than
// RFC 9457 gives it is ignored (section 3.1).
func ParseProblem(text []byte) *Problem {
	p := &Problem{Type: "about:blank"}
	if json.Unmarshal(text, &p.Extensions) != nil || p.Extensions == nil {
		return nil
	}
	for name, to := range map[string]any{"type": &p.Type, "title": &p.Title, "status": &p.Status, "detail": &p.Detail, "instance": &p.Instance} {
		value, ok := p.Extensions[name]
		delete(p.Extensions, name)
		if ok && string(value) != "null" {
			_ = json.Unmarshal(value, to)
		}
	}
	return p
}

// String is the title and the detail, or else the type, as far as they may be shown.
func (p *Problem) String() string {
	text := p.Title
	if text != "" && p.Detail != "" {
		text += ": "
	}
	if text += p.Detail; text == "" {
		text = p.Type
	}
	return secret.Clean(secret.Snippet("text/plain", []byte(text)))
}
