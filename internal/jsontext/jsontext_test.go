package jsontext

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestEncode: JSON in ASCII, with surrogates where they are needed and HTML as it is.
func TestEncode(t *testing.T) {
	got := map[string]string{}
	want := map[string]string{
		"a<b>&":  `"a<b>&"`,
		"naïve":  `"na\u00efve"`,
		"→ 😀":    `"\u2192 \ud83d\ude00"`,
		"\u2028": `"\u2028"`,
	}
	for text := range want {
		b, err := Encode(text)
		if err != nil {
			t.Fatal(err)
		}
		got[text] = string(b)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	if _, err := Encode(func() {}); err == nil {
		t.Error("a function was encoded")
	}
}

// TestDiagnose names line and offset, and masks secrets.
func TestDiagnose(t *testing.T) {
	for body, want := range map[string]string{
		"":                          "the body is empty (502)",
		"{\n \"a\": 1,\n}":          `the body is not JSON: line 3, offset 12 (502, Content-Type "application/json", it begins with "{\n \"a\": 1,\n}")`,
		`"text"`:                    `the body is not the JSON that was expected (502, Content-Type "application/json", it begins with "\"text\"")`,
		`{"password": "hunter2", ]`: `the body is not JSON: line 1, offset 25 (502, Content-Type "application/json", it begins with "{\"password\": \"***\", ]")`,
	} {
		var n int
		err := json.Unmarshal([]byte(body), &n)
		if got := Diagnose(Text{Data: []byte(body)}, err, 502, "application/json"); got != want {
			t.Errorf("%q:\n%s, want\n%s", body, got, want)
		}
	}
}

// TestDiagnoseInStream names the line of the stream, and not that of the text.
func TestDiagnoseInStream(t *testing.T) {
	for want, text := range map[string]Text{
		`the body is not JSON: line 2, offset 1 (200, Content-Type "a/b", the line begins with "x")`:                       {[]byte("x"), "line", 2},
		`the body is not the JSON that was expected: element 3 (200, Content-Type "a/b", the element begins with "\"t\"")`: {[]byte(`"t"`), "element", 3},
	} {
		var n int
		if got := Diagnose(text, json.Unmarshal(text.Data, &n), 200, "a/b"); got != want {
			t.Errorf("%s, want\n%s", got, want)
		}
	}
}
