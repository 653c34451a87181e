package dial

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"math/big"
	"net"
	"testing"
	"time"
)

// certSpec is how the corpus describes one certificate; they are built in order.
type certSpec struct {
	Name, CN, Issuer, Key, Sig string
	NotBefore                  int `json:"not_before_days"`
	NotAfter                   int `json:"not_after_days"`
	CA                         bool
	DNS, IP, EKU               []string
	GeneratedDNS               int      `json:"generated_dns_names"`
	RawDNS                     []string `json:"raw_dns_san"`
	NoBasicConstraints         bool     `json:"no_basic_constraints"`
	NoCertSign                 bool     `json:"no_key_cert_sign"`
	MaxPathLenZero             bool     `json:"max_path_len_zero"`
	PermittedDNS               []string `json:"permitted_dns"`
	ExcludedDNS                []string `json:"excluded_dns"`
	ExcludedIP                 []string `json:"excluded_ip"`
	UnknownCritical            bool     `json:"unknown_critical_extension"`
}

type builtCert struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func (b *builtCert) chain() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{b.cert.Raw}, PrivateKey: b.key}
}

func buildCerts(t *testing.T, specs []certSpec) map[string]*builtCert {
	t.Helper()
	built := map[string]*builtCert{}
	for i, s := range specs {
		b, err := s.build(int64(i+1), built)
		if err != nil {
			t.Fatalf("%s: %v", s.Name, err)
		}
		built[s.Name] = b
	}
	return built
}

func (s *certSpec) build(serial int64, built map[string]*builtCert) (*builtCert, error) {
	key, err := s.newKey()
	if err != nil {
		return nil, err
	}
	tmpl, err := s.template(serial)
	if err != nil {
		return nil, err
	}
	parent, signer := tmpl, key
	if s.Issuer != "self" {
		parent, signer = built[s.Issuer].cert, built[s.Issuer].key
	}
	if s.Sig == "sha1" {
		return s.signSHA1(tmpl, parent, key, signer)
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, key.Public(), signer)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return &builtCert{cert, key}, err
}

func (s *certSpec) newKey() (crypto.Signer, error) {
	switch s.Key {
	case "rsa512":
		return rsa.GenerateKey(rand.Reader, 512)
	case "rsa1024":
		return rsa.GenerateKey(rand.Reader, 1024)
	case "rsa2048":
		return rsa.GenerateKey(rand.Reader, 2048)
	case "p384":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "ed25519":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

var usages = map[string]x509.ExtKeyUsage{"serverAuth": x509.ExtKeyUsageServerAuth, "clientAuth": x509.ExtKeyUsageClientAuth,
	"codeSigning": x509.ExtKeyUsageCodeSigning, "any": x509.ExtKeyUsageAny}

func (s *certSpec) template(serial int64) (*x509.Certificate, error) {
	day := 24 * time.Hour
	c := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: s.CN}, DNSNames: s.DNS,
		NotBefore: time.Now().Add(time.Duration(s.NotBefore) * day), NotAfter: time.Now().Add(time.Duration(s.NotAfter) * day),
		IsCA: s.CA && !s.NoBasicConstraints, BasicConstraintsValid: s.CA && !s.NoBasicConstraints, KeyUsage: x509.KeyUsageDigitalSignature,
		MaxPathLenZero: s.MaxPathLenZero, PermittedDNSDomains: s.PermittedDNS, ExcludedDNSDomains: s.ExcludedDNS,
		PermittedDNSDomainsCritical: len(s.PermittedDNS)+len(s.ExcludedDNS)+len(s.ExcludedIP) > 0,
	}
	if s.CA && !s.NoCertSign {
		c.KeyUsage |= x509.KeyUsageCertSign
	}
	for i := range s.GeneratedDNS {
		c.DNSNames = append(c.DNSNames, fmt.Sprintf("n%d.example.test", i))
	}
	for _, ip := range s.IP {
		c.IPAddresses = append(c.IPAddresses, net.ParseIP(ip))
	}
	for _, u := range s.EKU {
		c.ExtKeyUsage = append(c.ExtKeyUsage, usages[u])
	}
	for _, text := range s.ExcludedIP {
		_, network, err := net.ParseCIDR(text)
		if err != nil {
			return nil, err
		}
		c.ExcludedIPRanges = append(c.ExcludedIPRanges, network)
	}
	return c, s.extend(c)
}

// extend adds the extensions CreateCertificate does not know.
func (s *certSpec) extend(c *x509.Certificate) error {
	if s.UnknownCritical {
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3, 4, 5}, Critical: true, Value: []byte{5, 0}})
	}
	if len(s.RawDNS) == 0 {
		return nil
	}
	var names []asn1.RawValue
	for _, n := range s.RawDNS {
		names = append(names, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 2, Bytes: []byte(n)})
	}
	value, err := asn1.Marshal(names)
	c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: value})
	return err
}

// signSHA1 signs by hand what CreateCertificate refuses to: it makes the certificate with SHA-256, and
// then replaces algorithm and signature.
func (s *certSpec) signSHA1(tmpl, parent *x509.Certificate, key, signer crypto.Signer) (*builtCert, error) {
	der, err := x509.CreateCertificate(rand.Reader, tmpl, parent, key.Public(), signer)
	if err != nil {
		return nil, err
	}
	var outer struct {
		TBS       tbsCertificate
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		return nil, err
	}
	outer.Algorithm.Algorithm = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 1} // ecdsa-with-SHA1
	outer.TBS.Raw, outer.TBS.Algorithm = nil, outer.Algorithm
	tbs, err := asn1.Marshal(outer.TBS)
	if err != nil {
		return nil, err
	}
	hash := crypto.SHA1.New()
	hash.Write(tbs)
	signature, err := signer.Sign(rand.Reader, hash.Sum(nil), crypto.SHA1)
	if err != nil {
		return nil, err
	}
	outer.Signature = asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}
	der, err = asn1.Marshal(outer)
	if err != nil {
		return nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return &builtCert{cert, key}, err
}

// tbsCertificate is RFC 5280 4.1.2, as far as it must be taken apart.
type tbsCertificate struct {
	Raw        asn1.RawContent
	Version    int `asn1:"optional,explicit,default:0,tag:0"`
	Serial     *big.Int
	Algorithm  pkix.AlgorithmIdentifier
	Issuer     asn1.RawValue
	Validity   asn1.RawValue
	Subject    asn1.RawValue
	PublicKey  asn1.RawValue
	Extensions []pkix.Extension `asn1:"omitempty,optional,explicit,tag:3"`
}
