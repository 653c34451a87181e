package requests_test

import (
	"crypto/tls"
	"errors"
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// TestTLSConfigClient: another carrier's handshake verifies as an HTTPAdapter's does.
func TestTLSConfigClient(t *testing.T) {
	ca := wiretest.TestCA()
	bundle := requests.CABundlePEM(ca.PEM())
	denied := errors.New("denied")
	for _, c := range []struct {
		name   string
		config requests.TLSConfig
		server *tls.Config
		want   bool
	}{
		{"the host's certificate", requests.TLSConfig{Verify: bundle}, ca.Server(), true},
		{"another authority's", requests.TLSConfig{Verify: requests.CABundlePEM(wiretest.OtherCA().PEM())}, ca.Server(), false},
		{"another host's", requests.TLSConfig{Verify: bundle}, ca.WrongHost(), false},
		{"another host's, expected", requests.TLSConfig{Verify: bundle, VerifyName: "wrong.test"}, ca.WrongHost(), true},
		{"unverified", requests.TLSConfig{Verify: requests.Verify(false)}, ca.WrongHost(), true},
		{"unverified, another fingerprint", requests.TLSConfig{Verify: requests.Verify(false), Fingerprint: "0123456789abcdef"}, ca.Server(), false},
		{"a check that refuses", requests.TLSConfig{Verify: bundle, Check: &refuses{denied}}, ca.Server(), false},
	} {
		config, err := c.config.Client("localhost")
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if diff := cmp.Diff(c.want, handshake(t, config, c.server) == nil); diff != "" {
				t.Errorf("%s: %s", c.name, diff)
			}
		}
	}
	_, err := requests.TLSConfig{Verify: requests.CABundle("/does/not/exist")}.Client("localhost")
	if e, ok := errors.AsType[*requests.Error](err); !ok {
		t.Errorf("a bundle that is not there: %v", e)
	}
}

type refuses struct{ err error }

// CheckTLS implements [requests.TLSCheck].
func (r *refuses) CheckTLS(tls.ConnectionState) error { return r.err }

// handshake is what the client says of a handshake over loopback.
func handshake(t *testing.T, client, server *tls.Config) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if far, err := l.Accept(); err == nil {
			_ = tls.Server(far, server).Handshake()
			_ = far.Close()
		}
	}()
	near, err := net.Dial("tcp", l.Addr().String())
	if err == nil {
		err = tls.Client(near, client).Handshake()
		_ = near.Close()
	}
	_ = l.Close()
	<-ended
	return err
}
