package parity

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/certs"
	"github.com/mountable/requests/internal/dial"
	"github.com/mountable/requests/internal/uri"
	"github.com/mountable/requests/internal/wiretest"
)

var _ = register(map[string]vectorFunc{
	"socks_handshake":            socksHandshake,
	"urllib3_connect_request":    connectRequest,
	"urllib3_assert_fingerprint": assertFingerprint,
})

func init() {
	recordedForms["socks_handshake"] = func(tree any) any { return eachObject(tree, socksRecording) }
	recordedForms["urllib3_connect_request"] = func(tree any) any { return eachObject(tree, connectRecording) }
	normalisers["urllib3_connect_request"] = func(tree any) any { return mapStrings(tree, plainConnect) }
}

// peer is a scripted server: its n-th reply can be read after the n-th message, then it closes.
type peer struct {
	replies [][]byte
	sent    [][]byte
	pending bytes.Buffer
}

func (p *peer) Write(b []byte) (int, error) {
	p.sent = append(p.sent, slices.Clone(b))
	if n := len(p.sent); n <= len(p.replies) {
		p.pending.Write(p.replies[n-1])
	}
	return len(b), nil
}

func (p *peer) Read(b []byte) (int, error) { return p.pending.Read(b) }

// messages is what was written, as latin1 text.
func (p *peer) messages() []string {
	out := []string{}
	for _, m := range p.sent {
		out = append(out, latin1(m))
	}
	return out
}

func socksHandshake(t *testing.T, in input) (any, error) {
	server := &peer{}
	for _, r := range in.list("replies") {
		b, _ := b64Value(r.(map[string]any))
		server.replies = append(server.replies, b)
	}
	if in.bool("refuse") {
		return unreachableProxy(t, in)
	}
	u, err := uri.Parse("http://" + bracketed(in.text("host")) + "/")
	if err != nil {
		return nil, err
	}
	err = dial.Socks(server, &dial.SocksRequest{
		Scheme: in.text("scheme"), Host: u.DialHost(), Port: in.int("port"),
		User: in.text("username"), Password: in.text("password"), Lookup: socksNames,
	})
	out := map[string]any{"messages": server.messages(), "result": "ok", "message": nil}
	if err != nil {
		out["result"], out["message"] = "NewConnectionError", err.Error()
		if _, ok := errors.AsType[*net.DNSError](err); ok {
			out["message"] = "[Errno -2] Name or service not known"
		}
	}
	return out, nil
}

// unreachableProxy sends a request through a proxy at a port on which nobody listens.
func unreachableProxy(t *testing.T, in input) (any, error) {
	proxy := in.text("scheme") + "://" + wiretest.Closed(t)
	target := "http://" + net.JoinHostPort(in.text("host"), strconv.Itoa(in.int("port"))) + "/"
	_, err := requests.Get(t.Context(), target, requests.Proxies{"all": proxy})
	if !errors.Is(err, requests.ErrConnection) || !strings.Contains(err.Error(), "connection refused") {
		return nil, fmt.Errorf("got %w where the proxy refuses", err)
	}
	return map[string]any{"messages": []string{}, "result": "NewConnectionError", "message": "[Errno 111] Connection refused"}, nil
}

func bracketed(host string) string {
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		return "[" + host + "]"
	}
	return host
}

// socksNames is the resolver of the recordings.
func socksNames(network, host string) (net.IP, error) {
	names := map[string]string{"name.test": "10.1.2.3", "six.test": "fd00::5"}
	ip := net.ParseIP(names[strings.TrimSuffix(host, ".")])
	if ip == nil || network == "ip4" && ip.To4() == nil {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	if short := ip.To4(); short != nil {
		return short, nil
	}
	return ip, nil
}

// socksRecording leaves out of a recording what is not of the handshake: the connection's name in the message, and
// a second attempt at another address of the proxy.
func socksRecording(o map[string]any) {
	if _, ok := o["messages"]; !ok {
		return
	}
	messages := []any{}
	for _, m := range o["messages"].([]any) {
		b, _ := b64Value(m.(map[string]any))
		text := latin1(b)
		if len(messages) == 0 || messages[len(messages)-1] != text {
			messages = append(messages, text)
		}
	}
	o["messages"] = messages
	if text, ok := o["message"].(string); ok {
		_, o["message"], _ = strings.Cut(text, "Failed to establish a new connection: ")
	}
}

func connectRequest(_ *testing.T, in input) (any, error) {
	if in.present("scheme") {
		return nil, cannot("the scheme of a tunnel")
	}
	reply := in.bytes("reply")
	if reply == nil {
		reply = []byte("HTTP/1.1 200 OK\r\n\r\n")
	}
	server := &peer{replies: [][]byte{reply}}
	header, err := notNull(in.headerPairs("headers"))
	if err != nil {
		return nil, err
	}
	_, err = dial.Tunnel(server, in.text("host"), in.int("port"), header)
	out := map[string]any{"sent": strings.Join(server.messages(), ""), "result": "ok", "message": nil}
	if tunnel, ok := errors.AsType[*dial.TunnelError](err); ok {
		out["result"], out["message"] = "OSError", tunnel.Error()
	} else if err != nil {
		out["result"] = "error"
	}
	return out, nil
}

// connectRecording shows errors that are not the proxy's refusal without their Python texts.
func connectRecording(o map[string]any) {
	sent, ok := o["sent"].(map[string]any)
	if !ok {
		return
	}
	b, _ := b64Value(sent)
	o["sent"] = latin1(b)
	if o["result"] != "ok" && o["result"] != "OSError" {
		o["result"], o["message"] = "error", nil
	}
}

func assertFingerprint(_ *testing.T, in input) (any, error) {
	sum, err := certs.ParseFingerprint(in.text("fingerprint"))
	if err == nil {
		err = dial.CheckFingerprint(in.bytes("cert"), sum)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", requests.ErrSSL, err) // as a handshake that fails by it
	}
	return "ok", nil
}
