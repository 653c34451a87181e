//go:build unix

package bench

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync"
	"testing"
)

// The servers run in a process of their own, so that the processor time of this one is the
// clients' alone: the test binary, started once more.
const serverVariable = "BENCH_SERVER"

func TestMain(m *testing.M) {
	if os.Getenv(serverVariable) != "" {
		serve()
		return
	}
	os.Exit(m.Run())
}

// addresses are those of the servers, and what they are trusted by.
type addresses struct {
	Raw    string // GET, on raw sockets: the size of the response is the path
	Secure string // the same over TLS
	Sink   string // POST, which is read to its end, and GET; over HTTP/1.1
	Second string // the same over TLS, which takes HTTP/2
	CA     string // PEM
}

// held is the standard input of the servers: they end with this process, which closes it.
var held io.Closer

var servers = sync.OnceValues(func() (a addresses, err error) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), serverVariable+"=1")
	if held, err = cmd.StdinPipe(); err != nil {
		return a, err
	}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err == nil {
		err = json.NewDecoder(out).Decode(&a)
	}
	return a, err
})

// serve tells where it listens, and goes on until its standard input ends.
func serve() {
	plain, second := httptest.NewServer(http.HandlerFunc(sink)), httptest.NewUnstartedServer(http.HandlerFunc(sink))
	second.EnableHTTP2 = true
	second.StartTLS()
	certificate := second.TLS.Certificates[0]
	raw := listen()
	secure := tls.NewListener(listen(), &tls.Config{Certificates: []tls.Certificate{certificate}})
	go accept(raw)
	go accept(secure)
	_ = json.NewEncoder(os.Stdout).Encode(addresses{
		Raw: "http://" + raw.Addr().String(), Secure: "https://" + secure.Addr().String(), Sink: plain.URL, Second: second.URL,
		CA: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Certificate[0]})),
	})
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func listen() net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	return l
}

var page = bytes.Repeat([]byte("x"), small)

// sink reads what it is sent, and answers with a small page.
func sink(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	_, _ = w.Write(page)
}

func accept(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go answer(c)
	}
}

var block = make([]byte, 256<<10)

// answer gives as many bytes as the path of each GET says.
func answer(c net.Conn) {
	defer c.Close()
	in := bufio.NewReader(c)
	size := 0
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		if bytes.HasPrefix(line, []byte("GET /")) {
			_, _ = fmt.Sscanf(string(line), "GET /%d", &size)
		}
		if len(line) == 2 && respond(c, size) != nil {
			return
		}
	}
}

func respond(c net.Conn, size int) error {
	head := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nServer: bench\r\nContent-Type: text/plain\r\nETag: \"1\"\r\nVary: Accept\r\nContent-Length: %d\r\n\r\n", size)
	first := min(size, len(block)-len(head))
	_, err := c.Write(append(head, block[:first]...))
	for size -= first; size > 0 && err == nil; size -= min(size, len(block)) {
		_, err = c.Write(block[:min(size, len(block))])
	}
	return err
}
