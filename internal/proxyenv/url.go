package proxyenv

import (
	"errors"
	"strings"

	"github.com/mountable/requests/internal/uri"
)

// URL is a parsed proxy.
type URL struct {
	Scheme, Host   string
	Port           int
	User, Password string
	HasAuth        bool // a password is named, though it may be empty
}

// ParseURL reads the URL of a proxy, or "host:port", which is an http proxy; blanks around
// it, as variables may have, are no part of it. It goes through the same strict parser as
// every URL, so that the host it names is the host that is dialed. Without a scheme there
// is not a path either: "http:/p:80" and "http//p" name no host "http". An error says what is
// wrong without repeating the text.
func ParseURL(text string) (URL, error) {
	text = strings.Trim(text, " \t")
	scheme, rest, named := strings.Cut(text, "://")
	if !named {
		scheme, rest = "http", strings.TrimPrefix(text, "//")
	}
	scheme = strings.ToLower(scheme)
	port := portOf(scheme)
	if port == 0 {
		return URL{}, errors.New("its scheme is none of http, https, socks4, socks4a, socks5, socks5h")
	}
	u, err := uri.Parse("http://" + rest)
	if e, ok := err.(*uri.Error); ok && e.Code == uri.MissingHost {
		return URL{}, errors.New("it has no host")
	}
	if err != nil {
		return URL{}, errors.New(reasonOf(err))
	}
	if !named && u.Path != "" && u.Path != "/" {
		return URL{}, errors.New("it has no scheme, and a path")
	}
	if u.Port >= 0 {
		port = u.Port
	}
	p := URL{Scheme: scheme, Host: u.DialHost(), Port: port}
	if p.User, p.Password, p.HasAuth = u.Userinfo(); !p.HasAuth && u.HasUser {
		p.User = u.Username()
	}
	return p, nil
}

// reasonOf says what is wrong with a URL without repeating it.
func reasonOf(err error) string {
	if e, ok := err.(*uri.Error); ok {
		return e.Reason()
	}
	return "invalid URL"
}

func portOf(scheme string) int {
	switch scheme {
	case "http":
		return 80
	case "https":
		return 443
	case "socks4", "socks4a", "socks5", "socks5h":
		return 1080
	}
	return 0
}
