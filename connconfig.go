package requests

import (
	"crypto/tls"
	"net/netip"
	"os"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/dial"
)

// ConnConfig describes the connection that a request needs. It is at once the
// plan for dialing and the key of the pool: two requests share a connection only
// where their ConnConfigs are equal. It is a comparable value without references
// to anything that changes, so that composing adapter options can be tested by
// comparing values; see [HTTPAdapter.Plan].
//
// The hops are separate parts: what is meant for the origin's TLS never reaches
// the proxy, nor the other way round.
type ConnConfig struct {
	Scheme string // "http" or "https"
	Host   string // ASCII, without brackets; empty where the proxy's connections serve all hosts
	Port   int

	Network   string           // "tcp", "tcp4", "tcp6" or "unix"; empty is "tcp"
	Address   string           // dialed instead of Host and Port: "ip", "host:port", or a Unix socket's path
	LocalAddr netip.AddrPort   // source address; the zero parts are the system's choice
	Interface string           // network interface to bind to
	Options   SocketOptionList // set on each socket before it connects
	Resolver  dial.Resolver    // nil: the system's; must be comparable
	Guard     Guard            // asked about each address of the origin; nil: all are allowed; must be comparable
	Dial      *DialFunc        // opens the connection instead of the system; nil: the system does
	HTTP2     HTTP2Mode        // whether HTTP/2 may be, or is, spoken

	TLS   TLSConfig   // towards the origin
	Proxy ProxyConfig // the zero value is a direct connection
}

// Guard decides which addresses may be connected to; see adapters.DenyPrivate.
//
// CheckAddress is asked about every address of the origin, of literals and of names that
// were looked up, right before it is connected to, or named to a proxy: with a guard,
// names are looked up by this program whatever the proxy, and http URLs go through a
// proxy's tunnel. addr is invalid for a Unix socket. An error leaves the address out;
// where none is left the request ends with [ErrDenied] around it. The proxy's own address
// is not asked about. A Guard must be comparable and safe for concurrent use.
type Guard interface {
	CheckAddress(host string, addr netip.AddrPort) error
}

// DialFunc opens a connection. ConnConfig holds it by pointer, as functions cannot be
// compared; see adapters.Dialer.
type DialFunc = dial.DialFunc

// TLSConfig is how one hop is secured.
type TLSConfig struct {
	ServerName  string // SNI; empty is the hop's host
	VerifyName  string // what the certificate must be for; empty is ServerName, then the host
	Verify      Verification
	Cert        Certificate
	MinVersion  uint16 // tls.VersionTLS12 if 0
	MaxVersion  uint16 // the newest if 0
	Fingerprint string // raw digest of the leaf: MD5, SHA-1 or SHA-256 by length; takes the place of the name check

	// Check has the last word on a connection whose certificate has been verified; nil:
	// nothing more is asked. It must be comparable. See adapters.CRLFiles.
	Check TLSCheck

	// KeyLogFile is where TLS secrets are appended, for debugging: whoever reads the file
	// can read the connection. Empty is the file SSLKEYLOGFILE names, for sessions with
	// TrustEnv, and else none.
	KeyLogFile string
}

// TLSCheck looks at handshakes, resumed ones too. state.VerifiedChains is empty where nothing
// is verified. An error is [ErrSSL]. It must be safe for concurrent use.
type TLSCheck interface {
	CheckTLS(state tls.ConnectionState) error
}

// ProxyConfig is the hop in front of the origin.
type ProxyConfig struct {
	Scheme        string // http, https, socks4, socks4a, socks5, socks5h; empty is none
	Host          string
	Port          int
	User          string // for SOCKS
	Password      string
	Authorization string // Proxy-Authorization of CONNECT, and of requests in absolute form
	Tunnel        bool   // CONNECT, also for plain http if an editor says so; otherwise requests go to the proxy in absolute form

	// Credentials are asked for the Proxy-Authorization where Authorization is empty; nil for none.
	Credentials ProxyCredentials

	Headers ProxyFields // more header fields for the proxy

	TLS TLSConfig
}

// HTTP2Mode says whether a connection may speak HTTP/2.
type HTTP2Mode uint8

// The modes.
const (
	HTTP1Only    HTTP2Mode = iota // the default, as in Requests
	HTTP2Offered                  // by ALPN, over TLS
	HTTP2Assumed                  // without asking, also in the clear
)

// SocketOption is one setsockopt call, by the platform's numbers: with Bytes
// where these are not nil, else with Int.
type SocketOption = dial.SocketOption

// SocketOptionList is a list of socket options as a comparable value.
type SocketOptionList struct{ encoded string }

// NewSocketOptionList makes a list; options are set in its order.
func NewSocketOptionList(options ...SocketOption) SocketOptionList {
	return SocketOptionList{dial.EncodeOptions(options)}
}

// All returns the options in order.
func (s SocketOptionList) All() []SocketOption {
	return dial.DecodeOptions(s.encoded)
}

// Append returns the list with more options at its end.
func (s SocketOptionList) Append(options ...SocketOption) SocketOptionList {
	return SocketOptionList{s.encoded + dial.EncodeOptions(options)}
}

// DefaultSocketOptions turns Nagle's algorithm off, as urllib3 does.
func DefaultSocketOptions() SocketOptionList { return defaultSocketOptions }

var defaultSocketOptions = NewSocketOptionList(dial.NoDelay)

// shown describes the connection for people: no credentials.
func (c ConnConfig) shown() string {
	text := c.Scheme + "://" + ascii.JoinHostPort(c.Host, c.Port)
	if c.Proxy.Scheme != "" {
		text += " through " + c.Proxy.shown()
	}
	if c.Address != "" {
		text += " at " + c.Address
	}
	return text
}

// plan turns the value into what dial carries out. Certificates are read here.
func (c *ConnConfig) plan(m *dial.Sessions) (*dial.Plan, error) {
	p := &dial.Plan{
		Network: c.Network, Host: c.Host, Port: c.Port, Address: c.Address,
		Local: c.LocalAddr, Interface: c.Interface, SocketOptions: c.Options.All(), Resolver: c.Resolver,
	}
	if c.Guard != nil {
		p.Allow = c.Guard.CheckAddress
	}
	if c.Dial != nil {
		p.Dial = *c.Dial
	}
	if c.Proxy.Scheme != "" {
		proxy, err := c.Proxy.plan(m)
		if err != nil {
			return nil, err
		}
		p.Proxy = proxy
	}
	if c.Scheme == "https" {
		t, err := c.TLS.plan(m.Origin)
		if err != nil {
			return nil, err
		}
		if c.TLS.MaxVersion == 0 || c.TLS.MaxVersion >= tls.VersionTLS12 {
			t.NextProtos = c.HTTP2.protocols() // HTTP/2 needs TLS 1.2 (RFC 9113 section 9.2)
		}
		p.TLS = t
	}
	return p, nil
}

func (m HTTP2Mode) protocols() []string {
	if m == HTTP2Offered || m == HTTP2Assumed {
		return []string{"h2", "http/1.1"}
	}
	return nil
}

func (c *ProxyConfig) plan(m *dial.Sessions) (*dial.Proxy, error) {
	p := &dial.Proxy{
		Scheme: c.Scheme, Host: c.Host, Port: c.Port,
		User: c.User, Password: c.Password, Tunnel: c.Tunnel,
	}
	if c.Authorization != "" {
		p.Header = append(p.Header, [2]string{"Proxy-Authorization", c.Authorization})
	}
	p.Header = append(p.Header, c.Headers.All()...)
	if c.Scheme != "https" {
		return p, nil
	}
	t, err := c.TLS.plan(m.Proxy)
	p.TLS = t
	return p, err
}

// apply puts what the request says of any hop over what the editors chose.
func (c *TLSConfig) apply(opts *SendOptions) {
	c.Verify = opts.verifyOver(c.Verify)
	if c.KeyLogFile == "" && opts.trustEnv {
		c.KeyLogFile = os.Getenv("SSLKEYLOGFILE")
	}
}

// reread puts what the files of both hops hold now into the value.
func (c *ConnConfig) reread() error {
	if err := c.TLS.reread(); err != nil {
		return err
	}
	return c.Proxy.TLS.reread()
}

func (c *TLSConfig) reread() (err error) {
	if c.Verify, err = c.Verify.reread(); err == nil {
		c.Cert, err = c.Cert.reread()
	}
	return err
}

// plan loads what the hop's TLS needs. sessions belongs to this hop of this
// configuration alone, so that no TLS session is resumed under other checks.
func (c *TLSConfig) plan(sessions tls.ClientSessionCache) (*dial.TLS, error) {
	roots, err := c.Verify.load()
	if err != nil {
		return nil, err
	}
	certificates, err := c.Cert.load()
	if err != nil {
		return nil, err
	}
	t := &dial.TLS{
		ServerName: c.ServerName, VerifyName: c.VerifyName,
		InsecureSkipVerify: !c.Verify.Enabled(), Roots: roots, Certificates: certificates,
		MinVersion: c.MinVersion, MaxVersion: c.MaxVersion,
		SessionCache: sessions, Fingerprint: []byte(c.Fingerprint), KeyLog: dial.KeyLog(c.KeyLogFile).Writer(),
	}
	if c.Check != nil {
		t.Check = c.Check.CheckTLS
	}
	return t, nil
}

// Client returns a configuration of crypto/tls that verifies host as an [HTTPAdapter] does, for the
// authors of an [Adapter] and any number of handshakes. What cannot be read is an [*Error].
func (c TLSConfig) Client(host string) (*tls.Config, error) {
	t, err := c.plan(nil)
	if err != nil {
		return nil, err
	}
	return t.Client(host), nil
}
