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

// Matcher is one more condition of an [Expectation].
type Matcher struct {
	what    string
	missing func(*Sent) string // what is wrong, "" for a fit
	err     error
}

// MatchQuery wants a parameter of the query with one of its values.
func MatchQuery(name, value string) Matcher {
	return Matcher{what: fmt.Sprintf("with the parameter %s=%s", name, shown(name, value)), missing: func(s *Sent) string {
		u, err := url.Parse(s.URL)
		if err != nil {
			return "the URL cannot be parsed"
		}
		return missingValue("the parameter", name, u.Query()[name], value)
	}}
}

// MatchHeader wants a header field with one of its values.
func MatchHeader(name, value string) Matcher {
	return Matcher{what: fmt.Sprintf("with the header %s", name), missing: func(s *Sent) string {
		return missingValue("the header", name, s.Headers.Values(name), value)
	}}
}

// MatchBody wants exactly this body.
func MatchBody(text string) Matcher {
	return Matcher{what: "with a certain body", missing: func(s *Sent) string {
		if string(s.Body) == text {
			return ""
		}
		return fmt.Sprintf("the body is %q, expected %q", excerpt(s, s.Body), excerpt(s, []byte(text)))
	}}
}

// MatchForm wants a field of a form-encoded body with one of its values.
func MatchForm(name, value string) Matcher {
	return Matcher{what: fmt.Sprintf("with the form field %s", name), missing: func(s *Sent) string {
		form, err := url.ParseQuery(string(s.Body))
		if err != nil {
			return "the body is not a form"
		}
		return missingValue("the form field", name, form[name], value)
	}}
}

// MatchJSON wants a body that is the same JSON as v: order of names and blanks aside. v
// that does not marshal is the error of every request.
func MatchJSON(v any) Matcher {
	want, err := json.Marshal(v)
	m := Matcher{what: "with certain JSON"}
	if err != nil {
		m.err = &requests.Error{Kind: requests.ErrInvalidJSON, Err: err, Detail: "MatchJSON: v cannot be JSON"}
		return m
	}
	expected, _ := plainJSON(want)
	m.missing = func(s *Sent) string {
		got, err := plainJSON(s.Body)
		switch {
		case err != nil:
			return "the body is not JSON"
		case reflect.DeepEqual(got, expected):
			return ""
		}
		return fmt.Sprintf("the JSON is %s, expected %s", excerpt(s, s.Body), excerpt(s, want))
	}
	return m
}

// MatchFunc wants what f says; name describes it in errors.
func MatchFunc(name string, f func(*Sent) bool) Matcher {
	return Matcher{what: name, missing: func(s *Sent) string {
		if f(s) {
			return ""
		}
		return "it is not " + name
	}}
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
