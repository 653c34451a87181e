package parity

import (
	"context"
	"fmt"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/uri"
)

var _ = register(map[string]vectorFunc{
	"select_proxy":               selectProxy,
	"should_bypass_proxies":      shouldBypass,
	"get_environ_proxies":        environProxies,
	"resolve_proxies":            resolveProxies,
	"rebuild_proxies":            rebuildProxies,
	"merge_environment_settings": mergeEnvironment,
	"adapter_request_url":        adapterRequestURL,
	"adapter_proxy_headers":      adapterProxyHeaders,
	"urllib3_http_tunnel":        httpTunnel,
	"urllib3_socks_options":      socksOptions,
	"adapter_proxy_pool":         adapterProxyPool,
})

// requestable tells whether a request can be made to a URL at all: the public functions take no other.
func requestable(url string) bool {
	prepared, err := uri.Prepare(url, nil)
	if err != nil {
		return false
	}
	u, err := uri.Parse(prepared)
	return err == nil && u.Host != ""
}

// explained asks the session which proxy a URL would use.
func explained(s *requests.Session, url string, proxies requests.Proxies) (requests.ProxyDecision, error) {
	if !requestable(url) {
		return requests.ProxyDecision{}, cannot("a URL to which no request can be made: %q", url)
	}
	return s.ExplainProxy(url, proxies)
}

// proxiesOf reads an object of proxies; null is the explicit "no proxy".
func proxiesOf(in input, key string) requests.Proxies {
	values, null := in.stringMap(key)
	for _, k := range null {
		values[k] = ""
	}
	return values
}

func selectProxy(_ *testing.T, in input) (any, error) {
	return selected(in.text("url"), proxiesOf(in, "proxies"))
}

func selected(url string, proxies requests.Proxies) (any, error) {
	// The choice is asked for, not whether the proxy can be used.
	d, err := explained(&requests.Session{}, url, proxies)
	if _, ok := err.(inexpressible); ok {
		return nil, err
	}
	return orNull(d.Proxy, d.Proxy != ""), nil
}

func selectProxyStep(_ *runner, _ *testing.T, s *step) (map[string]any, error) {
	given, err := proxies(s.Proxies)
	if err != nil {
		return nil, err
	}
	proxy, err := selected(value(s.URL), given)
	return map[string]any{"proxy": proxy}, err
}

func shouldBypass(t *testing.T, in input) (any, error) {
	in.setEnvironment(t)
	var given requests.Proxies
	if in.present("no_proxy") {
		given = requests.Proxies{"no_proxy": in.text("no_proxy")}
	}
	return bypassed(t, in.text("url"), given)
}

// bypassed puts a proxy for the URL's scheme into the environment, unless one is there, and sees whether it is used.
func bypassed(t *testing.T, url string, given requests.Proxies) (any, error) {
	scheme, _, _ := strings.Cut(url, ":")
	if name := strings.ToLower(scheme) + "_proxy"; os.Getenv(name) == "" {
		t.Setenv(name, "http://probe.test:1")
	}
	s := requests.NewSession()
	defer s.Close()
	s.Policy.NoProxyAsRequests = true
	d, err := explained(s, url, given)
	return d.Proxy == "", err
}

func bypassProxyStep(_ *runner, t *testing.T, s *step) (map[string]any, error) {
	var given requests.Proxies
	if s.NoProxy != nil {
		given = requests.Proxies{"no_proxy": *s.NoProxy}
	}
	direct, err := bypassed(t, value(s.URL), given)
	return map[string]any{"bypass": direct}, err
}

func environProxies(t *testing.T, in input) (any, error) {
	in.setEnvironment(t)
	given := requests.Proxies{}
	if in.present("no_proxy") {
		given["no_proxy"] = in.text("no_proxy")
	}
	opts, err := newSession(t).MergeEnvironment(in.text("url"), requests.SendOptions{Proxies: given})
	if err != nil {
		return nil, err
	}
	out := maps.Clone(opts.Proxies)
	if in.present("no_proxy") {
		delete(out, "no_proxy")
	}
	return mapOf(out), nil
}

// mapOf shows proxies as an object, never null.
func mapOf(proxies requests.Proxies) map[string]any {
	out := map[string]any{}
	for k, v := range proxies {
		out[k] = v
	}
	return out
}

// optionsSeen is an adapter that answers 200 and keeps what it was called with.
type optionsSeen struct {
	opts    requests.SendOptions
	request *requests.PreparedRequest
	first   func() // called at the first request, which is answered with a redirect
	target  string
}

func (o *optionsSeen) Send(_ context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
	if err := refusedByHTTP(p); err != nil {
		return nil, err
	}
	o.opts, o.request = opts, p
	if o.first == nil {
		return requests.NewResponse(p, 200, nil, nil), nil
	}
	o.first()
	o.first = nil
	return requests.NewResponse(p, 307, requests.Headers{{"Location", o.target}}, nil), nil
}

func (o *optionsSeen) Close() error { return nil }

// resolveProxies is what Send does for a prepared request with the session's proxies.
func resolveProxies(t *testing.T, in input) (any, error) {
	in.setEnvironment(t)
	s, seen := newSession(t), &optionsSeen{}
	s.TrustEnv, s.Proxies = in.boolOr("trust_env", true), proxiesOf(in, "proxies")
	scheme, _, _ := strings.Cut(in.text("url"), ":")
	s.Mount(scheme+"://", seen)
	p := &requests.PreparedRequest{Method: "GET", URL: in.text("url")}
	if _, err := s.Send(t.Context(), p, requests.SendOptions{}); err != nil {
		return nil, err
	}
	return recordedNulls(in, seen.opts.Proxies), nil
}

// recordedNulls shows the explicit "no proxy" as null where the input had it so.
func recordedNulls(in input, proxies requests.Proxies) map[string]any {
	out := mapOf(proxies)
	_, null := in.stringMap("proxies")
	for _, k := range null {
		if out[k] == "" {
			out[k] = nil
		}
	}
	return out
}

// rebuildProxies follows a redirect to the URL, with the environment set between the two requests.
func rebuildProxies(t *testing.T, in input) (any, error) {
	s := newSession(t)
	s.TrustEnv = in.boolOr("trust_env", true)
	seen := &optionsSeen{target: in.text("url"), first: func() { in.setEnvironment(t) }}
	s.Mount("http://", seen)
	s.Mount("https://", seen)
	headers, err := notNull(in.headerPairs("headers"))
	if err != nil {
		return nil, err
	}
	p := &requests.PreparedRequest{Method: "GET", URL: in.text("url") + "first", Headers: headers}
	if _, err := s.Send(t.Context(), p, requests.SendOptions{Proxies: proxiesOf(in, "proxies")}); err != nil {
		return nil, err
	}
	return map[string]any{
		"proxies": recordedNulls(in, seen.opts.Proxies),
		"headers": latin1Pairs(seen.request.Headers),
	}, nil
}

func mergeEnvironment(t *testing.T, in input) (any, error) {
	in.setEnvironment(t)
	session := in.object("session")
	s := newSession(t)
	s.TrustEnv = session.boolOr("trust_env", true)
	s.Stream = session.bool("stream")
	var err error
	if s.Verify, err = typedVerify(session.typed(t, "verify")); err != nil {
		return nil, err
	}
	if s.Cert, err = typedCert(session.typed(t, "cert")); err != nil {
		return nil, err
	}
	pairs, _, err := typedPairs(session.typed(t, "proxies"))
	if err != nil {
		return nil, err
	}
	s.Proxies = requests.Proxies{}
	for _, p := range pairs {
		s.Proxies[p[0]] = p[1]
	}
	if !in.present("proxies") && (len(pairs) > 0 || len(in.object("env").fields) > 0 && mentionsProxies(in)) {
		return nil, cannot("proxies that are null, which switches all merging off; no call of Requests passes them on")
	}
	opts, err := sendOptionsOf(t, in)
	if err != nil {
		return nil, err
	}
	merged, err := s.MergeEnvironment(in.text("url"), opts)
	return showSettings(merged), err
}

func mentionsProxies(in input) bool {
	env, _ := in.stringMap("env")
	for name := range env {
		if strings.HasSuffix(strings.ToLower(name), "_proxy") {
			return true
		}
	}
	return false
}

func sendOptionsOf(t *testing.T, in input) (requests.SendOptions, error) {
	t.Helper()
	opts := requests.SendOptions{Proxies: proxiesOf(in, "proxies")}
	if in.present("stream") {
		opts.Stream = toggle(in.bool("stream"))
	}
	var err error
	if opts.Verify, err = typedVerify(in.typed(t, "verify")); err != nil {
		return opts, err
	}
	opts.Cert, err = typedCert(in.typed(t, "cert"))
	return opts, err
}

func typedVerify(v any) (requests.Verification, error) {
	switch v := v.(type) {
	case nil:
		return requests.Verification{}, nil
	case bool:
		return requests.Verify(v), nil
	case string:
		if v == "" {
			return requests.Verify(false), nil
		}
		return requests.CABundle(v), nil
	}
	return requests.Verification{}, cannot("verify that is %T", v)
}

func typedCert(v any) (requests.Certificate, error) {
	if path, ok := v.(string); ok {
		return requests.CertFile(path), nil
	}
	items, _ := sequence(v)
	if len(items) == 2 {
		cert, ok := items[0].(string)
		key, ok2 := items[1].(string)
		if ok && ok2 {
			return requests.CertFiles(cert, key), nil
		}
	}
	if v == nil {
		return requests.Certificate{}, nil
	}
	return requests.Certificate{}, cannot("cert %v", v)
}

// planned is the connection that the HTTP adapter would make.
func planned(url string, proxies requests.Proxies) (requests.ConnConfig, error) {
	a := requests.NewHTTPAdapter()
	defer a.Close()
	return a.Plan(&requests.PreparedRequest{Method: "GET", URL: url}, requests.SendOptions{Proxies: proxies})
}

// adapterRequestURL shows the target that goes with the planned connection: the absolute form to a plain proxy.
func adapterRequestURL(_ *testing.T, in input) (any, error) {
	c, err := planned(in.text("url"), proxiesOf(in, "proxies"))
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(c.Proxy.Scheme, "http") && !c.Proxy.Tunnel {
		return uri.AbsoluteTarget(in.text("url"))
	}
	return uri.RequestTarget(in.text("url")), nil
}

func adapterProxyHeaders(_ *testing.T, in input) (any, error) {
	c, err := planned("https://h.test/", requests.Proxies{"https": in.text("proxy")})
	if err != nil {
		return nil, err
	}
	out := [][2]string{}
	if c.Proxy.Authorization != "" {
		out = append(out, [2]string{"Proxy-Authorization", c.Proxy.Authorization})
	}
	return out, nil
}

func httpTunnel(_ *testing.T, in input) (any, error) {
	if !in.present("destination") {
		return nil, cannot("a request to no scheme")
	}
	proxies := requests.Proxies{"all": in.text("proxy")}
	if strings.HasPrefix(in.text("proxy"), "https:") && in.bool("forwarding") {
		return nil, cannot("use_forwarding_for_https: https always goes through a tunnel")
	}
	c, err := planned(in.text("destination")+"://h.test/", proxies)
	return c.Proxy.Tunnel, err
}

// socksOptions looks at the plan behind a SOCKS proxy. Requests passes user and password on only where the URL has
// both, so of the inputs recorded below Requests only these can come up.
func socksOptions(_ *testing.T, in input) (any, error) {
	url := in.text("proxy_url")
	_, _, both := uri.SplitAuth(url)
	hasUser := strings.Contains(url, "@")
	switch {
	case in.text("username") != "" || in.text("password") != "":
		return nil, cannot("SOCKS credentials beside the proxy's URL")
	case hasUser && !both:
		return nil, cannot("half of the credentials: Requests does not pass it on, and here it is offered")
	case in.present("username") == both:
		if hasUser {
			return nil, cannot("credentials of the URL that urllib3 was told to overlook, or that Requests does not pass on")
		}
	case !strings.HasPrefix(strings.ToLower(url), "socks"):
		return nil, cannot("a SOCKS connection through a proxy that is none")
	}
	c, err := planned("http://h.test/", requests.Proxies{"http": url})
	if err != nil {
		return nil, err
	}
	return showSOCKS(in, c.Proxy)
}

func showSOCKS(in input, p requests.ProxyConfig) (any, error) {
	var version int
	var suffix string
	if _, err := fmt.Sscanf(p.Scheme+"-", "socks%d%s", &version, &suffix); err != nil {
		return nil, err
	}
	out := map[string]any{
		"socks_version": version, "proxy_host": p.Host, "proxy_port": p.Port, "rdns": suffix != "-",
		"username": p.User, "password": p.Password,
	}
	if _, _, both := uri.SplitAuth(in.text("proxy_url")); !in.present("username") && !both {
		out["username"], out["password"] = nil, nil
	}
	return out, nil
}

func adapterProxyPool(_ *testing.T, _ input) (any, error) {
	return nil, cannot("urllib3's pool classes and keyword arguments; ConnConfig takes their place")
}
