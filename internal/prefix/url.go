package prefix

import (
	"strings"

	"github.com/mountable/requests/internal/ascii"
)

// LookupURL is [Table.Lookup] for a URL, of whose authority a prefix holds nothing, the
// whole host, or the host with its port: "http://a.test" is not a prefix of
// "http://a.test.evil/", nor of "http://a.test@evil/". User info does not count, except
// that a prefix which has the same comes before all others.
func (t *Table[V]) LookupURL(url string) (found V) {
	var none V
	a := authorityOf(url)
	if a.host > a.start {
		if found = t.lookup(url, func(n int) bool { return n > a.host && a.isBorder(n) }); found != none {
			return found
		}
		url = url[:a.start] + url[a.host:]
		a = authorityOf(url)
	}
	return t.lookup(url, a.isBorder)
}

// authority is where the parts of a URL's authority begin and end.
type authority struct{ start, host, port, end int }

// authorityOf finds them; they are all 0 in a URL without an authority.
func authorityOf(url string) (a authority) {
	scheme := strings.Index(url, "://")
	if scheme < 0 || !ascii.IsToken(url[:scheme]) {
		return a
	}
	a.start = scheme + len("://")
	a.end = len(url)
	if n := strings.IndexAny(url[a.start:], "/?#"); n >= 0 {
		a.end = a.start + n
	}
	a.host = a.start + strings.LastIndexByte(url[a.start:a.end], '@') + 1
	a.port = a.end
	bracket := a.host + strings.LastIndexByte(url[a.host:a.end], ']') + 1
	if n := strings.IndexByte(url[bracket:a.end], ':'); n >= 0 {
		a.port = bracket + n
	}
	return a
}

// isBorder reports whether a prefix of n bytes parts nothing of the authority that belongs
// together: one that ends with the host, or with the colon behind it, is for every port.
func (a authority) isBorder(n int) bool {
	return n <= a.start || n == a.port || n == a.port+1 || n >= a.end
}
