// Package proxyenv reads the proxies of the environment: the variables that name them,
// and the lists of hosts that they are not for.
package proxyenv

import (
	"os"
	"strings"
	"sync"
)

// The variables are <scheme>_proxy, all_proxy and no_proxy, in lower case, then in upper
// case, then in any other. An empty lower-case variable hides the others. HTTP_PROXY is
// not looked at where REQUEST_METHOD is set, since a CGI server makes it from a
// request's Proxy header.

// Environ remembers which variables are spelled in mixed case, which it takes a
// walk over the whole environment to find. The values are read for each request.
// The zero value is ready; it is safe for concurrent use.
type Environ struct {
	once  sync.Once
	mixed map[string]string // by the lower-case name
}

// Proxy returns the variable that names the proxy for URLs with a scheme, and
// its value.
func (e *Environ) Proxy(scheme string) (variable, proxy string) {
	variable, proxy, found := e.lookup(scheme)
	if !found || proxy == "" {
		variable, proxy, _ = e.lookup("all")
	}
	return variable, proxy
}

func (e *Environ) lookup(scheme string) (variable, value string, found bool) {
	lower, upper := variables(scheme)
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

// variables returns the two usual names, without making them up anew for
// the usual schemes.
func variables(scheme string) (lower, upper string) {
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

func (e *Environ) findMixed() {
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

// NoProxy returns the list of hosts that the environment's proxies are not for. Here an
// empty lower-case variable hides nothing, as in Requests.
func (e *Environ) NoProxy() string {
	if list := os.Getenv("no_proxy"); list != "" {
		return list
	}
	if list := os.Getenv("NO_PROXY"); list != "" {
		return list
	}
	e.once.Do(e.findMixed)
	if name := e.mixed["no_proxy"]; name != "" {
		return os.Getenv(name)
	}
	return ""
}

// All collects all proxy variables by lower-case scheme, as Python's
// urllib.request.getproxies does: "no" is the list of no_proxy.
func All() map[string]string {
	proxies := map[string]string{}
	entries := os.Environ()
	for _, entry := range entries {
		if scheme, _, value := cutVariable(entry); value != "" {
			proxies[scheme] = value
		}
	}
	if isCGI() {
		delete(proxies, "http")
	}
	for _, entry := range entries {
		scheme, suffix, value := cutVariable(entry)
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

// cutVariable splits "Http_Proxy=value"; suffix is empty if the variable
// names no proxy.
func cutVariable(entry string) (scheme, suffix, value string) {
	name, value, _ := strings.Cut(entry, "=")
	i := len(name) - len("_proxy")
	if i < 0 || !strings.EqualFold(name[i:], "_proxy") {
		return "", "", ""
	}
	return strings.ToLower(name[:i]), name[i:], value
}
