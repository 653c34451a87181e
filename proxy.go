package requests

import (
	"strings"

	"github.com/mountable/requests/internal/proxyenv"
	"github.com/mountable/requests/internal/uri"
)

// Proxies names the proxy for each kind of URL: by "scheme://host", scheme,
// "all://host" or "all", the first that is there deciding. Letter case and an empty
// "://" behind a scheme do not matter, but the plain spelling wins over others; a host
// has no port. A key that can never match is [ErrInvalidArgument].
//
// A value is a URL with the scheme http, https, socks4, socks4a, socks5 or socks5h
// (http if it has none, socks5h and socks4a leaving the lookup of names to the proxy),
// perhaps with user and password; an empty value means no proxy. The key "no_proxy"
// is a list like the variable of that name, and is used instead of it: what it covers is
// sent directly, unless an entry names the host itself.
//
// It is an [Option] whose entries are laid over those of earlier options. A
// request's proxies win over [Session.ProxyFunc], that over the session's, and
// these over the environment's; [Session.ExplainProxy] says what came of it.
type Proxies map[string]string

// Apply lays p over the proxies of r.
func (p Proxies) Apply(r *Request) error {
	if _, err := p.normal(); err != nil {
		return err
	}
	r.Send.Proxies = r.Send.Proxies.with(p)
	return nil
}

// with returns p with the entries of over laid over it. Neither is changed.
func (p Proxies) with(over Proxies) Proxies {
	return Proxies(proxyenv.Table(p).With(proxyenv.Table(over)))
}

// normal returns p with its keys as they are looked up. The error names one that can never match.
func (p Proxies) normal() (Proxies, error) {
	normal, err := proxyenv.Table(p).Normal()
	if err != nil {
		return Proxies(normal), fail(ErrInvalidArgument, "Proxies: %v", err)
	}
	return Proxies(normal), nil
}

// choose returns the entry that decides about u, if there is one.
func (p Proxies) choose(u *uri.URL) (key, proxy string, found bool) {
	return proxyenv.Table(p).Choose(u)
}

func (p Proxies) noProxy() (list string, ok bool) { return proxyenv.Table(p).NoProxy() }

// ProxyFunc chooses the proxy for a URL: its URL, "" for none. An error ends the
// request. It may be called from several goroutines at once. The function
// [ProxyFromEnvironment] is one.
type ProxyFunc func(url string) (string, error)

// ProxyFromEnvironment is a [ProxyFunc] that asks the environment only: the
// variables http_proxy, https_proxy, all_proxy and no_proxy, as a Session does by
// itself where TrustEnv is set.
func ProxyFromEnvironment(url string) (string, error) {
	u, err := uri.Parse(url)
	if err != nil {
		return "", urlError(err)
	}
	var e proxyenv.Environ
	if proxyenv.Bypass(e.NoProxy(), &u) != "" {
		return "", nil
	}
	_, proxy := e.Proxy(u.Scheme)
	return proxy, nil
}

// NoProxy sends one request directly, whatever session and environment say.
var NoProxy Option = Proxies{"all": "", "http": "", "https": ""}

// selectProxy returns the proxy for u, "" for none.
func selectProxy(u *uri.URL, proxies Proxies) string {
	_, proxy, _ := proxies.choose(u)
	return proxy
}

// decideProxy asks the request's proxies, then ProxyFunc, then the session's,
// then the environment's.
func (s *Session) decideProxy(url string, u *uri.URL, given Proxies) (ProxyDecision, error) {
	d := ProxyDecision{URL: url}
	if d.decidedBy(DecidedByRequest, given, u) {
		list, _ := given.noProxy()
		s.excludeListed(&d, list, u)
		return d, nil
	}
	if s.ProxyFunc != nil {
		proxy, err := s.ProxyFunc(url)
		d.Source, d.Proxy = DecidedByFunc, proxy
		return d, err
	}
	list, hasList := s.noProxyList(given)
	if d.decidedBy(DecidedBySession, s.Proxies, u) || !s.TrustEnv {
		s.excludeListed(&d, list, u)
		return d, nil
	}
	variable, proxy := s.environ.Proxy(u.Scheme)
	if proxy == "" {
		return d, nil
	}
	d.Source, d.Key = DecidedByEnvironment, variable
	if !hasList {
		list = s.environ.NoProxy()
	}
	if d.Bypass = s.bypass(list, u); d.Bypass == "" {
		d.Proxy = proxy
	}
	return d, nil
}

// bypass returns the entry of a no_proxy list that covers u, "" if none does.
func (s *Session) bypass(list string, u *uri.URL) string {
	if s.Policy.NoProxyAsRequests {
		return proxyenv.BypassAsRequests(list, u)
	}
	return proxyenv.Bypass(list, u)
}

func (d *ProxyDecision) decidedBy(source ProxySource, proxies Proxies, u *uri.URL) bool {
	key, proxy, found := proxies.choose(u)
	if found {
		d.Source, d.Key, d.Proxy = source, key, proxy
	}
	return found
}

// excludeListed takes back a proxy that the program names for URLs in general, where its
// "no_proxy" list covers u. One that it names for this host stays.
func (s *Session) excludeListed(d *ProxyDecision, list string, u *uri.URL) {
	if list == "" || d.Proxy == "" || s.Policy.NoProxyAsRequests || strings.Contains(d.Key, "://") {
		return
	}
	if d.Bypass = proxyenv.Listed(list, u); d.Bypass != "" {
		d.Proxy = ""
	}
}

// noProxyList returns the "no_proxy" entry of the request or of the session.
func (s *Session) noProxyList(given Proxies) (string, bool) {
	if list, ok := given.noProxy(); ok {
		return list, true
	}
	return s.Proxies.noProxy()
}

// mergeProxies puts proxies into opts that decide about a URL as session, environment and
// the call's own together do, and notes who decided.
func (s *Session) mergeProxies(to *uri.Address, opts *SendOptions) error {
	opts.given = opts.Proxies
	if s.proxiesAsRequests() {
		opts.Proxies = Proxies(s.asRequests().Merge(to.Text, proxyenv.Table(opts.given)))
		opts.proxyBy = s.whoChose(to.Text, opts)
		return nil
	}
	return s.layerProxies(to, opts)
}

// redirectProxies is mergeProxies for the target of a redirect.
func (s *Session) redirectProxies(to *uri.Address, opts *SendOptions) error {
	if s.proxiesAsRequests() {
		opts.Proxies = Proxies(s.asRequests().Resolve(to.Text, proxyenv.Table(opts.Proxies)))
		opts.proxyBy = s.whoChose(to.Text, opts)
		return nil
	}
	return s.layerProxies(to, opts)
}

func (s *Session) proxiesAsRequests() bool {
	return s.Policy.EnvironmentProxiesFirst && s.ProxyFunc == nil
}

// layerProxies lays the call's proxies over what the levels below them decide.
func (s *Session) layerProxies(to *uri.Address, opts *SendOptions) error {
	opts.Proxies = opts.given
	if to.Err != nil {
		return nil // the adapter says what is wrong with it
	}
	u := &to.URL
	d, err := s.decideProxy(to.Text, u, opts.given)
	opts.proxyBy = proxyChoice{d.Source, d.Key}
	switch {
	case err != nil:
		return err
	case d.Source == DecidedByRequest && d.Bypass != "":
		opts.Proxies = opts.given.with(Proxies{u.Scheme + "://" + u.Host: ""})
	case d.Source == DecidedBySession:
		opts.Proxies = Proxies{d.Key: d.Proxy}.with(opts.given)
	case d.Source == DecidedByFunc:
		opts.Proxies = Proxies{u.Scheme + "://" + u.Host: d.Proxy}.with(opts.given)
	case d.Source == DecidedByEnvironment && d.Proxy != "":
		opts.Proxies = Proxies{u.Scheme: d.Proxy}.with(opts.given)
	}
	return nil
}

// asRequests merges proxies in Requests' order.
func (s *Session) asRequests() *proxyenv.Merger {
	m := &proxyenv.Merger{Session: proxyenv.Table(s.Proxies), Bypass: s.bypass}
	if s.TrustEnv {
		m.Environ = &s.environ
	}
	return m
}

// parseProxy reads the URL of a proxy.
func parseProxy(text string) (proxyenv.URL, error) {
	proxy, err := proxyenv.ParseURL(text)
	if err != nil {
		return proxy, fail(ErrInvalidProxyURL, "proxy %q: %v", redactURL(text), err)
	}
	return proxy, nil
}

// proxyAuthorization returns the Proxy-Authorization for a proxy: Basic, if there is a user
// and a password, which may be empty.
func proxyAuthorization(p *proxyenv.URL) string {
	if !p.HasAuth || p.User == "" {
		return ""
	}
	return basicCredentials(p.User, p.Password)
}
