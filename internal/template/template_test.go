package template

import (
	"errors"
	"math/big"
	"net"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

func TestExpand(t *testing.T) {
	empty, name := "", "ada"
	for _, c := range []struct {
		template string
		values   map[string]any
		want     string // or the beginning of the error
		fails    bool
	}{
		{"http://h/users/{id}", map[string]any{"id": 7}, "http://h/users/7", false},
		{"http://h/users/{id}", map[string]any{"id": "a/b?c#d e%"}, "http://h/users/a%2Fb%3Fc%23d%20e%25", false},
		{"http://h/users/{name}", map[string]any{"name": &name}, "http://h/users/ada", false},
		{"/{a}/{b}/x", map[string]any{"a": "ü", "b": true}, "/%C3%BC/true/x", false},
		{"/{id}", map[string]any{"id": []byte("a/b")}, "/a%2Fb", false},
		{"/{id}", map[string]any{"id": net.IPv4(192, 0, 2, 1)}, "/192.0.2.1", false},
		{"/{id}{?m*}", map[string]any{"id": [][]byte{[]byte("a"), []byte("b")}, "m": map[string]any{"k": []byte("v"), "n": nil}}, "/a,b?k=v", false},
		{"/{id}", map[string]any{"id": big.NewInt(42)}, "/42", false},
		{"/{id}{?m*,l}", map[string]any{"id": &url.URL{Scheme: "http", Host: "h"}, "m": map[string]any{"k": big.NewInt(3), "n": nil}, "l": []any{big.NewRat(1, 2), nil}}, "/http%3A%2F%2Fh?k=3&l=1%2F2", false},
		{"/{id}", map[string]any{"id": func() {}}, "the value of {id} cannot be a func()", true},
		{"/{id}", map[string]any{"id": errors.New("e")}, "the value of {id} cannot be a *errors.errorString", true},
		{"/{id}", map[string]any{"id": []any{make(chan int)}}, "the value of {id} cannot be a chan int", true},
		{"/{id}", map[string]any{"id": map[string]any{"k": struct{ A int }{1}}}, "the value of {id} cannot be a struct { A int }", true},
		{"/{id}", map[string]any{"id": map[string][]int{"k": {1}}}, "the value of {id} cannot be a []int", true},
		{"/x{?m}", map[string]any{"m": map[string]any{"n": nil}}, "/x", false},
		{"/files{/path*}", map[string]any{"path": []string{"a", "b c"}}, "/files/a/b%20c", false},
		{"/s{?q,page}", map[string]any{"q": "a&b", "page": 2}, "/s?q=a%26b&page=2", false},
		{"/s{?q,page}", map[string]any{"q": "a", "page": nil}, "/s?q=a", false},
		{"/s{?m*}", map[string]any{"m": map[string]int{"b": 2, "a": 1}}, "/s?a=1&b=2", false},
		{"/{+path}", map[string]any{"path": "a/b"}, "/a/b", false},
		{"/a{#f}", map[string]any{"f": ".."}, "/a#..", false},
		{"/x{/empty}", map[string]any{"empty": ""}, "/x/", false},
		{"/plain", nil, "/plain", false},
		{"/../{a}", map[string]any{"a": "b"}, "/../b", false},
		{"/users/{id}", nil, "there is no value for {id}", true},
		{"/users/{id}", map[string]any{"id": 7, "ID": 7}, "the URI template has no {ID}", true},
		{"/users/{id}", map[string]any{"id": empty}, "the value of {id} is empty", true},
		{"/users/{id}", map[string]any{"id": ".."}, "a value makes an empty or a dot segment", true},
		{"/users/{a}{b}/x", map[string]any{"a": ".", "b": "."}, "a value makes an empty or a dot segment", true},
		{"/{+path}", map[string]any{"path": "a/../b"}, "a value makes an empty or a dot segment", true},
		{"/a/{+path}", map[string]any{"path": "%2E%2e/x"}, "a value makes an empty or a dot segment", true},
		{"/a/{+path}", map[string]any{"path": ".%2e"}, "a value makes an empty or a dot segment", true},
		{"/a/{x}", map[string]any{"x": "%2e%2e"}, "/a/%252e%252e", false},
		{"/{+path}", map[string]any{"path": "/o.example/x"}, "a value makes an empty or a dot segment", true},
		{"{/a,b}", map[string]any{"a": "", "b": "o.example"}, "a value makes an empty or a dot segment", true},
		{"{+path}", map[string]any{"path": "//o.example/x"}, "a value makes an empty or a dot segment", true},
		{"/a/{+x}/b", map[string]any{"x": ""}, "the value of {+x} is empty", true},
		{"/a/{x}{y}/b", map[string]any{"x": "", "y": ""}, "a value makes an empty or a dot segment", true},
		{"http://h//{x}/", map[string]any{"x": "b"}, "http://h//b/", false},
		{"http://h{+path}", map[string]any{"path": "/a/b?c"}, "http://h/a/b?c", false},
		{"http://h{+path}", map[string]any{"path": "?a@b"}, "http://h?a@b", false},
		{"http://h{+path}", map[string]any{"path": "@o.example/"}, "the value of {+path} leads to another host", true},
		{"http://h{+path}", map[string]any{"path": ":x@o.example/"}, "the value of {+path} leads to another host", true},
		{"http://h{+path}", map[string]any{"path": ".o.example/"}, "the value of {+path} leads to another host", true},
		{"http://h{+path}{?q}", map[string]any{"path": "x.example", "q": 1}, "the value of {+path} leads to another host", true},
		{"http://h{+path}", map[string]any{"path": "x"}, "the value of {+path} leads to another host", true},
		{"http://h{x}", map[string]any{"x": ".o.example"}, "the value of {x} leads to another host", true},
		{"http://h{x}/", map[string]any{"x": 7}, "http://h7/", false},
		{"http://h:{port}/", map[string]any{"port": 80}, "http://h:80/", false},
		{"http://{+host}/", map[string]any{"host": "h.example:80"}, "http://h.example:80/", false},
		{"http://{+host}/", map[string]any{"host": "u@o.example"}, "the value of {+host} leads to another host", true},
		{"http://{+tenant}.h/", map[string]any{"tenant": "o.example/"}, "the value of {+tenant} leads to another host", true},
		{"http://{+tenant}.h/", map[string]any{"tenant": "a.b"}, "http://a.b.h/", false},
		{"{+base}{/id}", map[string]any{"base": "http://h", "id": "@o"}, "http://h/%40o", false},
		{"{+base}{+id}", map[string]any{"base": "http://h", "id": "@o"}, "the value of {+id} leads to another host", true},
		{"/a/http://h{+x}", map[string]any{"x": "@o"}, "/a/http://h@o", false},
		{"/users/{id", map[string]any{"id": 1}, "the URI template is malformed", true},
		{"/users/{i d}", map[string]any{"i d": 1}, "the URI template is malformed", true},
	} {
		got, err := Expand(c.template, c.values)
		if c.fails != (err != nil) || !c.fails && got != c.want || err != nil && !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s of %v: %q, %v, want %q", c.template, c.values, got, err, c.want)
		}
	}
}

// TestRFC6570 has the examples of RFC 6570 sections 2.4 and 3.2.
func TestRFC6570(t *testing.T) {
	values := map[string]any{
		"count": []string{"one", "two", "three"}, "dom": []string{"example", "com"}, "dub": "me/too", "hello": "Hello World!", "half": "50%", "var": "value",
		"who": "fred", "base": "http://example.com/home/", "path": "/foo/bar", "list": []string{"red", "green", "blue"},
		"keys": [][2]string{{"semi", ";"}, {"dot", "."}, {"comma", ","}}, "v": 6, "x": 1024, "y": 768, "empty": "", "empty_keys": [][2]string{}, "undef": nil,
		"semi": ";", "uni": "äöü",
	}
	for template, want := range map[string]string{
		"{count}": "one,two,three", "{count*}": "one,two,three", "{/count}": "/one,two,three", "{/count*}": "/one/two/three", "{;count}": ";count=one,two,three",
		"{;count*}": ";count=one;count=two;count=three", "{?count}": "?count=one,two,three", "{?count*}": "?count=one&count=two&count=three", "{&count*}": "&count=one&count=two&count=three",
		"{var}": "value", "{hello}": "Hello%20World%21", "{half}": "50%25", "O{empty}X": "OX", "O{undef}X": "OX", "{x,y}": "1024,768", "{x,hello,y}": "1024,Hello%20World%21,768",
		"?{x,empty}": "?1024,", "?{x,undef}": "?1024", "?{undef,y}": "?768", "{var:3}": "val", "{var:30}": "value", "{uni:2}": "%C3%A4%C3%B6", "{list}": "red,green,blue", "{list*}": "red,green,blue",
		"{keys}": "semi,%3B,dot,.,comma,%2C", "{keys*}": "semi=%3B,dot=.,comma=%2C", "{semi:2}": "%3B",
		"{+var}": "value", "{+hello}": "Hello%20World!", "{+half}": "50%25", "{base}index": "http%3A%2F%2Fexample.com%2Fhome%2Findex", "{+base}index": "http://example.com/home/index",
		"O{+empty}X": "OX", "{+path}/here": "/foo/bar/here", "here?ref={+path}": "here?ref=/foo/bar", "up{+path}{var}/here": "up/foo/barvalue/here", "{+x,hello,y}": "1024,Hello%20World!,768",
		"{+path:6}/here": "/foo/b/here", "{+keys}": "semi,;,dot,.,comma,,", "{+keys*}": "semi=;,dot=.,comma=,",
		"{#var}": "#value", "{#half}": "#50%25", "foo{#empty}": "foo#", "foo{#undef}": "foo", "{#x,hello,y}": "#1024,Hello%20World!,768", "{#path:6}here": "#/foo/bhere", "{#keys*}": "#semi=;,dot=.,comma=,",
		"{.who,who}": ".fred.fred", "{.half,who}": ".50%25.fred", "www{.dom*}": "www.example.com", "X{.var:3}": "X.val", "X{.empty}": "X.", "X{.undef}": "X", "X{.list}": "X.red,green,blue", "X{.list*}": "X.red.green.blue",
		"X{.keys}": "X.semi,%3B,dot,.,comma,%2C", "X{.keys*}": "X.semi=%3B.dot=..comma=%2C", "X{.empty_keys}": "X", "X{.empty_keys*}": "X",
		"{/who,who}": "/fred/fred", "{/who,dub}": "/fred/me%2Ftoo", "{/var,empty}": "/value/", "{/var,undef}": "/value", "{/var,x}/here": "/value/1024/here", "{/var:1,var}": "/v/value", "{/list*}": "/red/green/blue", "{/list*,path:4}": "/red/green/blue/%2Ffoo", "{/keys*}": "/semi=%3B/dot=./comma=%2C",
		"{;who}": ";who=fred", "{;half}": ";half=50%25", "{;empty}": ";empty", "{;v,empty,who}": ";v=6;empty;who=fred", "{;x,y,undef}": ";x=1024;y=768", "{;hello:5}": ";hello=Hello", "{;list*}": ";list=red;list=green;list=blue", "{;keys}": ";keys=semi,%3B,dot,.,comma,%2C", "{;keys*}": ";semi=%3B;dot=.;comma=%2C",
		"{?x,y,empty}": "?x=1024&y=768&empty=", "{?x,y,undef}": "?x=1024&y=768", "{?var:3}": "?var=val", "{?list}": "?list=red,green,blue", "{?keys*}": "?semi=%3B&dot=.&comma=%2C", "{?keys}": "?keys=semi,%3B,dot,.,comma,%2C",
		"?fixed=yes{&x}": "?fixed=yes&x=1024", "{&x,y,empty}": "&x=1024&y=768&empty=", "{&var:3}": "&var=val", "{&list*}": "&list=red&list=green&list=blue",
	} {
		used := map[string]any{}
		for _, name := range regexp.MustCompile(`[a-z_]+`).FindAllString(strings.Join(regexp.MustCompile(`\{.*?\}`).FindAllString(template, -1), " "), -1) {
			used[name] = values[name]
		}
		if got, err := Expand(template, used); got != want || err != nil {
			t.Errorf("%s: %q, %v, want %q", template, got, err, want)
		}
	}
	for _, template := range []string{"{", "}", "a}b", "{}", "{!x}", "{=x}", "{x y}", "{x:}", "{x:0}", "{x:10000}", "{x:a}", "{x*:2}", "{x,}", "{,x}", "{{x}}", "{%}", "{%4}", "{+}"} {
		if got, err := Expand(template, map[string]any{"x": "1"}); err == nil {
			t.Errorf("%s: %q", template, got)
		}
	}
	if _, err := Expand("{list:2}", map[string]any{"list": []string{"a"}}); err == nil {
		t.Error("the beginning of a list")
	}
}
