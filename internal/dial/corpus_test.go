package dial

import (
	"bufio"
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/mountable/requests/internal/cases"
)

// tlsCase is one case of the corpus of certificate and TLS faults.
type tlsCase struct {
	ID, Fault, Host string
	Certs           []certSpec
	ChainSent       []string `json:"chain_sent"`
	ClientTrusts    []string `json:"client_trusts"`
	ClientCert      string   `json:"client_certificate"`
	Server          struct {
		Min, Max      string
		Ciphers, ALPN []string
		ClientAuth    string `json:"client_auth"`
		Plain         string
		Close         bool   `json:"close_during_handshake"`
		NoCloseNotify string `json:"no_close_notify"`
	} `json:"server_tls"`
	Expect, Recommended string
}

// TestCorpusTLS generates every certificate chain and server of the corpus and holds Dial, with a
// response read after it, to the verdict.
func TestCorpusTLS(t *testing.T) {
	var corpus struct{ Cases []*tlsCase }
	cases.Corpus(t, "tls.json", &corpus)
	t.Setenv("GODEBUG", "rsa1024min=0")
	for _, c := range corpus.Cases {
		t.Run(c.ID, func(t *testing.T) {
			if len(c.Certs) == 0 {
				t.Skip("the corpus only lists this case: crypto/tls cannot be the server that it needs")
			}
			got, err := c.run(t)
			if got != c.Expect && c.Expect != "either" {
				t.Errorf("%s: want %s, got %s: %v", c.Fault, c.Expect, got, err)
			}
			t.Log(got, err)
		})
	}
}

// run is "accept" or "refuse".
func (c *tlsCase) run(t *testing.T) (string, error) {
	certs := buildCerts(t, c.Certs)
	ln := c.listen(t, certs)
	p := &Plan{Host: c.Host, Port: portOf(ln), Address: ln.Addr().String(), ReadTimeout: 5 * time.Second}
	p.TLS = &TLS{Roots: x509.NewCertPool(), NextProtos: []string{"http/1.1"}}
	for _, name := range c.ClientTrusts {
		p.TLS.Roots.AddCert(certs[name].cert)
	}
	if c.ClientCert != "" {
		p.TLS.Certificates = []tls.Certificate{certs[c.ClientCert].chain()}
	}
	if err := get(t, p); err != nil {
		if c.refusesClient() && !IsAlert(err) {
			t.Errorf("not an alert: %v", err)
		}
		return "refuse", err
	}
	return "accept", nil
}

// refusesClient: the server refuses the client by an alert, during the handshake or after it.
func (c *tlsCase) refusesClient() bool { return c.Server.ClientAuth != "" && c.Expect == "refuse" }

// get speaks as much HTTP as the cases need: a body cut short is an error.
func get(t *testing.T, p *Plan) error {
	conn, err := Dial(t.Context(), p)
	if err != nil {
		var e *Error
		if !errors.As(err, &e) || e.Op != PhaseTLS || e.Timeout() {
			t.Errorf("wrong kind of error: %v", err)
		}
		return err
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		return err
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}

func (c *tlsCase) listen(t *testing.T, certs map[string]*builtCert) net.Listener {
	s := c.Server
	cfg := &tls.Config{NextProtos: s.ALPN, MinVersion: cmp.Or(versions[s.Min], tls.VersionTLS10), MaxVersion: versions[s.Max]}
	for _, name := range s.Ciphers {
		cfg.CipherSuites = append(cfg.CipherSuites, cipherID(t, name))
	}
	if s.ClientAuth != "" {
		cfg.ClientAuth, cfg.ClientCAs = tls.RequireAndVerifyClientCert, x509.NewCertPool()
		cfg.ClientCAs.AddCert(certs[s.ClientAuth].cert)
	}
	leaf := tls.Certificate{PrivateKey: certs[c.ChainSent[0]].key}
	for _, name := range c.ChainSent {
		leaf.Certificate = append(leaf.Certificate, certs[name].cert.Raw)
	}
	cfg.Certificates = []tls.Certificate{leaf}
	return serve(t, func(conn net.Conn) { c.answer(conn, cfg) })
}

func (c *tlsCase) answer(conn net.Conn, cfg *tls.Config) {
	hello := make([]byte, 4096)
	switch {
	case c.Server.Plain != "":
		conn.Read(hello)
		io.WriteString(conn, c.Server.Plain)
		io.Copy(io.Discard, conn)
		return
	case c.Server.Close:
		conn.Read(hello)
		return
	}
	secured := tls.Server(conn, cfg)
	if _, err := http.ReadRequest(bufio.NewReader(secured)); err != nil {
		io.Copy(io.Discard, conn) // the alert must not be lost to a reset
		return
	}
	if c.Server.NoCloseNotify != "" {
		io.WriteString(secured, c.Server.NoCloseNotify)
		return
	}
	io.WriteString(secured, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	secured.Close()
}

var versions = map[string]uint16{"1.0": tls.VersionTLS10, "1.1": tls.VersionTLS11, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}

func cipherID(t *testing.T, name string) uint16 {
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if s.Name == name {
			return s.ID
		}
	}
	t.Fatalf("no cipher suite %s", name)
	return 0
}
