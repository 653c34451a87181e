package parity

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mountable/requests"
)

var _ = register(map[string]vectorFunc{
	"session_flow":    sessionFlow,
	"next_request":    nextRequest,
	"redirect_target": redirectTarget,
	"adapter_order":   adapterOrder,
})

// scriptedSite answers by URL, as a vector of kind session_flow describes it, and keeps what it was sent.
type scriptedSite struct {
	replies map[string][]input
	sent    []any
}

func newScriptedSite(in input) *scriptedSite {
	s := &scriptedSite{replies: map[string][]input{}}
	site := in.object("site")
	for u, v := range site.fields {
		if _, several := v.([]any); several {
			s.replies[u] = site.objects(u)
			continue
		}
		s.replies[u] = []input{site.object(u)}
	}
	return s
}

func (s *scriptedSite) Send(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
	s.sent = append(s.sent, showPrepared(p))
	key, _, _ := strings.Cut(p.URL, "#")
	queue := s.replies[key]
	if len(queue) == 0 {
		return requests.NewResponse(p, 404, nil, nil), nil
	}
	if len(queue) > 1 {
		s.replies[key] = queue[1:]
	}
	headers, err := notNull(queue[0].headerPairs("headers"))
	if err != nil {
		return nil, err
	}
	body, _, _ := queue[0].textOrBytes("body")
	return requests.NewResponse(p, queue[0].int("status"), headers, io.NopCloser(bytes.NewReader(body))), nil
}

func (s *scriptedSite) Close() error { return nil }

func sessionFlow(t *testing.T, in input) (any, error) {
	site := newScriptedSite(in)
	s, err := flowSession(t, in.object("session"))
	if err != nil {
		return nil, err
	}
	s.Mount("http://", site)
	s.Mount("https://", site)
	var results []any
	atTime(t, int64(in.intOr("now", recordedNow)), func() {
		for _, call := range in.objects("calls") {
			var result any
			if result, err = flowCall(t, s, call); err != nil {
				return
			}
			results = append(results, result)
		}
	})
	if err != nil {
		return nil, err
	}
	return map[string]any{"requests": append([]any{}, site.sent...), "results": results, "jar": cookieRows(s.Cookies)}, nil
}

func flowSession(t *testing.T, in input) (*requests.Session, error) {
	s := newSession(t)
	s.TrustEnv = false
	s.MaxRedirects = in.intOr("max_redirects", s.MaxRedirects)
	pairs, err := notNull(in.headerPairs("headers"))
	if err != nil {
		return nil, err
	}
	for _, p := range pairs {
		s.Headers.Set(p[0], p[1])
	}
	if auth := in.texts("auth"); auth != nil {
		a, err := authOf(auth)
		if err != nil {
			return nil, err
		}
		s.Auth = a
	}
	cookies, err := notNull(in.pairs("cookies"))
	if err != nil {
		return nil, err
	}
	for _, c := range cookies {
		if err := s.Cookies.Set(requests.Cookie{Name: c[0], Value: c[1], Path: "/"}); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// flowCall makes one call and shows its result; only what Go cannot express is an error.
func flowCall(t *testing.T, s *requests.Session, call input) (any, error) {
	kw := call.object("kwargs")
	auth := kw.texts("auth")
	plain := input{map[string]any{}}
	for k, v := range kw.fields {
		if k != "auth" {
			plain.fields[k] = v
		}
	}
	req, err := requestOf(t, plain, call.text("method"), call.text("url"))
	if err != nil {
		return nil, err
	}
	if auth != nil {
		if req.Auth, err = authOf(auth); err != nil {
			return nil, err
		}
	}
	if kw.has("allow_redirects") {
		req.Send.Redirects = toggle(kw.bool("allow_redirects"))
	}
	r, err := s.Do(t.Context(), req)
	if err != nil {
		return flowError(err), nil
	}
	return flowResult(r)
}

func flowResult(r *requests.Response) (any, error) {
	text, err := r.Text()
	if err != nil {
		return nil, err
	}
	history := []any{}
	for _, h := range r.History {
		history = append(history, []any{h.StatusCode, h.URL})
	}
	var next any
	if r.Next != nil {
		next = r.Next.URL
	}
	return map[string]any{
		"status": r.StatusCode, "url": r.URL, "history": history, "text": text,
		"cookies": jarItems(r.Cookies), "next": next,
	}, nil
}

// flowError shows the class; the wording is this library's own.
func flowError(err error) any {
	out := map[string]any{"error": mostDerived(errorNames(err))}
	e, ok := errors.AsType[*requests.Error](err)
	if ok && e.Response != nil {
		out["response_url"], out["response_history"] = e.Response.URL, len(e.Response.History)
	}
	return out
}

// nextRequest sends a prepared request to a stub whose reply is the redirect, and looks at Response.Next.
func nextRequest(t *testing.T, in input) (any, error) {
	in.setEnvironment(t)
	if err := setNetrc(t, in); err != nil {
		return nil, err
	}
	s := newSession(t)
	s.TrustEnv = in.boolOr("trust_env", true)
	s.MaxRedirects = in.intOr("max_redirects", s.MaxRedirects)
	cookies, err := notNull(in.pairs("session_cookies"))
	if err != nil {
		return nil, err
	}
	for _, c := range cookies {
		if err := s.Cookies.Set(requests.Cookie{Name: c[0], Value: c[1], Path: "/"}); err != nil {
			return nil, err
		}
	}
	reply := requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		return redirectReply(in, p), refusedByHTTP(p)
	})
	s.Mount("http://", reply)
	s.Mount("https://", reply)
	p, err := originalRequest(in)
	if err != nil {
		return nil, err
	}
	proxies, _ := in.stringMap("proxies")
	r, err := s.Send(t.Context(), p, requests.SendOptions{Redirects: requests.Off, Proxies: proxies})
	if err != nil || r.Next == nil {
		return nil, err
	}
	return showPrepared(r.Next), nil
}

func setNetrc(t *testing.T, in input) error {
	if !in.present("netrc") {
		return nil
	}
	path := filepath.Join(t.TempDir(), "netrc")
	t.Setenv("NETRC", path)
	return os.WriteFile(path, []byte(in.text("netrc")), 0o600)
}

func redirectReply(in input, p *requests.PreparedRequest) *requests.Response {
	var headers requests.Headers
	if in.present("location") {
		headers.Add("Location", unlatin1(in.text("location")))
	}
	for _, c := range in.texts("set_cookie") {
		headers.Add("Set-Cookie", unlatin1(c))
	}
	r := requests.NewResponse(p, in.int("status"), headers, nil)
	r.URL = in.textOr("resp_url", p.URL)
	return r
}

// originalRequest prepares with the request's own cookies, then puts headers and body in as they are recorded.
func originalRequest(in input) (*requests.PreparedRequest, error) {
	cookies, err := notNull(in.pairs("request_cookies"))
	if err != nil {
		return nil, err
	}
	req := &requests.Request{Method: in.textOr("method", "GET"), URL: in.text("url"), Cookies: cookies}
	p, err := req.Prepare()
	if err != nil {
		return nil, err
	}
	p.URL = in.text("url")
	if body, _, ok := in.textOrBytes("body"); ok {
		p.SetBody(body)
	}
	p.Headers, err = notNull(in.headerPairs("headers"))
	return p, err
}

// redirectTarget asks for the Location as text: bytes of UTF-8.
func redirectTarget(_ *testing.T, in input) (any, error) {
	if !isLatin1(in.text("location")) {
		return nil, cannot("a header value beyond Latin-1")
	}
	r := located(in)
	if !r.IsRedirect() {
		return nil, nil
	}
	location := r.Headers.Get("Location")
	if strings.ToValidUTF8(location, "") != location {
		return nil, requests.ErrInvalidURL
	}
	return location, nil
}

func adapterOrder(t *testing.T, in input) (any, error) {
	s := &requests.Session{}
	if in.bool("keep_defaults") {
		s = newSession(t)
	}
	for _, prefix := range append(s.Prefixes(), in.texts("mounts")...) {
		s.Mount(prefix, &namedAdapter{prefix: prefix})
	}
	found := []string{}
	for _, u := range in.texts("lookup") {
		a, err := s.Adapter(u)
		switch named, ok := a.(*namedAdapter); {
		case err != nil:
			found = append(found, mostDerived(errorNames(err)))
		case ok:
			found = append(found, named.prefix)
		}
	}
	return map[string]any{"order": append([]string{}, s.Prefixes()...), "lookup": found}, nil
}

// namedAdapter is only there to be found.
type namedAdapter struct {
	requests.Adapter
	prefix string
}

// Close lets the session close it.
func (*namedAdapter) Close() error { return nil }

// authOf reads [user, password] or [kind, user, password].
func authOf(spec []string) (requests.Auth, error) {
	if len(spec) == 2 {
		return requests.BasicAuth(spec[0], spec[1]), nil
	}
	switch spec[0] {
	case "digest":
		d := requests.DigestAuth(spec[1], spec[2])
		d.ClientNonce = recordedNonce
		return d, nil
	case "guess":
		return guessAuth(spec[1], spec[2]), nil
	}
	return nil, cannot("auth %v", spec)
}

// queryPairs decodes the query of a URL in order.
func queryPairs(raw string) ([][2]string, error) {
	_, query, _ := strings.Cut(raw, "?")
	out := [][2]string{}
	for _, part := range strings.Split(query, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, err := url.QueryUnescape(name)
		if err != nil {
			return nil, err
		}
		value, err = url.QueryUnescape(value)
		if err != nil {
			return nil, err
		}
		out = append(out, [2]string{name, value})
	}
	return out, nil
}
