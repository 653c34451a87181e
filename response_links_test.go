package requests_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
)

// linked is a response from http://h/a/b?c with Link fields.
func linked(values ...string) *requests.Response {
	headers := requests.Headers{}
	for _, v := range values {
		headers.Add("Link", v)
	}
	r := requests.NewResponse(nil, 200, headers, nil)
	r.URL = "http://h/a/b?c#d"
	return r
}

func TestLinks(t *testing.T) {
	type links = map[string]requests.Link
	for _, tt := range []struct {
		name   string
		values []string
		want   links
	}{
		{"none", nil, links{}},
		{"a semicolon in the target", []string{`<https://h/i?title=X;oldid=9>; rel="original"`},
			links{"original": {"url": "https://h/i?title=X;oldid=9", "rel": "original"}}},
		{"a comma in the target", []string{`<a,b>;rel=x,<c>;rel=y`}, links{"x": {"url": "a,b", "rel": "x"}, "y": {"url": "c", "rel": "y"}}},
		{"names without case", []string{`<a>; REL="Next"; Title=T`}, links{"next": {"url": "a", "rel": "next", "title": "T"}}},
		{"several types", []string{`<a>; rel="next  last"`}, links{"next": {"url": "a", "rel": "next last"}, "last": {"url": "a", "rel": "next last"}}},
		{"an extension type", []string{`<a>; rel="http://Ex/Rel"`}, links{"http://ex/rel": {"url": "a", "rel": "http://Ex/Rel"}}},
		{"quotes", []string{`<a>; title="x, <b>; rel=y \"q\""; rel=z`}, links{"z": {"url": "a", "rel": "z", "title": `x, <b>; rel=y "q"`}}},
		{"apostrophes", []string{`<a>; rel='next'`}, links{"next": {"url": "a", "rel": "next"}}},
		{"no type", []string{`<a>; title=x`, `<b>`}, links{"a": {"url": "a", "title": "x"}, "b": {"url": "b"}}},
		{"two types given", []string{`<a>; rel=x; rel=y`}, links{"x": {"url": "a", "rel": "x"}}},
		{"blanks", []string{"\t< a >\t; rel = x ;"}, links{"x": {"url": " a ", "rel": "x"}}},
		{"a value with =", []string{`<a>; rel=x=y`}, links{"x=y": {"url": "a", "rel": "x=y"}}},
		{"a name alone", []string{`<a>; crossorigin; rel=x`}, links{"x": {"url": "a", "rel": "x", "crossorigin": ""}}},
		{"extended", []string{`<a>; rel=x; title=plain; title*=utf-8''%c3%a9`}, links{"x": {"url": "a", "rel": "x", "title": "é", "title*": "é"}}},
		{"url as a name", []string{`<a>; url=b; rel=x`}, links{"x": {"url": "a", "rel": "x"}}},
		{"a field behind a malformed one", []string{`a; rel=x`, `<b>; rel=y`}, links{"y": {"url": "b", "rel": "y"}}},
		{"the last counts", []string{`<a>; rel=x, <b>; rel=x`}, links{"x": {"url": "b", "rel": "x"}}},
		{"empty elements", []string{`, ,<a>;rel=x,`}, links{"x": {"url": "a", "rel": "x"}}},
	} {
		if diff := cmp.Diff(tt.want, linked(tt.values...).Links()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

func TestLink(t *testing.T) {
	type link struct {
		url string
		ok  bool
	}
	for value, want := range map[string]link{
		`<https://o/p>; rel=next`:                {"https://o/p", true},
		`<?page=2>; rel="next"`:                  {"http://h/a/b?page=2", true},
		`<c>; REL=NEXT`:                          {"http://h/a/c", true},
		`</c;d>; rel="prev next"`:                {"http://h/c;d", true},
		`<../c>; rel=next`:                       {"http://h/c", true},
		`<//o/p>; rel=next`:                      {"http://o/p", true},
		`<>; rel=next`:                           {"http://h/a/b?c", true},
		"</caf\xe9 x>; rel=next":                 {"http://h/caf%E9%20x", true},
		`<a>; rel=last`:                          {"", false},
		`<http://a b/>; rel=next`:                {"", false},
		`<x>; rel=next; anchor="/other"`:         {"", false},
		`<x>; rel=next; anchor="#part"`:          {"http://h/a/x", true},
		`<x>; rel=next, <y>; rel=next`:           {"http://h/a/y", true},
		`<x>; rel=next, <y>; rel=next; anchor=z`: {"http://h/a/x", true},
		``:                                       {"", false},
	} {
		url, ok := linked(value).Link("next")
		if diff := cmp.Diff(want, link{url, ok}, cmp.AllowUnexported(link{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", value, diff)
		}
	}
}
