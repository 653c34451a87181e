package requests

// Cookie is one cookie of a jar.
type Cookie struct {
	Name, Value, Domain, Path string
}

// CookieJar keeps cookies.
type CookieJar struct{}

// NewCookieJar returns an empty jar.
func NewCookieJar() *CookieJar { return &CookieJar{} }

func newResponseJar(policy *Policy) *CookieJar { return NewCookieJar() }

// usePolicy tells a jar by whose rules to keep cookies; the session calls it before every use.
func (j *CookieJar) usePolicy(policy *Policy) {}

// store keeps the cookies of a reply (its Set-Cookie fields, for the URL it came from).
func (j *CookieJar) store(r *Response) {}

// Header returns the Cookie line for url, "" if there is none.
func (j *CookieJar) Header(url string) string { return "" }

// Set puts a cookie into the jar by hand.
func (j *CookieJar) Set(c Cookie) error { return nil }

// Update copies all cookies of other into j.
func (j *CookieJar) Update(other *CookieJar) {}

// Clone returns an independent copy; of nil an empty jar.
func (j *CookieJar) Clone() *CookieJar { return NewCookieJar() }
