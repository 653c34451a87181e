package parity

import (
	"context"
	"encoding/json"
	"io"
	"math"
	"strings"
	"time"

	"github.com/mountable/requests"
)

// keywords are the keyword arguments of a call, of session settings, and of the other steps.
type keywords struct {
	Params    json.RawMessage   `json:"params"`
	Headers   json.RawMessage   `json:"headers"`
	Data      *shapes           `json:"data"`
	JSON      json.RawMessage   `json:"json"`
	Files     json.RawMessage   `json:"files"`
	Cookies   json.RawMessage   `json:"cookies"`
	Auth      []string          `json:"auth"`
	Hooks     []json.RawMessage `json:"hooks"`
	Timeout   json.RawMessage   `json:"timeout"`
	Redirects *bool             `json:"allow_redirects"`
	Proxies   json.RawMessage   `json:"proxies"`
	Stream    *bool             `json:"stream"`
	Verify    json.RawMessage   `json:"verify"`
	Cert      json.RawMessage   `json:"cert"`
}

// settings are those of a session.
type settings struct {
	keywords
	ClearHeaders bool        `json:"clear_headers"`
	MaxRedirects *int        `json:"max_redirects"`
	TrustEnv     *bool       `json:"trust_env"`
	Mounts       []mountSpec `json:"mounts"`
}

type mountSpec struct {
	Prefix  string      `json:"prefix"`
	Adapter adapterSpec `json:"adapter"`
}

type adapterSpec struct {
	Kind            string           `json:"kind"`
	Name            string           `json:"name"`
	Status          int              `json:"status"`
	Headers         requests.Headers `json:"headers"`
	MaxRetries      json.RawMessage  `json:"max_retries"`
	PoolConnections *int             `json:"pool_connections"`
	PoolMaxsize     *int             `json:"pool_maxsize"`
}

// apply changes the live session. A setting Go cannot express is an inexpressible error.
func (r *runner) apply(s *settings) error {
	steps := []func(*settings) error{r.applyHeaders, r.applyParams, r.applySend, r.applyCookies, r.applyRest}
	for _, step := range steps {
		if err := step(s); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) applyHeaders(s *settings) error {
	if s.ClearHeaders {
		r.session.Headers = nil
	}
	if s.Headers == nil {
		return nil
	}
	var pairs []rawPair
	if err := json.Unmarshal(s.Headers, &pairs); err != nil {
		return err
	}
	for _, p := range pairs {
		if isNull(p.value) {
			r.session.Headers.Del(p.name)
			continue
		}
		value, err := headerValue(p.value)
		if err != nil {
			return err
		}
		r.session.Headers.Set(unlatin1(p.name), value)
	}
	return nil
}

func (r *runner) applyParams(s *settings) error {
	if s.Params == nil {
		return nil
	}
	var in shapes
	if err := json.Unmarshal(s.Params, &in); err != nil {
		return cannot("session params given as text")
	}
	pairs, _, err := fields(or(in.Map, in.List))
	r.session.Params = pairs
	return err
}

func (r *runner) applySend(s *settings) error {
	send, err := s.sendOptions()
	if err != nil {
		return err
	}
	if s.Verify != nil {
		r.session.Verify = send.Verify
	}
	if s.Cert != nil {
		r.session.Cert = send.Cert
	}
	if s.Proxies != nil {
		r.session.Proxies = send.Proxies
	}
	if s.Timeout != nil {
		r.session.Timeouts = send.Timeouts
	}
	if s.Stream != nil {
		r.session.Stream = *s.Stream
	}
	return nil
}

func (r *runner) applyCookies(s *settings) error {
	if s.Cookies == nil {
		return nil
	}
	var cookies []cookieSpec
	if err := json.Unmarshal(s.Cookies, &cookies); err != nil {
		return err
	}
	return addCookies(r.session.Cookies, cookies)
}

func (r *runner) applyRest(s *settings) error {
	if s.MaxRedirects != nil {
		r.session.MaxRedirects = *s.MaxRedirects
	}
	if s.TrustEnv != nil {
		r.session.TrustEnv = *s.TrustEnv
	}
	if s.Auth != nil {
		r.session.Auth = r.auth(s.Auth)
	}
	if s.Hooks != nil {
		hooks, err := r.hooks(s.Hooks)
		if err != nil {
			return err
		}
		r.session.Hooks = hooks
	}
	for _, m := range s.Mounts {
		a, err := m.Adapter.open()
		if err != nil {
			return err
		}
		r.session.Mount(m.Prefix, a)
	}
	return nil
}

// open makes the adapter.
func (a *adapterSpec) open() (requests.Adapter, error) {
	if a.Kind == "stub" {
		return a.stub(), nil
	}
	var options []requests.AdapterOption
	if a.PoolConnections != nil {
		options = append(options, requests.PoolConnections(*a.PoolConnections))
	}
	if a.PoolMaxsize != nil {
		options = append(options, requests.PoolMaxSize(*a.PoolMaxsize))
	}
	if a.MaxRetries != nil {
		retry, err := retryOption(a.MaxRetries)
		if err != nil {
			return nil, err
		}
		options = append(options, retry)
	}
	return requests.NewHTTPAdapter(options...), nil
}

// stub answers without any network: reason and body are its name.
func (a *adapterSpec) stub() requests.Adapter {
	return requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		status := a.Status
		if status == 0 {
			status = 200
		}
		resp := requests.NewResponse(p, status, a.Headers.Clone(), io.NopCloser(strings.NewReader(a.Name)))
		resp.Reason, resp.Encoding = a.Name, "utf-8"
		return resp, nil
	})
}

// options are the keywords of a call as Options.
func (k *keywords) options(r *runner) ([]requests.Option, error) {
	var options []requests.Option
	add := func(o requests.Option, err error) error {
		options = append(options, o)
		return err
	}
	steps := []func() error{
		func() error { return many(&options, k.Headers, headerOptions) },
		func() error { return many(&options, k.Params, paramOptions) },
		func() error { return one(add, k.Data != nil, k.Data.option) },
		func() error {
			return one(add, k.JSON != nil, func() (requests.Option, error) { return jsonOption(k.JSON) })
		},
		func() error {
			return one(add, k.Files != nil, func() (requests.Option, error) { return fileOptions(k.Files) })
		},
		func() error {
			return one(add, k.Cookies != nil, func() (requests.Option, error) { return cookieOption(k.Cookies) })
		},
		func() error {
			return one(add, k.Auth != nil, func() (requests.Option, error) { return requests.Authenticate(r.auth(k.Auth)), nil })
		},
		func() error {
			return one(add, len(k.Hooks) > 0, func() (requests.Option, error) { return r.hookOption(k.Hooks) })
		},
		func() error { return one(add, true, k.sendOption) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return options, nil
}

func many(to *[]requests.Option, raw json.RawMessage, read func(json.RawMessage) ([]requests.Option, error)) error {
	if raw == nil || isNull(raw) {
		return nil
	}
	options, err := read(raw)
	*to = append(*to, options...)
	return err
}

func one(add func(requests.Option, error) error, given bool, read func() (requests.Option, error)) error {
	if !given {
		return nil
	}
	return add(read())
}

func jsonOption(raw json.RawMessage) (requests.Option, error) {
	v, err := jsonBody(raw)
	return requests.JSON(v), err
}

// sendOption sets what is not part of the request itself.
func (k *keywords) sendOption() (requests.Option, error) {
	send, err := k.sendOptions()
	return requests.OptionFunc(func(r *requests.Request) error {
		if k.Redirects == nil {
			send.Redirects = r.Send.Redirects
		}
		r.Send = send
		return nil
	}), err
}

func (k *keywords) sendOptions() (requests.SendOptions, error) {
	var send requests.SendOptions
	var err error
	if k.Stream != nil {
		send.Stream = toggle(*k.Stream)
	}
	if k.Redirects != nil {
		send.Redirects = toggle(*k.Redirects)
	}
	if send.Timeouts, err = timeouts(k.Timeout); err != nil {
		return send, err
	}
	if send.Proxies, err = proxies(k.Proxies); err != nil {
		return send, err
	}
	if send.Verify, err = verification(k.Verify); err != nil {
		return send, err
	}
	send.Cert, err = certificate(k.Cert)
	return send, err
}

func toggle(on bool) requests.Toggle {
	if on {
		return requests.On
	}
	return requests.Off
}

// timeouts reads a number, a pair, or null for no limit.
func timeouts(raw json.RawMessage) (requests.Timeouts, error) {
	if raw == nil || isNull(raw) {
		return requests.Timeouts{}, nil
	}
	var both float64
	if json.Unmarshal(raw, &both) == nil {
		d, err := seconds(&both)
		return requests.Timeouts{Connect: d, Read: d}, err
	}
	var pair []*float64
	if json.Unmarshal(raw, &pair) != nil || len(pair) != 2 {
		return requests.Timeouts{}, cannot("timeout %s", raw)
	}
	connect, err := seconds(pair[0])
	if err != nil {
		return requests.Timeouts{}, err
	}
	read, err := seconds(pair[1])
	return requests.Timeouts{Connect: connect, Read: read}, err
}

func seconds(n *float64) (time.Duration, error) {
	switch {
	case n == nil:
		return requests.Forever, nil
	case *n == 0:
		return 0, cannot("a timeout of 0: the zero value means that none is given")
	}
	return time.Duration(math.Round(*n * float64(time.Second))), nil
}

// proxies reads {key: url|null}; a null proxy is the value for "no proxy".
func proxies(raw json.RawMessage) (requests.Proxies, error) {
	if raw == nil || isNull(raw) {
		return nil, nil
	}
	var in map[string]*string
	if err := json.Unmarshal(raw, &in); err != nil {
		return proxyPairs(raw)
	}
	out := requests.Proxies{}
	for key, url := range in {
		out[key] = ""
		if url != nil {
			out[key] = *url
		}
	}
	return out, nil
}

func proxyPairs(raw json.RawMessage) (requests.Proxies, error) {
	var pairs [][2]string
	if err := json.Unmarshal(raw, &pairs); err != nil {
		return nil, err
	}
	out := requests.Proxies{}
	for _, p := range pairs {
		out[p[0]] = p[1]
	}
	return out, nil
}

// verification reads a bool or a path; an empty path checks nothing, as in Requests.
func verification(raw json.RawMessage) (requests.Verification, error) {
	var on bool
	var path string
	switch {
	case raw == nil || isNull(raw):
		return requests.Verification{}, nil
	case json.Unmarshal(raw, &on) == nil:
		return requests.Verify(on), nil
	case json.Unmarshal(raw, &path) != nil:
		return requests.Verification{}, cannot("verify %s", raw)
	case path == "":
		return requests.Verify(false), nil
	}
	return requests.CABundle(path), nil
}

// certificate reads a path, or a pair of certificate and key.
func certificate(raw json.RawMessage) (requests.Certificate, error) {
	var path string
	var pair []string
	switch {
	case raw == nil || isNull(raw):
		return requests.Certificate{}, nil
	case json.Unmarshal(raw, &path) == nil:
		return requests.CertFile(path), nil
	case json.Unmarshal(raw, &pair) == nil && len(pair) == 2:
		return requests.CertFiles(pair[0], pair[1]), nil
	}
	return requests.Certificate{}, cannot("cert %s", raw)
}

// auth makes the auth of one place. Digest credentials are noted, to check the responses with.
func (r *runner) auth(spec []string) requests.Auth {
	arg := func(i int) string {
		if i < len(spec) {
			return spec[i]
		}
		return ""
	}
	switch arg(0) {
	case "basic":
		return requests.BasicAuth(arg(1), arg(2))
	case "digest":
		r.credentials[arg(1)] = arg(2)
		return digestAuth(arg(1), arg(2))
	case "proxy":
		return requests.ProxyBasicAuth(arg(1), arg(2))
	}
	return requests.AuthFunc(func(p *requests.PreparedRequest) error {
		switch arg(0) {
		case "bearer":
			p.Headers.Set("Authorization", "Bearer "+arg(1))
		case "header":
			p.Headers.Set(arg(1), arg(2))
		case "body":
			p.SetBody([]byte(arg(1)))
		}
		return nil
	})
}
