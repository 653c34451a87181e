package adapters

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/secret"
)

// Match is what a request must have besides its method and URL to fit an [Expectation]:
// all that is set.
type Match struct {
	Query   requests.Params    // parameters of the query, each with one of its values
	Headers requests.Headers   // header fields, each with one of its values
	Form    requests.Form      // fields of a form-encoded body, each with one of its values
	Body    []byte             // exactly this body; nil is any
	JSON    any                // a body that is the same JSON, order of names and blanks aside; nil is any
	Func    func(s *Sent) bool // what it reports
}

// condition is one thing that a Match asks for.
type condition struct {
	what    string
	missing func(*Sent) string // what is wrong, "" for a fit
}

// conditions takes m apart. An error is a JSON that does not marshal.
func (m *Match) conditions() (all []condition, err error) {
	for _, kv := range m.Query {
		all = append(all, condition{fmt.Sprintf("with the parameter %s=%s", kv[0], shown(kv[0], kv[1])), missingParam(kv)})
	}
	for _, kv := range m.Headers {
		all = append(all, condition{"with the header " + kv[0], missingHeader(kv)})
	}
	for _, kv := range m.Form {
		all = append(all, condition{"with the form field " + kv[0], missingField(kv)})
	}
	if m.Body != nil {
		all = append(all, condition{"with a certain body", m.missingBody})
	}
	if m.JSON != nil {
		var want []byte
		if want, err = json.Marshal(m.JSON); err != nil {
			err = &requests.Error{Kind: requests.ErrInvalidJSON, Err: err, Detail: fmt.Sprintf("Match.JSON: JSON cannot hold a %T", m.JSON)}
		}
		all = append(all, condition{"with certain JSON", func(s *Sent) string { return missingJSON(s, want) }})
	}
	if m.Func != nil {
		all = append(all, condition{"that Func takes", m.missingFunc})
	}
	return all, err
}

func missingParam(want [2]string) func(*Sent) string {
	return func(s *Sent) string {
		u, err := url.Parse(s.URL)
		if err != nil {
			return "the URL cannot be parsed"
		}
		return missingValue("the parameter", want[0], u.Query()[want[0]], want[1])
	}
}

func missingHeader(want [2]string) func(*Sent) string {
	return func(s *Sent) string { return missingValue("the header", want[0], s.Headers.Values(want[0]), want[1]) }
}

func missingField(want [2]string) func(*Sent) string {
	return func(s *Sent) string {
		form, err := url.ParseQuery(string(s.Body))
		if err != nil {
			return "the body is not a form"
		}
		return missingValue("the form field", want[0], form[want[0]], want[1])
	}
}

func (m *Match) missingFunc(s *Sent) string {
	if m.Func(s) {
		return ""
	}
	return "Func does not take it"
}

func (m *Match) missingBody(s *Sent) string {
	if bytes.Equal(s.Body, m.Body) {
		return ""
	}
	return fmt.Sprintf("the body is %q, expected %q", excerpt(s, s.Body), excerpt(s, m.Body))
}

func missingJSON(s *Sent, want []byte) string {
	expected, _ := plainJSON(want)
	got, err := plainJSON(s.Body)
	switch {
	case err != nil:
		return "the body is not JSON"
	case reflect.DeepEqual(got, expected):
		return ""
	}
	return fmt.Sprintf("the JSON is %s, expected %s", excerpt(s, s.Body), excerpt(s, want))
}

// shown describes the match.
func (m Match) shown() string {
	conditions, _ := m.conditions()
	var parts []string
	for _, c := range conditions {
		parts = append(parts, c.what)
	}
	return strings.Join(parts, ", ")
}

// plainJSON decodes with numbers as they are written.
func plainJSON(data []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

func missingValue(what, name string, values []string, want string) string {
	switch {
	case slices.Contains(values, want):
		return ""
	case len(values) == 0:
		return what + " " + name + " is missing"
	}
	return fmt.Sprintf("%s %s is %q, expected %q", what, name, shown(name, strings.Join(values, ", ")), shown(name, want))
}

// shown is a value as messages have it: these end in logs.
func shown(name, value string) string {
	if secret.Is(name) {
		return secret.Mask
	}
	return value
}

// excerpt keeps messages readable, and free of secrets.
func excerpt(s *Sent, body []byte) string {
	const most = 200
	body = secret.Default().Body(s.Headers.Get("Content-Type"), body)
	if len(body) > most {
		return string(body[:most]) + "…"
	}
	return string(body)
}

// pattern is a URL with stars.
type pattern struct {
	text  string
	query url.Values // nil where it does not matter
}

func newPattern(text string) pattern {
	p := pattern{text: text}
	if _, query, ok := strings.Cut(text, "?"); ok {
		p.query, _ = url.ParseQuery(query)
	}
	return p
}

// missing says how a URL differs from the pattern, "" where it does not.
func (p pattern) missing(raw string) string {
	if p.text == "" {
		return ""
	}
	raw, _, _ = strings.Cut(raw, "#")
	place, query, _ := strings.Cut(raw, "?")
	want, _, _ := strings.Cut(p.text, "?")
	place = withoutUser(place)
	if !starred(want, place) && !starred(want+"/", place) {
		return "the URL is " + secret.URL(raw)
	}
	if p.query == nil {
		return ""
	}
	if got, err := url.ParseQuery(query); err != nil || got.Encode() != p.query.Encode() {
		return fmt.Sprintf("the query is %q", secret.Default().Pairs(query))
	}
	return ""
}

// withoutUser leaves the user info of a URL out.
func withoutUser(place string) string {
	scheme, rest, ok := strings.Cut(place, "://")
	authority, path, slash := strings.Cut(rest, "/")
	if !ok {
		return place
	}
	place = scheme + "://" + authority[strings.LastIndexByte(authority, '@')+1:]
	if slash {
		place += "/" + path
	}
	return place
}

// starred matches text with a pattern: "*" is any run without "/", and "**" any run.
func starred(pattern, text string) bool {
	star := strings.IndexByte(pattern, '*')
	if star < 0 {
		return pattern == text
	}
	if !strings.HasPrefix(text, pattern[:star]) {
		return false
	}
	rest, anything := strings.CutPrefix(pattern[star+1:], "*")
	text = text[star:]
	for i := 0; i <= len(text); i++ {
		if starred(rest, text[i:]) {
			return true
		}
		if i < len(text) && text[i] == '/' && !anything {
			return false
		}
	}
	return false
}
