package jsontext

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseProblem(t *testing.T) {
	type members = map[string]json.RawMessage
	for text, want := range map[string]*Problem{
		`{}`: {Type: "about:blank", Extensions: members{}},
		`{"type":"https://h.test/credit","title":"No credit","status":403,"detail":"30 < 50","instance":"/a/1","balance":30}`: {
			"https://h.test/credit", "No credit", 403, "30 < 50", "/a/1", members{"balance": json.RawMessage("30")}},
		`{"type":7,"title":["a"],"status":"403","detail":null,"instance":{}}`: {Type: "about:blank", Extensions: members{}},
		`[]`: nil, `null`: nil, ``: nil, `{"title":`: nil, `<p>`: nil,
	} {
		if diff := cmp.Diff(want, ParseProblem([]byte(text))); diff != "" {
			t.Errorf("%s (-want +got)\n%s", text, diff)
		}
	}
}

func TestProblemText(t *testing.T) {
	for want, p := range map[string]Problem{
		"No credit: 30 < 50": {Title: "No credit", Detail: "30 < 50"}, "No credit": {Title: "No credit"}, "30": {Detail: "30"},
		"about:blank": {Type: "about:blank"}, "No token=***": {Title: "No token=hunter2"}, `a\x0ab`: {Title: "a\nb"},
	} {
		if got := p.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
