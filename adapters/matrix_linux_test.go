package adapters_test

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/internal/wiretest"
)

// TestMatrix puts each option, and each pair of them, on one mount, on direct connections and through CONNECT, an https
// proxy and SOCKS5, in HTTP/1.1 and HTTP/2, and has 20 requests at once go over it. The origin reports what it saw of
// TLS, a relay at the first hop what it saw of the socket.
func TestMatrix(t *testing.T) {
	field := newField(t)
	for i, first := range field.options {
		for j, second := range field.options[i:] {
			name := first.name + "+" + second.name
			if first.name == second.name {
				name = first.name
			}
			for k, way := range field.ways {
				t.Run(name+"/"+way.name+"/1.1", func(t *testing.T) { field.cell(t, first, second, way, "HTTP/1.1") })
				if j == 0 || (i+j)%len(field.ways) == k { // each pair on one of the ways is enough
					t.Run(name+"/"+way.name+"/2", func(t *testing.T) { field.cell(t, first, second, way, "HTTP/2.0") })
				}
			}
		}
	}
	// nothing that was meant for the origin has reached a proxy
	for _, way := range field.ways[1:] {
		for _, r := range way.proxy.Requests() {
			if r.ServerName != "" || r.ClientCert != "" {
				t.Fatalf("the proxy %s saw the name %q and the certificate %q", way.name, r.ServerName, r.ClientCert)
			}
		}
	}
}

// report is what the origin sees of a request.
type report struct {
	Proto, Name, Version, Client string
	Host                         string
}

// cellOption is an option, with its effect on the report and on the socket.
type cellOption struct {
	name   string
	option requests.AdapterOption
	report func(r *report)
	socket func(s *socket)
}

// way is how to get to the origin.
type way struct {
	name  string
	proxy *wiretest.Server
}

// field has the servers of all cells.
type field struct {
	origin, wrong *httptest.Server
	ways          []way
	options       []cellOption
}

func newField(t *testing.T) *field {
	ca := wiretest.TestCA()
	named := map[string]tls.Certificate{}
	for _, name := range []string{"localhost", "name.test", "other.test"} {
		named[name] = ca.Issue(wiretest.Leaf{Hosts: []string{name}})
	}
	wrong := ca.Issue(wiretest.Leaf{Hosts: []string{"wrong.test"}})
	f := &field{}
	f.origin = reporting(t, func(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
		c, ok := named[h.ServerName]
		if !ok {
			return nil, fmt.Errorf("asked for %q", h.ServerName)
		}
		return &c, nil
	})
	f.wrong = reporting(t, func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &wrong, nil })
	secured := ca.Server()
	secured.ClientAuth = tls.RequestClientCert
	f.ways = []way{
		{"direct", nil},
		{"http", wiretest.Start(t, wiretest.Config{Route: wiretest.Direct})},
		{"https", wiretest.Start(t, wiretest.Config{Route: wiretest.Direct, TLS: secured})},
		{"socks5h", wiretest.StartSOCKS5(t, wiretest.SOCKS5{Route: wiretest.Direct})},
	}
	f.options = cellOptions(t, wrong, ca.Client("ada"))
	return f
}

// reporting starts an origin that shows what it sees.
func reporting(t *testing.T, certificate func(*tls.ClientHelloInfo) (*tls.Certificate, error)) *httptest.Server {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen := report{Proto: r.Proto, Name: r.TLS.ServerName, Version: tls.VersionName(r.TLS.Version), Host: r.Host}
		if len(r.TLS.PeerCertificates) > 0 {
			seen.Client = r.TLS.PeerCertificates[0].Subject.CommonName
		}
		_ = json.NewEncoder(w).Encode(seen)
	}))
	server.EnableHTTP2 = true
	server.TLS = &tls.Config{GetCertificate: certificate, ClientAuth: tls.RequestClientCert}
	server.Config.ErrorLog = quiet
	server.StartTLS()
	server.TLS.Certificates = nil // httptest's own would be preferred
	t.Cleanup(server.Close)
	return server
}

func cellOptions(t *testing.T, wrong, client tls.Certificate) []cellOption {
	option := must[requests.AdapterOption](t)
	sum := sha256.Sum256(wrong.Certificate[0])
	cert, key := wiretest.PEM(client)
	nothing := func(*socket) {}
	return []cellOption{
		{"Fingerprint", option(adapters.Fingerprint(hex.EncodeToString(sum[:]))), func(*report) {}, nothing},
		{"SSLVersion", option(adapters.SSLVersion(tls.VersionTLS12, tls.VersionTLS12)), func(r *report) { r.Version = "TLS 1.2" }, nothing},
		{"HostHeaderSSL", adapters.HostHeaderSSL(), func(r *report) { r.Name, _, _ = strings.Cut(r.Host, ":") }, nothing},
		{"X509", option(adapters.X509(cert, key, "")), func(r *report) { r.Client = "ada" }, nothing},
		{"SourceAddress", adapters.SourceAddress(netip.MustParseAddr("127.0.0.5")), func(*report) {}, func(s *socket) { s.Address = "127.0.0.5" }},
		{"SocketOptions", adapters.SocketOptions(requests.SocketOption{Level: syscall.SOL_SOCKET, Name: syscall.SO_RCVBUF, Int: smallBuffer}), func(*report) {}, func(s *socket) { s.NoDelay, s.Small = false, true }},
		{"TCPKeepAlive", adapters.TCPKeepAlive(33*time.Second, 11*time.Second, 4), func(*report) {}, func(s *socket) { s.KeepAlive = [4]int{1, 33, 11, 4} }},
	}
}

// cell runs one combination.
func (f *field) cell(t *testing.T, first, second cellOption, w way, version string) {
	origin := f.origin
	if first.name == "Fingerprint" {
		origin = f.wrong // whose certificate is for nobody: only the fingerprint lets it pass
	}
	hop, proxies := newRelay(t, origin.Listener.Addr().String()), requests.Proxies(nil)
	url := fmt.Sprintf("https://localhost:%d/", hop.Addr().(*net.TCPAddr).Port)
	if w.proxy != nil {
		hop = newRelay(t, w.proxy.Addr())
		proxies = requests.Proxies{"https": w.name + "://" + hop.Addr().String()}
		url = fmt.Sprintf("https://localhost:%d/", origin.Listener.Addr().(*net.TCPAddr).Port)
	}
	a := requests.NewHTTPAdapter(first.option, second.option, requests.HTTP2(version == "HTTP/2.0"), requests.PoolBlock(true), requests.PoolMaxSize(2))
	defer a.Close()
	opts := requests.SendOptions{Proxies: proxies, Verify: requests.CABundlePEM(wiretest.TestCA().PEM()), Timeouts: requests.Timeouts{Read: 20 * time.Second}}
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			p := get(url, [2]string{"Host", []string{"name.test:1", "other.test"}[i%2]})
			want := report{Proto: version, Name: "localhost", Version: "TLS 1.3", Host: p.Headers.Get("Host")}
			first.report(&want)
			second.report(&want)
			r, err := a.Send(t.Context(), p, opts)
			if err != nil {
				t.Error(err)
				return
			}
			var got report
			if err := r.JSON(&got); err != nil {
				t.Error(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("the origin saw (-want +got)\n%s", diff)
			}
		})
	}
	all.Wait()
	want := socket{Address: "127.0.0.1", NoDelay: true}
	first.socket(&want)
	second.socket(&want)
	if diff := cmp.Diff([]socket{want}, hop.sockets()); diff != "" {
		t.Errorf("the first hop saw (-want +got)\n%s", diff)
	}
}

// TestMatrixRefusals: a wrong fingerprint, a wrong name and an unknown authority are refused on every way, whatever else
// is mounted, and a fingerprint does not stand in for the chain.
func TestMatrixRefusals(t *testing.T) {
	f := newField(t)
	sum := sha256.Sum256(nil)
	option := must[requests.AdapterOption](t)
	nobody := option(adapters.Fingerprint(hex.EncodeToString(sum[:])))
	trusted, stranger := requests.CABundlePEM(wiretest.TestCA().PEM()), requests.CABundlePEM(wiretest.OtherCA().PEM())
	for _, w := range f.ways {
		for name, c := range map[string]struct {
			server *httptest.Server
			verify requests.Verification
			option requests.AdapterOption
		}{
			"wrong fingerprint":         {f.origin, trusted, nobody},
			"wrong fingerprint, no CA":  {f.origin, requests.Verify(false), nobody},
			"wrong name":                {f.wrong, trusted, adapters.HostHeaderSSL()},
			"right fingerprint, no CA":  {f.wrong, stranger, f.options[0].option},
			"version the server lacks":  {oldServer(t), trusted, option(adapters.SSLVersion(tls.VersionTLS13, 0))},
			"version too old to accept": {oldServer(t), trusted, requests.JoinAdapterOptions()},
		} {
			if w.name == "https" && c.verify != trusted {
				continue // the proxy's certificate would be refused first
			}
			var proxies requests.Proxies
			if w.proxy != nil {
				proxies = requests.Proxies{"https": w.name + "://" + w.proxy.Addr()}
			}
			url := fmt.Sprintf("https://localhost:%d/", c.server.Listener.Addr().(*net.TCPAddr).Port)
			a := requests.NewHTTPAdapter(c.option)
			_, err := a.Send(t.Context(), get(url), requests.SendOptions{Proxies: proxies, Verify: c.verify})
			if !errors.Is(err, requests.ErrSSL) {
				t.Errorf("%s, %s: %v", w.name, name, err)
			}
			a.Close()
		}
	}
	// the other side of the last two: what was refused is spoken if it is asked for
	old := oldServer(t)
	a := requests.NewHTTPAdapter(option(adapters.SSLVersion(tls.VersionTLS10, tls.VersionTLS11)), requests.HTTP2(true))
	defer a.Close()
	r, err := a.Send(t.Context(), get(fmt.Sprintf("https://localhost:%d/", old.Listener.Addr().(*net.TCPAddr).Port)), requests.SendOptions{Verify: trusted})
	if err != nil {
		t.Fatal(err)
	}
	var got report
	if err := r.JSON(&got); err != nil || got.Version != "TLS 1.1" || got.Proto != "HTTP/1.1" {
		t.Errorf("%+v, %v", got, err)
	}
}

// oldServer speaks TLS 1.1 and nothing newer.
func oldServer(t *testing.T) *httptest.Server {
	c := wiretest.TestCA().Issue(wiretest.Leaf{Hosts: []string{"localhost"}})
	server := reporting(t, func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &c, nil })
	server.TLS.MinVersion, server.TLS.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	return server
}

// TestSourceErrors: an address in use and one of another machine are told apart, and named.
func TestSourceErrors(t *testing.T) {
	taken := wiretest.Start(t, wiretest.Config{})
	for address, c := range map[string]struct {
		cause error
		says  string
	}{
		taken.Addr(): {syscall.EADDRINUSE, "address already in use"},
		"192.0.2.1":  {syscall.EADDRNOTAVAIL, "192.0.2.1"},
	} {
		a := requests.NewHTTPAdapter(must[requests.AdapterOption](t)(adapters.ParseSourceAddress(address)))
		_, err := a.Send(t.Context(), get(taken.URL("/")), requests.SendOptions{})
		if !errors.Is(err, requests.ErrConnection) || !errors.Is(err, c.cause) || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "bind") {
			t.Errorf("%s: %v", address, err)
		}
		a.Close()
	}
}

// TestSourceInterface goes out over the loopback interface, where that is allowed.
func TestSourceInterface(t *testing.T) {
	server := wiretest.Start(t, wiretest.Config{})
	a := requests.NewHTTPAdapter(must[requests.AdapterOption](t)(adapters.SourceInterface("lo")))
	defer a.Close()
	r, err := a.Send(t.Context(), get(server.URL("/")), requests.SendOptions{})
	if errors.Is(err, syscall.EPERM) {
		t.Skip("binding to an interface needs a privilege: ", err)
	}
	if err != nil || r.StatusCode != 200 {
		t.Error(r, err)
	}
	if r != nil {
		r.Close()
	}
}
