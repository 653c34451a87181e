package requests_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/internal/wiretest"
)

const forgedResponse = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged"

// holding is a connection whose writes wait until they are let go, so that they arrive together.
type holding struct {
	net.Conn
	mu   sync.Mutex // mu protects the fields below.
	held *bytes.Buffer
}

func (h *holding) hold() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.held = new(bytes.Buffer)
}

func (h *holding) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.held != nil {
		return h.held.Write(b)
	}
	return h.Conn.Write(b)
}

func (h *holding) letGo() {
	h.mu.Lock()
	defer h.mu.Unlock()
	_, _ = h.Conn.Write(h.held.Bytes())
	h.held = nil
}

// forgeOverTLS ends a handshake of TLS 1.2 with a response behind it in the same segment, so
// that the client's TLS layer reads both at once.
func forgeOverTLS(c net.Conn) {
	h := &holding{Conn: c}
	config := wiretest.TestCA().Server()
	config.MaxVersion = tls.VersionTLS12
	config.GetConfigForClient = nil
	config.VerifyConnection = func(tls.ConnectionState) error { // all but the last flight has gone out
		h.hold()
		return nil
	}
	secure := tls.Server(h, config)
	if secure.Handshake() != nil {
		return
	}
	_, _ = io.WriteString(secure, forgedResponse)
	h.letGo()
	_, _ = io.Copy(io.Discard, secure)
}

// forgeOverHTTP2 answers the first stream before there is one.
func forgeOverHTTP2(c net.Conn) {
	var b, block bytes.Buffer
	framer := http2.NewFramer(&b, nil)
	_ = framer.WriteSettings()
	enc := hpack.NewEncoder(&block)
	_ = enc.WriteField(hpack.HeaderField{Name: ":status", Value: "200"})
	_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true})
	_ = framer.WriteData(1, true, []byte("forged"))
	_, _ = c.Write(b.Bytes())
}

// TestRule54Lanes: a response that has come before its request is not believed, over TCP, TLS,
// HTTP/2 and through a proxy's tunnel.
func TestRule54Lanes(t *testing.T) {
	for name, lane := range map[string]struct {
		scheme string
		forge  func(c net.Conn) // says something at once
		tunnel bool
		option requests.AdapterOption
	}{
		"TCP":         {"http", func(c net.Conn) { _, _ = io.WriteString(c, forgedResponse) }, false, nil},
		"TLS":         {"https", forgeOverTLS, false, nil},
		"HTTP/2":      {"http", forgeOverHTTP2, false, requests.HTTP2PriorKnowledge()},
		"tunnel":      {"http", func(c net.Conn) { _, _ = io.WriteString(c, forgedResponse) }, true, adapters.ProxyTunnel()},
		"TLS, tunnel": {"https", func(c net.Conn) { _, _ = io.WriteString(c, forgedResponse) }, true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var mu sync.Mutex
			said := map[string]chan struct{}{} // by the client's address
			saidTo := func(address string) chan struct{} {
				mu.Lock()
				defer mu.Unlock()
				if said[address] == nil {
					said[address] = make(chan struct{})
				}
				return said[address]
			}
			server := wiretest.Start(t, wiretest.Config{Conn: func(c net.Conn) {
				if lane.tunnel {
					head := make([]byte, 4<<10)
					n, _ := c.Read(head)
					if !strings.HasPrefix(string(head[:n]), "CONNECT") {
						return
					}
					h := &holding{Conn: c}
					h.hold()
					_, _ = io.WriteString(h, "HTTP/1.1 200 Connection established\r\n\r\n")
					lane.forge(h)
					h.letGo()
				} else {
					lane.forge(c)
				}
				close(saidTo(c.RemoteAddr().String()))
				_, _ = io.Copy(io.Discard, c)
			}})
			// What is said at once has to be there, so it is waited for where the connection is opened.
			dialer := adapters.Dialer(func(ctx context.Context, network, _ string) (net.Conn, error) {
				c, err := new(net.Dialer).DialContext(ctx, network, server.Addr())
				if err == nil && !lane.tunnel && lane.scheme == "http" {
					<-saidTo(c.LocalAddr().String())
				}
				return c, err
			})
			s := newTestSession(t)
			s.Verify = requests.CABundlePEM(wiretest.TestCA().PEM())
			if lane.tunnel {
				s.Proxies = requests.Proxies{"all": "http://proxy.test:3128"}
			}
			options := []requests.AdapterOption{dialer}
			if lane.option != nil {
				options = append(options, lane.option)
			}
			s.Mount(lane.scheme+"://", requests.NewHTTPAdapter(options...))
			r, err := s.Get(t.Context(), lane.scheme+"://localhost/")
			if !errors.Is(err, requests.ErrConnection) {
				t.Errorf("got %v, %v", r, err)
			}
		})
	}
}
