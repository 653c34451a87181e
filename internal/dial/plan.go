package dial

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/mountable/requests/internal/ascii"
)

// Plan says how to reach one origin. The zero value of every field but Host and
// Port is the plain choice: TCP, direct, no TLS, no limits. Dial only reads it, so
// one plan may serve several calls at once.
type Plan struct {
	// Network is "tcp" (also ""), "tcp4", "tcp6" or "unix".
	Network string
	// Host is the origin: an ASCII name (IDNA already applied) or an IP address,
	// without brackets, with a zone where it has one. A trailing dot is kept for
	// the lookup and left out of every TLS name.
	Host string
	Port int
	// Address replaces Host for the connection and for nothing else: an IP
	// address, "host:port", or the path of a Unix socket. Through a proxy it counts
	// only where the client itself resolves the origin (socks4, socks5).
	Address string

	// Local is the source address. The zero address or port leaves that part to
	// the system; addresses of the other family are not tried.
	Local netip.AddrPort
	// Interface binds the socket to a network interface (Linux and macOS).
	Interface string
	// SocketOptions are set in order on each socket before it is bound and
	// connected, to a proxy as well. Without TCP_NODELAY among them Nagle's
	// algorithm stays on, as on a fresh socket.
	SocketOptions []SocketOption
	// Resolver looks names up; nil is net.DefaultResolver.
	Resolver Resolver
	// Allow is asked about every address of the origin before it is connected to, or
	// named to a proxy; addresses it returns an error for are not used. Names of the
	// origin are then resolved here, through proxies of every kind too, and the proxy
	// is given the address. The proxy's own address is not asked about. nil allows all.
	Allow func(host string, addr netip.AddrPort) error
	// Dial opens the first connection, to the origin or to the proxy, instead of the
	// system: Local, Interface and SocketOptions are then its own business. network is
	// the plan's and address "host:port", or the path of a Unix socket; the host is
	// resolved first only where Resolver or Allow are set. ctx ends with ConnectTimeout
	// and Deadline. nil is the system's.
	Dial DialFunc

	// TLS is the origin's; nil means the origin is spoken to in the clear.
	TLS *TLS
	// Proxy is nil for a direct connection.
	Proxy *Proxy

	// ConnectTimeout limits the name lookup, and then each address tried, as
	// urllib3 does. 0 means no limit.
	ConnectTimeout time.Duration
	// ReadTimeout limits each handshake: CONNECT, SOCKS and TLS. 0 means
	// ConnectTimeout, so that a silent proxy cannot hold a caller who set only that.
	ReadTimeout time.Duration
	// Deadline limits the whole; the zero time means no limit.
	Deadline time.Time

	pinned netip.Addr // of the origin, checked by Allow, for the proxy
	took   *Times     // so far
}

// Resolver looks up the addresses of a host; *net.Resolver is one. network is
// "ip", "ip4" or "ip6". The order of the answer is the order of the attempts.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// DialFunc opens one connection.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// SocketOption is one setsockopt call: with Bytes where these are not nil, else with Int.
type SocketOption struct {
	Level, Name int
	Int         int
	Bytes       []byte
}

// Proxy is the hop in front of the origin. Nothing of it is ever sent to the
// origin, and nothing of the origin but its host and port to the proxy.
type Proxy struct {
	// Scheme is http, https, socks4, socks4a, socks5 or socks5h.
	Scheme string
	Host   string
	Port   int
	// User and Password are for SOCKS; an HTTP proxy's credentials are in Header.
	// SOCKS 5 offers them unless both are empty, SOCKS 4 sends User alone.
	User, Password string
	// Header is sent with CONNECT, after Host, in this order.
	Header [][2]string
	// TLS is the proxy's own (https). nil there means verification by the system's
	// roots and the proxy's host name.
	TLS *TLS
	// Tunnel asks for CONNECT through an HTTP proxy. Without it Dial stops at the
	// proxy, for requests in absolute form. SOCKS proxies always tunnel.
	Tunnel bool

	bound *boundAnswers // of DialWith; nil for other credentials
}

// TLS is how one hop is secured. The zero value verifies the chain against the
// system's roots, and the name against the host of the hop.
type TLS struct {
	// ServerName goes into SNI; "" means the host of the hop. IP addresses are
	// never sent as SNI.
	ServerName string
	// VerifyName is the name or IP address the certificate must be for; "" means
	// ServerName, then the host.
	VerifyName string
	// InsecureSkipVerify leaves chain and name unchecked. A Fingerprint is checked even so.
	InsecureSkipVerify bool
	// SkipName leaves only the name unchecked.
	SkipName bool
	// Roots replaces the system's roots; nil means these.
	Roots *x509.CertPool
	// Check is asked last about a handshake that has been verified, resumed ones included;
	// VerifiedChains is set. nil allows all.
	Check func(tls.ConnectionState) error
	// Certificates are offered when the server asks for one.
	Certificates []tls.Certificate
	// MinVersion and MaxVersion are tls.VersionTLS10 and so on; 0 means TLS 1.2
	// and the newest.
	MinVersion, MaxVersion uint16
	// Fingerprint of the leaf certificate, MD5, SHA-1 or SHA-256 by its length. It
	// takes the place of the name check, not of the chain's (urllib3's
	// assert_fingerprint). Empty means none.
	Fingerprint []byte
	// NextProtos is the ALPN offer; the choice is in Conn.TLS.
	NextProtos []string
	// SessionCache must belong to this configuration alone; nil means no resumption.
	SessionCache tls.ClientSessionCache
	// KeyLog receives the secrets, for debugging.
	KeyLog io.Writer
}

// origin is the host and port as the proxy and the error messages show them.
func (p *Plan) origin() string { return ascii.JoinHostPort(p.Host, p.Port) }

func (p *Plan) resolver() Resolver {
	if p.Resolver != nil {
		return p.Resolver
	}
	return net.DefaultResolver
}

func (p *Plan) handshakeTimeout() time.Duration {
	if p.ReadTimeout > 0 {
		return p.ReadTimeout
	}
	return p.ConnectTimeout
}

// target is where a direct connection goes: Address instead of Host.
func (p *Plan) target() (host string, port int) {
	if p.Address == "" {
		return p.Host, p.Port
	}
	if host, service, err := net.SplitHostPort(p.Address); err == nil {
		if n, err := strconv.ParseUint(service, 10, 16); err == nil {
			return host, int(n)
		}
	}
	return strings.Trim(p.Address, "[]"), p.Port
}

func (x *Proxy) addr() string { return ascii.JoinHostPort(x.Host, x.Port) }

// Addresses are those that Dial would connect to, in the order of its attempts, for transports other than TCP. They have
// been asked about and belong to the family of the source address; every error is an *Error.
func (p *Plan) Addresses(ctx context.Context) ([]netip.AddrPort, error) {
	host, port := p.target()
	return p.addresses(ctx, host, port, PhaseConnect)
}
