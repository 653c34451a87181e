package requests_test

import (
	"crypto/x509"
	"errors"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// TestCertificates sends one request with each way to give authorities and client certificates.
func TestCertificates(t *testing.T) {
	ca, other := wiretest.NewCA("one"), wiretest.NewCA("other")
	plain := wiretest.Start(t, wiretest.Config{TLS: ca.Server()})
	wrongHost := wiretest.Start(t, wiretest.Config{TLS: ca.WrongHost()})
	strict := wiretest.Start(t, wiretest.Config{TLS: ca.ClientAuth()})
	client := ca.Client("ada")
	cert, key := wiretest.PEM(client)
	leaf, err := x509.ParseCertificate(client.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	pfx, err := pkcs12.Modern.Encode(client.PrivateKey, leaf, nil, "secret")
	if err != nil {
		t.Fatal(err)
	}
	bundle := wiretest.File(t, "ca.pem", ca.PEM())
	trust := requests.CABundle(bundle)
	ask := func() (string, error) { return "secret", nil }
	pfxFile := wiretest.File(t, "id.p12", pfx)
	for _, c := range []struct {
		name    string
		server  *wiretest.Server
		options []requests.Option
		want    error
	}{
		{"system roots", plain, nil, requests.ErrSSL},
		{"not verified", plain, []requests.Option{requests.Verify(false)}, nil},
		{"bundle", plain, []requests.Option{trust}, nil},
		{"directory", plain, []requests.Option{requests.CABundle(filepath.Dir(bundle))}, nil},
		{"PEM", plain, []requests.Option{requests.CABundlePEM(ca.PEM())}, nil},
		{"other authority", plain, []requests.Option{requests.CABundlePEM(other.PEM())}, requests.ErrSSL},
		{"empty PEM", plain, []requests.Option{requests.CABundlePEM(nil)}, requests.ErrFile},
		{"missing bundle", plain, []requests.Option{requests.CABundle("/nowhere")}, fs.ErrNotExist},
		{"bundle without certificate", plain, []requests.Option{requests.CABundle(wiretest.File(t, "empty"))}, requests.ErrFile},
		{"wrong host", wrongHost, []requests.Option{trust}, requests.ErrSSL},
		{"no client certificate", strict, []requests.Option{trust}, requests.ErrSSL},
		{"one file", strict, []requests.Option{trust, requests.CertFile(wiretest.File(t, "both", cert, key))}, nil},
		{"two files", strict, []requests.Option{trust, requests.CertFiles(wiretest.File(t, "c", cert), wiretest.File(t, "k", key))}, nil},
		{"client PEM", strict, []requests.Option{trust, requests.CertPEM(cert, key)}, nil},
		{"PKCS 12", strict, []requests.Option{trust, requests.CertFile(pfxFile).WithPassword("secret")}, nil},
		{"PKCS 12, asked", strict, []requests.Option{trust, requests.CertFile(pfxFile).WithPasswordFunc(ask)}, nil},
		{"PKCS 12, wrong password", strict, []requests.Option{trust, requests.CertFile(pfxFile).WithPassword("swordfish")}, requests.ErrFile},
		{"loaded", strict, []requests.Option{trust, requests.CertTLS(client)}, nil},
		{"missing certificate", strict, []requests.Option{trust, requests.CertFile("/nowhere")}, fs.ErrNotExist},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := requests.NewSession()
			defer s.Close()
			r, err := s.Get(t.Context(), c.server.URL("/"), c.options...)
			if !errors.Is(err, c.want) {
				t.Fatalf("want %v, got %v", c.want, err)
			}
			if err == nil {
				text, _ := r.Text()
				if diff := cmp.Diff("ok", text); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			}
		})
	}
}

// TestCertificateFileIsCheckedForPlainHTTP keeps a behavior of Requests.
func TestCertificateFileIsCheckedForPlainHTTP(t *testing.T) {
	origin := wiretest.Origin(t)
	s := requests.NewSession()
	defer s.Close()
	_, err := s.Get(t.Context(), origin.URL("/"), requests.CertFile("/nowhere"))
	if !errors.Is(err, requests.ErrFile) || !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	if _, err := s.Get(t.Context(), origin.URL("/"), requests.CABundle("/nowhere")); err != nil {
		t.Error(err)
	}
}

// TestCAPool trusts a pool of certificates, under its constraints, and nothing else.
func TestCAPool(t *testing.T) {
	ca := wiretest.NewCA("one")
	server := wiretest.Start(t, wiretest.Config{TLS: ca.Server()})
	refused := errors.New("not from today")
	constrained := x509.NewCertPool()
	constrained.AddCertWithConstraint(ca.Certificate, func([]*x509.Certificate) error { return refused })
	for name, c := range map[string]struct {
		pool *x509.CertPool
		want error
	}{
		"authority":   {ca.Pool(), nil},
		"other":       {wiretest.NewCA("other").Pool(), requests.ErrSSL},
		"constrained": {constrained, requests.ErrSSL},
		"empty":       {x509.NewCertPool(), requests.ErrSSL},
		"nil":         {nil, requests.ErrFile},
	} {
		s := requests.NewSession()
		if _, err := s.Get(t.Context(), server.URL("/"), requests.CAPool(c.pool)); !errors.Is(err, c.want) {
			t.Errorf("%s: want %v, got %v", name, c.want, err)
		}
		s.Close()
	}
	if got := requests.CAPool(constrained).String(); got != "bundle given as a pool" {
		t.Error(got)
	}
}
