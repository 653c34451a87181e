package adapters_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/internal/wiretest"
)

// heads shows the request line and the sorted fields of each request.
func heads(s *wiretest.Server) (out []string) {
	for _, raw := range s.Raw() {
		head, _, _ := strings.Cut(raw, "\r\n\r\n")
		lines := strings.Split(strings.Replace(head, "\r\nAccept-Encoding: identity", "", 1), "\r\n")
		slices.Sort(lines[1:])
		out = append(out, strings.Join(lines, "|"))
	}
	return out
}

// TestProxyOptions sends one http request through a proxy with each option.
func TestProxyOptions(t *testing.T) {
	headers := must[requests.AdapterOption](t)(adapters.ProxyHeaders(requests.Headers{{"X-Country", "nz"}, {"User-Agent", "p"}}))
	tests := []struct {
		name          string
		options       []requests.AdapterOption
		proxy, origin []string
	}{
		{"none", nil, []string{"GET http://h.test/p HTTP/1.1|Host: h.test|Proxy-Authorization: Basic dTpw|User-Agent: me"}, nil},
		{"headers", []requests.AdapterOption{headers},
			[]string{"GET http://h.test/p HTTP/1.1|Host: h.test|Proxy-Authorization: Basic dTpw|User-Agent: p|X-Country: nz"}, nil},
		{"tunnel", []requests.AdapterOption{adapters.ProxyTunnel()},
			[]string{"CONNECT h.test:80 HTTP/1.1|Host: h.test:80|Proxy-Authorization: Basic dTpw"},
			[]string{"GET /p HTTP/1.1|Host: h.test|User-Agent: me"}},
		{"both", []requests.AdapterOption{adapters.ProxyTunnel(), headers},
			[]string{"CONNECT h.test:80 HTTP/1.1|Host: h.test:80|Proxy-Authorization: Basic dTpw|User-Agent: p|X-Country: nz"},
			[]string{"GET /p HTTP/1.1|Host: h.test|User-Agent: me"}},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			origin := wiretest.Origin(t, wiretest.Text(200, "ok"))
			config := wiretest.Config{Replies: []wiretest.Reply{wiretest.Text(200, "ok")}}
			if c.origin != nil {
				config = wiretest.Config{Route: wiretest.To(origin)}
			}
			proxy := wiretest.Start(t, config)
			s := requests.NewSession()
			defer s.Close()
			s.TrustEnv = false
			s.Headers = requests.Headers{{"User-Agent", "me"}}
			s.Mount("http://", requests.NewHTTPAdapter(c.options...))
			_, err := s.Get(t.Context(), "http://h.test/p", requests.Proxies{"http": "http://u:p@" + proxy.Addr()})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([][]string{c.proxy, c.origin}, [][]string{heads(proxy), heads(origin)}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestProxyTunnelStays wants an editor that takes https out of its tunnel to fail, not to speak in the clear.
func TestProxyTunnelStays(t *testing.T) {
	out := requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
		c.Proxy.Tunnel = false
		return nil
	})
	p := must[*requests.PreparedRequest](t)((&requests.Request{URL: "https://h.test/"}).Prepare())
	_, err := requests.NewHTTPAdapter(out).Plan(p, requests.SendOptions{Proxies: requests.Proxies{"https": "http://127.0.0.1:1"}})
	if !errors.Is(err, requests.ErrInvalidProxyURL) {
		t.Errorf("got %v, want ErrInvalidProxyURL", err)
	}
}

func TestProxyHeadersRefused(t *testing.T) {
	for _, h := range []requests.Headers{{{"X", "a\r\nY: b"}}, {{"", "x"}}, {{"content-length", "5"}}, {{"Transfer-Encoding", "chunked"}}} {
		if _, err := adapters.ProxyHeaders(h); !errors.Is(err, requests.ErrInvalidHeader) {
			t.Errorf("%q: got %v, want ErrInvalidHeader", h, err)
		}
	}
}
