package dial

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
)

// SocksRequest is one CONNECT through a SOCKS proxy, in the manner of PySocks, which Requests uses.
type SocksRequest struct {
	// Scheme is socks4 or socks5, which resolve Host here, or socks4a or socks5h,
	// which leave names to the proxy. Address literals are sent as addresses, except
	// IPv6 by socks4a, which has no other way than as a name.
	Scheme string
	Host   string
	Port   int
	// SOCKS 5 offers user and password unless both are empty; SOCKS 4 sends User alone.
	User, Password string
	// Lookup returns an address of host; network is "ip", or "ip4" for SOCKS 4.
	Lookup func(network, host string) (net.IP, error)
}

// SocksError is a SOCKS proxy's refusal, or its breach of the protocol.
type SocksError struct {
	Version int    // 4 or 5
	Refused bool   // the proxy understood and said no; Code says why
	Code    byte   // the reply's code where Refused
	Reason  string // in PySocks' words, with the code
}

func (e *SocksError) Error() string { return e.Reason }

func refused(version int, code byte, reason string) error {
	return &SocksError{Version: version, Refused: true, Code: code, Reason: fmt.Sprintf("0x%02x: %s", code, reason)}
}

// errSocksClosed is PySocks' text for a proxy that hung up.
const errSocksClosed = closedError("Connection closed unexpectedly")

// Socks runs the client's side of the handshake over rw. It reads not a byte too many: after nil the
// next one is the origin's.
func Socks(rw io.ReadWriter, r *SocksRequest) error {
	if r.Port < 0 || r.Port > 65535 {
		return &net.AddrError{Err: "invalid port", Addr: r.Host}
	}
	switch r.Scheme {
	case "socks4", "socks4a":
		return r.version4(rw)
	case "socks5", "socks5h":
		return r.version5(rw)
	}
	return fmt.Errorf("unknown SOCKS scheme %q", r.Scheme)
}

// version4 is SOCKS 4 and its extension 4A.
func (r *SocksRequest) version4(rw io.ReadWriter) error {
	ip, name, err := r.destination("ip4")
	if err != nil {
		return err
	}
	if strings.IndexByte(r.User+name, 0) >= 0 {
		return errors.New("NUL byte in the SOCKS user or host")
	}
	if name != "" {
		ip = net.IPv4(0, 0, 0, 1).To4()
	}
	msg := binary.BigEndian.AppendUint16([]byte{4, 1}, uint16(r.Port))
	msg = append(msg, ip...)
	msg = append(append(msg, r.User...), 0)
	if name != "" {
		msg = append(append(msg, name...), 0)
	}
	var reply [8]byte
	if err := exchange(rw, msg, reply[:]); err != nil {
		return err
	}
	return reply4(reply[0], reply[1])
}

func reply4(version, code byte) error {
	if version != 0 {
		return &SocksError{Version: 4, Reason: "SOCKS4 proxy server sent invalid data"}
	}
	switch code {
	case 0x5a:
		return nil
	case 0x5b:
		return refused(4, code, "Request rejected or failed")
	case 0x5c:
		return refused(4, code, "Request rejected because SOCKS server cannot connect to identd on the client")
	case 0x5d:
		return refused(4, code, "Request rejected because the client program and identd report different user-ids")
	}
	return refused(4, code, "Unknown error")
}

// destination is the address to ask for, or the name where the proxy is to resolve it.
func (r *SocksRequest) destination(network string) (ip net.IP, name string, err error) {
	host := strings.TrimSuffix(strings.TrimPrefix(r.Host, "["), "]")
	remote := r.Scheme == "socks4a" || r.Scheme == "socks5h"
	if a, err := netip.ParseAddr(host); err == nil {
		switch a = a.Unmap().WithZone(""); {
		case a.Is4() || network != "ip4":
			return a.AsSlice(), "", nil
		case !remote:
			return nil, "", &net.DNSError{Err: "no IPv4 address for SOCKS 4", Name: host, IsNotFound: true}
		}
		return nil, host, nil
	}
	if remote {
		return nil, strings.TrimSuffix(host, "."), checkName(host)
	}
	ip, err = r.Lookup(network, host)
	if err == nil && network == "ip4" && ip.To4() == nil {
		err = &net.DNSError{Err: "no IPv4 address for SOCKS 4", Name: host, IsNotFound: true}
	}
	return ip, "", err
}

// exchange sends one message and reads a reply of known length.
func exchange(rw io.ReadWriter, msg, reply []byte) error {
	if _, err := rw.Write(msg); err != nil {
		return err
	}
	return receive(rw, reply)
}

func receive(r io.Reader, b []byte) error {
	_, err := io.ReadFull(r, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errSocksClosed
	}
	return err
}
