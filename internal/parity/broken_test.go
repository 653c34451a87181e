package parity

import (
	"encoding/json"
	"maps"
	"slices"
	"testing"

	"github.com/mountable/requests"
)

// A departure that holds for everything would hide every fault. These tests give each one what a broken library would:
// nothing, an error of another Kind, another value.

// brokenResults are what no rule may accept instead of the right result.
func brokenResults(right result) []result {
	broken := []result{
		{nil, requests.ErrTimeout}, {nil, nil}, {"/WRONG", nil}, {true, nil}, {false, nil},
		{map[string]any{"url": "http://wrong.test/WRONG", "method": "POST", "headers": []any{}, "body": nil}, nil},
		{map[string]any{"status": 200, "body": map[string]any{"b64": ""}, "json": "null", "read_error": "failed"}, nil},
	}
	if right.got != nil {
		tree := normalTree(right.got)
		broken = append(broken, result{eachObject(tree, func(o map[string]any) { setIfPresent(o, "b64", "V1JPTkc=") }), nil})
		broken = append(broken, result{mapStrings(tree, func(s string) string { return s + "WRONG" }), nil})
	}
	broken = append(broken, brokenFields(right)...)
	return slices.DeleteFunc(broken, func(b result) bool {
		return mismatch(normalTree(right.got), normalTree(b.got)) == "" && (b.err == nil) == (right.err == nil)
	})
}

// brokenFields are the right result but for one field: another method, no body, a wrong path.
func brokenFields(right result) (broken []result) {
	tree, _ := normalTree(right.got).(map[string]any)
	if right.err != nil {
		return nil // the error is the result
	}
	for name, value := range tree {
		for _, wrong := range []any{"WRONG", nil} {
			if text, ok := value.(string); ok && wrong != nil {
				wrong = text + "/WRONG"
			}
			own := maps.Clone(tree)
			own[name] = wrong
			broken = append(broken, result{own, right.err})
		}
	}
	return broken
}

// unseen are inputs for rules of which no recording that comes with this library is a case.
var unseen = map[string]struct{ kind, in, want string }{
	"bytes-of-location":               {"next_request", `{"url": "http://h.test/a", "status": 302, "location": "/caf\u00e9"}`, `{"error": "UnicodeDecodeError"}`},
	"hosts-that-are-none":             {"prepare_url", `{"url": "http://1.2.3.4.5/"}`, `{"out": "http://1.2.3.4.5/"}`},
	"unknown-codings-are-named":       {"urllib3_response_read", `{"raw": {"b64": "SFRUUC8xLjEgMjAwIE9LDQpDb250ZW50LUVuY29kaW5nOiBnemlwLCB4eXoNCkNvbnRlbnQtTGVuZ3RoOiAyDQoNCm9r"}}`, `{"out": {"status": 200, "reason": "OK", "version": 11, "headers": [["Content-Encoding", "gzip, xyz"], ["Content-Length", "2"]], "body": {"b64": ""}}}`},
	"json-with-a-mark":                {"response_json", `{"content": {"b64": "77u/MQ=="}, "encoding": "utf-8"}`, `{"error": "JSONDecodeError"}`},
	"brackets-are-the-parsers-matter": {"get_auth_from_url", `{"url": "http://u:p@[::1/"}`, `{"error": "ValueError"}`},
	"ports-are-numbers":               {"should_strip_auth", `{"old": "http://h.test:99999/", "new": "http://h.test/"}`, `{"out": true}`},
	"user-info-is-no-host":            {"cookie_header", `{"cookies": [{"name": "a", "value": "1"}], "url": "http://u:p@h.test/"}`, `{"out": ""}`},
	"cookies-without-controls":        {"cookie_exchange", `{"set": [{"url": "http://h.test/", "set_cookie": ["a=\u0001"]}], "request": {"url": "http://h.test/"}}`, `{"out": {"cookie": "a=\u0001", "jar": []}}`},
	"dates-of-no-month":               {"cookie_exchange", `{"set": [{"url": "http://h.test/", "set_cookie": ["a=1; expires=1 Foo 2100"]}], "request": {"url": "http://h.test/"}}`, `{"out": {"cookie": null, "jar": []}}`},
	"what-came-is-kept":               {"urllib3_response_read", `{"raw": {"b64": "SFRUUC8xLjEgMjAwIE9LDQpDb250ZW50LUxlbmd0aDogOQ0KDQphYmM="}, "mode": "stream:2"}`, `{"out": {"status": 200, "read_error": "ProtocolError", "body": {"b64": "YWI="}}}`},
	"whole-label-wildcards":           {"urllib3_dnsname_match", `{"pattern": "f*.test", "hostname": "foo.test"}`, `{"out": true}`},
}

// TestDeparturesCanFail runs the vectors again and gives the rule of each that is different broken results.
func TestDeparturesCanFail(t *testing.T) {
	tried := map[string]bool{}
	for _, path := range caseFiles(t, "vectors") {
		var file vectorFile
		if err := json.Unmarshal(readFile(t, path), &file); err != nil {
			t.Fatal(err)
		}
		for _, c := range file.Cases {
			want := map[string]any{"error": c.Error}
			if c.Error == "" {
				want = map[string]any{"out": decodeTree(t, c.Out)}
			}
			in, _ := decodeTree(t, c.In).(map[string]any)
			t.Run(c.ID, func(t *testing.T) { breakVector(t, file.Kind, input{in}, want, tried) })
		}
	}
	for name, c := range unseen {
		in, _ := decodeTree(t, json.RawMessage(c.in)).(map[string]any)
		want, _ := decodeTree(t, json.RawMessage(c.want)).(map[string]any)
		t.Run(name, func(t *testing.T) {
			if !departures[name].applies(input{in}, want) {
				t.Errorf("rule %s does not apply to its example", name)
			}
			breakVector(t, c.kind, input{in}, want, tried)
		})
	}
	for name := range departures {
		if !tried[name] {
			t.Errorf("no broken result was tried on rule %s: give an example in unseen", name)
		}
	}
}

// breakVector gives every rule that applies to a vector which is not as recorded what a broken library would return.
func breakVector(t *testing.T, kind string, in input, want map[string]any, tried map[string]bool) {
	var rules []string
	for name, d := range departures {
		if slices.Contains(d.kinds, kind) && d.applies(in, want) {
			rules = append(rules, name)
		}
	}
	if len(rules) == 0 || runners[kind] == nil {
		return
	}
	got, err := runners[kind](t, in)
	if compareVector(t, kind, clone(want).(map[string]any), got, err) == "" {
		return
	}
	right := result{got, err}
	for _, name := range rules {
		if !departures[name].holds(observed{t, kind, in, want, right}) {
			continue // the difference is another rule's
		}
		tried[name] = true
		for _, b := range brokenResults(right) {
			if departures[name].holds(observed{t, kind, in, want, b}) {
				t.Errorf("rule %s accepts %v, %v for %v", name, b.got, b.err, in.fields)
			}
		}
	}
}
