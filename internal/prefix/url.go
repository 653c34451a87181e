package prefix

import (
	"strings"

	"github.com/mountable/requests/internal/ascii"
)

// LookupURL is [Table.Lookup] for a URL, of whose authority a prefix holds nothing, the
// whole host, or the host with its port: "http://a.test" is not a prefix of
// "http://a.test.evil/", nor of "http://a.test@evil/". User info does not count, except
// that a prefix which has the same comes before all others. A scheme's own port is the
// same where it is named as where it is not.
func (t *Table[V]) LookupURL(url string) (found V) {
	var none V
	a := authorityOf(url)
	if a.host > a.start {
		if found = t.lookupPorts(url, a, a.host); found != none {
			return found
		}
		url = url[:a.start] + url[a.host:]
		a = authorityOf(url)
	}
	return t.lookupPorts(url, a, -1)
}

// Find is [Table.Lookup], if asText says so, or [Table.LookupURL], for a URL in the form that
// normal gives it. Where no prefix says more than "https://" does, both find the same in any
// form.
func (t *Table[V]) Find(url string, normal func(url string) string, asText bool) V {
	switch {
	case !t.hosts.Load():
		return t.Lookup(url)
	case asText:
		return t.Lookup(normal(url))
	}
	return t.LookupURL(normal(url))
}

func isScheme(prefix string) bool {
	_, behind, found := strings.Cut(prefix, "://")
	return found && behind == ""
}

// lookupPorts looks a URL up among the prefixes longer than above, and once more with its
// scheme's own port left out, or named. The longer prefix wins, whichever names the port.
func (t *Table[V]) lookupPorts(url string, a authority, above int) V {
	found, n := t.lookup(url, a, above)
	other := t.otherPort(url, a)
	if other == "" {
		return found
	}
	b := authorityOf(other)
	alike, m := t.lookup(other, b, above)
	if b.rank(m) > a.rank(n) {
		return alike
	}
	return found
}

// otherPort returns url without its scheme's own port if it names it, with the port if it
// does not and a prefix does, or "".
func (t *Table[V]) otherPort(url string, a authority) string {
	named := a.port < a.end
	if a.end == a.start || !named && !t.named.Load() {
		return ""
	}
	own := ownPort(url)
	switch {
	case own == "":
		return ""
	case !named:
		return url[:a.end] + ":" + own + url[a.end:]
	}
	if port := strings.TrimLeft(url[a.port+1:a.end], "0"); port == own || a.port+1 == a.end {
		return url[:a.port] + url[a.end:]
	}
	return ""
}

// namesOwnPort reports whether a prefix holds its scheme's own port.
func namesOwnPort(prefix string) bool {
	a := authorityOf(prefix)
	own := ownPort(prefix)
	return own != "" && a.port < a.end && prefix[a.port+1:a.end] == own
}

// ownPort returns the port of the schemes whose URLs may leave it out.
func ownPort(url string) string {
	switch {
	case ascii.HasPrefixFold(url, "https://"):
		return "443"
	case ascii.HasPrefixFold(url, "http://"):
		return "80"
	}
	return ""
}

// authority is where the parts of a URL's authority begin and end.
type authority struct{ start, host, port, end int }

// authorityOf finds them; they are all 0 in a URL without an authority.
func authorityOf(url string) (a authority) {
	scheme := strings.IndexByte(url, ':')
	if scheme < 0 || !strings.HasPrefix(url[scheme:], "://") || !ascii.IsToken(url[:scheme]) {
		return a
	}
	a.start = scheme + len("://")
	a.host, a.port, a.end = a.start, -1, len(url)
	for i := a.start; i < len(url); i++ {
		switch url[i] {
		case '/', '?', '#':
			a.end = i
			return a.portOrEnd()
		case '@':
			a.host, a.port = i+1, -1
		case ']':
			a.port = -1
		case ':':
			if a.port < 0 {
				a.port = i
			}
		}
	}
	return a.portOrEnd()
}

// portOrEnd is a with a port that is not there where the authority ends.
func (a authority) portOrEnd() authority {
	if a.port < 0 {
		a.port = a.end
	}
	return a
}

// isBorder reports whether a prefix of n bytes parts nothing of the authority that belongs
// together: one that ends with the host, or with the colon behind it, is for every port.
func (a authority) isBorder(n int) bool {
	return n <= a.start || n == a.port || n == a.port+1 || n >= a.end
}

// rank orders prefixes of n bytes by how much they say: those that hold the port before
// those that end ahead of it, and else by their length without it.
func (a authority) rank(n int) int {
	switch {
	case n > a.port && a.port < a.end:
		return 2*max(n-(a.end-a.port), a.port) + 1
	case n > a.port:
		return 2*n + 1
	}
	return 2 * n
}
