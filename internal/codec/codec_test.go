package codec

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTypeOf(t *testing.T) {
	got := map[string]string{}
	want := map[string]string{
		"application/json":                    JSONType,
		"Application/Problem+JSON; charset=x": JSONType,
		"text/json":                           JSONType,
		"text/xml":                            XMLType,
		"application/atom+xml;q=1":            XMLType,
		"image/svg+xml":                       XMLType,
		"application/vnd.a+b+cbor":            "application/cbor",
		"application/vnd.a+":                  "application/",
		"text/plain":                          "text/plain",
		"":                                    "",
		"+":                                   "application/",
		"application/vnd.json":                "application/vnd.json",
		" application/json , application/xml+json ": JSONType,
	}
	for contentType := range want {
		_, got[contentType] = TypeOf(contentType)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("bases (-want +got):\n%s", diff)
	}
}

// TestXML: a byte order mark counts before the Content-Type, and that before the declaration.
func TestXML(t *testing.T) {
	const latin1, utf8 = "<a>\xe9</a>", "<a>é</a>"
	declared := `<?xml version="1.0" encoding="iso-8859-1"?>`
	got := map[string]string{}
	want := map[string]string{
		"| " + utf8:                                            "é",
		"|" + declared + latin1:                                "é",
		"|\xef\xbb\xbf" + declared + utf8:                      "é",
		"a/b; charset=iso-8859-1|\xef\xbb\xbf" + utf8:          "é",
		"a/b; charset=utf-8|" + declared + utf8:                "é",
		"a/b;charset=\"iso-8859-1\"|" + latin1:                 "é",
		"|\xfe\xff\x00<\x00a\x00>\x00\xe9\x00<\x00/\x00a\x00>": "é",
		"|<\x00a\x00>\x00\xe9\x00<\x00/\x00a\x00>\x00":         "é",
		"text/xml|" + utf8:                                     "é", // no charset, so not ISO-8859-1
		"|" + latin1:                                           "error",
		"a/b; charset=none|" + utf8:                            "error",
		"|<a>é</a>\n<!-- b --><?c d?>\n":                       "é",
		"|<a>é</a><a>é</a>":                                    "error",
		"|<a>é</a><b/>":                                        "error",
		"|<a>é</a>text":                                        "error",
		"|<a>é</a><":                                           "error",
		"|<a>é</a></a>":                                        "error",
		"|<a>é</a><!DOCTYPE a>":                                "error",
		"|<a>":                                                 "error",
		"|":                                                    "error",
		"|<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>":          "error", // entities of a document's own are not expanded
	}
	for input := range want {
		contentType, text, _ := strings.Cut(input, "|")
		var v struct {
			Text string `xml:",chardata"`
		}
		if got[input] = "error"; XML([]byte(text), contentType, &v) == nil {
			got[input] = v.Text
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("texts (-want +got):\n%s", diff)
	}
}
