package uri

// Address is a URL as text and as it is read, so that a text is parsed once on its way
// through a request.
type Address struct {
	Text string
	URL  URL
	Err  error // of reading it; URL is not to be used then

	Target string // of the request line, where that is not the one of Text
}

// AddressOf reads text.
func AddressOf(text string) Address {
	a := Address{Text: text}
	a.URL, a.Err = Parse(text)
	return a
}

// SameOrigin reports whether scheme, host and port are the same.
func (a *Address) SameOrigin(b *Address) bool {
	return a.Err == nil && b.Err == nil && SameOrigin(&a.URL, &b.URL)
}

// Origin returns scheme, host and port, as "https://h.example:443", and "" where there are
// none.
func (a *Address) Origin() string {
	if a.Err != nil {
		return ""
	}
	return a.URL.Scheme + "://" + a.URL.DialAddr()
}

// OriginOf is [Address.Origin] of a text.
func OriginOf(text string) string {
	a := AddressOf(text)
	return a.Origin()
}

// ShareOrigin is [Address.SameOrigin] of two texts.
func ShareOrigin(a, b string) bool {
	from, to := AddressOf(a), AddressOf(b)
	return from.SameOrigin(&to)
}
