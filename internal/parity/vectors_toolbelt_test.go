package parity

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/uri"
	"github.com/mountable/requests/toolbelt"
)

var _ = register(map[string]vectorFunc{
	"toolbelt_base_url":           baseURL,
	"toolbelt_formdata_urlencode": formDataURLEncode,
	"toolbelt_user_agent":         toolbeltUserAgent,
	"toolbelt_dump_response":      dumpVector(toolbelt.DumpResponse),
	"toolbelt_dump_all":           dumpVector(toolbelt.DumpAll),
})

func baseURL(_ *testing.T, in input) (any, error) {
	s := toolbelt.NewBaseURLSession(in.text("base"))
	defer s.Close()
	p, err := s.Prepare(&requests.Request{URL: in.text("url")})
	out := map[string]any{"joined": uri.Join(s.BaseURL, in.text("url"))}
	switch {
	case errors.Is(err, requests.ErrMissingSchema):
		out["prepared"] = "!MissingSchema"
	case errors.Is(err, requests.ErrInvalidURL):
		out["prepared"] = "!InvalidURL"
	case err != nil:
		out["prepared"] = err.Error()
	default:
		out["prepared"] = p.URL
	}
	return out, nil
}

func formDataURLEncode(t *testing.T, in input) (any, error) {
	form, err := nestedForm(in.typed(t, "query"))
	if err != nil {
		return nil, err
	}
	return toolbelt.URLEncode(form)
}

// nestedForm makes the values that a FormData takes.
func nestedForm(v any) (any, error) {
	if d, ok := v.(dict); ok {
		items := make([]any, len(d))
		for i, kv := range d {
			if _, ok := kv[0].(string); !ok {
				return nil, cannot("a key that is %T", kv[0])
			}
			items[i] = list{kv[0], kv[1]}
		}
		return nestedItems(items)
	}
	if items, ok := sequence(v); ok {
		return nestedItems(items)
	}
	switch v := v.(type) {
	case string, []byte, int64, float64, bool:
		return v, nil
	}
	return nil, cannot("a form value of type %T", v)
}

func nestedItems(items []any) (any, error) {
	out := make([]any, len(items))
	for i, item := range items {
		if pair, ok := sequence(item); ok && len(pair) == 2 && !isText(pair[0]) {
			return nil, cannot("a key that is %T", pair[0])
		}
		v, err := nestedForm(item)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

// toolbeltUserAgent builds with what Python found out about itself put in as extras: Go has its own to tell.
func toolbeltUserAgent(t *testing.T, in input) (any, error) {
	b := toolbelt.NewUserAgentBuilder(in.text("name"), in.text("version"))
	extras, err := extraPairs(in)
	if err != nil {
		return nil, err
	}
	implementation, system := pythonPlatform(in)
	steps := []string{"extras", "implementation", "system"}
	if in.has("steps") {
		steps = in.texts("steps")
	}
	for _, step := range steps {
		switch step {
		case "extras":
			b.IncludeExtras(extras...)
		case "implementation":
			b.IncludeExtras(implementation)
		case "system":
			b.IncludeExtras(system)
		}
	}
	return b.Build(), nil
}

func extraPairs(in input) ([][2]string, error) {
	var extras [][2]string
	for _, v := range in.list("extras") {
		items, _ := v.([]any)
		if len(items) != 2 {
			return nil, cannot("an extra of %d items", len(items))
		}
		extras = append(extras, [2]string{fmt.Sprint(items[0]), fmt.Sprint(items[1])})
	}
	return extras, nil
}

func pythonPlatform(in input) (implementation, system [2]string) {
	implementation, system = [2]string{"CPython", "2.7.13"}, [2]string{"Linux", "4.9.5"}
	if pair := in.texts("impl"); len(pair) == 2 {
		implementation = [2]string(pair)
	}
	if v := in.list("pypy"); len(v) == 4 {
		implementation[1] = fmt.Sprintf("%v.%v.%v", v[0], v[1], v[2]) + strings.TrimPrefix(v[3].(string), "final")
	}
	if known := []string{"CPython", "PyPy", "Jython", "IronPython"}; !slices.Contains(known, implementation[0]) {
		implementation[1] = "Unknown"
	}
	if pair := in.texts("system"); len(pair) == 2 {
		system = [2]string(pair)
	}
	if in.text("system") == "IOError" {
		system = [2]string{"Unknown", "Unknown"}
	}
	if in.text("impl") == "IOError" {
		implementation = [2]string{"Unknown", "Unknown"}
	}
	return implementation, system
}

// dumpVector runs a dump with secrets shown, as the toolbelt shows them.
func dumpVector(dump func(*requests.Response, ...toolbelt.DumpOption) ([]byte, error)) vectorFunc {
	return func(_ *testing.T, in input) (any, error) {
		exchange := in.object("response")
		proxied := map[*requests.Response]bool{}
		r, err := recordedExchange(exchange, proxied)
		if err != nil {
			return nil, err
		}
		prefixes := [2]string{prefixOf(in, "request_prefix", "< "), prefixOf(in, "response_prefix", "> ")}
		out, err := dump(r, toolbelt.DumpPrefixes(prefixes[0], prefixes[1]), toolbelt.DumpSecrets(),
			toolbelt.DumpProxied(func(r *requests.Response) bool { return proxied[r] }))
		return b64(append(in.bytes("initial"), out...)), err
	}
}

func prefixOf(in input, key, absent string) string {
	if b, _, ok := in.textOrBytes(key); ok {
		return string(b)
	}
	return absent
}

// recordedExchange makes the response of a dump, and notes whether it came through a proxy.
func recordedExchange(in input, proxied map[*requests.Response]bool) (*requests.Response, error) {
	req := in.object("request")
	p := &requests.PreparedRequest{Method: req.text("method"), URL: req.text("url")}
	if err := recordedBody(p, req); err != nil {
		return nil, err
	}
	headers, err := notNull(req.pairs("headers")) // a dump is UTF-8
	if err != nil {
		return nil, err
	}
	p.Headers = headers
	if headers, err = notNull(in.pairs("headers")); err != nil {
		return nil, err
	}
	r := requests.NewResponse(p, in.int("status"), headers, io.NopCloser(bytes.NewReader(in.bytes("content"))))
	r.Reason = recordedReason(in)
	proxied[r] = in.bool("proxied")
	r.Proto = map[int]string{9: "HTTP/0.9", 10: "HTTP/1.0", 11: "HTTP/1.1"}[in.intOr("version", 11)]
	if r.Proto == "" {
		r.Proto = "unknown"
	}
	for _, h := range in.objects("history") {
		earlier, err := recordedExchange(h, proxied)
		if err != nil {
			return nil, err
		}
		r.History = append(r.History, earlier)
	}
	return r, nil
}

func recordedBody(p *requests.PreparedRequest, req input) error {
	body, _, ok := req.textOrBytes("body")
	switch {
	case ok:
		p.SetBody(body)
	case req.present("body"):
		return p.SetBodyReader(struct{ io.Reader }{strings.NewReader("x")})
	}
	return nil
}

func recordedReason(in input) string {
	if !in.has("reason") {
		return "OK"
	}
	b, isText, _ := in.textOrBytes("reason")
	return latin1Bytes(b, isText)
}
