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
	host := uri.WithoutDefaultPort(cmp.Or(p.Headers.Get("Host"), u.HostHeader()), u.Scheme)
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
	return uri.Escape(plain, "-._~/"), nil
}

// announced is the Content-Length that goes out, 0 where there is none.
func announced(p *requests.PreparedRequest) int64 {
	if p.Headers.Has("Transfer-Encoding") {
		return 0
	}
	return max(0, p.ContentLength())
}

// dropDefaultPort changes the URL of p, unless its target, which is sent as it is, would change with it.
func dropDefaultPort(p *requests.PreparedRequest, scheme string) {
	given, target := p.URL, p.Target()
	start := strings.Index(given, "://") + len("://")
	end := start + len(given[start:])
	if i := strings.IndexAny(given[start:], "/?#"); i >= 0 {
		end = start + i
	}
	p.URL = given[:start] + uri.WithoutDefaultPort(given[start:end], scheme) + given[end:]
	if p.Target() != target {
		p.URL = given
	}
}
