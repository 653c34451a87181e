package parity

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/cases"
	"github.com/mountable/requests/internal/wiretest"
)

// tlsCase is a server with a fault in its certificates or its TLS, and whether a client must refuse it.
type tlsCase struct {
	ID     string        `json:"id"`
	Host   string        `json:"host"`
	Certs  []certSpec    `json:"certs"`
	Sent   []string      `json:"chain_sent"`
	Trusts []string      `json:"client_trusts"`
	Server tlsServerSpec `json:"server_tls"`
	Client string        `json:"client_certificate"`
	Expect string        `json:"expect"`
	Fault  string        `json:"fault"`
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

// tlsWay is how a client comes to the server: the protocol it offers, and whether through a proxy's tunnel.
type tlsWay struct {
	name   string
	h2     bool
	tunnel bool
}

var tlsWays = []tlsWay{
	{"h1", false, false}, {"h2", true, false}, {"h1-connect", false, true}, {"h2-connect", true, true},
}

// TestTLS runs a session against servers with one fault each, over HTTP/1.1 and HTTP/2, directly and through the tunnel
// of a proxy.
func TestTLS(t *testing.T) {
	var file struct {
		Cases []json.RawMessage `json:"cases"`
	}
	cases.Corpus(t, "tls.json", &file)
	tl := newTally(t)
	for _, way := range tlsWays {
		t.Run(way.name, func(t *testing.T) {
			for _, raw := range file.Cases {
				runCase(t, tl, "tls/"+way.name, caseID(t, raw), raw, func(t *testing.T, c tlsCase) string {
					if why := c.listedOnly(); why != "" {
						t.Skip(why)
					}
					t.Parallel()
					return c.run(t, way)
				})
			}
		})
	}
}

// listedOnly tells the cases that the corpus names without a server to play, and makes a server for some of them.
func (c *tlsCase) listedOnly() string {
	good := certSpec{Name: "leaf", CN: "leaf", NotBefore: -10, NotAfter: 90, EKU: []string{"serverAuth"}, DNS: []string{c.Host}, Issuer: "root", Key: "rsa2048"}
	root := certSpec{Name: "root", CN: "root", NotBefore: -10, NotAfter: 90, CA: true, Issuer: "self", Key: "rsa2048"}
	switch {
	case c.ID == "rsa512":
		return "crypto/rsa neither makes such a key nor signs a handshake with it, so that the server fails by itself"
	case c.Certs != nil:
		return ""
	case c.ID == "renegotiation":
		return "crypto/tls has no server that asks for it; its client never agrees (tls.RenegotiateNever)"
	case c.Expect == "either":
		return "nothing is required of a client here, and the corpus has no certificates for it"
	case c.ID == "md5-leaf":
		good.Sig = "md5"
	case uncommonSuites[c.ID] == 0:
		return "listed without certificates: there is nothing to generate"
	}
	c.Certs, c.Sent, c.Trusts = []certSpec{root, good}, []string{"leaf"}, []string{"root"}
	return ""
}

func (c *tlsCase) run(t *testing.T, way tlsWay) string {
	made, err := c.generate()
	if err != nil {
		t.Fatalf("%s: %v", c.Fault, err)
	}
	config := c.config(made)
	if way.h2 && config.NextProtos == nil {
		config.NextProtos = []string{"h2", "http/1.1"}
	}
	s := requests.NewSession()
	defer s.Close()
	s.TrustEnv = false
	s.Verify = requests.CABundlePEM(made.trusted(c.Trusts))
	if c.Client != "" {
		s.Cert = requests.CertTLS(made.chain([]string{c.Client}))
	}
	way.lead(t, s, c.serve(t, config))
	ctx, cancel := context.WithTimeout(t.Context(), callLimit)
	defer cancel()
	r, err := s.Get(ctx, "https://"+bracketed(c.Host)+"/")
	switch {
	case ctx.Err() != nil:
		return "no outcome in bounded time"
	case c.Expect == "accept" && err != nil:
		return fmt.Sprintf("%s: refused: %v", c.Fault, err)
	case c.Expect == "refuse" && err == nil:
		return fmt.Sprintf("%s: accepted with status %d", c.Fault, r.StatusCode)
	case err == nil && way.h2 && c.Server.ALPN == nil && r.Proto != "HTTP/2.0":
		return "spoke " + r.Proto
	}
	return ""
}

// lead makes every name lead to one address: by the option of the adapter, or by the proxy.
func (w tlsWay) lead(t *testing.T, s *requests.Session, addr string) {
	if w.tunnel {
		proxy := wiretest.Start(t, wiretest.Config{Route: func(string) string { return addr }})
		s.Proxies = requests.Proxies{"https": "http://" + proxy.Addr()}
	}
	s.Mount("https://", requests.NewHTTPAdapter(requests.ConfigureConn(
		func(conn *requests.ConnConfig, _ *requests.PreparedRequest) error {
			if !w.tunnel {
				conn.Address = addr
			}
			if w.h2 {
				conn.HTTP2 = requests.HTTP2Offered
			}
			return nil
		})))
}
