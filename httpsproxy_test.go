package requests_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// TestUploadThroughHTTPSProxy sends a long body in absolute form over TLS to the proxy. The session tickets that come
// in meanwhile are no reply, though the request itself is one in the clear.
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
