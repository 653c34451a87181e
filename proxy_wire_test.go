package requests_test

import (
	"io"
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// TestSOCKSCredentials: what a proxy's URL has of user and password is offered, the password empty where none is named.
func TestSOCKSCredentials(t *testing.T) {
	origin := wiretest.Origin(t)
	for user, want := range map[string]string{
		"": "", "test:@": "test:", "test@": "test:", ":pw@": ":pw", "u:p@": "u:p", ":@": "", "@": "", "a%40b:c%3Ad@": "a@b:c:d",
	} {
		for _, scheme := range []string{"socks5", "socks5h"} {
			proxy := wiretest.StartSOCKS5(t, wiretest.SOCKS5{Route: wiretest.To(origin)})
			s := newSession(t)
			if _, err := s.Get(t.Context(), origin.URL("/"), requests.Proxies{"all": scheme + "://" + user + proxy.Addr()}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{want}, logins(proxy)); diff != "" {
				t.Errorf("%s://%s (-want +got)\n%s", scheme, user, diff)
			}
		}
	}
}

// TestSOCKS4User: the user id of a SOCKS 4 proxy's URL is sent, with a password or without.
func TestSOCKS4User(t *testing.T) {
	origin := wiretest.Origin(t)
	for user, want := range map[string]string{"": "", "user@": "user", "user:@": "user", "user:pw@": "user", "a%20b@": "a b"} {
		for _, scheme := range []string{"socks4", "socks4a"} {
			asked := make(chan string, 1)
			proxy := wiretest.Start(t, wiretest.Config{Conn: func(c net.Conn) { serveSOCKS4(c, origin.Addr(), asked) }})
			s := newSession(t)
			if _, err := s.Get(t.Context(), origin.URL("/"), requests.Proxies{"all": scheme + "://" + user + proxy.Addr()}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, <-asked); diff != "" {
				t.Errorf("%s://%s (-want +got)\n%s", scheme, user, diff)
			}
		}
	}
}

// serveSOCKS4 notes the user id of one request and relays to an address.
func serveSOCKS4(c net.Conn, to string, asked chan<- string) {
	head := make([]byte, 8)
	if _, err := io.ReadFull(c, head); err != nil {
		return
	}
	var user []byte
	for b := make([]byte, 1); ; user = append(user, b[0]) {
		if _, err := io.ReadFull(c, b); err != nil || b[0] == 0 {
			break
		}
	}
	asked <- string(user)
	origin, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	c.Write([]byte{0, 0x5a, 0, 0, 0, 0, 0, 0})
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(origin, c)
		origin.Close()
	}()
	io.Copy(c, origin)
	c.Close()
	<-done
}

// TestForwardedHost: through a forwarding proxy the request line and the Host field have the one reading of the host that
// dialing has, and the zone of an address stays on this machine.
func TestForwardedHost(t *testing.T) {
	for url, want := range map[string][2]string{
		"http://0177.0.0.1/a":               {"http://127.0.0.1/a", "127.0.0.1"},
		"http://2130706433:8080/":           {"http://127.0.0.1:8080/", "127.0.0.1:8080"},
		"http://0x7f.1/?q":                  {"http://127.0.0.1/?q", "127.0.0.1"},
		"http://A.Test:8080/":               {"http://a.test:8080/", "a.test:8080"},
		"http://[fe80::1%25eth0]/x":         {"http://[fe80::1]/x", "[fe80::1]"},
		"http://[FE80::1%25eth0]:8080/":     {"http://[fe80::1]:8080/", "[fe80::1]:8080"},
		"http://u:p@b\u00fccher.test/#frag": {"http://xn--bcher-kva.test/", "xn--bcher-kva.test"},
	} {
		for _, scheme := range []string{"http", "https"} {
			config := wiretest.Config{}
			if scheme == "https" {
				config.TLS = wiretest.TestCA().Server()
			}
			proxy := wiretest.Start(t, config)
			s := newSession(t)
			s.Verify = requests.CABundlePEM(wiretest.TestCA().PEM())
			if _, err := s.Get(t.Context(), url, requests.Proxies{"all": scheme + "://" + proxy.Addr()}); err != nil {
				t.Fatal(url, err)
			}
			r := proxy.Requests()[0]
			if diff := cmp.Diff(want, [2]string{r.Target, r.Get("Host")}); diff != "" {
				t.Errorf("%s by an %s proxy (-want +got)\n%s", url, scheme, diff)
			}
		}
	}
}

// TestTunnelAnswers: interim responses to CONNECT are skipped, and any 2xx opens the tunnel, for https, for http in a
// tunnel, through http and https proxies.
func TestTunnelAnswers(t *testing.T) {
	origin := wiretest.Start(t, wiretest.Config{TLS: wiretest.TestCA().Server()})
	for name, answer := range map[string]string{
		"200":            "HTTP/1.1 200 OK\r\n\r\n",
		"100, 200":       "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
		"102, 103, 200":  "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.0 200 OK\r\n\r\n",
		"204":            "HTTP/1.1 204 No Content\r\n\r\n",
		"201 and length": "HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\n",
		"299 and coding": "HTTP/1.1 299 Fine\r\nTransfer-Encoding: chunked\r\n\r\n",
	} {
		for _, scheme := range []string{"http", "https"} {
			config := wiretest.Config{Handler: func(*wiretest.Request) wiretest.Reply { return connected(answer) }, Route: wiretest.To(origin)}
			if scheme == "https" {
				config.TLS = wiretest.TestCA().Server()
			}
			proxy := wiretest.Start(t, config)
			s := newSession(t)
			s.Verify = requests.CABundlePEM(wiretest.TestCA().PEM())
			r, err := s.Get(t.Context(), origin.URL("/"), requests.Proxies{"all": scheme + "://" + proxy.Addr()})
			if err != nil || r.StatusCode != 200 {
				t.Errorf("%s by an %s proxy: %v, %v", name, scheme, r, err)
			}
		}
	}
}

func connected(answer string) wiretest.Reply { return wiretest.Send(answer) }
