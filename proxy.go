package requests

import (
	"maps"

	"github.com/mountable/requests/internal/uri"
)

// Proxies names the proxy for each kind of URL: by "scheme://host", scheme,
// "all://host" or "all", in that order. An empty value means no proxy. It is an
// [Option] whose entries are laid over the session's.
type Proxies map[string]string

// Apply lays p over the proxies of r.
func (p Proxies) Apply(r *Request) error {
	merged := maps.Clone(r.Send.Proxies)
	if merged == nil {
		merged = Proxies{}
	}
	maps.Copy(merged, p)
	r.Send.Proxies = merged
	return nil
}

// ProxyFunc chooses the proxy for a URL: its URL, "" for none.
type ProxyFunc func(url string) (string, error)

// NoProxy sends one request directly, whatever session and environment say.
var NoProxy Option = Proxies{"all": ""}

func (s *Session) requestProxies(url string, given Proxies) (Proxies, error) { return given, nil }

func (s *Session) resolveProxies(url string, base Proxies) (Proxies, error) { return base, nil }

func (s *Session) redirectProxies(url string, current Proxies) (Proxies, error) { return current, nil }

func selectProxy(u *uri.URL, proxies Proxies) string { return "" }

// proxyURL is a parsed proxy.
type proxyURL struct {
	Scheme, Host   string
	Port           int
	User, Password string
	HasAuth        bool
}

func (p *proxyURL) authorization() string { return "" }

func parseProxy(text string) (proxyURL, error) { return proxyURL{}, nil }
