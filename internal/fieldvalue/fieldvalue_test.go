package fieldvalue

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mountable/requests/internal/cases"
	"github.com/mountable/requests/internal/wiretest"
)

// vectors runs f, which returns its result as JSON would hold it, for each
// recorded case of a kind.
func vectors(t *testing.T, kind string, f func(value string) any) {
	t.Helper()
	type recorded struct {
		ID  string
		In  struct{ Value string }
		Out any
	}
	for _, v := range cases.Recorded[recorded](t, kind) {
		if diff := cmp.Diff(v.Out, f(v.In.Value)); diff != "" {
			t.Errorf("%s: %q (-want +got):\n%s", v.ID, v.In.Value, diff)
		}
	}
}

// items makes the JSON form of a slice.
func items[T any](list []T, f func(T) any) []any {
	out := []any{}
	for _, x := range list {
		out = append(out, f(x))
	}
	return out
}

func linkJSON(l Link) any {
	return items(l, func(p [2]string) any { return []any{p[0], p[1]} })
}

func TestVectorsLists(t *testing.T) {
	vectors(t, "parse_list_header", func(value string) any {
		return items(ParseList(value), func(s string) any { return s })
	})
	vectors(t, "parse_dict_header", func(value string) any {
		return items(ParseDict(value), func(p Pair) any {
			if !p.HasValue {
				return []any{p.Name, nil}
			}
			return []any{p.Name, p.Value}
		})
	})
}

func TestVectorsLinks(t *testing.T) {
	vectors(t, "parse_header_links", func(value string) any {
		return items(ParseLinks(value), linkJSON)
	})
	vectors(t, "response_links", func(value string) any {
		out, at := []any{}, map[string]int{}
		for _, l := range ParseLinks(value) {
			entry := []any{l.Key(), linkJSON(l)}
			if i, ok := at[l.Key()]; ok {
				out[i] = entry
				continue
			}
			at[l.Key()] = len(out)
			out = append(out, entry)
		}
		return out
	})
}

func TestUnquote(t *testing.T) {
	for _, tt := range []struct{ in, want, filename string }{
		{``, ``, ``},
		{`Test`, `Test`, `Test`},
		{`"Test"`, `Test`, `Test`},
		{`"Test\\"`, `Test\`, `Test\`},
		{`"\\Comp\Res"`, `\Comp\Res`, `\\Comp\Res`},
		{`"\\\\Comp\\Res"`, `\\Comp\Res`, `\\\\Comp\\Res`},
		{`"`, ``, ``},
		{`""`, ``, ``},
		{`"a`, `"a`, `"a`},
		{`a"`, `a"`, `a"`},
		{`"a\"b"`, `a"b`, `a"b`},
		{`"\\"`, `\`, `\\`},
		{`"a\b"`, `a\b`, `a\b`},
		{`'x'`, `'x'`, `'x'`},
	} {
		got := [2]string{Unquote(tt.in, false), Unquote(tt.in, true)}
		if diff := cmp.Diff([2]string{tt.want, tt.filename}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.in, diff)
		}
	}
}

// TestCorpusLinks runs the Link cases of the public corpora.
func TestCorpusLinks(t *testing.T) {
	var file struct {
		Link []struct {
			Value    string
			Expected []map[string]any
			Requests []map[string]string `json:"expected_requests"`
		}
	}
	cases.Corpus(t, "extras.json", &file)
	for _, c := range file.Link {
		if c.Requests != nil {
			if diff := cmp.Diff(c.Requests, linkMaps(ParseLinks(c.Value))); diff != "" {
				t.Errorf("%q (-want +got):\n%s", c.Value, diff)
			}
			continue
		}
		if diff := cmp.Diff(c.Expected, webLinkMaps(WebLinks(c.Value))); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.Value, diff)
		}
	}
}

func linkMaps(links []Link) []map[string]string {
	out := []map[string]string{}
	for _, l := range links {
		m := map[string]string{}
		for _, p := range l {
			m[p[0]] = p[1]
		}
		out = append(out, m)
	}
	return out
}

func webLinkMaps(links []WebLink) []map[string]any {
	out := []map[string]any{}
	for _, l := range links {
		m := map[string]any{"target": l.Target, "rel": items(l.Rel, func(s string) any { return s })}
		for _, p := range l.Params {
			m[p[0]] = p[1]
		}
		out = append(out, m)
	}
	return out
}

func TestWebLinks(t *testing.T) {
	tests := []struct {
		value string
		want  []WebLink
	}{
		{`<a?x=1;y=2>; rel=x`, []WebLink{{Target: "a?x=1;y=2", Rel: []string{"x"}}}},
		{`<a>;title="x, <b>";rel="Next http://E/Rel"`, []WebLink{{
			Target: "a", Rel: []string{"next", "http://E/Rel"}, Params: [][2]string{{"title", "x, <b>"}},
		}}},
		{`<a>;title*=iso-8859-1'en'%A3%20rates`, []WebLink{{Target: "a", Params: [][2]string{{"title*", "£ rates"}}}}},
		{`<a>;title*=utf-8''%zz;x*=koi8-r''a;y*=plain`, []WebLink{{
			Target: "a", Params: [][2]string{{"title*", "utf-8''%zz"}, {"x*", "koi8-r''a"}, {"y*", "plain"}},
		}}},
		{`<a>;;rel=x;crossorigin, <b> garbage, <c>`, []WebLink{
			{Target: "a", Rel: []string{"x"}, Params: [][2]string{{"crossorigin", ""}}}, {Target: "b"}, {Target: "c"},
		}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, WebLinks(tt.value)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.value, diff)
		}
	}
}

// TestRule45LinearTime feeds each parser a quarter of a megabyte, the largest
// head a response may have, of its worst characters.
func TestRule45LinearTime(t *testing.T) {
	const size = 128 << 10
	values := []string{distinct(size)}
	for _, part := range []string{",", `"`, `\"`, "<", "<,", ", ", ";", "=", "<a>;", "a=b,", `a="\`, " ", `a=",`, `<a>;rel="`, "%"} {
		value := strings.Repeat(part, size/len(part))
		values = append(values, value, "<a>;x*="+value)
	}
	for _, v := range values {
		took := wiretest.Spent(func() {
			ParseList(v)
			ParseDict(v)
			ParseLinks(v)
			WebLinks(v)
			Unquote(v, false)
		})
		if took > 10*time.Second {
			t.Errorf("%.20q…: took %v", v, took)
		}
	}
}

// distinct is a value of many parameters that all have different names.
func distinct(size int) string {
	var b strings.Builder
	b.WriteString("<a>")
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, ";p%x=1", i)
	}
	return b.String()
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{`a="b\"c", d`, `<a>; rel="x"; title*=utf-8''%e2, <b>`, `"`, `<a`, `,<`} {
		f.Add(seed)
	}
	for _, seed := range append(cases.Seeds("extras.json", "link", "value"), cases.FieldSeeds("Link")...) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if list, dict := ParseList(value), ParseDict(value); len(dict) > len(list) {
			t.Errorf("%d pairs from %d items", len(dict), len(list))
		}
		for _, l := range ParseLinks(value) {
			if l[0][0] != "url" {
				t.Errorf("link without url: %v", l)
			}
		}
		for _, l := range WebLinks(value) {
			if strings.Contains(l.Target, ">") || !strings.Contains(value, "<"+l.Target+">") {
				t.Errorf("target %q", l.Target)
			}
		}
	})
}

// TestCutItem: a list is cut at the commas that ParseList sees.
func TestCutItem(t *testing.T) {
	for list, want := range map[string][]string{
		"":                {""},
		"a":               {"a"},
		"a, b ,c":         {"a", " b ", "c"},
		`a="x,y", b`:      {`a="x,y"`, " b"},
		`a="x\",y",b`:     {`a="x\",y"`, "b"},
		`a="never, ended`: {`a="never, ended`},
		`a="\`:            {`a="\`},
		`a\,b`:            {`a\`, "b"},
	} {
		item, rest := CutItem(list)
		got := []string{item}
		for rest != "" {
			item, rest = CutItem(rest)
			got = append(got, item)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got)\n%s", list, diff)
		}
	}
}

func TestNames(t *testing.T) {
	if diff := cmp.Diff([]string{"a", "b-c", "d"}, Names([]string{" A,\tB-c,,", "", "d"})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
