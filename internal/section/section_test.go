package section

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRules: what a field section may have, and what is wrong with the rest.
func TestRules(t *testing.T) {
	got, want := map[string]string{}, map[string]string{}
	hold := func(what string, is any, should string) { got[what], want[what] = fmt.Sprint(is), should }
	for value, should := range map[string]string{
		"200": "200 ", "999": "999 ", "101": `0 the server sent the status "101"`, "099": `0 the server sent the status "099"`,
		"": `0 the server sent the status ""`, "2000": `0 the server sent the status "2000"`, "2x0": `0 the server sent the status "2x0"`,
	} {
		status, fault := Status(value)
		hold("status "+value, fmt.Sprint(status, " ", fault), should)
	}
	for field, should := range map[[2]string]string{
		{"a", " \tb c\t"}:      "b c|",
		{"A", "b"}:             `|the server sent the invalid field name "A"`,
		{"", "b"}:              `|the server sent the invalid field name ""`,
		{"a b", "b"}:           `|the server sent the invalid field name "a b"`,
		{"a", "b\nc"}:          "|the server sent an invalid value of the field a",
		{"connection", "b"}:    "|the server sent the field connection, which is not HTTP/9",
		{"http2-settings", ""}: "|the server sent the field http2-settings, which is not HTTP/9",
	} {
		value, fault := Field(field[0], field[1], "HTTP/9")
		hold(fmt.Sprintf("field %q", field), value+"|"+fault, should)
	}
	for list, should := range map[string]string{"": "false", "a": "false", "trailers": "true", "a, TRAILERS;q=1 ,b": "true", "atrailers": "false"} {
		hold("token of "+list, HasToken(list, "trailers"), should)
	}
	for _, c := range []struct {
		values []string
		want   string
	}{
		{nil, "-1 true"}, {[]string{"5"}, "5 true"}, {[]string{"5", "5"}, "5 true"}, {[]string{"5", "6"}, "0 false"},
		{[]string{"-1"}, "0 false"}, {[]string{"5x"}, "0 false"}, {[]string{"9223372036854775808"}, "0 false"},
	} {
		var fields [][2]string
		for _, v := range c.values {
			fields = append(fields, [2]string{"content-length", v})
		}
		n, ok := ContentLength(append(fields, [2]string{"x", "y"}))
		hold(fmt.Sprint("length ", c.values), fmt.Sprint(n, ok), c.want)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
