package parity

import (
	"encoding/base64"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mountable/requests"
)

var _ = register(map[string]vectorFunc{
	"requests_wire":         requestsWire,
	"urllib3_response_read": responseRead,
})

func init() {
	recordedForms["urllib3_response_read"] = func(tree any) any { return eachObject(tree, readErrorClass) }
	recordedForms["requests_wire"] = func(tree any) any { return eachObject(tree, showWire) }
}

// readErrorClass writes the class of a failed read as Requests', which urllib3's becomes there.
func readErrorClass(o map[string]any) {
	switch o["read_error"] {
	case nil:
		return
	case "DecodeError":
		o["read_error"] = "ContentDecodingError"
	case "ProtocolError", "IncompleteRead", "InvalidChunkLength":
		o["read_error"] = "ChunkedEncodingError"
	}
	delete(o, "read_error_cause")
}

// showWire shows recorded bytes as text, with the masks of the product and one spacing of JSON.
func showWire(o map[string]any) {
	if sent, ok := o["sent"].(map[string]any); ok {
		b, _ := b64Value(sent)
		o["sent"] = maskWire(string(b))
	}
}

// maskWire masks what a product says of itself in a raw request. A chunked body is shown by its content.
func maskWire(raw string) string {
	raw = strings.NewReplacer(
		"python-requests/2.34.2", "${ua}", product.userAgent, "${ua}",
		"python-urllib3/2.7.0", "${ua.transport}", product.transportAgent, "${ua.transport}",
		"Accept-Encoding: gzip, deflate\r\n", "Accept-Encoding: ${ae}\r\n",
		"Accept-Encoding: "+product.acceptEncoding+"\r\n", "Accept-Encoding: ${ae}\r\n",
	).Replace(raw)
	head, body, _ := strings.Cut(raw, "\r\n\r\n")
	if strings.Contains(head, "application/json") {
		head = contentLength.ReplaceAllString(head, "${1}N")
		body = canonicalJSON(latin1(body))
	}
	return latin1(head + "\r\n\r\n" + body)
}

// collector is a server that answers every connection with 200 and keeps the bytes of its first request.
type collector struct {
	ln   net.Listener
	sent chan []byte
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &collector{ln: ln, sent: make(chan []byte, 1)}
	t.Cleanup(func() { ln.Close() })
	go c.serve()
	return c
}

func (c *collector) serve() {
	conn, err := c.ln.Accept()
	if err != nil {
		return
	}
	defer conn.Close()
	conn.SetReadDeadline(time.Now().Add(5 * time.Second)) // a body that was announced may never come
	c.sent <- newRequestReader(conn).read()
	io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
}

func (c *collector) port() int { return c.ln.Addr().(*net.TCPAddr).Port }

// redirected makes every connection go to the collector, and notes where it was meant to go.
func (c *collector) redirected(host *string, port *int) requests.AdapterOption {
	return requests.ConfigureConn(func(conn *requests.ConnConfig, _ *requests.PreparedRequest) error {
		*host, *port = conn.Host, conn.Port
		conn.Address = "127.0.0.1:" + strconv.Itoa(c.port())
		if conn.Proxy.Scheme != "" {
			*host, *port = conn.Proxy.Host, conn.Proxy.Port
			conn.Proxy.Host, conn.Proxy.Port = "127.0.0.1", c.port()
		}
		return nil
	})
}

func requestsWire(t *testing.T, in input) (any, error) {
	kw := in.object("kwargs")
	req, err := requestOf(t, kw, in.text("method"), in.text("url"))
	if err != nil {
		return nil, err
	}
	req.Send.Proxies = proxiesOf(kw, "proxies")
	s, c := newSession(t), newCollector(t)
	s.TrustEnv = false
	var host string
	var port int
	s.Mount("http://", requests.NewHTTPAdapter(c.redirected(&host, &port)))
	if _, err := s.Do(t.Context(), req); err != nil {
		return nil, err
	}
	return map[string]any{"host": host, "port": port, "sent": maskWire(fixedBoundary(string(<-c.sent)))}, nil
}

// fixedBoundary writes the recorded boundary, and the length that goes with it.
func fixedBoundary(raw string) string {
	m := boundaryInBody(raw)
	if m == "" {
		return raw
	}
	head, body, _ := strings.Cut(raw, "\r\n\r\n")
	body = strings.ReplaceAll(body, m, "BOUNDARY")
	head = strings.ReplaceAll(head, m, "BOUNDARY")
	head = contentLength.ReplaceAllString(head, "${1}"+strconv.Itoa(len(body)))
	return head + "\r\n\r\n" + body
}

// boundaryInBody finds the boundary at the start of a multipart body: the Content-Type may be the caller's.
func boundaryInBody(raw string) string {
	_, body, _ := strings.Cut(raw, "\r\n\r\n")
	line, _, _ := strings.Cut(body, "\r\n")
	if !strings.HasPrefix(line, "--") || len(line) != 34 {
		return ""
	}
	return line[2:]
}

// responseRead lets a server write the raw bytes, then close, and reads what comes of them.
func responseRead(t *testing.T, in input) (any, error) {
	s := newSession(t)
	s.TrustEnv = false
	url := serveOnce(t, in.bytes("raw"))
	r, err := s.Request(t.Context(), in.textOr("method", "GET"), url, requests.Stream(true), requests.AllowRedirects(false))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	out := map[string]any{"status": r.StatusCode, "reason": latin1(r.Reason), "version": protoNumber(r.Proto), "headers": firstSpelling(r.Headers)}
	body, sizes, err := readMode(r, in)
	out["body"] = map[string]any{"b64": base64.StdEncoding.EncodeToString(body)}
	if strings.Contains(in.text("mode"), ":") {
		out["chunks"] = sizes
	}
	if err != nil {
		out["read_error"] = kindName(err)
	}
	return out, nil
}

// firstSpelling writes a repeated name as it came first, as urllib3's mapping does.
func firstSpelling(h requests.Headers) [][2]string {
	out := latin1Pairs(h)
	for i := range out {
		first := slices.IndexFunc(out, func(o [2]string) bool { return strings.EqualFold(o[0], out[i][0]) })
		out[i][0] = out[first][0]
	}
	return out
}

func protoNumber(proto string) int {
	if proto == "HTTP/1.0" {
		return 10
	}
	return 11
}

// readMode reads a body the way a vector asks for, and returns the sizes of the pieces.
func readMode(r *requests.Response, in input) (body []byte, sizes []int, err error) {
	mode, size, _ := strings.Cut(in.textOr("mode", "read"), ":")
	n, _ := strconv.Atoi(size)
	var src io.Reader = r
	if !in.boolOr("decode", true) {
		src = r.Raw
	}
	sizes = []int{}
	switch {
	case mode == "stream" && src == r:
		for chunk, err := range pieces(r, n) {
			if err != nil {
				return body, sizes, err
			}
			body, sizes = append(body, chunk...), append(sizes, len(chunk))
		}
		return body, sizes, nil
	case mode == "read" && size == "":
		body, err = io.ReadAll(src)
		if err != nil {
			return nil, sizes, err // reading everything at once gives nothing where it fails
		}
		return body, sizes, nil
	}
	return readPieces(src, n)
}

func readPieces(src io.Reader, n int) (body []byte, sizes []int, err error) {
	sizes = []int{}
	piece := make([]byte, n)
	for {
		m, err := io.ReadFull(src, piece)
		body = append(body, piece[:m]...)
		if m > 0 {
			sizes = append(sizes, m)
		}
		switch err {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF:
			return body, sizes, nil
		default:
			return body, sizes, err
		}
	}
}

// serveOnce answers the first request of one connection with raw bytes and closes its write side.
func serveOnce(t *testing.T, raw []byte) string {
	t.Helper()
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
			go answerOnce(conn.(*net.TCPConn), raw)
		}
	}()
	return "http://" + ln.Addr().String() + "/"
}

func answerOnce(conn *net.TCPConn, raw []byte) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(callLimit))
	if len(newRequestReader(conn).read()) == 0 {
		return
	}
	conn.Write(raw)
	conn.CloseWrite()
	io.Copy(io.Discard, conn)
}
