package requests

import "github.com/mountable/requests/internal/uri"

// address is a URL as text and as it is read, so that a text is parsed once on its way
// through a request.
type address struct {
	text string
	url  uri.URL
	err  error // of reading it; url is not to be used then
}

func newAddress(text string) address {
	a := address{text: text}
	a.url, a.err = uri.Parse(text)
	return a
}

// at returns the address of p's URL, which its owner may have changed since p was
// prepared. It changes nothing in p, which several goroutines may be sending.
func (p *PreparedRequest) at() *address {
	if p.URL != "" && p.address.text == p.URL {
		return &p.address
	}
	a := newAddress(p.URL)
	return &a
}

// setURL changes the URL of p, which nobody else has seen yet.
func (p *PreparedRequest) setURL(text string) {
	p.URL, p.address = text, newAddress(text)
}

// sameOrigin reports whether scheme, host and port are the same.
func (a *address) sameOrigin(b *address) bool {
	return a.err == nil && b.err == nil && uri.SameOrigin(&a.url, &b.url)
}

// origin is scheme, host and port, "" where there are none.
func (a *address) origin() string {
	if a.err != nil {
		return ""
	}
	return a.url.Scheme + "://" + a.url.DialAddr()
}

func sameOrigin(a, b string) bool {
	from, to := newAddress(a), newAddress(b)
	return from.sameOrigin(&to)
}

func originOf(url string) string {
	a := newAddress(url)
	return a.origin()
}
