package requests

import (
	"cmp"
	"fmt"

	"github.com/mountable/requests/internal/proxyenv"
	"github.com/mountable/requests/internal/uri"
)

// ProxySource says what chose a proxy.
type ProxySource int

// The sources, in the order they are asked; Policy.EnvironmentProxiesFirst puts
// the environment before the session.
const (
	DecidedByNothing     ProxySource = iota // nobody names a proxy: direct
	DecidedByRequest                        // the proxies of the call
	DecidedByFunc                           // Session.ProxyFunc
	DecidedBySession                        // Session.Proxies
	DecidedByEnvironment                    // the proxy variables
)

// String names the source.
func (s ProxySource) String() string {
	names := [...]string{"no proxy is named", "the request", "ProxyFunc", "the session", "the environment"}
	if s < 0 || int(s) >= len(names) {
		s = DecidedByNothing
	}
	return names[s]
}

// ProxyDecision says how a URL is reached, and why. It prints as one line, user
// information masked:
//
//	http://a.test/ goes through http://***@proxy.test:3128 (the environment: http_proxy)
type ProxyDecision struct {
	URL    string // the URL in question, prepared
	Proxy  string // the proxy's URL, credentials included; "" is a direct connection
	Source ProxySource
	Key    string // the key of Proxies, or the variable, that decided
	Bypass string // the no_proxy entry that keeps the proxy from being used
}

// shown explains the decision in a line.
func (d ProxyDecision) shown() string {
	way := "directly"
	if d.Proxy != "" {
		way = "through " + redactURL(d.Proxy)
	}
	why := d.Source.String()
	if d.Key != "" {
		why += ": " + d.Key
	}
	if d.Bypass != "" {
		why += ", but not for " + d.Bypass
	}
	return cleanText(fmt.Sprintf("%s goes %s (%s)", redactURL(d.URL), way, why))
}

// ExplainProxy says which proxy a request of this session to url would use, and
// who decided so. Options are looked at for the proxies they give. It connects
// to nothing. A proxy URL that cannot be used is an [ErrInvalidProxyURL].
func (s *Session) ExplainProxy(url string, options ...Option) (ProxyDecision, error) {
	r := &Request{URL: url}
	if err := r.apply(options); err != nil {
		return ProxyDecision{}, err
	}
	d := defaults{base: s.BaseURL, policy: &s.Policy}
	prepared, err := uri.Prepare(d.resolve(url), nil)
	if err != nil {
		return ProxyDecision{}, urlError(err)
	}
	prepared = s.HSTS.upgrade(prepared)
	u, err := uri.Parse(prepared)
	if err != nil {
		return ProxyDecision{}, urlError(err)
	}
	decision, err := s.explain(prepared, &u, r.Send.Proxies)
	if err == nil && decision.Proxy != "" {
		_, err = parseProxy(decision.Proxy)
	}
	return decision, err
}

func (s *Session) explain(url string, u *uri.URL, given Proxies) (ProxyDecision, error) {
	if !s.proxiesAsRequests() {
		return s.decideProxy(url, u, given)
	}
	merged := s.asRequests().Merge(url, proxyenv.Table(given))
	return s.explainAsRequests(url, u, given, Proxies(merged)), nil
}

// explainAsRequests finds out where the entry of merged proxies has come from.
func (s *Session) explainAsRequests(url string, u *uri.URL, given, merged Proxies) ProxyDecision {
	d := ProxyDecision{URL: url}
	if !d.decidedBy(DecidedBySession, merged, u) {
		return d
	}
	given, _ = given.normal()
	if _, ok := given[d.Key]; ok {
		d.Source = DecidedByRequest
	} else if _, ok := s.asRequests().EnvironFor(url, proxyenv.Table(given))[d.Key]; ok {
		d.Source = DecidedByEnvironment
		variable, _ := s.environ.Proxy(d.Key)
		d.Key = cmp.Or(variable, d.Key)
	}
	return d
}

// proxyChoice is who chose the proxy of a request, for errors to say.
type proxyChoice struct {
	source ProxySource
	key    string
}

// whoChose is the choice that the merged proxies of opts make.
func (s *Session) whoChose(url string, opts *SendOptions) proxyChoice {
	if len(opts.Proxies) == 0 {
		return proxyChoice{}
	}
	u, err := uri.Parse(url)
	if err != nil {
		return proxyChoice{}
	}
	d := s.explainAsRequests(url, &u, opts.given, opts.Proxies)
	return proxyChoice{d.Source, d.Key}
}

// explain adds who named a proxy to what is wrong with it.
func (c proxyChoice) explain(err error) error {
	e, ok := err.(*Error)
	if !ok {
		return err
	}
	own := *e
	own.Detail += c.String()
	return &own
}

// String follows a sentence: " (the environment: http_proxy)".
func (c proxyChoice) String() string {
	switch {
	case c.source == DecidedByNothing:
		return ""
	case c.key == "":
		return " (" + c.source.String() + ")"
	}
	return " (" + c.source.String() + ": " + c.key + ")"
}

// Proxy returns the URL of the proxy that r came through, without its user
// information, and "" if it came directly.
func (r *Response) Proxy() string {
	if r.Request == nil {
		return ""
	}
	u, err := uri.Parse(r.Request.URL)
	if err != nil {
		return ""
	}
	return uri.StripUserinfo(selectProxy(&u, r.opts.Proxies))
}
