package parity

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

// requestReader cuts the raw bytes of requests out of a stream.
type requestReader struct {
	in  *bufio.Reader
	raw bytes.Buffer
}

func newRequestReader(r io.Reader) *requestReader {
	return &requestReader{in: bufio.NewReader(r)}
}

// read returns the next request as it came, or nil at the end or where its head is cut short; a body cut short is returned
// as far as it came.
func (r *requestReader) read() []byte {
	r.raw.Reset()
	framing, length, whole := r.head()
	switch {
	case !whole:
		return nil
	case framing == "chunked":
		r.chunks()
	case length > 0:
		r.take(length)
	}
	return bytes.Clone(r.raw.Bytes())
}

// head reads up to the blank line, says whether it came, and finds the framing.
func (r *requestReader) head() (framing string, length int, whole bool) {
	for {
		line, err := r.line()
		if err != nil || line == "" {
			return framing, length, err == nil && r.raw.Len() > len("\r\n")
		}
		name, value, _ := strings.Cut(line, ":")
		value = strings.ToLower(strings.TrimSpace(value))
		switch strings.ToLower(name) {
		case "transfer-encoding":
			framing = value
		case "content-length":
			length, _ = strconv.Atoi(value)
		}
	}
}

func (r *requestReader) chunks() {
	for {
		line, err := r.line()
		size, bad := strconv.ParseUint(strings.TrimSpace(line), 16, 31)
		if err != nil || bad != nil {
			return
		}
		if size == 0 {
			r.trailers()
			return
		}
		r.take(int(size) + 2)
	}
}

func (r *requestReader) trailers() {
	for {
		if line, err := r.line(); err != nil || line == "" {
			return
		}
	}
}

// line reads one line, keeps it raw, and returns it without its end.
func (r *requestReader) line() (string, error) {
	line, err := r.in.ReadString('\n')
	r.raw.WriteString(line)
	return strings.TrimRight(line, "\r\n"), err
}

func (r *requestReader) take(n int) {
	io.CopyN(&r.raw, r.in, int64(n))
}

// rest is what has been read from the connection beyond the last request.
func (r *requestReader) rest() []byte {
	rest, _ := r.in.Peek(r.in.Buffered())
	return bytes.Clone(rest)
}

// relay copies both ways between conn and a server until either side ends.
func relay(conn net.Conn, early []byte, to string) {
	far, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer far.Close()
	far.Write(early)
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(conn, far)
		conn.Close()
	}()
	io.Copy(far, conn)
	far.(*net.TCPConn).CloseWrite()
	far.Close()
	<-done
}

// serveSOCKS plays a SOCKS5 server with no or user/password authentication.
func (s *server) serveSOCKS(conn net.Conn) {
	user, err := socksGreeting(conn)
	if err != nil {
		return
	}
	target, err := socksTarget(conn)
	if err != nil {
		return
	}
	s.record(0, []byte("SOCKS5 "+target+user), "")
	if _, err := conn.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0}); err != nil {
		return
	}
	relay(conn, nil, s.forward)
}

// socksGreeting agrees on a method and returns " user:password" where one was used.
func socksGreeting(conn net.Conn) (string, error) {
	methods, err := socksPrefixed(conn, 1)
	if err != nil {
		return "", err
	}
	if !bytes.Contains(methods, []byte{2}) {
		_, err := conn.Write([]byte{5, 0})
		return "", err
	}
	conn.Write([]byte{5, 2})
	user, err := socksPrefixed(conn, 1)
	if err != nil {
		return "", err
	}
	password, err := socksPrefixed(conn, 0)
	if err != nil {
		return "", err
	}
	_, err = conn.Write([]byte{1, 0})
	return fmt.Sprintf(" %s:%s", user, password), err
}

// socksPrefixed skips some bytes, then reads a length byte and as many bytes.
func socksPrefixed(r io.Reader, skip int) ([]byte, error) {
	head := make([]byte, skip+1)
	if _, err := io.ReadFull(r, head); err != nil {
		return nil, err
	}
	body := make([]byte, head[skip])
	_, err := io.ReadFull(r, body)
	return body, err
}

// socksTarget reads a CONNECT request and returns host:port.
func socksTarget(conn net.Conn) (string, error) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(conn, head); err != nil {
		return "", err
	}
	host, err := socksHost(conn, head[3])
	if err != nil {
		return "", err
	}
	port := make([]byte, 2)
	if _, err := io.ReadFull(conn, port); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s:%d", host, int(port[0])<<8|int(port[1])), nil
}

func socksHost(conn net.Conn, kind byte) (string, error) {
	if kind == 3 {
		name, err := socksPrefixed(conn, 0)
		return string(name), err
	}
	size := map[byte]int{1: 4, 4: 16}[kind]
	if size == 0 {
		return "", fmt.Errorf("address type %d", kind)
	}
	ip := make(net.IP, size)
	_, err := io.ReadFull(conn, ip)
	return ip.String(), err
}
