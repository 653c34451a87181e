package parity

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

// adapter is what curl's options of the connection are here.
func (a *curlAction) adapter(srv *curlServer) (requests.Adapter, error) {
	var options []requests.AdapterOption
	if a.Options["resolve"] != nil {
		options = append(options, requests.ConfigureConn(func(conn *requests.ConnConfig, _ *requests.PreparedRequest) error {
			conn.Address = srv.ln.Addr().String()
			return nil
		}))
	}
	if a.Proxy != nil && a.Proxy.Tunnel {
		options = append(options, adapters.ProxyTunnel())
	}
	if a.Options["proxy_headers"] != nil {
		headers, err := adapters.ProxyHeaders(a.proxyHeaders())
		if err != nil {
			return nil, err
		}
		options = append(options, headers)
	}
	adapter := requests.NewHTTPAdapter(options...)
	if a.Options["send_credentials_to_other_hosts"] == nil {
		return adapter, nil
	}
	return a.trusting(adapter), nil
}

func (a *curlAction) proxyHeaders() (headers requests.Headers) {
	var lines []string
	_ = json.Unmarshal(a.Options["proxy_headers"], &lines)
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ":")
		headers = append(headers, [2]string{name, strings.TrimSpace(value)})
	}
	return headers
}

// trusting wraps an adapter so that the credentials go to every host: no option asks for that.
func (a *curlAction) trusting(adapter requests.Adapter) requests.Adapter {
	user, password, _ := strings.Cut(a.Auth.Credentials, ":")
	return requests.AdapterFunc(func(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
		if err := requests.BasicAuth(user, password).Authenticate(p); err != nil {
			return nil, err
		}
		return adapter.Send(ctx, p, opts)
	})
}

// uploads tells whether a file is sent as the body.
func (c *curlCase) uploads() bool { return c.Action.Options["upload_file"] != nil }

// uploadsTo tells whether the upload is for a URL: curl counts its -T arguments, of which the corpus keeps one, and
// calls the URLs that have none "url2".
func (c *curlCase) uploadsTo(url string) bool {
	return !c.uploads() || len(c.Action.URLs) == 1 || !strings.Contains(url, "url2")
}

// rest uploads what is left of a file, and says which part it is.
func (c *curlCase) rest(content []byte) []requests.Option {
	var from int
	given, _ := c.Action.option("resume_from")
	fmt.Sscan(given, &from)
	from = min(from, len(content))
	part := fmt.Sprintf("bytes %d-%d/%d", from, len(content)-1, len(content))
	return []requests.Option{requests.Body(content[from:]), requests.Headers{{"Content-Range", part}}}
}

// loadCookies reads the cookie files: of the Netscape format, or headers as a server sent them, which come here from
// the URL itself.
func (c *curlCase) loadCookies(t *testing.T, s *requests.Session, srv *curlServer, adapter requests.Adapter) error {
	if c.Action.Cookies == nil {
		return nil
	}
	for _, name := range c.Action.Cookies.Load {
		content := c.Files[name]
		if strings.HasPrefix(string(content), "HTTP/") {
			if err := receiveHead(t, s, srv.here(c.Action.URLs[0]), string(content)); err != nil {
				return err
			}
			s.Mount("http://", adapter)
			continue
		}
		path := filepath.Join(t.TempDir(), "cookies.txt")
		if err := os.WriteFile(path, []byte(srv.here(string(content))), 0o600); err != nil {
			return err
		}
		if err := s.Cookies.Load(path, requests.KeepSessionCookies, requests.SkipBadLines); err != nil {
			return err
		}
	}
	return nil
}

// receiveHead lets the session have a reply with the fields of a head.
func receiveHead(t *testing.T, s *requests.Session, url, head string) error {
	var headers requests.Headers
	for line := range strings.Lines(head) {
		if name, value, ok := strings.Cut(strings.TrimRight(line, "\r\n"), ":"); ok {
			headers = append(headers, [2]string{name, strings.TrimPrefix(value, " ")})
		}
	}
	s.Mount("http://", requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		return requests.NewResponse(p, 200, headers, nil), nil
	}))
	_, err := s.Get(t.Context(), url)
	return err
}
