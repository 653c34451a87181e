package proxyenv

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/uri"
)

// Table names the proxy for each kind of URL, by "scheme://host", scheme, "all://host" or
// "all", the first that is there deciding; "no_proxy" is a list of hosts.
type Table map[string]string

// With returns t with the entries of over laid over it. Neither is changed.
func (t Table) With(over Table) Table {
	t, _ = t.Normal()
	over, _ = over.Normal()
	merged := make(Table, len(t)+len(over))
	maps.Copy(merged, t)
	maps.Copy(merged, over)
	return merged
}

// Normal returns t with its keys as they are looked up. The error names one that can
// never match. It is t itself where nothing needs to be done.
func (t Table) Normal() (Table, error) {
	if len(t) == 0 {
		return t, nil
	}
	for key := range t {
		if normal, ok := keyOf(key); !ok || normal != key {
			return t.normalized()
		}
	}
	return t, nil
}

func (t Table) normalized() (Table, error) {
	var first error
	normal := make(Table, len(t))
	for _, key := range slices.Sorted(maps.Keys(t)) {
		name, ok := keyOf(key)
		if !ok {
			name = key
		}
		value := t[key]
		if plain, spelled := t[name]; spelled {
			value = plain
		}
		known, twice := normal[name]
		switch {
		case first != nil:
		case !ok:
			first = fmt.Errorf("the key %q can never match: expected a scheme such as \"https\", \"scheme://host\" without a port, \"all\" or \"no_proxy\"", uri.StripUserinfo(key))
		case twice && known != value:
			first = fmt.Errorf("%q is given twice, with two values", name)
		}
		normal[name] = value
	}
	return normal, first
}

// keyOf returns a key in the form it is looked up by, and whether it can match.
func keyOf(key string) (string, bool) {
	switch key {
	case "http", "https", "all", "no_proxy":
		return key, true
	}
	scheme, host, named := strings.Cut(key, "://")
	scheme = strings.ToLower(scheme)
	switch {
	case !named && scheme == "no_proxy":
		return scheme, true
	case !isScheme(scheme):
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

// isScheme reports whether a URL that is asked for may have the scheme: those of proxies
// ("socks5") and misspelled ones cannot match. Adapters for something else than http have
// compound ones, such as "http+unix".
func isScheme(s string) bool {
	name, kind, compound := strings.Cut(s, "+")
	if compound {
		return isWord(name) && isWord(kind)
	}
	switch s {
	case "http", "https", "ws", "wss", "ftp", "ftps", "sftp", "gopher", "file", "data", "all",
		"no": // as Python finds no_proxy in the environment
		return true
	}
	return false
}

func isWord(s string) bool {
	for i := range len(s) {
		if letter := 'a' <= s[i] && s[i] <= 'z'; !letter && (i == 0 || !ascii.IsDigit(s[i]) && s[i] != '-') {
			return false
		}
	}
	return s != ""
}

// Choose returns the entry that decides about u. found tells an entry that says
// "no proxy" from none at all.
func (t Table) Choose(u *uri.URL) (key, proxy string, found bool) {
	if len(t) == 0 {
		return "", "", false
	}
	t, _ = t.Normal()
	if key, proxy, found = t.forHost(u.Scheme, u.Host); found {
		return key, proxy, true
	}
	if proxy, found = t[u.Scheme]; found {
		return u.Scheme, proxy, true
	}
	if key, proxy, found = t.forHost("all", u.Host); found {
		return key, proxy, true
	}
	proxy, found = t["all"]
	return "all", proxy, found
}

// forHost looks "scheme://host" up, making a string of it only if it is there.
func (t Table) forHost(scheme, host string) (key, proxy string, found bool) {
	if host == "" {
		return "", "", false
	}
	var buf [80]byte
	k := append(append(append(buf[:0], scheme...), "://"...), host...)
	if proxy, found = t[string(k)]; found {
		key = string(k)
	}
	return key, proxy, found
}

// NoProxy returns the list of hosts that no proxy is for.
func (t Table) NoProxy() (list string, ok bool) {
	t, _ = t.Normal()
	list, ok = t["no_proxy"]
	return list, ok
}
