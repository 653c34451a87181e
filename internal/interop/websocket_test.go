package interop

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// echoSocket returns every message, and asks for a cookie on the way in.
func echoSocket() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"echo"}, CompressionMode: websocket.CompressionContextTakeover})
		if err != nil {
			return
		}
		defer c.CloseNow()
		c.SetReadLimit(-1)
		for {
			kind, message, err := c.Read(r.Context())
			if err != nil || c.Write(r.Context(), kind, message) != nil {
				return
			}
		}
	})
}

// converse sends messages, small and large, and closes as the protocol has it.
func converse(t *testing.T, client *http.Client, url string) any {
	ctx, cancel := context.WithCancel(limited(t))
	defer cancel()
	c, resp, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPClient: client, Subprotocols: []string{"echo"}, CompressionMode: websocket.CompressionContextTakeover})
	if err != nil {
		return err
	}
	defer c.CloseNow()
	c.SetReadLimit(-1)
	out := []string{fmt.Sprint(resp.StatusCode, c.Subprotocol())}
	for _, message := range [][]byte{[]byte("hello"), {}, bytes.Repeat([]byte("0123456789"), 100<<10)} {
		if err := c.Write(ctx, websocket.MessageBinary, message); err != nil {
			return err
		}
		_, back, err := c.Read(ctx)
		out = append(out, fmt.Sprint(len(message), bytes.Equal(message, back), err))
	}
	return append(out, fmt.Sprint(c.Close(websocket.StatusNormalClosure, "done")))
}

// TestWebsocket runs coder/websocket over every carrier.
func TestWebsocket(t *testing.T) {
	for _, protocol := range []string{"h1", "tls"} {
		t.Run(protocol, func(t *testing.T) {
			sameOver(t, protocol, echoSocket, func(t *testing.T, rt http.RoundTripper, base string) any {
				return converse(t, &http.Client{Transport: rt}, base)
			})
		})
	}
}

// TestWebsocketThroughProxies does so through CONNECT, SOCKS, a proxy that forwards and a
// reverse proxy over a Session, and where the session would speak HTTP/2.
func TestWebsocketThroughProxies(t *testing.T) {
	plain := httptest.NewServer(echoSocket())
	defer plain.Close()
	secure := httptest.NewUnstartedServer(echoSocket())
	secure.EnableHTTP2 = true
	secure.StartTLS()
	defer secure.Close()
	proxy := wiretest.Start(t, wiretest.Config{Route: wiretest.Direct})
	socks := wiretest.StartSOCKS5(t, wiretest.SOCKS5{Route: wiretest.Direct})
	behind := requests.NewSession()
	behind.TrustEnv = false
	defer behind.Close()
	reverse := httptest.NewServer(&httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(must(url.Parse(plain.URL))(t)) },
		Transport: behind.RoundTripper(), ErrorLog: quiet,
	})
	defer reverse.Close()
	forward := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(*httputil.ProxyRequest) {}, Transport: behind.RoundTripper(), ErrorLog: quiet})
	defer forward.Close()
	want := converse(t, plain.Client(), plain.URL)
	for name, c := range map[string]struct{ url, proxy string }{
		"CONNECT": {secure.URL, "http://" + proxy.Addr()}, "SOCKS": {secure.URL, "socks5h://" + socks.Addr()},
		"SOCKS, plain": {plain.URL, "socks5://" + socks.Addr()}, "reverse": {reverse.URL, ""}, "forwarded": {plain.URL, forward.URL}, "direct": {secure.URL, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := session(t, link{tls: secure.Client().Transport.(*http.Transport).TLSClientConfig, h2: true})
			if c.proxy != "" {
				s.Proxies = requests.Proxies{"all": c.proxy}
			}
			if diff := cmp.Diff(want, converse(t, &http.Client{Transport: s.RoundTripper()}, c.url)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestReverseProxy passes trailers, streams and 1xx responses through a ReverseProxy whose
// transport is compared.
func TestReverseProxy(t *testing.T) {
	origin := func() http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Link", "</style.css>")
			w.WriteHeader(103)
			w.Header().Set("Trailer", "X-Sum")
			body, _ := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%s %s %s", r.URL.RequestURI(), body, r.Trailer.Get("X-Up"))
			w.(http.Flusher).Flush()
			w.Header().Set("X-Sum", "42")
			w.Header().Set(http.TrailerPrefix+"X-Late", "43")
		})
	}
	for _, protocol := range []string{"h1", "tls", "h2"} {
		t.Run(protocol, func(t *testing.T) {
			sameOver(t, protocol, origin, func(t *testing.T, rt http.RoundTripper, base string) any {
				front := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(must(url.Parse(base))(t)) }, Transport: rt, ErrorLog: quiet})
				defer front.Close()
				req := get(t, "POST", front.URL+"/a%2fb/../c?x=%2f", io.MultiReader(strings.NewReader("body")))
				req.Trailer = http.Header{"X-Up": {"up"}}
				resp, err := front.Client().Do(req.WithContext(limited(t)))
				if err != nil {
					return err
				}
				defer resp.Body.Close()
				text, err := io.ReadAll(resp.Body)
				return fmt.Sprint(resp.StatusCode, string(text), resp.Trailer, err)
			})
		})
	}
}
