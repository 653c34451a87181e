package dial

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
)

// The authentication methods of RFC 1928 3 that are offered, and the one that means no.
const (
	methodNone     = 0x00
	methodPassword = 0x02
	methodRejected = 0xff
)

// The address types of RFC 1928 5.
const (
	addressIPv4 = 1
	addressName = 3
	addressIPv6 = 4
)

// version5 is SOCKS 5 (RFC 1928) with user and password (RFC 1929). The name is looked up after the
// authentication, as PySocks does.
func (r *SocksRequest) version5(rw io.ReadWriter) error {
	if err := r.authenticate(rw); err != nil {
		return err
	}
	address, err := r.address5()
	if err != nil {
		return err
	}
	msg := append([]byte{5, 1, 0}, address...)
	msg = binary.BigEndian.AppendUint16(msg, uint16(r.Port))
	var reply [3]byte
	if err := exchange(rw, msg, reply[:]); err != nil {
		return err
	}
	if reply[0] != 5 {
		return invalid5()
	}
	if code := reply[1]; code != 0 {
		return refused(5, code, reason5(code))
	}
	return skipBound(rw)
}

// authenticate agrees on a method. The server may choose none though credentials were offered.
func (r *SocksRequest) authenticate(rw io.ReadWriter) error {
	offer := []byte{5, 1, methodNone}
	password := r.User != "" || r.Password != ""
	if password {
		offer = []byte{5, 2, methodNone, methodPassword}
	}
	var chosen [2]byte
	if err := exchange(rw, offer, chosen[:]); err != nil {
		return err
	}
	switch {
	case chosen[0] != 5:
		return invalid5()
	case chosen[1] == methodNone:
		return nil
	case chosen[1] == methodPassword && password:
		return r.sendPassword(rw)
	case chosen[1] == methodPassword:
		return problem5("No username/password supplied. Server requested username/password authentication")
	case chosen[1] == methodRejected:
		return problem5("All offered SOCKS5 authentication methods were rejected")
	}
	return invalid5()
}

// sendPassword is RFC 1929. The lengths are one byte each; PySocks writes those above 127 as two.
func (r *SocksRequest) sendPassword(rw io.ReadWriter) error {
	if len(r.User) > 255 || len(r.Password) > 255 {
		return errors.New("SOCKS5 user or password longer than 255 bytes")
	}
	msg := append([]byte{1, byte(len(r.User))}, r.User...)
	msg = append(msg, byte(len(r.Password)))
	msg = append(msg, r.Password...)
	var status [2]byte
	if err := exchange(rw, msg, status[:]); err != nil {
		return err
	}
	switch {
	case status[0] != 1:
		return invalid5()
	case status[1] != 0:
		return problem5("SOCKS5 authentication failed")
	}
	return nil
}

// address5 is the destination with its type byte.
func (r *SocksRequest) address5() ([]byte, error) {
	ip, name, err := r.destination("ip")
	switch {
	case err != nil:
		return nil, err
	case name == "" && ip.To4() != nil:
		return append([]byte{addressIPv4}, ip.To4()...), nil
	case name == "":
		return append([]byte{addressIPv6}, ip.To16()...), nil
	case len(name) > 255:
		return nil, &net.DNSError{Err: "host longer than 255 bytes", IsNotFound: true}
	}
	return append([]byte{addressName, byte(len(name))}, name...), nil
}

// skipBound reads the bound address of the reply, which nobody needs, to its last byte.
func skipBound(r io.Reader) error {
	var b [255 + 2]byte
	if err := receive(r, b[:1]); err != nil {
		return err
	}
	var length int
	switch b[0] {
	case addressIPv4:
		length = net.IPv4len
	case addressIPv6:
		length = net.IPv6len
	case addressName:
		if err := receive(r, b[:1]); err != nil {
			return err
		}
		length = int(b[0])
	default:
		return invalid5()
	}
	return receive(r, b[:length+2])
}

func reason5(code byte) string {
	reasons := [...]string{
		1: "General SOCKS server failure",
		2: "Connection not allowed by ruleset",
		3: "Network unreachable",
		4: "Host unreachable",
		5: "Connection refused",
		6: "TTL expired",
		7: "Command not supported, or protocol error",
		8: "Address type not supported",
	}
	if int(code) < len(reasons) {
		return reasons[code]
	}
	return "Unknown error"
}

func problem5(reason string) error { return &SocksError{Version: 5, Reason: reason} }

func invalid5() error { return problem5("SOCKS5 proxy server sent invalid data") }
