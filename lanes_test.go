package requests_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt"
)

// A lane is one way from a caller to an origin: what the caller uses, the protocol, and what
// stands between. Every rule that is about more than one of these has its test on all lanes.
type lane struct {
	site   *site
	hop    string // "direct", "http proxy", "https proxy", "SOCKS5"
	scheme string
	h2     bool
	caller string // "Session", "http.Client", "toolbelt"
}

func (l lane) String() string {
	protocol := "HTTP/1.1"
	if l.h2 {
		protocol = "HTTP/2"
	}
	return fmt.Sprintf("%s, %s %s, %s", l.caller, l.scheme, protocol, l.hop)
}

// at is the URL of a path of a host on this lane.
func (l lane) at(host, path string) string { return l.scheme + "://" + host + path }

// eachLane runs check on every lane there is.
func eachLane(t *testing.T, check func(t *testing.T, l lane)) {
	eachLaneOf(t, func(lane) bool { return true }, check)
}

// forwarded reports whether a proxy of net/http takes the requests of the lane apart and writes
// them anew, so that neither side sees what the other has written.
func (l lane) forwarded() bool { return l.scheme == "http" && strings.HasSuffix(l.hop, "proxy") }

// bySession reports whether a Session is the caller.
func (l lane) bySession() bool { return l.caller == "Session" }

// eachLaneOf runs check on every lane that the rule is about.
func eachLaneOf(t *testing.T, about func(l lane) bool, check func(t *testing.T, l lane)) {
	site := newSite(t)
	for _, caller := range []string{"Session", "http.Client", "toolbelt"} {
		for _, scheme := range []string{"http", "https"} {
			for _, h2 := range []bool{false, true} {
				for _, hop := range []string{"direct", "http proxy", "https proxy", "SOCKS5"} {
					if scheme == "http" && h2 && strings.HasSuffix(hop, "proxy") {
						continue // a forwarding proxy is spoken to in HTTP/1.1
					}
					l := lane{site, hop, scheme, h2, caller}
					if !about(l) {
						continue
					}
					t.Run(l.String(), func(t *testing.T) {
						site.forget()
						check(t, l)
					})
				}
			}
		}
	}
}

// site is every host there is, behind every kind of proxy.
type site struct {
	plain, secure      *httptest.Server
	proxy, secureProxy *httptest.Server
	socks              *wiretest.Server
	mu                 sync.Mutex // mu protects the fields below.
	seen               []seen
	proxied            []http.Header // of each request that a proxy got
	destinations       []string      // that a proxy was asked for
	opened             map[*http.Server]int
	answer             http.HandlerFunc
}

// seen is a request as an origin got it.
type seen struct {
	at, method, body string
	header           http.Header
}

func newSite(t *testing.T) *site {
	s := &site{opened: map[*http.Server]int{}}
	s.plain, s.secure = s.origin(t, false), s.origin(t, true)
	s.proxy, s.secureProxy = httptest.NewUnstartedServer(s), httptest.NewUnstartedServer(s)
	s.secureProxy.TLS = wiretest.TestCA().Server()
	for _, proxy := range []*httptest.Server{s.proxy, s.secureProxy} {
		proxy.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.counts(proxy.Config)
	}
	s.proxy.Start()
	s.secureProxy.StartTLS()
	t.Cleanup(s.proxy.Close)
	t.Cleanup(s.secureProxy.Close)
	s.socks = wiretest.StartSOCKS5(t, wiretest.SOCKS5{Route: s.route})
	return s
}

func (s *site) origin(t *testing.T, secure bool) *httptest.Server {
	server := httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.counts(server.Config)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetHTTP2(secure)
	server.Config.Protocols.SetUnencryptedHTTP2(!secure)
	if secure {
		server.EnableHTTP2 = true
		server.TLS = wiretest.TestCA().Server()
		server.StartTLS()
	} else {
		server.Start()
	}
	t.Cleanup(server.Close)
	return server
}

// counts has the site count the connections of a server.
func (s *site) counts(server *http.Server) {
	server.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.opened[server]++
		}
	}
}

// connections is how many the lane's first hop has accepted so far.
func (l lane) connections() int {
	server := l.site.plain
	switch {
	case l.hop == "SOCKS5":
		return l.site.socks.Accepted()
	case l.hop == "http proxy":
		server = l.site.proxy
	case l.hop == "https proxy":
		server = l.site.secureProxy
	case l.scheme == "https":
		server = l.site.secure
	}
	l.site.mu.Lock()
	defer l.site.mu.Unlock()
	return l.site.opened[server.Config]
}

// serve answers like world: "?next=URL&status=307" redirects, "set=a%3D1" sets a cookie;
// a handler of the test comes first. "?early" answers 417 before the body is read.
func (s *site) serve(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Has("early") {
		w.WriteHeader(http.StatusExpectationFailed)
		return
	}
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(strings.NewReader(string(body)))
	scheme := "http"
	if r.TLS != nil {
		scheme = "https"
	}
	s.mu.Lock()
	s.seen = append(s.seen, seen{scheme + "://" + r.Host + r.URL.Path, r.Method, string(body), r.Header.Clone()})
	answer := s.answer
	s.mu.Unlock()
	for _, cookie := range r.URL.Query()["set"] {
		w.Header().Add("Set-Cookie", cookie)
	}
	switch next := r.URL.Query().Get("next"); {
	case next != "":
		status := 302
		fmt.Sscan(r.URL.Query().Get("status"), &status)
		w.Header().Set("Location", next)
		w.WriteHeader(status)
	case answer != nil:
		answer(w, r)
	default:
		io.WriteString(w, "ok")
	}
}

// route is where a destination really is.
func (s *site) route(target string) string {
	s.mu.Lock()
	s.destinations = append(s.destinations, target)
	s.mu.Unlock()
	if strings.HasSuffix(target, "443") {
		return s.secure.Listener.Addr().String()
	}
	return s.plain.Listener.Addr().String()
}

// ServeHTTP is the proxy: it forwards, and opens tunnels.
func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.proxied = append(s.proxied, r.Header.Clone())
	s.mu.Unlock()
	up, err := net.Dial("tcp", s.route(r.URL.Host))
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer up.Close()
	if r.Method != http.MethodConnect {
		s.forward(w, r, up)
		return
	}
	down, in, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer down.Close()
	io.WriteString(down, "HTTP/1.1 200 Connection established\r\n\r\n")
	go func() {
		defer up.Close()
		_, _ = io.Copy(up, in)
	}()
	_, _ = io.Copy(down, up)
}

func (s *site) forward(w http.ResponseWriter, r *http.Request, up net.Conn) {
	transport := &http.Transport{DisableCompression: true, DialContext: func(context.Context, string, string) (net.Conn, error) { return up, nil }}
	defer transport.CloseIdleConnections()
	r.RequestURI = ""
	r.Header.Del("Proxy-Authorization")
	if r.Header.Get("User-Agent") == "" {
		r.Header.Set("User-Agent", "")
	}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	for name, values := range resp.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body)
}

// answering has the origins answer with h.
func (s *site) answering(h http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = h
}

func (s *site) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen, s.proxied, s.destinations, s.answer = nil, nil, nil, nil
}

// took returns what the origins have seen so far and forgets it.
func (s *site) took() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.seen
	s.seen = nil
	return all
}

// session is one whose requests take the lane; options are for its adapters.
func (l lane) session(t *testing.T, options ...requests.AdapterOption) *requests.Session {
	s := newSession(t)
	hosts := map[string]string{}
	for _, h := range append(slices.Clone(worldHosts), "localhost", "xn--bcher-kva.example.com") {
		for _, port := range []string{"80", "8080"} {
			hosts[h+":"+port] = l.site.plain.Listener.Addr().String()
		}
		for _, port := range []string{"443", "8443"} {
			hosts[h+":"+port] = l.site.secure.Listener.Addr().String()
		}
	}
	protocol := requests.HTTP2(l.h2)
	if l.h2 && l.scheme == "http" {
		protocol = requests.HTTP2PriorKnowledge()
	}
	options = append([]requests.AdapterOption{protocol, requests.ResolveTo(hosts)}, options...)
	s.Mount("http://", requests.NewHTTPAdapter(options...))
	s.Mount("https://", requests.NewHTTPAdapter(options...))
	// The names of the world are not all in the certificate.
	s.Verify = requests.CABundlePEM(wiretest.TestCA().PEM())
	s.Proxies = l.proxies("")
	return s
}

// proxies has the lane's proxy, with user info.
func (l lane) proxies(userinfo string) requests.Proxies {
	switch l.hop {
	case "http proxy":
		return requests.Proxies{"all": strings.Replace(l.site.proxy.URL, "://", "://"+userinfo, 1)}
	case "https proxy":
		return requests.Proxies{"all": strings.Replace(l.site.secureProxy.URL, "://", "://"+userinfo, 1)}
	case "SOCKS5":
		return requests.Proxies{"all": "socks5h://" + userinfo + l.site.socks.Addr()}
	}
	return nil
}

// send sends a request as the lane's caller does, follows redirects and reads the body.
func (l lane) send(ctx context.Context, s *requests.Session, method, url string, headers requests.Headers, body any) (string, error) {
	switch l.caller {
	case "http.Client":
		return sendByClient(ctx, s, method, url, headers, body)
	case "toolbelt":
		return sendByPool(ctx, s, &requests.Request{Method: method, URL: url, Headers: headers, Body: body})
	}
	r, err := s.Request(ctx, method, url, headers, requests.Body(body))
	if err != nil {
		return "", err
	}
	return r.Text()
}

func sendByPool(ctx context.Context, s *requests.Session, job *requests.Request) (string, error) {
	good, bad, err := toolbelt.Map(ctx, []*requests.Request{job}, toolbelt.SharedSession(s))
	if err != nil {
		return "", err
	}
	for result := range good {
		return result.Response.Text()
	}
	for result := range bad {
		return "", result.Err
	}
	return "", fmt.Errorf("no result")
}

func sendByClient(ctx context.Context, s *requests.Session, method, url string, headers requests.Headers, body any) (string, error) {
	var reader io.Reader
	switch b := body.(type) {
	case string:
		reader = strings.NewReader(b)
	case io.Reader:
		reader = b
	}
	req, err := http.NewRequestWithContext(ctx, method, url, reader)
	if err != nil {
		return "", err
	}
	for name, value := range headers.All() {
		if strings.EqualFold(name, "Host") {
			req.Host = value
			continue
		}
		req.Header[name] = append(req.Header[name], value)
	}
	resp, err := (&http.Client{Transport: s.RoundTripper()}).Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}

// protocolOf names what was spoken, for checks of the lanes themselves.
func protocolOf(state *tls.ConnectionState, major int) string {
	if state == nil {
		return fmt.Sprintf("http %d", major)
	}
	return fmt.Sprintf("https %d", major)
}

// TestLanes: each lane is what its name says.
func TestLanes(t *testing.T) {
	eachLane(t, func(t *testing.T, l lane) {
		l.site.answering(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, protocolOf(r.TLS, r.ProtoMajor)) })
		major := 1
		if l.h2 {
			major = 2
		}
		text, err := l.send(t.Context(), l.session(t), "GET", l.at("example.com", "/"), nil, nil)
		if want := fmt.Sprintf("%s %d", l.scheme, major); text != want || err != nil {
			t.Errorf("got %q, %v, want %q", text, err, want)
		}
		l.site.mu.Lock()
		defer l.site.mu.Unlock()
		if n := len(l.site.destinations); (n > 0) != (l.hop != "direct") {
			t.Errorf("%d destinations", n)
		}
	})
}
