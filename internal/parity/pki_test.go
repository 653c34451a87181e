package parity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// pkiDir is where the certificates of this run are written; TestMain sets and removes it.
var pkiDir string

// pki is the test authority, its server certificates, and the files that placeholders name.
type pki struct {
	pool                     *x509.CertPool
	good, wrongHost, expired tls.Certificate
	caFile, caDir, otherCA   string
	cert, key, certAndKey    string
	authority                *x509.Certificate
	authorityKey             crypto.Signer
}

// testPKI is generated once a run.
var testPKI = sync.OnceValues(newPKI)

func newPKI() (*pki, error) {
	if err := os.MkdirAll(filepath.Join(pkiDir, "ca"), 0o700); err != nil {
		return nil, err
	}
	p := &pki{pool: x509.NewCertPool()}
	steps := []func() error{p.makeAuthority, p.makeServers, p.makeClient, p.makeOther}
	for _, step := range steps {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func (p *pki) makeAuthority() (err error) {
	p.authority, p.authorityKey, err = newAuthority("parity test CA")
	if err != nil {
		return err
	}
	p.pool.AddCert(p.authority)
	p.caFile = filepath.Join(pkiDir, "ca.pem")
	p.caDir = filepath.Join(pkiDir, "ca")
	if err := writePEM(p.caFile, "CERTIFICATE", p.authority.Raw); err != nil {
		return err
	}
	// OpenSSL finds authorities in a directory by the hash of their subject.
	hashed := fmt.Sprintf("%08x.0", subjectHash(p.authority.Subject.CommonName))
	return writePEM(filepath.Join(p.caDir, hashed), "CERTIFICATE", p.authority.Raw)
}

func (p *pki) makeServers() (err error) {
	day := 24 * time.Hour
	names := []string{"localhost", "example.com", "*.example.com", "other.test"}
	if p.good, err = p.issue("parity server", names, []net.IP{net.IPv4(127, 0, 0, 1)}, day); err != nil {
		return err
	}
	if p.wrongHost, err = p.issue("wrong.test", []string{"wrong.test"}, nil, day); err != nil {
		return err
	}
	p.expired, err = p.issue("parity server", names, []net.IP{net.IPv4(127, 0, 0, 1)}, -day)
	return err
}

func (p *pki) makeClient() error {
	c, err := p.issue("parity-client", nil, nil, 24*time.Hour)
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		return err
	}
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})
	key := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	p.cert, p.key = filepath.Join(pkiDir, "client.pem"), filepath.Join(pkiDir, "client.key")
	p.certAndKey = filepath.Join(pkiDir, "client-both.pem")
	for path, content := range map[string][]byte{p.cert: cert, p.key: key, p.certAndKey: append(cert, key...)} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

func (p *pki) makeOther() error {
	other, _, err := newAuthority("another CA")
	if err != nil {
		return err
	}
	p.otherCA = filepath.Join(pkiDir, "other-ca.pem")
	return writePEM(p.otherCA, "CERTIFICATE", other.Raw)
}

func newAuthority(name string) (*x509.Certificate, crypto.Signer, error) {
	template := certTemplate(name, 24*time.Hour)
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return cert, key, err
}

// issue signs a leaf valid until now + life; a negative life has ended already.
func (p *pki) issue(cn string, names []string, ips []net.IP, life time.Duration) (tls.Certificate, error) {
	template := certTemplate(cn, life)
	template.DNSNames, template.IPAddresses = names, ips
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	der, err := x509.CreateCertificate(rand.Reader, template, p.authority, key.Public(), p.authorityKey)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

func certTemplate(cn string, life time.Duration) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	now := time.Now()
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: cn},
		NotBefore:    now.Add(-72 * time.Hour),
		NotAfter:     now.Add(life),
	}
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

// subjectHash is X509_NAME_hash of a subject that is nothing but a common name: the first four bytes, little-endian,
// of the SHA-1 of the name in canonical form (UTF8String, lower case, no outer SEQUENCE).
func subjectHash(cn string) uint32 {
	type attribute struct {
		Type  asn1.ObjectIdentifier
		Value string `asn1:"utf8"`
	}
	type rdn []attribute
	der, err := asn1.MarshalWithParams(rdn{{asn1.ObjectIdentifier{2, 5, 4, 3}, strings.ToLower(cn)}}, "set")
	if err != nil {
		panic(err)
	}
	sum := sha1.Sum(der)
	return binary.LittleEndian.Uint32(sum[:4])
}

// serverConfig is the TLS side of a scripted origin.
func (p *pki) serverConfig(cert string, clientAuth bool) *tls.Config {
	c := &tls.Config{Certificates: []tls.Certificate{p.good}}
	switch cert {
	case "wrong_host":
		c.Certificates[0] = p.wrongHost
	case "expired":
		c.Certificates[0] = p.expired
	}
	if clientAuth {
		c.ClientAuth, c.ClientCAs, c.MaxVersion = tls.RequireAndVerifyClientCert, p.pool, tls.VersionTLS12
	}
	return c
}
