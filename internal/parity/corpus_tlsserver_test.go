package parity

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// serve answers TLS connections on a port of its own.
func (c *tlsCase) serve(t *testing.T, config *tls.Config) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
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
	case uncommonSuites[c.ID] != 0:
		chooseSuite(raw, uncommonSuites[c.ID])
		return
	}
	conn := tls.Server(raw, config)
	if conn.Handshake() != nil {
		return
	}
	if conn.ConnectionState().NegotiatedProtocol == "h2" {
		c.answerH2(raw, conn)
		return
	}
	if len(newRequestReader(conn).read()) == 0 {
		return
	}
	if reply := c.Server.NoCloseNotify; reply != "" {
		io.WriteString(conn, reply) // and then only the TCP connection is closed
		return
	}
	io.WriteString(conn, strings.Join([]string{"HTTP/1.1 200 OK", "Content-Length: 2", "", "ok"}, "\r\n"))
	conn.Close()
}

// answerH2 plays the server of an HTTP/2 connection, which may be cut as an HTTP/1 connection without close_notify.
func (c *tlsCase) answerH2(raw, conn net.Conn) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c.Server.NoCloseNotify == "" {
			io.WriteString(w, "ok")
			return
		}
		reply, err := http.ReadResponse(bufio.NewReader(strings.NewReader(c.Server.NoCloseNotify)), r)
		if err != nil {
			panic(err)
		}
		body, cut := io.ReadAll(reply.Body)
		if reply.ContentLength >= 0 {
			w.Header().Set("Content-Length", strconv.FormatInt(reply.ContentLength, 10))
		}
		w.Write(body)
		w.(http.Flusher).Flush()
		if cut != nil || reply.ContentLength < 0 {
			raw.Close()
		}
	})
	//lint:ignore SA1019 http.Server takes no connection whose handshake is not its own
	(&http2.Server{PermitProhibitedCipherSuites: true}).ServeConn(conn, &http2.ServeConnOpts{Handler: handler})
}

// uncommonSuites are the cipher suites of the cases which the corpus only lists: no library offers them.
var uncommonSuites = map[string]uint16{
	"null-cipher": 0x003b, // TLS_RSA_WITH_NULL_SHA256
	"anon-dh":     0x0034, // TLS_DH_anon_WITH_AES_128_CBC_SHA
	"export-rc4":  0x0003, // TLS_RSA_EXPORT_WITH_RC4_40_MD5
	"dh-small":    0x0033, // TLS_DHE_RSA_WITH_AES_128_CBC_SHA
}

// chooseSuite answers a ClientHello with a ServerHello of TLS 1.2 that chooses a suite, whether it was offered or not.
func chooseSuite(conn net.Conn, suite uint16) {
	var header [5]byte
	if _, err := io.ReadFull(conn, header[:]); err != nil {
		return
	}
	if _, err := io.CopyN(io.Discard, conn, int64(binary.BigEndian.Uint16(header[3:]))); err != nil {
		return
	}
	hello := append([]byte{3, 3}, make([]byte, 32)...)          // TLS 1.2, the server's random
	hello = append(hello, 0, byte(suite>>8), byte(suite), 0)    // no session, the suite, no compression
	hello = append([]byte{2, 0, 0, byte(len(hello))}, hello...) // ServerHello
	conn.Write(append([]byte{22, 3, 3, 0, byte(len(hello))}, hello...))
	io.Copy(io.Discard, conn)
}
