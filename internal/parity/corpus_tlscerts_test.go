package parity

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"slices"
	"sync"
	"time"
)

// madeCert is a generated certificate with its key.
type madeCert struct {
	cert *x509.Certificate
	der  []byte
	key  crypto.Signer
}

type madeCerts map[string]madeCert

// generate makes the certificates in order; of two with one name the later stands.
func (c *tlsCase) generate() (madeCerts, error) {
	made := madeCerts{}
	for _, spec := range c.Certs {
		m, err := spec.make(made)
		if err != nil {
			return nil, fmt.Errorf("certificate %s: %w", spec.Name, err)
		}
		made[spec.Name] = m
	}
	return made, nil
}

func (m madeCerts) trusted(names []string) []byte {
	var out []byte
	for _, name := range names {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: m[name].der})...)
	}
	return out
}

// chain is the certificate of the first name, with the others sent along.
func (m madeCerts) chain(names []string) tls.Certificate {
	out := tls.Certificate{PrivateKey: m[names[0]].key}
	for _, name := range names {
		out.Certificate = append(out.Certificate, m[name].der)
	}
	return out
}

// rsaKeys are made once: they take long, and no case depends on having one of its own.
var rsaKeys = map[string]func() (*rsa.PrivateKey, error){
	"rsa1024": sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 1024) }),
	"rsa2048": sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) }),
}

func newKey(kind string) (crypto.Signer, error) {
	if f := rsaKeys[kind]; f != nil {
		return f()
	}
	switch kind {
	case "ed25519":
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	case "p384":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	return nil, fmt.Errorf("unknown key %q", kind)
}

func (c *certSpec) make(made madeCerts) (madeCert, error) {
	key, err := newKey(c.Key)
	if err != nil {
		return madeCert{}, err
	}
	template := c.template()
	parent, signer := template, key
	if c.Issuer != "self" {
		issuer, ok := made[c.Issuer]
		if !ok {
			return madeCert{}, fmt.Errorf("no issuer %q", c.Issuer)
		}
		parent, signer = issuer.cert, issuer.key
	}
	if c.Sig == "sha1" {
		template.SignatureAlgorithm = sha1With(signer)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err == nil && c.Sig == "md5" {
		der, err = signedWithMD5(der, signer)
	}
	if err != nil {
		return madeCert{}, err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		cert = template // it is there to be refused, and issues nothing
	}
	return madeCert{cert, der, key}, nil
}

func sha1With(key crypto.Signer) x509.SignatureAlgorithm {
	if _, ok := key.(*rsa.PrivateKey); ok {
		return x509.SHA1WithRSA
	}
	return x509.ECDSAWithSHA1
}

// signedWithMD5 signs a certificate again, which crypto/x509 does not: the identifiers of the two algorithms have one
// length.
func signedWithMD5(der []byte, signer crypto.Signer) ([]byte, error) {
	key, ok := signer.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("MD5 with a key of type %T", signer)
	}
	sha256WithRSA, md5WithRSA := []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11}, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 4}
	var cert struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	if _, err := asn1.Unmarshal(bytes.ReplaceAll(der, sha256WithRSA, md5WithRSA), &cert); err != nil {
		return nil, err
	}
	sum := md5.Sum(cert.TBS.FullBytes)
	signature, err := rsa.SignPKCS1v15(nil, key, crypto.MD5, sum[:])
	if err != nil {
		return nil, err
	}
	cert.Signature = asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}
	return asn1.Marshal(cert)
}

func (c *certSpec) template() *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, big.NewInt(1<<62))
	now := time.Now()
	t := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: c.CN},
		NotBefore:    now.AddDate(0, 0, c.NotBefore),
		NotAfter:     now.AddDate(0, 0, c.NotAfter),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		DNSNames:     c.names(),
		ExtKeyUsage:  c.usages(),
	}
	for _, ip := range c.IP {
		t.IPAddresses = append(t.IPAddresses, net.ParseIP(ip))
	}
	c.authority(t)
	c.constraints(t)
	c.extensions(t)
	return t
}

func (c *certSpec) names() []string {
	names := slices.Clone(c.DNS)
	for n := range c.GeneratedNames {
		names = append(names, fmt.Sprintf("n%d.good.test", n))
	}
	return names
}

func (c *certSpec) usages() []x509.ExtKeyUsage {
	known := map[string]x509.ExtKeyUsage{
		"any": x509.ExtKeyUsageAny, "serverAuth": x509.ExtKeyUsageServerAuth,
		"clientAuth": x509.ExtKeyUsageClientAuth, "codeSigning": x509.ExtKeyUsageCodeSigning,
	}
	var out []x509.ExtKeyUsage
	for _, name := range c.EKU {
		out = append(out, known[name])
	}
	return out
}

func (c *certSpec) authority(t *x509.Certificate) {
	if !c.CA {
		return
	}
	t.IsCA, t.BasicConstraintsValid = !c.NoBasic, !c.NoBasic
	t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	if c.NoCertSign {
		t.KeyUsage = x509.KeyUsageCRLSign
	}
	t.MaxPathLenZero = c.MaxPathZero
}

func (c *certSpec) constraints(t *x509.Certificate) {
	t.PermittedDNSDomains, t.ExcludedDNSDomains = c.PermittedDNS, c.ExcludedDNS
	t.PermittedDNSDomainsCritical = len(c.PermittedDNS)+len(c.ExcludedDNS)+len(c.ExcludedIP) > 0
	for _, cidr := range c.ExcludedIP {
		if _, network, err := net.ParseCIDR(cidr); err == nil {
			t.ExcludedIPRanges = append(t.ExcludedIPRanges, network)
		}
	}
}

// extensions adds what crypto/x509 has no field for: names with a NUL, and an extension nobody knows.
func (c *certSpec) extensions(t *x509.Certificate) {
	if len(c.RawDNS) > 0 {
		var names []asn1.RawValue
		for _, name := range c.RawDNS {
			names = append(names, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 2, Bytes: []byte(name)})
		}
		value, _ := asn1.Marshal(names)
		t.ExtraExtensions = append(t.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: value})
	}
	if c.UnknownExtension {
		t.ExtraExtensions = append(t.ExtraExtensions, pkix.Extension{
			Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}, Critical: true, Value: []byte{5, 0},
		})
	}
}
