package interop

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/mountable/requests/internal/wiretest"
)

// A lane is a protocol and what stands between the client and the server.
type lane struct{ protocol, hop string }

func (l lane) String() string { return l.protocol + ", " + l.hop }

var hops = []string{"direct", "http proxy", "https proxy", "SOCKS5h"}

// lanesOf lists the lanes of these protocols, of all three if none is named. An http proxy
// forwards what is plain, and tunnels the rest.
func lanesOf(protocols []string) (lanes []lane) {
	if protocols == nil {
		protocols = []string{"h1", "tls", "h2"}
	}
	for _, p := range protocols {
		for _, hop := range hops {
			lanes = append(lanes, lane{p, hop})
		}
	}
	return lanes
}

// serve starts a server and what stands before it.
func (l lane) serve(t *testing.T, h http.Handler) (string, link) {
	base, to := serve(t, l.protocol, h)
	proxy := l.proxy(t)
	if proxy == nil {
		return base, to
	}
	to.proxy = &url.URL{Scheme: strings.ToLower(strings.TrimSuffix(l.hop, " proxy")), Host: proxy.Addr()}
	to.through = proxy.Accepted
	to.tls = trustingProxies(to.tls)
	return base, to
}

// proxy starts what stands between, if anything does.
func (l lane) proxy(t *testing.T) *wiretest.Server {
	switch l.hop {
	case "http proxy":
		return wiretest.Start(t, wiretest.Config{Conn: proxyConn})
	case "https proxy":
		config := wiretest.TestCA().Server()
		return wiretest.Start(t, wiretest.Config{Conn: func(c net.Conn) { proxyConn(tls.Server(c, config)) }})
	case "SOCKS5h":
		return wiretest.StartSOCKS5(t, wiretest.SOCKS5{Route: wiretest.Direct})
	}
	return nil
}

// proxyConn is one connection to a proxy: a tunnel, or bytes that are passed on as they are
// to the server of the first request, which takes the absolute form.
func proxyConn(client net.Conn) {
	in := bufio.NewReader(client)
	line, err := in.ReadString('\n')
	if err != nil {
		return
	}
	words := strings.Fields(line)
	if len(words) != 3 {
		return
	}
	target := words[1]
	if words[0] == "CONNECT" {
		for len(strings.TrimSpace(line)) > 0 && err == nil {
			line, err = in.ReadString('\n')
		}
		line = ""
	} else if _, rest, absolute := strings.Cut(target, "://"); absolute {
		target, _, _ = strings.Cut(rest, "/")
		target, _, _ = strings.Cut(target, "?")
	}
	server, err := net.Dial("tcp", target)
	if err != nil {
		io.WriteString(client, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		return
	}
	if words[0] == "CONNECT" {
		io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n")
	}
	passOn(client, server, io.MultiReader(strings.NewReader(line), in))
}

// passOn joins two connections until both directions have ended.
func passOn(client, server net.Conn, in io.Reader) {
	defer server.Close()
	var both sync.WaitGroup
	both.Go(func() {
		io.Copy(server, in)
		closeWrite(server)
	})
	both.Go(func() {
		io.Copy(client, server)
		closeWrite(client)
		client.Close() // as proxies do: who has no server left serves nobody
	})
	both.Wait()
}

func closeWrite(c net.Conn) {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
}

// trustingProxies adds the authority of the proxies to what a server needs to be trusted.
func trustingProxies(c *tls.Config) *tls.Config {
	if c == nil {
		c = &tls.Config{RootCAs: x509.NewCertPool()}
	}
	c = c.Clone()
	c.RootCAs = c.RootCAs.Clone()
	c.RootCAs.AddCert(wiretest.TestCA().Certificate)
	return c
}

// TestLanes: each lane is what its name says, for every carrier.
func TestLanes(t *testing.T) {
	for _, l := range lanesOf(nil) {
		t.Run(l.String(), func(t *testing.T) {
			base, link := l.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				io.WriteString(w, r.Proto)
			}))
			want := map[bool]string{false: "HTTP/1.1", true: "HTTP/2.0"}[l.protocol == "h2"]
			for _, c := range append([]carrier{reference}, carriers...) {
				if got := exchange(t, c.make(t, link), get(t, "GET", base+"/", nil)); got != "200 "+want+" ok" {
					t.Errorf("%s: %s", c.name, got)
				}
			}
			if link.proxy != nil && link.through() != 1+len(carriers) {
				t.Errorf("the proxy was asked %d times", link.through())
			}
		})
	}
}
