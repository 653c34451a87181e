package wiretest

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMain(m *testing.M) { Main(m) }

// talk sends raw bytes over a new connection and reads to its end, or as much as is wanted.
func talk(t *testing.T, addr, raw string, want int) (string, error) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	io.WriteString(c, raw)
	c.SetReadDeadline(time.Now().Add(5 * time.Second))
	if want > 0 {
		got := make([]byte, want)
		n, err := io.ReadFull(c, got)
		return string(got[:n]), err
	}
	got, err := io.ReadAll(c)
	return string(got), err
}

const get = "GET / HTTP/1.1\r\nhOST: x\r\n\r\n"

func TestScript(t *testing.T) {
	s := Origin(t, Text(200, "a"), Send("b").ThenClose())
	got, err := talk(t, s.Addr(), get+"POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 0)
	if diff := cmp.Diff("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab", got); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	if again, _ := talk(t, s.Addr(), get, 0); again != "b" {
		t.Errorf("the last reply does not repeat: %q", again)
	}
	want := []Request{
		{Conn: 1, Raw: get, Method: "GET", Target: "/", Fields: [][2]string{{"hOST", "x"}}},
		{Conn: 1, Raw: "POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", Method: "POST", Target: "/p",
			Fields: [][2]string{{"Transfer-Encoding", "chunked"}}, Body: "hi"},
		{Conn: 2, Raw: get, Method: "GET", Target: "/", Fields: [][2]string{{"hOST", "x"}}},
	}
	if diff := cmp.Diff(want, s.Requests()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if !s.WaitOpen(0) || s.Accepted() != 2 {
		t.Errorf("%d connections accepted, or one is open", s.Accepted())
	}
}

func TestEnds(t *testing.T) {
	tests := []struct {
		name  string
		reply Reply
		want  string
		err   error
	}{
		{"drop", Drop(), "", nil},
		{"cut", Send("x").ThenCut(), "x", nil},
		{"reset", Send("").ThenReset(), "", syscall.ECONNRESET},
		{"stall", Reply{}, "", os.ErrDeadlineExceeded},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := net.Dial("tcp", Origin(t, tt.reply).Addr())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			io.WriteString(c, get)
			c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
			got, err := io.ReadAll(c)
			if string(got) != tt.want || !errors.Is(err, tt.err) {
				t.Errorf("got %q, %v; want %q, %v", got, err, tt.want, tt.err)
			}
		})
	}
}

func TestEarlyPartsAndPauses(t *testing.T) {
	s := Origin(t, Reply{Parts: []Part{
		{Send: "HTTP/1.1 100 Continue\r\n\r\n"},
		{After: 20 * time.Millisecond, Send: "HTTP/1.1 204 No Content\r\n\r\n"},
	}, Early: 1})
	c, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r := bufio.NewReader(c)
	io.WriteString(c, "PUT / HTTP/1.1\r\nContent-Length: 2\r\n\r\n")
	if line, err := r.ReadString('\n'); line != "HTTP/1.1 100 Continue\r\n" {
		t.Fatal(line, err)
	}
	start := time.Now()
	io.WriteString(c, "hi")
	r.ReadString('\n')
	if line, err := r.ReadString('\n'); line != "HTTP/1.1 204 No Content\r\n" || time.Since(start) < 20*time.Millisecond {
		t.Error(line, err, time.Since(start))
	}
	if diff := cmp.Diff("hi", s.Requests()[0].Body); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestHandler(t *testing.T) {
	s := Start(t, Config{Handler: func(r *Request) Reply { return Text(200, r.Method+r.Get("X-A")+r.Body).ThenClose() }})
	got, _ := talk(t, s.Addr(), "PUT / HTTP/1.1\r\nx-a: 1\r\nContent-Length: 1\r\n\r\n2", 0)
	if !strings.HasSuffix(got, "\r\n\r\nPUT12") {
		t.Errorf("got %q", got)
	}
}

func TestChunks(t *testing.T) {
	got, _ := talk(t, Origin(t, Chunks("ab", "c").ThenClose()).Addr(), get, 0)
	want := "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// fetch makes one request with net/http.
func fetch(t *testing.T, address string, tr *http.Transport) (string, error) {
	t.Helper()
	tr.DisableKeepAlives = true
	client := http.Client{Transport: tr, Timeout: 5 * time.Second}
	r, err := client.Get(address)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	return string(body), err
}

func TestTLS(t *testing.T) {
	ca := TestCA()
	trusted := &tls.Config{RootCAs: ca.Pool()}
	named := func(name string) *tls.Config { return &tls.Config{RootCAs: ca.Pool(), ServerName: name} }
	tests := []struct {
		name           string
		server, client *tls.Config
		refused        bool
	}{
		{"good", ca.Server(), trusted, false},
		{"wildcard", ca.Server(), named("a.example.com"), false},
		{"other name", ca.Server(), named("x.test"), true},
		{"other authority", ca.Server(), &tls.Config{RootCAs: OtherCA().Pool()}, true},
		{"wrong host", ca.WrongHost(), named("localhost"), true},
		{"wrong host, but asked for", ca.WrongHost(), named("wrong.test"), false},
		{"expired", ca.Expired(), trusted, true},
		{"no client certificate", ca.ClientAuth(), trusted, true},
		{"client certificate", ca.ClientAuth(),
			&tls.Config{RootCAs: ca.Pool(), Certificates: []tls.Certificate{ca.Client("ada")}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := Start(t, Config{TLS: tt.server})
			body, err := fetch(t, s.URL("/"), &http.Transport{TLSClientConfig: tt.client})
			if tt.refused != (err != nil) || err == nil && body != "ok" {
				t.Error(body, err)
			}
		})
	}
}

func TestClientCertificateIsRecorded(t *testing.T) {
	ca := TestCA()
	s := Start(t, Config{TLS: ca.ClientAuth()})
	cert, key := PEM(ca.Client("ada"))
	pair, err := tls.LoadX509KeyPair(File(t, "cert.pem", cert), File(t, "both.pem", cert, key))
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{RootCAs: ca.Pool(), Certificates: []tls.Certificate{pair}, ServerName: "other.test"}
	if _, err := fetch(t, s.URL("/"), &http.Transport{TLSClientConfig: config}); err != nil {
		t.Fatal(err)
	}
	got := s.Requests()[0]
	if diff := cmp.Diff([]string{"ada", "other.test"}, []string{got.ClientCert, got.ServerName}); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestConnectProxy(t *testing.T) {
	ca := TestCA()
	origin := Start(t, Config{TLS: ca.Server()})
	for name, proxyTLS := range map[string]*tls.Config{"http": nil, "https": ca.Server()} {
		t.Run(name, func(t *testing.T) {
			proxy := Start(t, Config{Route: To(origin), TLS: proxyTLS})
			u, _ := url.Parse(proxy.URL(""))
			tr := &http.Transport{Proxy: http.ProxyURL(u), TLSClientConfig: &tls.Config{RootCAs: ca.Pool()}}
			if body, err := fetch(t, "https://example.com/", tr); body != "ok" || err != nil {
				t.Fatal(body, err)
			}
			got := proxy.Requests()
			if diff := cmp.Diff([]string{"CONNECT example.com:443"}, []string{got[0].Method + " " + got[0].Target}); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestProxyRefuses(t *testing.T) {
	proxy := Start(t, Config{Route: Direct, Replies: []Reply{Text(407, "")}})
	got, _ := talk(t, proxy.Addr(), "CONNECT a:1 HTTP/1.1\r\n\r\n", len("HTTP/1.1 407"))
	if diff := cmp.Diff("HTTP/1.1 407", got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestSOCKS5(t *testing.T) {
	origin := Origin(t)
	tests := []struct {
		name   string
		config SOCKS5
		user   *url.Userinfo
		want   []string // nil: refused
	}{
		{"open", SOCKS5{}, nil, []string{"SOCKS5 a.test:80"}},
		{"offered", SOCKS5{}, url.UserPassword("u", "p"), []string{"SOCKS5 a.test:80 u:p"}},
		{"required", SOCKS5{User: "u", Password: "p"}, url.UserPassword("u", "p"), []string{"SOCKS5 a.test:80 u:p"}},
		{"wrong", SOCKS5{User: "u", Password: "p"}, url.UserPassword("u", "x"), nil},
		{"missing", SOCKS5{User: "u", Password: "p"}, nil, nil},
		{"refused", SOCKS5{Refuse: 5}, nil, []string{"SOCKS5 a.test:80"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.config.Route = To(origin)
			proxy := StartSOCKS5(t, tt.config)
			u := &url.URL{Scheme: "socks5", User: tt.user, Host: proxy.Addr()}
			body, err := fetch(t, "http://a.test/", &http.Transport{Proxy: http.ProxyURL(u)})
			if ok := tt.want != nil && tt.config.Refuse == 0; ok != (err == nil && body == "ok") {
				t.Errorf("got %q, %v", body, err)
			}
			if diff := cmp.Diff(tt.want, proxy.Raw()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	if _, err := net.Dial("tcp", Closed(t)); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("closed: %v", err)
	}
	_, err := net.DialTimeout("tcp", Blackhole(t), 50*time.Millisecond)
	if e, ok := errors.AsType[net.Error](err); !ok || !e.Timeout() {
		t.Errorf("black hole: %v", err)
	}
}

func TestConnHasTheSocket(t *testing.T) {
	s := Start(t, Config{Conn: func(c net.Conn) { io.WriteString(c, "hello") }})
	if got, _ := talk(t, s.Addr(), "", 0); got != "hello" {
		t.Errorf("got %q", got)
	}
}

func TestNoLeak(t *testing.T) {
	NoLeak(t)
	s := Origin(t, Reply{})
	c, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, get); err != nil || !s.WaitOpen(1) {
		t.Fatal(err)
	}
}
