package parity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/mountable/requests"
)

// step is one entry of a scenario's calls.
type step struct {
	keywords
	Op        string          `json:"op"`
	Method    *string         `json:"method"`
	URL       *string         `json:"url"`
	Via       string          `json:"via"`
	As        string          `json:"as"`
	With      string          `json:"with"`
	Req       string          `json:"req"`
	Settings  string          `json:"settings"`
	Session   json.RawMessage `json:"session"`
	Body      *shapes         `json:"body"`
	MS        int             `json:"ms"`
	Of        *int            `json:"of"`
	Cookie    *cookieSpec     `json:"cookie"`
	Name      string          `json:"name"`
	Domain    *string         `json:"domain"`
	Path      *string         `json:"path"`
	ChunkSize json.RawMessage `json:"chunk_size"`
	Delimiter *wireText       `json:"delimiter"`
	Decode    *bool           `json:"decode"`
	Unicode   bool            `json:"decode_unicode"`
	Limit     *int            `json:"limit"`
	Amt       *int            `json:"amt"`
	Value     *string         `json:"value"`
	From      string          `json:"from"`
	To        string          `json:"to"`
	NoProxy   *string         `json:"no_proxy"`
}

// runner plays the steps of one scenario on a live session.
type runner struct {
	ctx         context.Context // ends a call that hangs
	session     *requests.Session
	site        *site
	responses   []*requests.Response
	prepared    map[string]*requests.PreparedRequest
	merged      map[string]requests.SendOptions
	credentials credentials
	log         []map[string]any
	skipReason  string
	different   bool // not as recorded, but as rules of departures say
}

// callLimit is far more than any scenario takes.
const callLimit = time.Minute

// newRunner makes a session of a Policy, with the scenario's settings.
func newRunner(t *testing.T, st *site, raw json.RawMessage, policy requests.Policy) *runner {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), callLimit)
	t.Cleanup(cancel)
	r := &runner{
		ctx:         ctx,
		session:     requests.NewSession(),
		site:        st,
		prepared:    map[string]*requests.PreparedRequest{},
		merged:      map[string]requests.SendOptions{},
		credentials: credentials{},
	}
	r.session.Policy = policy
	t.Cleanup(func() { r.session.Close() })
	if raw != nil {
		err := r.set(raw)
		if reason, ok := errors.AsType[inexpressible](err); ok {
			t.Skip(reason)
		}
		if err != nil {
			t.Fatalf("session settings: %v", err)
		}
	}
	return r
}

func (r *runner) set(raw json.RawMessage) error {
	var s settings
	if err := json.Unmarshal(raw, &s); err != nil {
		return err
	}
	return r.apply(&s)
}

// calls plays all steps and returns their results.
func (r *runner) calls(t *testing.T, raw json.RawMessage) []any {
	t.Helper()
	var steps []step
	if err := json.Unmarshal(raw, &steps); err != nil {
		t.Fatalf("calls: %v", err)
	}
	results := []any{}
	for i := range steps {
		result, err := r.play(t, &steps[i])
		results = append(results, r.result(result, err))
	}
	return results
}

// result shows what a step gave, an error or that it had to be skipped included.
func (r *runner) result(result map[string]any, err error) any {
	if reason, ok := errors.AsType[inexpressible](err); ok {
		r.skipReason = reason.Error()
		return map[string]any{"skipped": reason.what}
	}
	if result == nil {
		result = map[string]any{}
	}
	if err == nil {
		return result
	}
	for k, v := range errorResult(err) {
		result[k] = v
	}
	if errors.Is(err, requests.ErrHTTP) {
		result["message"] = httpMessage(err)
	}
	e, ok := errors.AsType[*requests.Error](err)
	if ok && e.Response != nil && errors.Is(err, requests.ErrTooManyRedirects) {
		result["response"] = map[string]any{
			"status": e.Response.StatusCode, "url": e.Response.URL, "history": len(e.Response.History),
		}
	}
	return result
}

// httpMessage is the text of Requests' HTTPError.
func httpMessage(err error) string {
	if e, ok := errors.AsType[*requests.Error](err); ok && e.Detail != "" {
		return latin1(e.Detail)
	}
	return err.Error()
}

// stepFunc plays one kind of step.
type stepFunc func(r *runner, t *testing.T, s *step) (map[string]any, error)

var stepFuncs map[string]stepFunc

func init() {
	stepFuncs = map[string]stepFunc{
		"": request, "request": request, "prepare": prepare, "edit": edit, "copy": copyPrepared, "send": send,
		"settings": mergedSettings, "set": func(r *runner, _ *testing.T, s *step) (map[string]any, error) { return nil, r.set(s.Session) },
		"sleep": func(_ *runner, _ *testing.T, s *step) (map[string]any, error) {
			time.Sleep(time.Duration(s.MS) * time.Millisecond)
			return nil, nil
		},
		"close_session": func(r *runner, _ *testing.T, _ *step) (map[string]any, error) { return nil, r.session.Close() },
		"adapters": func(r *runner, _ *testing.T, _ *step) (map[string]any, error) {
			return map[string]any{"prefixes": r.session.Prefixes()}, nil
		},
		"session_cookies": sessionCookies, "cookie_get": cookieGet, "cookie_set": cookieSet, "cookie_delete": cookieDelete,
		"cookie_clear": cookieClear, "cookie_dict": cookieDict,
		"iter_content": onResponse(iterContent), "iter_lines": onResponse(iterLines), "raw_read": onResponse(rawRead),
		"content": onResponse(content), "text": onResponse(textOf), "json": onResponse(jsonOf),
		"set_encoding": onResponse(setEncoding), "apparent_encoding": onResponse(apparentEncoding),
		"raise_for_status": onResponse(raiseForStatus), "close": onResponse(closeResponse),
		"strip_auth": stripAuthStep, "select_proxy": selectProxyStep, "bypass_proxy": bypassProxyStep,
	}
}

func (r *runner) play(t *testing.T, s *step) (map[string]any, error) {
	t.Helper()
	f := stepFuncs[s.Op]
	if f == nil {
		t.Fatalf("unknown step %q", s.Op)
	}
	return f(r, t, s)
}

func request(r *runner, t *testing.T, s *step) (map[string]any, error) {
	options, err := s.options(r)
	if err != nil {
		return nil, err
	}
	resp, err := r.dispatch(s, options)
	if err != nil {
		return nil, err
	}
	return r.received(t, resp, r.streams(s))
}

// streams tells whether the body of a response is left to the caller.
func (r *runner) streams(s *step) bool {
	if s.Stream != nil {
		return *s.Stream
	}
	return r.session.Stream
}

// dispatch sends a call the way the step wants it sent.
func (r *runner) dispatch(s *step, options []requests.Option) (*requests.Response, error) {
	method, url := value(s.Method), value(s.URL)
	switch s.Via {
	case "helper":
		return helper(r.session, method)(r.ctx, url, options...)
	case "api":
		own := requests.NewSession()
		own.Policy = r.session.Policy
		defer own.Close()
		return own.Request(r.ctx, method, url, options...)
	}
	return r.session.Request(r.ctx, method, url, options...)
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func prepare(r *runner, _ *testing.T, s *step) (map[string]any, error) {
	options, err := s.options(r)
	if err != nil {
		return nil, err
	}
	req := &requests.Request{Method: value(s.Method), URL: value(s.URL)}
	if err := requests.JoinOptions(options...).Apply(req); err != nil {
		return nil, err
	}
	var p *requests.PreparedRequest
	if s.With == "request" {
		p, err = req.Prepare()
	} else {
		p, err = r.session.Prepare(req)
	}
	if err != nil {
		return nil, err
	}
	r.prepared[s.As] = p
	return map[string]any{"prepared": showPrepared(p)}, nil
}

// edit changes a prepared request by hand. In Go a new body brings its Content-Length; Requests leaves the old one, so
// the header is put back.
func edit(r *runner, _ *testing.T, s *step) (map[string]any, error) {
	p := r.prepared[s.Req]
	if s.Method != nil {
		p.Method = *s.Method
	}
	if s.URL != nil {
		p.URL = *s.URL
	}
	if s.Body != nil {
		if err := editBody(p, s.Body); err != nil {
			return nil, err
		}
	}
	if s.Headers != nil {
		if err := editHeaders(p, s.Headers); err != nil {
			return nil, err
		}
	}
	return map[string]any{"prepared": showPrepared(p)}, nil
}

func editBody(p *requests.PreparedRequest, in *shapes) error {
	before := p.Headers.Clone()
	defer func() { p.Headers = before }()
	v, err := in.content()
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case string:
		p.SetBody([]byte(v))
	case []byte:
		p.SetBody(v)
	default:
		return cannot("a body of type %T put into a prepared request", v)
	}
	return nil
}

func editHeaders(p *requests.PreparedRequest, raw json.RawMessage) error {
	var pairs []rawPair
	if err := json.Unmarshal(raw, &pairs); err != nil {
		return err
	}
	for _, pair := range pairs {
		if isNull(pair.value) {
			p.Headers.Del(pair.name)
			continue
		}
		v, err := headerValue(pair.value)
		if err != nil {
			return err
		}
		p.Headers.Set(unlatin1(pair.name), v)
	}
	return nil
}

func copyPrepared(r *runner, _ *testing.T, s *step) (map[string]any, error) {
	r.prepared[s.As] = r.prepared[s.Req].Clone()
	return nil, nil
}

func send(r *runner, t *testing.T, s *step) (map[string]any, error) {
	p := r.prepared[s.Req]
	if s.Req == "next" {
		p = r.responses[len(r.responses)-1].Next
	}
	if p == nil {
		return nil, fmt.Errorf("no prepared request %q", s.Req)
	}
	given, err := s.sendOptions()
	if err != nil {
		return nil, err
	}
	opts := given
	if s.Settings != "" {
		opts = overlaySend(r.merged[s.Settings], given)
	}
	resp, err := r.session.Send(r.ctx, p, opts)
	if err != nil {
		return nil, err
	}
	return r.received(t, resp, r.streams(s))
}

// overlaySend puts what a step gives over merged settings.
func overlaySend(base, over requests.SendOptions) requests.SendOptions {
	if over.Stream != requests.Inherit {
		base.Stream = over.Stream
	}
	if over.Redirects != requests.Inherit {
		base.Redirects = over.Redirects
	}
	if over.Timeouts != (requests.Timeouts{}) {
		base.Timeouts = over.Timeouts
	}
	if over.Verify != (requests.Verification{}) {
		base.Verify = over.Verify
	}
	if over.Cert != (requests.Certificate{}) {
		base.Cert = over.Cert
	}
	if over.Proxies != nil {
		base.Proxies = over.Proxies
	}
	return base
}

func mergedSettings(r *runner, _ *testing.T, s *step) (map[string]any, error) {
	given, err := s.sendOptions()
	if err != nil {
		return nil, err
	}
	opts, err := r.session.MergeEnvironment(value(s.URL), given)
	if err != nil {
		return nil, err
	}
	r.merged[s.As] = opts
	return map[string]any{"settings": showSettings(opts)}, nil
}

// finish is the result of the whole scenario.
func (r *runner) finish(results []any) map[string]any {
	out := map[string]any{"calls": results, "wire": map[string]any{}}
	if cookies := showCookies(r.session.Cookies); len(cookies) > 0 {
		out["session_cookies"] = cookies
	}
	if len(r.log) > 0 {
		out["log"] = r.log
	}
	r.session.Close()
	wire := out["wire"].(map[string]any)
	for name, srv := range r.site.servers {
		srv.stop()
		if srv.spec.Kind != "closed" {
			wire[name] = srv.seen()
		}
	}
	return out
}
