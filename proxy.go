package requests

import (
	"maps"
	"slices"
	"strings"

	"github.com/mountable/requests/internal/ascii"
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
// is a list like the variable of that name, and is used instead of it.
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
	p, _ = p.normal()
	over, _ = over.normal()
	merged := make(Proxies, len(p)+len(over))
	maps.Copy(merged, p)
	maps.Copy(merged, over)
	return merged
}

// normal returns p with its keys as they are looked up. The error names one that can
// never match. It is p itself where nothing needs to be done.
func (p Proxies) normal() (Proxies, error) {
	for key := range p {
		if normal, ok := proxyKey(key); !ok || normal != key {
			return p.normalized()
		}
	}
	return p, nil
}

func (p Proxies) normalized() (Proxies, error) {
	var first error
	normal := make(Proxies, len(p))
	for _, key := range slices.Sorted(maps.Keys(p)) {
		name, ok := proxyKey(key)
		if !ok {
			name = key
		}
		value := p[key]
		if plain, spelled := p[name]; spelled {
			value = plain
		}
		known, twice := normal[name]
		switch {
		case first != nil:
		case !ok:
			first = fail(ErrInvalidArgument, "Proxies: the key %q can never match: expected a scheme, \"scheme://host\" without a port, \"all\" or \"no_proxy\"", uri.StripUserinfo(key))
		case twice && known != value:
			first = fail(ErrInvalidArgument, "Proxies: %q is given twice, with two values", name)
		}
		normal[name] = value
	}
	return normal, first
}

// proxyKey returns a key of Proxies in the form it is looked up by, and whether it can match.
func proxyKey(key string) (string, bool) {
	switch key {
	case "http", "https", "all", "no_proxy":
		return key, true
	}
	scheme, host, named := strings.Cut(key, "://")
	scheme = strings.ToLower(scheme)
	switch {
	case !named && scheme == "no_proxy":
		return scheme, true
	case !isProxyScheme(scheme):
		return "", false
	case host == "":
		return scheme, true
	}
	if strings.Count(host, ":") > 1 && host[0] != '[' {
		host = "[" + host + "]"
	}
	host = uri.ASCIIHost(host)
	return scheme + "://" + host, host != ""
}

// isProxyScheme takes schemes without dots: one with a dot is a host that lacks its scheme.
func isProxyScheme(s string) bool {
	for i := range len(s) {
		letter := 'a' <= s[i] && s[i] <= 'z'
		if !letter && (i == 0 || !ascii.IsDigit(s[i]) && s[i] != '+' && s[i] != '-') {
			return false
		}
	}
	return s != ""
}

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

// choose returns the entry that decides about u. found tells an entry that says
// "no proxy" from none at all.
func (p Proxies) choose(u *uri.URL) (key, proxy string, found bool) {
	if len(p) == 0 {
		return "", "", false
	}
	p, _ = p.normal()
	if key, proxy, found = p.forHost(u.Scheme, u.Host); found {
		return key, proxy, true
	}
	if proxy, found = p[u.Scheme]; found {
		return u.Scheme, proxy, true
	}
	if key, proxy, found = p.forHost("all", u.Host); found {
		return key, proxy, true
	}
	proxy, found = p["all"]
	return "all", proxy, found
}

// forHost looks "scheme://host" up, making a string of it only if it is there.
func (p Proxies) forHost(scheme, host string) (key, proxy string, found bool) {
	if host == "" {
		return "", "", false
	}
	var buf [80]byte
	k := append(append(append(buf[:0], scheme...), "://"...), host...)
	if proxy, found = p[string(k)]; found {
		key = string(k)
	}
	return key, proxy, found
}

// decideProxy asks the request's proxies, then ProxyFunc, then the session's,
// then the environment's (rule 47).
func (s *Session) decideProxy(url string, u *uri.URL, given Proxies) (ProxyDecision, error) {
	d := ProxyDecision{URL: url}
	if d.decidedBy(DecidedByRequest, given, u) {
		return d, nil
	}
	if s.ProxyFunc != nil {
		proxy, err := s.ProxyFunc(url)
		d.Source, d.Proxy = DecidedByFunc, proxy
		return d, err
	}
	if d.decidedBy(DecidedBySession, s.Proxies, u) || !s.TrustEnv {
		return d, nil
	}
	variable, proxy := s.environ.Proxy(u.Scheme)
	if proxy == "" {
		return d, nil
	}
	d.Source, d.Key = DecidedByEnvironment, variable
	list, ok := s.noProxyList(given)
	if !ok {
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

// noProxyList returns the "no_proxy" entry of the request or of the session.
func (s *Session) noProxyList(given Proxies) (string, bool) {
	if list, ok := given.noProxy(); ok {
		return list, true
	}
	return s.Proxies.noProxy()
}

func (p Proxies) noProxy() (list string, ok bool) {
	p, _ = p.normal()
	list, ok = p["no_proxy"]
	return list, ok
}

// mergeProxies puts proxies into opts that decide about a URL as session, environment and
// the call's own together do, and notes who decided.
func (s *Session) mergeProxies(to *address, opts *SendOptions) (err error) {
	opts.given = opts.Proxies
	if s.proxiesAsRequests() {
		opts.Proxies = s.mergeLikeRequests(to.text, opts.given)
		opts.proxyBy = s.whoChose(to.text, opts)
		return nil
	}
	return s.layerProxies(to, opts)
}

// redirectProxies is mergeProxies for the target of a redirect.
func (s *Session) redirectProxies(to *address, opts *SendOptions) (err error) {
	if s.proxiesAsRequests() {
		opts.Proxies, err = s.resolveProxies(to.text, opts.Proxies)
		opts.proxyBy = s.whoChose(to.text, opts)
		return err
	}
	return s.layerProxies(to, opts)
}

func (s *Session) proxiesAsRequests() bool {
	return s.Policy.EnvironmentProxiesFirst && s.ProxyFunc == nil
}

// layerProxies lays the call's proxies over what the levels below them decide.
func (s *Session) layerProxies(to *address, opts *SendOptions) error {
	opts.Proxies = opts.given
	if to.err != nil {
		return nil // the adapter says what is wrong with it
	}
	u := &to.url
	d, err := s.decideProxy(to.text, u, opts.given)
	opts.proxyBy = proxyChoice{d.Source, d.Key}
	switch {
	case err != nil:
		return err
	case d.Source == DecidedBySession:
		opts.Proxies = Proxies{d.Key: d.Proxy}.with(opts.given)
	case d.Source == DecidedByFunc:
		opts.Proxies = Proxies{u.Scheme + "://" + u.Host: d.Proxy}.with(opts.given)
	case d.Source == DecidedByEnvironment && d.Proxy != "":
		opts.Proxies = Proxies{u.Scheme: d.Proxy}.with(opts.given)
	}
	return nil
}

// mergeLikeRequests is the proxy part of Session.merge_environment_settings:
// given, then the environment's, then the session's. A request whose "all" is
// empty asks for no proxy at all.
func (s *Session) mergeLikeRequests(url string, given Proxies) Proxies {
	if proxy, ok := given["all"]; ok && proxy == "" {
		return given
	}
	merged := s.Proxies
	if s.TrustEnv {
		merged = merged.with(s.environProxiesFor(url, given))
	}
	if len(given) > 0 {
		merged = merged.with(given)
	}
	return merged
}

// resolveProxies is Requests' resolve_proxies: base, and for a scheme that it
// lacks the environment's.
func (s *Session) resolveProxies(url string, base Proxies) (Proxies, error) {
	scheme := schemeOf(url)
	if _, ok := base[scheme]; ok || !s.TrustEnv {
		return base, nil
	}
	environ := s.environProxiesFor(url, base)
	proxy, ok := environ[scheme]
	if !ok {
		proxy = environ["all"]
	}
	if proxy == "" {
		return base, nil
	}
	return base.with(Proxies{scheme: proxy}), nil
}

// environProxiesFor is Requests' get_environ_proxies: all of the environment's
// proxies, or none for a URL that no_proxy covers. The list is that of the
// "no_proxy" key, if given has one.
func (s *Session) environProxiesFor(url string, given Proxies) Proxies {
	list, ok := given.noProxy()
	if !ok {
		list = s.environ.NoProxy()
	}
	if bypass, err := s.bypassed(url, list); bypass || err != nil {
		return nil
	}
	return proxyenv.All()
}

// bypassed reports whether the environment's proxies are not for url
// (requests.utils.should_bypass_proxies). A URL without a host needs no proxy.
func (s *Session) bypassed(url, noProxy string) (bool, error) {
	u, err := uri.Parse(url)
	if e, ok := err.(*uri.Error); ok && (e.Code == uri.MissingHost || e.Code == uri.MissingScheme) {
		return true, nil
	}
	if err != nil {
		return false, urlError(err)
	}
	return s.bypass(noProxy, &u) != "", nil
}

func schemeOf(url string) string {
	scheme, _, ok := strings.Cut(url, ":")
	if !ok {
		return ""
	}
	return strings.ToLower(scheme)
}

// proxyURL is a parsed proxy.
type proxyURL struct {
	Scheme, Host   string
	Port           int
	User, Password string
	HasAuth        bool // a password is named, though it may be empty
}

// authorization returns the Proxy-Authorization for p: Basic, if there is a user
// and a password, which may be empty.
func (p *proxyURL) authorization() string {
	if !p.HasAuth || p.User == "" {
		return ""
	}
	return basicCredentials(p.User, p.Password)
}

// parseProxy reads the URL of a proxy, or "host:port", which is an http proxy. It goes
// through the same strict parser as every URL, so that the host it names is the host
// that is dialed.
func parseProxy(text string) (proxyURL, error) {
	scheme, rest, named := strings.Cut(text, "://")
	if !named {
		scheme, rest = "http", strings.TrimPrefix(text, "//")
	}
	scheme = strings.ToLower(scheme)
	port := proxyPort(scheme)
	if port == 0 {
		return proxyURL{}, proxyError(text, "its scheme is none of http, https, socks4, socks4a, socks5, socks5h")
	}
	u, err := uri.Parse("http://" + rest)
	if e, ok := err.(*uri.Error); ok && e.Code == uri.MissingHost {
		return proxyURL{}, proxyError(text, "it has no host")
	}
	if err != nil {
		return proxyURL{}, proxyError(text, reasonOf(err))
	}
	if u.Port >= 0 {
		port = u.Port
	}
	p := proxyURL{Scheme: scheme, Host: u.DialHost(), Port: port}
	if p.User, p.Password, p.HasAuth = u.Userinfo(); !p.HasAuth && u.HasUser {
		p.User = userOf(&u)
	}
	return p, nil
}

func proxyError(text, why string) error {
	return fail(ErrInvalidProxyURL, "proxy %q: %s", redactURL(text), why)
}

// reasonOf says what is wrong with a URL without repeating it.
func reasonOf(err error) string {
	if e, ok := err.(*uri.Error); ok {
		return e.Reason()
	}
	return "invalid URL"
}

func proxyPort(scheme string) int {
	switch scheme {
	case "http":
		return 80
	case "https":
		return 443
	case "socks4", "socks4a", "socks5", "socks5h":
		return 1080
	}
	return 0
}
