package uri

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/cases"
)

// vector is one recorded case; In is read by each test into what it needs.
type vector struct {
	ID    string
	In    json.RawMessage
	Out   json.RawMessage
	Error string
}

// departures are the recorded cases a rule of this package overrides, with the
// rule.
var departures = map[string]string{
	"prepare_url-120": "escape in host",
	"prepare_url-122": "backslash behind the host",

	"urllib3_parse_url-067": "host that begins with a dot, which Requests refuses a step later",
}

// check runs f over the cases of a kind. f returns what is to equal the recorded
// output; the text "error" stands for any error.
func check(t *testing.T, kind string, f func(t *testing.T, in map[string]any) any) {
	for _, v := range cases.Recorded[vector](t, kind) {
		t.Run(v.ID, func(t *testing.T) {
			var in map[string]any
			if err := json.Unmarshal(v.In, &in); err != nil {
				t.Fatal(err)
			}
			var want any
			if err := json.Unmarshal(v.Out, &want); err != nil && v.Error == "" {
				t.Fatal(err)
			}
			if m, ok := want.(map[string]any); ok && kind == "urllib3_parse_url" {
				want = parts(m)
			}
			if v.Error != "" || departures[v.ID] != "" {
				want = "error"
			}
			if diff := cmp.Diff(want, f(t, in)); diff != "" {
				t.Errorf("%s\n(-want +got)\n%s", v.In, diff)
			}
		})
	}
}

func text(in map[string]any, key string) string {
	switch v := in[key].(type) {
	case string:
		return v
	case map[string]any:
		return fromBase64(v)
	}
	return ""
}

func fromBase64(v map[string]any) string {
	b, err := base64.StdEncoding.DecodeString(v["b64"].(string))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func orError[T any](v T, err error) any {
	if err != nil {
		return "error"
	}
	return v
}

func TestVectorRequote(t *testing.T) {
	check(t, "requote_uri", func(t *testing.T, in map[string]any) any { return Requote(text(in, "uri")) })
}

func TestVectorUnquoteUnreserved(t *testing.T) {
	check(t, "unquote_unreserved", func(t *testing.T, in map[string]any) any {
		return orError(UnquoteUnreserved(text(in, "uri")))
	})
}

func TestVectorPathURL(t *testing.T) {
	check(t, "path_url", func(t *testing.T, in map[string]any) any { return PathURL(text(in, "url")) })
	check(t, "path_url", func(t *testing.T, in map[string]any) any { return RequestTarget(text(in, "url")) })
}

func TestVectorDefragAuth(t *testing.T) {
	check(t, "urldefragauth", func(t *testing.T, in map[string]any) any { return DefragAuth(text(in, "url")) })
}

func TestVectorSplitAuth(t *testing.T) {
	check(t, "get_auth_from_url", func(t *testing.T, in map[string]any) any {
		user, password, _ := SplitAuth(text(in, "url"))
		return []any{user, password}
	})
}

func TestVectorPrependScheme(t *testing.T) {
	check(t, "prepend_scheme_if_needed", func(t *testing.T, in map[string]any) any {
		return orError(PrependScheme(text(in, "url"), text(in, "scheme")))
	})
}

func TestVectorJoin(t *testing.T) {
	check(t, "urljoin", func(t *testing.T, in map[string]any) any {
		return Join(text(in, "base"), text(in, "url"))
	})
}

func TestVectorBaseURL(t *testing.T) {
	check(t, "toolbelt_base_url", func(t *testing.T, in map[string]any) any {
		joined := Join(text(in, "base"), text(in, "url"))
		prepared, err := Prepare(Join(text(in, "base"), joined), nil)
		if err != nil {
			prepared = "!" + errorName(err)
		}
		return map[string]any{"joined": joined, "prepared": prepared}
	})
}

func errorName(err error) string {
	if err.(*Error).Code == MissingScheme {
		return "MissingSchema"
	}
	return "InvalidURL"
}

func TestVectorShouldStripAuth(t *testing.T) {
	check(t, "should_strip_auth", func(t *testing.T, in map[string]any) any {
		return orError(ShouldStripAuth(text(in, "old"), text(in, "new")))
	})
}

func TestVectorRequestURL(t *testing.T) {
	check(t, "adapter_request_url", func(t *testing.T, in map[string]any) any {
		url := text(in, "url")
		if !plainProxy(url, in["proxies"]) {
			return RequestTarget(url)
		}
		return DefragAuth(url)
	})
}

// plainProxy stands in for the choice of a proxy, which is not made here.
func plainProxy(url string, proxies any) bool {
	m, _ := proxies.(map[string]any)
	if !strings.HasPrefix(url, "http:") {
		return false
	}
	proxy, _ := m["http"].(string)
	if all, _ := m["all"].(string); proxy == "" {
		proxy = all
	}
	return proxy != "" && !ascii.HasPrefixFold(proxy, "socks")
}

func TestVectorPrepare(t *testing.T) {
	check(t, "prepare_url", func(t *testing.T, in map[string]any) any {
		url, params := text(in, "url"), in["params"]
		pairs, ok := formPairs(params)
		if ok {
			return orError(Prepare(url, pairs))
		}
		switch v := params.(type) {
		case string:
			return orError(PrepareText(url, v))
		case map[string]any:
			if _, ok := v["b64"]; !ok {
				break
			}
			if b := fromBase64(v); ascii.Only(b) {
				return orError(PrepareText(url, b))
			}
			return "error"
		}
		t.Skip("the params are a Python value that no option takes: a number, or pairs of something else than text")
		return nil
	})
}

func TestVectorEncodePairs(t *testing.T) {
	check(t, "encode_params", func(t *testing.T, in map[string]any) any {
		pairs, ok := formPairs(in["data"])
		if !ok || in["data"] == nil {
			t.Skip("the params are not a list of pairs, which is all that this function takes")
		}
		return EncodePairs(pairs)
	})
}

// formPairs flattens a typed value that is a mapping or a list of pairs of text.
func formPairs(v any) (pairs [][2]string, ok bool) {
	if v == nil {
		return nil, true
	}
	list, ok := items(v)
	if !ok {
		return nil, false
	}
	for _, item := range list {
		kv, ok := items(item)
		if !ok || len(kv) != 2 {
			return nil, false
		}
		key, isText := plain(kv[0])
		values, isList := items(kv[1])
		if !isList {
			values = []any{kv[1]}
		}
		for _, value := range values {
			s, ok := plain(value)
			if value != nil && (!ok || !isText) {
				return nil, false
			}
			if value != nil {
				pairs = append(pairs, [2]string{key, s})
			}
		}
	}
	return pairs, true
}

func items(v any) ([]any, bool) {
	switch v := v.(type) {
	case []any:
		return v, true
	case map[string]any:
		for _, key := range []string{"dict", "tuple"} {
			if list, ok := v[key].([]any); ok {
				return list, true
			}
		}
	}
	return nil, false
}

func plain(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case map[string]any:
		if _, ok := v["b64"]; ok {
			return fromBase64(v), true
		}
	}
	return "", false
}

func TestVectorRedirectTarget(t *testing.T) {
	check(t, "redirect_target", func(t *testing.T, in map[string]any) any {
		location, ok := in["location"].(string)
		if status := in["status"].(float64); !ok || status == 304 {
			t.Skip("the response is not a redirect, so there is no target to compare")
		}
		raw, ok := latin1(location)
		if !ok || !utf8.ValidString(raw) { // bytes are encoded here, which Requests fails on
			return "error"
		}
		resolved, err := ResolveRedirect("http://h/d/", raw, "")
		if err != nil {
			return "error"
		}
		if want, _ := Prepare("http://h"+Join("/d/", raw), nil); raw != "" && want != resolved {
			t.Errorf("resolved to %q, want %q", resolved, want)
		}
		return decoded(raw)
	})
}

func latin1(s string) (string, bool) {
	var b []byte
	for _, r := range s {
		if r > 0xff {
			return "", false
		}
		b = append(b, byte(r))
	}
	return string(b), true
}

func decoded(raw string) any { return raw }
