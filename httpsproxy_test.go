package requests_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// TestUploadThroughHTTPSProxy sends a long body in absolute form over TLS to the proxy. The session tickets that come
// in meanwhile are not a response, though the request itself is one in the clear.
func TestUploadThroughHTTPSProxy(t *testing.T) {
	ca := wiretest.NewCA("one")
	config := ca.Server()
	config.ClientAuth = tls.RequestClientCert // the tickets then follow the handshake, as OpenSSL sends them
	proxy := wiretest.Start(t, wiretest.Config{TLS: config})
	s := requests.NewSession()
	defer s.Close()
	text := bytes.Repeat([]byte("0123456789abcdef"), 1<<17)
	for range 2 {
		r, err := s.Post(t.Context(), "http://origin.test/x", requests.Body(&slowReader{Reader: bytes.NewReader(text)}),
			requests.Proxies{"http": proxy.URL("")}, requests.CABundlePEM(ca.PEM()))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(200, r.StatusCode); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
	var sizes []int
	for _, r := range proxy.Requests() {
		sizes = append(sizes, len(r.Body))
	}
	if diff := cmp.Diff([]int{len(text), len(text)}, sizes); diff != "" {
		t.Errorf("bodies (-want +got)\n%s", diff)
	}
}

// slowReader gives what the server sends time to arrive.
type slowReader struct {
	io.Reader
	paused bool
}

func (r *slowReader) Read(p []byte) (int, error) {
	if !r.paused {
		r.paused = true
	} else {
		time.Sleep(time.Millisecond)
	}
	return r.Reader.Read(p)
}

// TestFailuresBeforeTheProxy are ErrProxy in Requests, with the cause reachable. A SOCKS proxy's are not.
func TestFailuresBeforeTheProxy(t *testing.T) {
	ca := wiretest.NewCA("one")
	untrusted := wiretest.Start(t, wiretest.Config{TLS: ca.Server()}).URL("")
	wrongHost := wiretest.Start(t, wiretest.Config{TLS: ca.WrongHost()}).URL("")
	silent := wiretest.Start(t, wiretest.Config{Conn: func(c net.Conn) { io.Copy(io.Discard, c) }}).Addr()
	closed := wiretest.Closed(t)
	trust := requests.CABundlePEM(ca.PEM())
	for _, c := range []struct {
		name, proxy string
		options     []requests.Option
		proxyFault  bool
		cause       error
	}{
		{"untrusted", untrusted, nil, true, requests.ErrSSL},
		{"wrong host", wrongHost, []requests.Option{trust}, true, requests.ErrSSL},
		{"silent", "https://" + silent, []requests.Option{requests.Timeouts{Connect: time.Minute, Read: 50 * time.Millisecond}}, true, requests.ErrReadTimeout},
		{"refused", "http://" + closed, nil, true, syscall.ECONNREFUSED},
		{"refused by SOCKS", "socks5h://" + closed, nil, false, syscall.ECONNREFUSED},
	} {
		for _, url := range []string{"http://origin.test/", "https://origin.test/"} {
			s := requests.NewSession()
			_, err := s.Get(t.Context(), url, append(c.options, requests.Proxies{"all": c.proxy})...)
			got := [3]bool{errors.Is(err, requests.ErrConnection), errors.Is(err, requests.ErrProxy), errors.Is(err, c.cause)}
			if diff := cmp.Diff([3]bool{true, c.proxyFault, true}, got); diff != "" {
				t.Errorf("%s, %s (-want +got)\n%s%v", c.name, url, diff, err)
			}
			s.Close()
		}
	}
}
