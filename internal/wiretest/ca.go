package wiretest

import (
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// CA is a certificate authority for tests.
type CA struct {
	Certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// Hosts are the names in the certificate of CA.Server.
var Hosts = []string{"localhost", "127.0.0.1", "::1", "example.com", "*.example.com", "other.test"}

// TestCA returns the authority all tests of a process share.
var TestCA = sync.OnceValue(func() *CA { return NewCA("wiretest CA") })

// OtherCA returns one that has signed nothing a server shows.
var OtherCA = sync.OnceValue(func() *CA { return NewCA("wiretest other CA") })

// NewCA makes an authority. It panics where the system has no randomness.
func NewCA(name string) *CA {
	ca := &CA{}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	made := ca.sign(template)
	ca.Certificate, ca.key = made.Leaf, made.PrivateKey.(*ecdsa.PrivateKey)
	return ca
}

// Leaf describes a certificate.
type Leaf struct {
	Name    string    // common name; the first of Hosts where empty
	Hosts   []string  // names and addresses
	Expires time.Time // in an hour where zero
	Client  bool      // for clients instead of servers
}

// Issue makes a certificate signed by ca, with its key.
func (ca *CA) Issue(l Leaf) tls.Certificate {
	usage := x509.ExtKeyUsageServerAuth
	if l.Client {
		usage = x509.ExtKeyUsageClientAuth
	}
	template := &x509.Certificate{
		NotAfter: l.Expires, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{usage},
	}
	for _, h := range l.Hosts {
		if ip := net.ParseIP(h); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, h)
		}
	}
	if template.Subject.CommonName = l.Name; l.Name == "" && len(l.Hosts) > 0 {
		template.Subject.CommonName = l.Hosts[0]
	}
	return ca.sign(template)
}

// sign completes the template; before ca has a certificate, it signs for itself.
func (ca *CA) sign(template *x509.Certificate) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	template.SerialNumber, err = rand.Int(rand.Reader, big.NewInt(1<<62))
	must(err)
	now := time.Now()
	if template.NotAfter.IsZero() {
		template.NotAfter = now.Add(time.Hour)
	}
	template.NotBefore = template.NotAfter.Add(-48 * time.Hour)
	parent, signer := cmp.Or(ca.Certificate, template), cmp.Or(ca.key, key)
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	must(err)
	leaf, err := x509.ParseCertificate(der)
	must(err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// Server is the TLS configuration of a server with a good certificate for Hosts.
func (ca *CA) Server() *tls.Config { return configOf(ca.Issue(Leaf{Hosts: Hosts})) }

// WrongHost is that of a server whose certificate is for wrong.test only.
func (ca *CA) WrongHost() *tls.Config { return configOf(ca.Issue(Leaf{Hosts: []string{"wrong.test"}})) }

// Expired is that of a server whose certificate expired an hour ago.
func (ca *CA) Expired() *tls.Config {
	return configOf(ca.Issue(Leaf{Hosts: Hosts, Expires: time.Now().Add(-time.Hour)}))
}

// ClientAuth is that of a server which requires a client certificate of ca. It speaks TLS 1.2 at most, so that a
// refusal happens in the handshake.
func (ca *CA) ClientAuth() *tls.Config {
	c := ca.Server()
	c.ClientAuth, c.ClientCAs, c.MaxVersion = tls.RequireAndVerifyClientCert, ca.Pool(), tls.VersionTLS12
	return c
}

func configOf(c tls.Certificate) *tls.Config { return &tls.Config{Certificates: []tls.Certificate{c}} }

// Client is a client certificate with this common name.
func (ca *CA) Client(name string) tls.Certificate { return ca.Issue(Leaf{Name: name, Client: true}) }

// Pool is a pool with ca alone.
func (ca *CA) Pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(ca.Certificate)
	return p
}

// PEM is the certificate of ca as a bundle.
func (ca *CA) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Certificate.Raw})
}

// PEM is a certificate and its key, unencrypted, in PEM.
func PEM(c tls.Certificate) (cert, key []byte) {
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	must(err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// File writes data into a file of the test's own directory, and returns its path.
func File(t testing.TB, name string, data ...[]byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	var all []byte
	for _, d := range data {
		all = append(all, d...)
	}
	if err := os.WriteFile(path, all, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
