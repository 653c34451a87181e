package requests

import (
	"os"
	"strings"
	"sync"

	"github.com/mountable/requests/internal/uri"
)

// The proxy variables are read here and nowhere else: <scheme>_proxy, all_proxy
// and no_proxy, in lower case, then in upper case, then in any other. An empty
// lower-case variable hides the others. HTTP_PROXY is not looked at where
// REQUEST_METHOD is set, since a CGI server makes it from a request's Proxy
// header (rule 41).

// environ remembers which variables are spelled in mixed case, which it takes a
// walk over the whole environment to find. The values are read for each request.
type environ struct {
	once  sync.Once
	mixed map[string]string // by the lower-case name
}

// proxyFor returns the variable that names the proxy for URLs with a scheme, and
// its value.
func (e *environ) proxyFor(scheme string) (variable, proxy string) {
	variable, proxy, found := e.lookup(scheme)
	if !found || proxy == "" {
		variable, proxy, _ = e.lookup("all")
	}
	return variable, proxy
}

func (e *environ) lookup(scheme string) (variable, value string, found bool) {
	lower, upper := proxyVariables(scheme)
	if value, found = os.LookupEnv(lower); found {
		return lower, value, true
	}
	variable = upper
	if value, found = os.LookupEnv(upper); !found {
		e.once.Do(e.findMixed)
		if variable = e.mixed[lower]; variable != "" {
			value, found = os.LookupEnv(variable)
		}
	}
	if found && scheme == "http" && isCGI() {
		return "", "", false
	}
	return variable, value, found
}

// proxyVariables returns the two usual names, without making them up anew for
// the usual schemes.
func proxyVariables(scheme string) (lower, upper string) {
	switch scheme {
	case "http":
		return "http_proxy", "HTTP_PROXY"
	case "https":
		return "https_proxy", "HTTPS_PROXY"
	case "all":
		return "all_proxy", "ALL_PROXY"
	}
	return scheme + "_proxy", strings.ToUpper(scheme) + "_PROXY"
}

func (e *environ) findMixed() {
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		lower := strings.ToLower(name)
		if strings.HasSuffix(lower, "_proxy") && name != lower && name != strings.ToUpper(name) {
			if e.mixed == nil {
				e.mixed = map[string]string{}
			}
			e.mixed[lower] = name
		}
	}
}

func isCGI() bool { _, ok := os.LookupEnv("REQUEST_METHOD"); return ok }

// noProxyVariable returns the list of hosts that the environment's proxies are
// not for. Here an empty lower-case variable hides nothing, as in Requests.
func noProxyVariable() string {
	if list := os.Getenv("no_proxy"); list != "" {
		return list
	}
	return os.Getenv("NO_PROXY")
}

// environProxies collects all proxy variables by lower-case scheme, as Python's
// urllib.request.getproxies does: "no" is the list of no_proxy.
func environProxies() Proxies {
	proxies := Proxies{}
	entries := os.Environ()
	for _, entry := range entries {
		if scheme, _, value := cutProxyVariable(entry); value != "" {
			proxies[scheme] = value
		}
	}
	if isCGI() {
		delete(proxies, "http")
	}
	for _, entry := range entries {
		scheme, suffix, value := cutProxyVariable(entry)
		switch {
		case suffix != "_proxy":
		case value != "":
			proxies[scheme] = value
		default:
			delete(proxies, scheme)
		}
	}
	return proxies
}

// cutProxyVariable splits "Http_Proxy=value"; suffix is empty if the variable
// names no proxy.
func cutProxyVariable(entry string) (scheme, suffix, value string) {
	name, value, _ := strings.Cut(entry, "=")
	i := len(name) - len("_proxy")
	if i < 0 || !strings.EqualFold(name[i:], "_proxy") {
		return "", "", ""
	}
	return strings.ToLower(name[:i]), name[i:], value
}

// environProxiesFor is Requests' get_environ_proxies: all of the environment's
// proxies, or none for a URL that no_proxy covers. The list is that of the
// "no_proxy" key, if given has one.
func environProxiesFor(url string, given Proxies) Proxies {
	list, ok := given["no_proxy"]
	if !ok {
		list = noProxyVariable()
	}
	if bypass, err := bypassProxies(url, list); bypass || err != nil {
		return nil
	}
	return environProxies()
}

// ProxyFromEnvironment is a [ProxyFunc] that asks the environment only: the
// variables http_proxy, https_proxy, all_proxy and no_proxy, as a Session does by
// itself where TrustEnv is set.
func ProxyFromEnvironment(url string) (string, error) {
	u, err := uri.Parse(url)
	if err != nil {
		return "", urlError(err)
	}
	if bypassEntry(&u, noProxyVariable()) != "" {
		return "", nil
	}
	var e environ
	_, proxy := e.proxyFor(u.Scheme)
	return proxy, nil
}
