package parity

import (
	"context"
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
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mountable/requests"
)

// tlsCase is a server with a fault in its certificates or its TLS, and whether a client must refuse it.
type tlsCase struct {
	Host    string        `json:"host"`
	Certs   []certSpec    `json:"certs"`
	Sent    []string      `json:"chain_sent"`
	Trusts  []string      `json:"client_trusts"`
	Server  tlsServerSpec `json:"server_tls"`
	Client  string        `json:"client_certificate"`
	Expect  string        `json:"expect"`
	Fault   string        `json:"fault"`
	NetHTTP struct {
		Outcome string `json:"outcome"`
	} `json:"nethttp"`
}

type tlsServerSpec struct {
	Min, Max      string
	Ciphers       []string
	ALPN          []string
	ClientAuth    string `json:"client_auth"`
	Plain         string
	NoCloseNotify string `json:"no_close_notify"`
	Hangup        bool   `json:"close_during_handshake"`
}

type certSpec struct {
	Name             string
	CN               string
	NotBefore        int `json:"not_before_days"`
	NotAfter         int `json:"not_after_days"`
	CA               bool
	Issuer           string
	EKU              []string
	DNS              []string
	IP               []string
	Key              string
	Sig              string
	GeneratedNames   int      `json:"generated_dns_names"`
	PermittedDNS     []string `json:"permitted_dns"`
	ExcludedDNS      []string `json:"excluded_dns"`
	ExcludedIP       []string `json:"excluded_ip"`
	RawDNS           []string `json:"raw_dns_san"`
	NoBasic          bool     `json:"no_basic_constraints"`
	NoCertSign       bool     `json:"no_key_cert_sign"`
	MaxPathZero      bool     `json:"max_path_len_zero"`
	UnknownExtension bool     `json:"unknown_critical_extension"`
}

// TestTLS runs a session against servers with one fault each. Names lead to the server by the adapter's address option.
func TestTLS(t *testing.T) {
	var file struct {
		Cases []json.RawMessage `json:"cases"`
	}
	corpus(t, "tls", &file)
	tl := newTally(t)
	for _, raw := range file.Cases {
		runCase(t, tl, "tls", caseID(t, raw), raw, func(t *testing.T, c tlsCase) string {
			switch {
			case c.Certs == nil:
				t.Skip("listed without certificates: there is nothing to generate")
			case c.NetHTTP.Outcome == "" && c.Expect == "refuse":
				t.Skip("crypto/x509 does not make this certificate: " + c.Fault)
			}
			t.Parallel()
			return c.run(t)
		})
	}
}

func (c *tlsCase) run(t *testing.T) string {
	made, err := c.generate()
	if err != nil {
		t.Fatalf("%s: %v", c.Fault, err)
	}
	addr := c.serve(t, made)
	s := requests.NewSession()
	defer s.Close()
	s.TrustEnv = false
	s.Verify = requests.CABundlePEM(made.trusted(c.Trusts))
	if c.Client != "" {
		s.Cert = requests.CertTLS(made.chain([]string{c.Client}))
	}
	s.Mount("https://", requests.NewHTTPAdapter(requests.ConfigureConn(
		func(conn *requests.ConnConfig, _ *requests.PreparedRequest) error {
			conn.Address = addr
			return nil
		})))
	ctx, cancel := context.WithTimeout(t.Context(), callLimit)
	defer cancel()
	r, err := s.Get(ctx, "https://"+c.Host+"/")
	switch {
	case ctx.Err() != nil:
		return "no outcome in bounded time"
	case c.Expect == "accept" && err != nil:
		return fmt.Sprintf("%s: refused: %v", c.Fault, err)
	case c.Expect == "refuse" && err == nil:
		return fmt.Sprintf("%s: accepted with status %d", c.Fault, r.StatusCode)
	}
	return ""
}

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

// serve answers TLS connections on a port of its own.
func (c *tlsCase) serve(t *testing.T, made madeCerts) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	config := c.config(made)
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go c.answer(conn, config)
		}
	}()
	return ln.Addr().String()
}

var tlsVersions = map[string]uint16{"1.0": tls.VersionTLS10, "1.1": tls.VersionTLS11, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}

func (c *tlsCase) config(made madeCerts) *tls.Config {
	config := &tls.Config{
		Certificates: []tls.Certificate{made.chain(c.Sent)},
		MinVersion:   tls.VersionTLS10,
		MaxVersion:   tlsVersions[c.Server.Max],
		NextProtos:   c.Server.ALPN,
	}
	if v := tlsVersions[c.Server.Min]; v != 0 {
		config.MinVersion = v
	}
	for _, suite := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if slices.Contains(c.Server.Ciphers, suite.Name) {
			config.CipherSuites = append(config.CipherSuites, suite.ID)
		}
	}
	if c.Server.ClientAuth != "" {
		config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		config.ClientCAs.AddCert(made[c.Server.ClientAuth].cert)
	}
	return config
}

// answer plays the server of one connection.
func (c *tlsCase) answer(raw net.Conn, config *tls.Config) {
	defer raw.Close()
	raw.SetDeadline(time.Now().Add(callLimit))
	switch {
	case c.Server.Plain != "":
		raw.Read(make([]byte, 1))
		io.WriteString(raw, unlatin1(c.Server.Plain))
		raw.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, raw)
		return
	case c.Server.Hangup:
		raw.Read(make([]byte, 5))
		return
	}
	conn := tls.Server(raw, config)
	if conn.Handshake() != nil || len(newRequestReader(conn).read()) == 0 {
		return
	}
	if reply := c.Server.NoCloseNotify; reply != "" {
		io.WriteString(conn, reply) // and then only the TCP connection is closed
		return
	}
	io.WriteString(conn, strings.Join([]string{"HTTP/1.1 200 OK", "Content-Length: 2", "", "ok"}, "\r\n"))
	conn.Close()
}
