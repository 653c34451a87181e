package adapters

import (
	"context"
	"net/url"
	"runtime"
	"strings"

	"github.com/mountable/requests"
)

// Unix is an HTTPAdapter whose connections all go to one Unix socket, whatever the host
// of the URL says; the host goes into the Host header, and TLS, if it is https. A path
// that begins with "@" is in Linux' abstract name space. Proxies are not used. Redirects of
// other servers do not lead here ([requests.ErrRedirectScheme]).
//
//	s.Mount("http://docker/", unix)   // s.Get(ctx, "http://docker/v1.43/info")
func Unix(path string, options ...requests.AdapterOption) (requests.Adapter, error) {
	if err := checkSocketPath(path); err != nil {
		return nil, err
	}
	edit := requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
		c.Network, c.Address = "unix", path
		return nil
	})
	return &unixAdapter{requests.NewHTTPAdapter(requests.JoinAdapterOptions(options...), edit)}, nil
}

// UnixURLs is an HTTPAdapter for URLs that name the socket instead of the host,
// percent-encoded: "http+unix://%2Fvar%2Frun%2Fdocker.sock/v1.43/info". Mount it on
// "http+unix://". The Host header is "localhost" unless the request has one. Redirects
// never lead here.
func UnixURLs(options ...requests.AdapterOption) requests.Adapter {
	edit := requests.ConfigureConn(func(c *requests.ConnConfig, p *requests.PreparedRequest) error {
		path, err := socketOf(p.URL)
		c.Network, c.Address, c.Host, c.Port = "unix", path, "localhost", 80
		return err
	})
	return &unixURLAdapter{unixAdapter{requests.NewHTTPAdapter(requests.JoinAdapterOptions(options...), edit)}}
}

type unixAdapter struct{ *requests.HTTPAdapter }

// Send implements [requests.Adapter].
func (a *unixAdapter) Send(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
	opts.Proxies = nil
	return a.HTTPAdapter.Send(ctx, p, opts)
}

type unixURLAdapter struct{ unixAdapter }

// Send implements [requests.Adapter].
func (a *unixURLAdapter) Send(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
	if p.Headers.Has("Host") {
		return a.unixAdapter.Send(ctx, p, opts)
	}
	named := p.Clone()
	named.Headers = append(requests.Headers{{"Host", "localhost"}}, named.Headers...)
	r, err := a.unixAdapter.Send(ctx, named, opts)
	if r != nil {
		r.Request = p
	}
	return r, err
}

// socketOf returns the path of the socket that a URL names instead of its host.
func socketOf(raw string) (string, error) {
	_, rest, ok := strings.Cut(raw, "://")
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		rest = rest[:end]
	}
	path, err := url.PathUnescape(rest)
	if !ok || err != nil || path == "" {
		return "", &requests.Error{Kind: requests.ErrInvalidURL, Detail: "expected a percent-encoded path instead of the host, as in http+unix://%2Ftmp%2Fsocket/path"}
	}
	return path, checkSocketPath(path)
}

// checkSocketPath refuses what no socket can be called: sun_path is 108 bytes on Linux
// and Windows and 104 elsewhere, its final NUL included.
func checkSocketPath(path string) error {
	longest := 103
	if runtime.GOOS == "linux" || runtime.GOOS == "windows" {
		longest = 107
	}
	switch {
	case path == "":
		return invalid("Unix: path is empty: expected the path of a socket")
	case len(path) > longest:
		return invalid("Unix: path has %d bytes: the path of a socket has %d at most", len(path), longest)
	case strings.IndexByte(path, 0) >= 0:
		return invalid("Unix: path holds a NUL byte")
	}
	return nil
}
