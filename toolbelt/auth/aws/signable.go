package aws

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/uri"
)

// signable is p as the signer takes it, exactly as it goes out. A default port is signed by nobody: it is taken out of the caller's Host field, and out of the
// URL, which a proxy is sent whole.
func (a *Auth) signable(p *requests.PreparedRequest) (*http.Request, error) {
	u, err := uri.Parse(p.URL)
	if err != nil {
		return nil, invalid("the URL cannot be read")
	}
	host := withoutDefaultPort(cmp.Or(p.Headers.Get("Host"), u.HostHeader()), u.Scheme)
	path, query, _ := strings.Cut(p.Target(), "?")
	if path, err = a.path(path); err != nil {
		return nil, err
	}
	if _, err := url.ParseQuery(query); err != nil { // the signer would leave the pair out
		return nil, invalid("the query cannot be signed: it has a semicolon or a broken percent-escape")
	}
	if p.Headers.Has("Host") {
		p.Headers.Set("Host", host)
	}
	dropDefaultPort(p, u.Scheme)
	target := &url.URL{Scheme: u.Scheme, Host: host, Opaque: "//" + host + path, RawQuery: query}
	return &http.Request{Method: p.Method, URL: target, Host: host, Header: signedFields(p.Headers), ContentLength: announced(p)}, nil
}

// signedFields are those that nobody changes on the way, but for the signer's own.
func signedFields(headers requests.Headers) http.Header {
	fields := http.Header{}
	for name, value := range headers.All() {
		lower := strings.ToLower(name)
		signed := strings.HasPrefix(lower, "x-amz-") || slices.Contains([]string{"content-type", "content-md5", "range"}, lower)
		if signed && lower != "x-amz-date" && lower != "x-amz-security-token" {
			fields.Add(name, value)
		}
	}
	return fields
}

func invalid(detail string) error {
	return &requests.Error{Kind: requests.ErrInvalidURL, Detail: "aws: " + detail}
}

// path is that of the request line. S3 decodes it and encodes all but what is unreserved before it
// compares; other services encode once more what has come, which the signer does as well.
func (a *Auth) path(sent string) (string, error) {
	if !strings.HasPrefix(sent, "/") {
		return "", invalid("what is asked for has no path")
	}
	if !a.isS3() {
		return sent, nil
	}
	plain, err := url.PathUnescape(sent)
	if err != nil {
		return "", invalid("the path has a broken percent-escape")
	}
	return escape(plain), nil
}

// escape encodes all but letters, digits, slashes and -._~.
func escape(path string) string {
	const unreserved, hex = "-._~/", "0123456789ABCDEF"
	var b strings.Builder
	for _, c := range []byte(path) {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(unreserved, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		b.Write([]byte{'%', hex[c>>4], hex[c&15]})
	}
	return b.String()
}

// announced is the Content-Length that goes out, 0 where there is none.
func announced(p *requests.PreparedRequest) int64 {
	if p.Headers.Has("Transfer-Encoding") {
		return 0
	}
	return max(0, p.ContentLength())
}

// withoutDefaultPort does what the signer would do to a host, and keeps the brackets of an address.
func withoutDefaultPort(host, scheme string) string {
	switch scheme {
	case "http":
		return strings.TrimSuffix(host, ":80")
	case "https":
		return strings.TrimSuffix(host, ":443")
	}
	return host
}

// dropDefaultPort changes the URL of p, unless its target, which is sent as it is, would change with it.
func dropDefaultPort(p *requests.PreparedRequest, scheme string) {
	given, target := p.URL, p.Target()
	start := strings.Index(given, "://") + len("://")
	end := start + len(given[start:])
	if i := strings.IndexAny(given[start:], "/?#"); i >= 0 {
		end = start + i
	}
	p.URL = given[:start] + withoutDefaultPort(given[start:end], scheme) + given[end:]
	if p.Target() != target {
		p.URL = given
	}
}
