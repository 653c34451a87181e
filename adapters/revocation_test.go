package adapters_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

// authority signs certificates, lists and OCSP responses.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{key: newKey(t)}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature, SubjectKeyId: []byte(name)}
	a.cert = sign(t, template, template, a.key.Public(), a.key)
	return a
}

func sign(t *testing.T, template, parent *x509.Certificate, public any, key crypto.Signer) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// server makes a certificate for this machine.
func (a *authority) server(t *testing.T, serial int64) tls.Certificate {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "server"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	cert := sign(t, template, a.cert, key.Public(), a.key)
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
}

// crl writes a list, as PEM.
func (a *authority) crl(t *testing.T, path string, until time.Duration, revoked ...int64) string {
	t.Helper()
	template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now().Add(-2 * time.Hour), NextUpdate: time.Now().Add(until)}
	for _, serial := range revoked {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: big.NewInt(serial), RevocationTime: time.Now().Add(-time.Hour)})
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, a.cert, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// serve starts a server that shows certificate, and returns its URL.
func serve(t *testing.T, certificate tls.Certificate) string {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "ok") }))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	server.Config.ErrorLog = quiet
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

// trusting is a session that trusts a and has options on https.
func (a *authority) trusting(t *testing.T, options ...requests.AdapterOption) *requests.Session {
	s := requests.NewSession()
	t.Cleanup(func() { s.Close() })
	s.TrustEnv = false
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	s.Verify = requests.CAPool(pool)
	s.Mount("https://", requests.NewHTTPAdapter(options...))
	return s
}

// TestCRLFiles: a certificate that is on a list is refused, as is one of whose issuer there is no
// list that counts; a list that changes counts from the next connection on.
func TestCRLFiles(t *testing.T) {
	ca, other := newAuthority(t, "ca"), newAuthority(t, "other")
	url := serve(t, ca.server(t, 42))
	dir := t.TempDir()
	forged := &authority{cert: ca.cert, key: other.key}
	for name, test := range map[string]struct {
		path string
		ok   bool
	}{
		"not on it":  {ca.crl(t, filepath.Join(dir, "good"), time.Hour, 41), true},
		"on it":      {ca.crl(t, filepath.Join(dir, "bad"), time.Hour, 41, 42), false},
		"run out":    {ca.crl(t, filepath.Join(dir, "old"), -time.Hour, 41), false},
		"of another": {other.crl(t, filepath.Join(dir, "other"), time.Hour, 41), false},
		"forged":     {forged.crl(t, filepath.Join(dir, "forged"), time.Hour, 41), false},
	} {
		option, err := adapters.CRLFiles(test.path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = ca.trusting(t, option).Get(t.Context(), url)
		if test.ok != (err == nil) || err != nil && !errors.Is(err, requests.ErrSSL) {
			t.Errorf("%s: %v", name, err)
		}
	}
	changing := ca.crl(t, filepath.Join(dir, "changing"), time.Hour)
	option, err := adapters.CRLFiles(changing)
	if err != nil {
		t.Fatal(err)
	}
	s := ca.trusting(t, option, requests.PoolMaxSize(0)) // a connection for each request
	if _, err := s.Get(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	ca.crl(t, changing, time.Hour, 42)
	if _, err := s.Get(t.Context(), url, requests.Headers{{"Connection", "close"}}); !errors.Is(err, requests.ErrSSL) {
		t.Errorf("after the change: %v", err)
	}
	if _, err := s.Get(t.Context(), url, requests.Verify(false)); err != nil {
		t.Errorf("unverified: %v", err)
	}
}

// TestCRLFilesErrors: the constructor says what is wrong.
func TestCRLFilesErrors(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := adapters.CRLFiles(); !errors.Is(err, requests.ErrInvalidArgument) {
		t.Errorf("none: %v", err)
	}
	delta := filepath.Join(t.TempDir(), "delta")
	if err := os.WriteFile(delta, deltaList(t), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{empty, delta, filepath.Join(t.TempDir(), "missing")} {
		if _, err := adapters.CRLFiles(path); !errors.Is(err, requests.ErrFile) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// deltaList is a list of what has changed since another, which by itself says too little.
func deltaList(t *testing.T) []byte {
	ca := newAuthority(t, "ca")
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(2), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(time.Hour),
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 27}, Critical: true, Value: []byte{2, 1, 1}}},
	}, ca.cert, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// TestStapledOCSP: the response has to be there, the issuer's, current, and good.
func TestStapledOCSP(t *testing.T) {
	ca, other := newAuthority(t, "ca"), newAuthority(t, "other")
	now := time.Now()
	for name, test := range map[string]struct {
		response *ocsp.Response
		by       *authority
		ok       bool
	}{
		"good":           {&ocsp.Response{Status: ocsp.Good, ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(time.Hour)}, ca, true},
		"revoked":        {&ocsp.Response{Status: ocsp.Revoked, ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(time.Hour), RevokedAt: now.Add(-time.Hour)}, ca, false},
		"unknown":        {&ocsp.Response{Status: ocsp.Unknown, ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(time.Hour)}, ca, false},
		"run out":        {&ocsp.Response{Status: ocsp.Good, ThisUpdate: now.Add(-2 * time.Hour), NextUpdate: now.Add(-time.Hour)}, ca, false},
		"not yet":        {&ocsp.Response{Status: ocsp.Good, ThisUpdate: now.Add(time.Hour), NextUpdate: now.Add(2 * time.Hour)}, ca, false},
		"of another":     {&ocsp.Response{Status: ocsp.Good, ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(time.Hour)}, other, false},
		"of another one": {&ocsp.Response{Status: ocsp.Good, ThisUpdate: now.Add(-time.Hour), NextUpdate: now.Add(time.Hour), SerialNumber: big.NewInt(7)}, ca, false},
		"none":           {nil, nil, false},
	} {
		certificate := ca.server(t, 42)
		if test.response != nil {
			if test.response.SerialNumber == nil {
				test.response.SerialNumber = big.NewInt(42)
			}
			staple, err := ocsp.CreateResponse(test.by.cert, test.by.cert, *test.response, test.by.key)
			if err != nil {
				t.Fatal(err)
			}
			certificate.OCSPStaple = staple
		}
		url := serve(t, certificate)
		s := ca.trusting(t, adapters.StapledOCSP(), requests.PoolMaxSize(0))
		for range 2 { // the second one resumes
			_, err := s.Get(t.Context(), url)
			if test.ok != (err == nil) || err != nil && !errors.Is(err, requests.ErrSSL) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// TestStapledOCSPSigner: another certificate of the issuer signs where it is one for that, and current;
// that of a server, which has the same issuer, does not vouch for itself.
func TestStapledOCSPSigner(t *testing.T) {
	ca := newAuthority(t, "ca")
	for name, test := range map[string]struct {
		usage []x509.ExtKeyUsage
		until time.Duration
		ok    bool
	}{
		"a signer of responses": {[]x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}, time.Hour, true},
		"one that has run out":  {[]x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}, -time.Minute, false},
		"a server":              {[]x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, time.Hour, false},
		"one for anything":      {[]x509.ExtKeyUsage{x509.ExtKeyUsageAny}, time.Hour, false},
		"one for nothing":       {nil, time.Hour, false},
	} {
		key := newKey(t)
		template := &x509.Certificate{SerialNumber: big.NewInt(5), Subject: pkix.Name{CommonName: "signer"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(test.until), ExtKeyUsage: test.usage}
		signer := sign(t, template, ca.cert, key.Public(), ca.key)
		response := ocsp.Response{Status: ocsp.Good, SerialNumber: big.NewInt(42), ThisUpdate: time.Now().Add(-time.Hour), NextUpdate: time.Now().Add(time.Hour), Certificate: signer}
		staple, err := ocsp.CreateResponse(ca.cert, signer, response, key)
		if err != nil {
			t.Fatal(err)
		}
		certificate := ca.server(t, 42)
		certificate.OCSPStaple = staple
		_, err = ca.trusting(t, adapters.StapledOCSP()).Get(t.Context(), serve(t, certificate))
		if test.ok != (err == nil) || err != nil && !errors.Is(err, requests.ErrSSL) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestBothRevocations: two checks are both asked.
func TestBothRevocations(t *testing.T) {
	ca := newAuthority(t, "ca")
	url := serve(t, ca.server(t, 42))
	lists, err := adapters.CRLFiles(ca.crl(t, filepath.Join(t.TempDir(), "good"), time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	for _, options := range [][]requests.AdapterOption{{lists, adapters.StapledOCSP()}, {adapters.StapledOCSP(), lists}} {
		if _, err := ca.trusting(t, options...).Get(t.Context(), url); !errors.Is(err, requests.ErrSSL) {
			t.Errorf("got %v", err)
		}
	}
}
