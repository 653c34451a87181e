package requests_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// shouting switches to a protocol that says a word first, and every line back.
func shouting() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "shout" {
			w.WriteHeader(http.StatusUpgradeRequired)
			return
		}
		c, in, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		fmt.Fprint(c, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: shout\r\nSet-Cookie: seen=1\r\n\r\nhello\n")
		lines := bufio.NewScanner(in)
		for lines.Scan() {
			fmt.Fprintf(c, "%s!\n", lines.Text())
		}
		fmt.Fprint(c, "bye\n")
	})
}

// converse speaks the protocol and returns what was heard.
func converse(conn io.ReadWriteCloser) string {
	defer conn.Close()
	in := bufio.NewReader(conn)
	heard, _ := in.ReadString('\n')
	for _, word := range []string{"one", "two"} {
		fmt.Fprintln(conn, word)
		line, _ := in.ReadString('\n')
		heard += line
	}
	if half, ok := conn.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		rest, _ := io.ReadAll(in)
		heard += string(rest)
	}
	return heard
}

const heardAll = "hello\none!\ntwo!\nbye\n"

// upgradable starts the server and returns its URL and what a way to it needs.
func upgradable(t *testing.T, way string) (url string, options []requests.Option) {
	if way == "http" {
		server := httptest.NewServer(shouting())
		t.Cleanup(server.Close)
		return server.URL, nil
	}
	server := httptest.NewUnstartedServer(shouting())
	server.EnableHTTP2 = true
	server.StartTLS()
	t.Cleanup(server.Close)
	options = append(options, requests.Verify(false))
	if way == "CONNECT" {
		proxy := wiretest.Start(t, wiretest.Config{Route: wiretest.Direct})
		options = append(options, requests.Proxies{"https": proxy.URL("")})
	}
	return server.URL, options
}

// TestUpgrade: a 101 gives the connection, which neither the context nor a limit ends, and
// which takes no place of the pool.
func TestUpgrade(t *testing.T) {
	for _, way := range []string{"http", "https", "CONNECT"} {
		t.Run(way, func(t *testing.T) {
			url, options := upgradable(t, way)
			s := newTestSession(t)
			for _, prefix := range []string{"http://", "https://"} {
				s.Mount(prefix, requests.NewHTTPAdapter(requests.PoolMaxSize(1), requests.PoolBlock(true), requests.HTTP2(true)))
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			options = append(options, requests.Timeouts{Read: 30 * time.Second, Pool: 30 * time.Second})
			first, r, err := s.Upgrade(ctx, url, "shout", options...)
			if err != nil {
				t.Fatal(err)
			}
			if seen, _ := s.Cookies.Get("seen"); r.StatusCode != 101 || r.Headers.Get("Upgrade") != "shout" || seen != "1" {
				t.Errorf("%d %v %v", r.StatusCode, r.Headers, s.Cookies)
			}
			second, _, err := s.Upgrade(t.Context(), url, "shout", options...)
			if err != nil {
				t.Fatal(err)
			}
			cancel()
			if diff := cmp.Diff([]string{heardAll, heardAll}, []string{converse(first), converse(second)}); diff != "" {
				t.Errorf("heard (-want +got)\n%s", diff)
			}
		})
	}
}

// TestUpgradeAndHTTP2: an upgrade goes over HTTP/1.1, also where the session speaks HTTP/2 with the server
// already. A server that speaks nothing else fails it, with the reason.
func TestUpgradeAndHTTP2(t *testing.T) {
	protocols := func(http1 bool) *http.Protocols {
		p := new(http.Protocols)
		p.SetHTTP1(http1)
		p.SetHTTP2(true)
		p.SetUnencryptedHTTP2(true)
		return p
	}
	frames := wiretest.Origin(t, wiretest.Send("\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0d"))
	for name, c := range map[string]struct {
		url    string // of a server of this test's own, "" to start one
		tls    bool
		http1  bool
		option requests.AdapterOption
		want   string // part of the error, "" for none
	}{
		"both, over TLS":            {"", true, true, requests.HTTP2(true), ""},
		"HTTP/2 only, over TLS":     {"", true, false, requests.HTTP2(true), "may speak HTTP/2 only"},
		"both, prior knowledge":     {"", false, true, requests.HTTP2PriorKnowledge(), ""},
		"HTTP/2 only, in the clear": {"", false, false, requests.HTTP2PriorKnowledge(), "may speak HTTP/2 only"},
		"it answers in HTTP/2":      {frames.URL("/"), false, false, requests.HTTP2(true), "a frame of HTTP/2"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTestSession(t)
			s.Verify = requests.Verify(false)
			for _, prefix := range []string{"http://", "https://"} {
				s.Mount(prefix, requests.NewHTTPAdapter(c.option))
			}
			if c.url == "" {
				c.url = serveProtocols(t, c.tls, protocols(c.http1))
				if r, err := s.Get(t.Context(), c.url); err != nil || !strings.HasPrefix(r.Proto, "HTTP/2") {
					t.Fatalf("%v, %v: want HTTP/2", r, err)
				}
			}
			conn, _, err := s.Upgrade(t.Context(), c.url, "shout")
			switch {
			case c.want == "" && err == nil:
				if diff := cmp.Diff(heardAll, converse(conn)); diff != "" {
					t.Errorf("heard (-want +got)\n%s", diff)
				}
			case !errors.Is(err, requests.ErrConnection) || !strings.Contains(err.Error(), c.want):
				t.Errorf("%v, want an ErrConnection with %q", err, c.want)
			}
		})
	}
}

func serveProtocols(t *testing.T, secure bool, p *http.Protocols) string {
	server := httptest.NewUnstartedServer(shouting())
	server.Config.Protocols, server.EnableHTTP2 = p, true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	if secure {
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	return server.URL
}

// TestUpgradeDeclined: any other response is an error that has it.
func TestUpgradeDeclined(t *testing.T) {
	server := httptest.NewServer(shouting())
	defer server.Close()
	_, r, err := newTestSession(t).Upgrade(t.Context(), server.URL, "whisper")
	if !errors.Is(err, requests.ErrHTTP) || r == nil || r.StatusCode != 426 {
		t.Errorf("426: %v, %v", r, err)
	}
	ok := wiretest.Origin(t)
	_, r, err = newTestSession(t).Upgrade(t.Context(), ok.URL("/"), "shout")
	if !errors.Is(err, requests.ErrConnection) || r == nil || r.StatusCode != 200 {
		t.Errorf("200: %v, %v", r, err)
	}
	unasked := wiretest.Origin(t, wiretest.Send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"))
	if r, err := newTestSession(t).Get(t.Context(), unasked.URL("/")); !errors.Is(err, requests.ErrConnection) {
		t.Errorf("unasked: %v, %v", r, err)
	}
}

// TestUpgradeUnderHTTPClient: the same for programs written for net/http, and for a reverse
// proxy in between.
func TestUpgradeUnderHTTPClient(t *testing.T) {
	for _, way := range []string{"http", "https", "CONNECT"} {
		t.Run(way, func(t *testing.T) {
			target, options := upgradable(t, way)
			s := newTestSession(t)
			r := &requests.Request{}
			for _, o := range options {
				_ = o.Apply(r)
			}
			s.Verify, s.Proxies = r.Send.Verify, r.Send.Proxies
			origin, _ := url.Parse(target)
			between := httptest.NewServer(&httputil.ReverseProxy{
				Rewrite:   func(p *httputil.ProxyRequest) { p.SetURL(origin) },
				Transport: s.RoundTripper(),
			})
			defer between.Close()
			for name, url := range map[string]string{"directly": target, "through a reverse proxy": between.URL} {
				req, _ := http.NewRequest("GET", url, nil)
				req.Header.Set("Connection", "Upgrade")
				req.Header.Set("Upgrade", "shout")
				transport := s.RoundTripper()
				if url == between.URL {
					transport = http.DefaultTransport
				}
				resp, err := (&http.Client{Transport: transport}).Do(req)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				conn, ok := resp.Body.(io.ReadWriteCloser)
				if resp.StatusCode != 101 || !ok {
					t.Fatalf("%s: %d with %T", name, resp.StatusCode, resp.Body)
				}
				heard := make([]byte, len("hello\none!\n"))
				fmt.Fprintln(conn, "one")
				_, err = io.ReadFull(conn, heard)
				conn.Close()
				if string(heard) != "hello\none!\n" || err != nil {
					t.Errorf("%s: %q, %v", name, heard, err)
				}
			}
		})
	}
}

// TestConnectWithBody: what an http.Request's body gives goes through the tunnel once it is
// open, bare and piece by piece, and nowhere where it is refused.
func TestConnectWithBody(t *testing.T) {
	heard := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, in, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		if r.RequestURI == "closed.test:443" {
			fmt.Fprint(c, "HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
			rest, _ := io.ReadAll(in)
			heard <- fmt.Sprint(r.Header["Transfer-Encoding"], r.Header["Content-Length"], string(rest))
			return
		}
		fmt.Fprint(c, "HTTP/1.1 200 OK\r\n\r\n")
		for lines := bufio.NewScanner(in); lines.Scan(); {
			fmt.Fprintf(c, "%s!\n", lines.Text())
		}
	}))
	defer server.Close()
	a := requests.NewHTTPAdapter()
	defer a.Close()
	for name, rt := range map[string]http.RoundTripper{"Session": newTestSession(t).RoundTripper(), "adapter": requests.AdapterTransport(a)} {
		for _, target := range []string{"open.test:443", "closed.test:443"} {
			body, say := io.Pipe()
			req, _ := http.NewRequestWithContext(t.Context(), "CONNECT", server.URL, body)
			req.URL.Opaque = target
			go fmt.Fprint(say, "one\n")
			resp, err := rt.RoundTrip(req)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if target == "closed.test:443" {
				resp.Body.Close()
				if got := <-heard; resp.StatusCode != 403 || got != "[] []" {
					t.Errorf("%s: %d, %q was sent", name, resp.StatusCode, got)
				}
				continue
			}
			in := bufio.NewReader(resp.Body)
			got, _ := in.ReadString('\n')
			fmt.Fprint(say, "two\n")
			line, err := in.ReadString('\n')
			resp.Body.Close()
			if diff := cmp.Diff("one!\ntwo!\n", got+line); diff != "" || err != nil {
				t.Errorf("%s: %v (-want +got)\n%s", name, err, diff)
			}
			if _, err := say.Write([]byte("x")); err == nil {
				t.Errorf("%s: the body is still open", name)
			}
		}
	}
}

// TestConnectByCaller: CONNECT names host and port, and gives the tunnel.
func TestConnectByCaller(t *testing.T) {
	server := wiretest.Origin(t)
	proxy := wiretest.Start(t, wiretest.Config{Route: wiretest.To(server)})
	r, err := newTestSession(t).Request(t.Context(), "CONNECT", proxy.URL("/"))
	if err != nil {
		t.Fatal(err)
	}
	conn, ok := r.Conn()
	if !ok {
		t.Fatalf("%v has no connection", r)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /inside HTTP/1.1\r\nHost: h\r\n\r\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || resp.StatusCode != 200 || server.Requests()[0].Target != "/inside" {
		t.Errorf("%v, %v", resp, err)
	}
	if diff := cmp.Diff(proxy.Addr(), proxy.Requests()[0].Target); diff != "" {
		t.Errorf("target (-want +got)\n%s", diff)
	}
}
