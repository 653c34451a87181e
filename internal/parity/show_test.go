package parity

import (
	"slices"
	"strings"
	"testing"

	"github.com/mountable/requests"
)

// received keeps a response and shows it as the recordings do. The content is shown unless it is left to the caller.
func (r *runner) received(t *testing.T, resp *requests.Response, streamed bool) (map[string]any, error) {
	t.Helper()
	r.responses = append(r.responses, resp)
	out := map[string]any{
		"status":  resp.StatusCode,
		"reason":  latin1(resp.Reason),
		"url":     resp.URL,
		"ok":      resp.OK(),
		"headers": joinedHeaders(resp.Headers),
		"request": showPrepared(resp.Request),
	}
	showOptional(out, resp)
	if _, known := resp.Raw.(inMemory); streamed && !known {
		return out, nil
	}
	data, err := resp.Content()
	if err != nil {
		return nil, err
	}
	out["content"] = latin1(data)
	if resp.Encoding != "" && !isASCII(data) {
		text, err := resp.Text()
		if err != nil {
			return nil, err
		}
		out["text"] = text
	}
	return out, nil
}

// inMemory is the body of a response that no server sent: its content is known at once, also of a stream.
type inMemory struct{ *strings.Reader }

func (inMemory) Close() error { return nil }

// showOptional adds what is shown only when it is not empty.
func showOptional(out map[string]any, resp *requests.Response) {
	if resp.Encoding != "" {
		out["encoding"] = resp.Encoding
	}
	if len(resp.History) > 0 {
		out["history"] = showHistory(resp.History)
	}
	if cookies := showCookies(resp.Cookies); len(cookies) > 0 {
		out["cookies"] = cookies
	}
	if links := showLinks(resp); len(links) > 0 {
		out["links"] = links
	}
	if resp.IsRedirect() {
		out["is_redirect"] = true
	}
	if resp.IsPermanentRedirect() {
		out["is_permanent_redirect"] = true
	}
	if resp.Next != nil {
		out["next"] = showPrepared(resp.Next)
	}
}

func isASCII(b []byte) bool {
	return !slices.ContainsFunc(b, func(c byte) bool { return c >= 0x80 })
}

// joinedHeaders shows repeated fields joined at the first one's place, as Requests' mapping does.
func joinedHeaders(h requests.Headers) [][2]string {
	out := [][2]string{}
	for _, f := range h {
		at := slices.IndexFunc(out, func(o [2]string) bool { return strings.EqualFold(o[0], latin1(f[0])) })
		if at < 0 {
			out = append(out, [2]string{latin1(f[0]), latin1(f[1])})
			continue
		}
		out[at][1] += ", " + latin1(f[1])
	}
	return out
}

func showHistory(history []*requests.Response) []any {
	var out []any
	for _, h := range history {
		method := ""
		if h.Request != nil {
			method = h.Request.Method
		}
		out = append(out, map[string]any{"status": h.StatusCode, "url": h.URL, "method": method})
	}
	return out
}

// showLinks shows each link's members sorted, under its key; the keys are sorted too, as a Go map has no order.
func showLinks(resp *requests.Response) []any {
	var out []any
	links := resp.Links()
	for _, key := range sortedKeys(links) {
		members := [][2]string{}
		for _, name := range sortedKeys(links[key]) {
			members = append(members, [2]string{latin1(name), latin1(links[key][name])})
		}
		out = append(out, []any{latin1(key), members})
	}
	return out
}

func sortedKeys[M ~map[string]V, V any](m M) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// showPrepared shows a prepared request.
func showPrepared(p *requests.PreparedRequest) any {
	if p == nil {
		return nil
	}
	var body any
	data, inMemory := p.Body()
	switch {
	case !inMemory:
		body = map[string]any{"stream": true}
	case data != nil:
		body = latin1(data)
	}
	return map[string]any{
		"method":  p.Method,
		"url":     p.URL,
		"headers": maskAcceptEncoding(latin1Pairs(p.Headers)),
		"body":    body,
	}
}

// showSettings shows merged settings.
func showSettings(opts requests.SendOptions) map[string]any {
	var verify any = opts.Verify.Enabled()
	if path := opts.Verify.Bundle(); path != "" {
		verify = path
	}
	var cert any
	switch file, key := opts.Cert.Files(); {
	case key != "":
		cert = []string{file, key}
	case file != "":
		cert = file
	}
	return map[string]any{
		"proxies": showProxies(opts.Proxies),
		"stream":  opts.Stream == requests.On,
		"verify":  verify,
		"cert":    cert,
	}
}

// showProxies leaves out the explicit "no proxy", which Requests has no value for after merging.
func showProxies(in requests.Proxies) map[string]string {
	out := map[string]string{}
	for key, url := range in {
		if url != "" {
			out[key] = url
		}
	}
	return out
}
