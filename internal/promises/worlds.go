package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// What needs names, certificates and proxies. The hosts: one that is asked, and one that no
// proxy is for.
const (
	host   = "host.test"
	direct = "direct.test"
)

// unclear is the verdict where a client fails at what it should do.
const unclear = "not measured: it fails without the fault too"

// seen keeps what requests had in a header, by host.
type seen struct {
	mu     sync.Mutex // mu protects the fields below.
	byHost map[string]string
	count  map[string]int
}

func (s *seen) note(r *http.Request, header string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byHost == nil {
		s.byHost, s.count = map[string]string{}, map[string]int{}
	}
	name := (&url.URL{Host: r.Host}).Hostname()
	s.byHost[name] += r.Header.Get(header)
	s.count[name]++
}

func (s *seen) of(host string) (value string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byHost[host], s.count[host]
}

// named returns the URL of a server under another name.
func named(server *httptest.Server, name string) string {
	u, err := url.Parse(server.URL)
	if err != nil {
		return ""
	}
	u.Host = net.JoinHostPort(name, u.Port())
	return u.String()
}

// quiet is a server that does not tell of handshakes that fail, as they should here.
func quiet(handler http.HandlerFunc) *httptest.Server {
	s := httptest.NewUnstartedServer(handler)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	return s
}

func subdomain(c client) string {
	var got seen
	server := quiet(func(w http.ResponseWriter, r *http.Request) {
		got.note(r, "Authorization")
		if strings.HasPrefix(r.Host, host) {
			http.Redirect(w, r, "http://sub."+r.Host+"/", http.StatusFound)
		}
	})
	server.Start()
	defer server.Close()
	send(c, "GET", named(server, host), [][2]string{{"Authorization", "secret"}}, "")
	value, n := got.of("sub." + host)
	if n == 0 {
		return unclear
	}
	return verdict(value == "")
}

// cookie has one host set a cookie and redirect to another, which should not get it.
func cookie(c client, from, to, attributes string) string {
	var got seen
	server := quiet(func(w http.ResponseWriter, r *http.Request) {
		got.note(r, "Cookie")
		if r.URL.Path == "/set" {
			w.Header().Set("Set-Cookie", "a=1"+attributes)
			_, port, _ := net.SplitHostPort(r.Host)
			http.Redirect(w, r, "http://"+net.JoinHostPort(to, port)+"/", http.StatusFound)
		}
	})
	server.Start()
	defer server.Close()
	send(c, "GET", named(server, from)+"/set", nil, "")
	value, n := got.of(to)
	if n == 0 {
		return unclear
	}
	return verdict(value == "")
}

// certificate is one that is wrong in one way.
type certificate struct {
	unknown, expired, commonName bool
	host                         string // another one than is asked for
	version                      uint16 // of TLS, at most
}

// certified serves with the certificate, and with one that is right.
func certified(c client, wrong certificate) string {
	ca, err := newAuthority()
	if err != nil {
		return unclear
	}
	defer ca.remove()
	try := func(cert certificate) bool {
		server := quiet(func(http.ResponseWriter, *http.Request) {})
		server.TLS = ca.config(cert)
		server.StartTLS()
		defer server.Close()
		_, ok, _ := do(c, ask{method: "GET", url: named(server, host), roots: ca.file})
		return ok
	}
	if !try(certificate{}) {
		return unclear
	}
	return verdict(!try(wrong))
}

// authority signs certificates, and has its own in a file.
type authority struct {
	file string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority() (*authority, error) {
	a := &authority{}
	template := &x509.Certificate{Subject: pkix.Name{CommonName: "promises"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	made, err := a.sign(template)
	if err != nil {
		return nil, err
	}
	a.key = made.PrivateKey.(*ecdsa.PrivateKey)
	if a.cert, err = x509.ParseCertificate(made.Certificate[0]); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp("", "promises-*.pem")
	if err != nil {
		return nil, err
	}
	a.file = f.Name()
	if err := pem.Encode(f, &pem.Block{Type: "CERTIFICATE", Bytes: made.Certificate[0]}); err != nil {
		return nil, err
	}
	return a, f.Close()
}

func (a *authority) remove() { _ = os.Remove(a.file) }

// sign signs the template; before it has a certificate, with the template's own key.
func (a *authority) sign(template *x509.Certificate) (made tls.Certificate, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return made, err
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	if template.NotAfter.IsZero() {
		template.NotAfter = time.Now().Add(time.Hour)
	}
	template.NotBefore = template.NotAfter.Add(-48 * time.Hour)
	parent, signer := a.cert, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
}

// config is that of a server with the certificate.
func (a *authority) config(c certificate) *tls.Config {
	name := host
	if c.host != "" {
		name = c.host
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if c.commonName {
		template.DNSNames = []string{"other.test"}
	}
	if c.expired {
		template.NotAfter = time.Now().Add(-time.Hour)
	}
	signer := a
	if c.unknown {
		signer = &authority{cert: a.cert}
		signer.key, _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	made, err := signer.sign(template)
	if err != nil {
		return &tls.Config{}
	}
	return &tls.Config{Certificates: []tls.Certificate{made}, MaxVersion: c.version, MinVersion: min(c.version, tls.VersionTLS12)} //nolint:gosec // clients are measured
}

// proxyFor forwards, and tunnels to the target whatever host is asked for.
func proxyFor(target string, got *seen, header string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		got.note(r, header)
		switch {
		case r.Method == http.MethodConnect:
			tunnel(w, target)
		case r.URL.Hostname() == host:
			http.Redirect(w, r, "http://"+net.JoinHostPort(direct, portOf(target))+"/", http.StatusFound)
		}
	}
}

func portOf(address string) string {
	_, port, _ := net.SplitHostPort(address)
	return port
}

func tunnel(w http.ResponseWriter, target string) {
	conn, err := net.Dial("tcp", target)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer conn.Close()
	client, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer client.Close()
	if _, err := io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
		return
	}
	go func() { _, _ = io.Copy(conn, client); conn.Close() }()
	_, _ = io.Copy(client, conn)
}

// tunneled sends credentials for the proxy and the server through a tunnel, and says whether
// each header came to whom it is for alone.
func tunneled(c client, header string) string {
	var atServer, atProxy seen
	server := quiet(func(_ http.ResponseWriter, r *http.Request) { atServer.note(r, header) })
	server.StartTLS()
	defer server.Close()
	proxy := quiet(proxyFor(server.Listener.Addr().String(), &atProxy, header))
	proxy.Start()
	defer proxy.Close()
	do(c, ask{method: "GET", url: named(server, host), headers: [][2]string{{"Authorization", "secret"}}, proxy: withPassword(proxy), proxied: host})
	toServer, served := atServer.of(host)
	toProxy, passed := atProxy.of(host)
	if served == 0 || passed == 0 {
		return unclear
	}
	if header == "Authorization" {
		return verdict(toServer != "" && toProxy == "")
	}
	return verdict(toServer == "" && toProxy != "")
}

func withPassword(proxy *httptest.Server) string {
	return strings.Replace(proxy.URL, "://", "://user:secret@", 1)
}

func bypassed(c client) string {
	var atServer, atProxy seen
	server := quiet(func(_ http.ResponseWriter, r *http.Request) { atServer.note(r, "Proxy-Authorization") })
	server.Start()
	defer server.Close()
	proxy := quiet(proxyFor(server.Listener.Addr().String(), &atProxy, "Proxy-Authorization"))
	proxy.Start()
	defer proxy.Close()
	do(c, ask{method: "GET", url: named(server, host), proxy: withPassword(proxy), proxied: host})
	toServer, served := atServer.of(direct)
	if toProxy, _ := atProxy.of(host); served == 0 || toProxy == "" {
		return unclear
	}
	return verdict(toServer == "")
}

// proxyCertificate reaches a server by an https proxy, which has a certificate for its name, or
// for another one.
func proxyCertificate(c client) string {
	ca, err := newAuthority()
	if err != nil {
		return unclear
	}
	defer ca.remove()
	server := quiet(func(http.ResponseWriter, *http.Request) {})
	server.TLS = ca.config(certificate{})
	server.StartTLS()
	defer server.Close()
	try := func(name string) bool {
		proxy := quiet(proxyFor(server.Listener.Addr().String(), new(seen), ""))
		proxy.TLS = ca.config(certificate{host: name})
		proxy.StartTLS()
		defer proxy.Close()
		_, ok, _ := do(c, ask{method: "GET", url: named(server, host), roots: ca.file, proxy: named(proxy, "proxy.test"), proxied: host})
		return ok
	}
	if !try("proxy.test") {
		return unclear
	}
	return verdict(!try("other.test"))
}
