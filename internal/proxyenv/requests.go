package proxyenv

import (
	"strings"

	"github.com/mountable/requests/internal/uri"
)

// Merger puts the proxies of a call, a session and the environment together in Requests'
// order, in which the environment's win over the session's.
type Merger struct {
	Session Table
	Environ *Environ                             // nil where the environment has no say
	Bypass  func(list string, u *uri.URL) string // how no_proxy is read: Bypass or BypassAsRequests
}

// Merge is the proxy part of Session.merge_environment_settings: given, then the
// environment's, then the session's. A request whose "all" is empty asks for no proxy at
// all.
func (m *Merger) Merge(url string, given Table) Table {
	if proxy, ok := given["all"]; ok && proxy == "" {
		return given
	}
	merged := m.Session
	if m.Environ != nil {
		merged = merged.With(m.EnvironFor(url, given))
	}
	if len(given) > 0 {
		merged = merged.With(given)
	}
	return merged
}

// Resolve is Requests' resolve_proxies: base, and for a scheme that it lacks the
// environment's.
func (m *Merger) Resolve(url string, base Table) Table {
	scheme, _, _ := strings.Cut(url, ":")
	scheme = strings.ToLower(scheme)
	if _, ok := base[scheme]; ok {
		return base
	}
	environ := m.EnvironFor(url, base)
	proxy, ok := environ[scheme]
	if !ok {
		proxy = environ["all"]
	}
	if proxy == "" {
		return base
	}
	return base.With(Table{scheme: proxy})
}

// EnvironFor is Requests' get_environ_proxies: all of the environment's proxies, or none
// for a URL that no_proxy covers. The list is that of the "no_proxy" key, if given has one.
func (m *Merger) EnvironFor(url string, given Table) Table {
	if m.Environ == nil {
		return nil
	}
	list, ok := given.NoProxy()
	if !ok {
		list = m.Environ.NoProxy()
	}
	if direct, err := m.Direct(url, list); direct || err != nil {
		return nil
	}
	return All()
}

// Direct reports whether a no_proxy list keeps the environment's proxies from being used
// for url: requests.utils.should_bypass_proxies. A URL without a host needs no proxy.
func (m *Merger) Direct(url, list string) (bool, error) {
	u, err := uri.Parse(url)
	if e, ok := err.(*uri.Error); ok && (e.Code == uri.MissingHost || e.Code == uri.MissingScheme) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return m.Bypass(list, &u) != "", nil
}
