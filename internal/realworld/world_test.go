//go:build realworld

package realworld

import (
	"fmt"
	"testing"
	"time"

	"github.com/mountable/requests"
)

// world is what all tests run against.
type world struct {
	files             pki
	nginx             nginxPorts
	squid, squidTLS   int // with Basic credentials
	digest, digestTLS int // with Digest
	tiny, socks       int
	plain, secure, h2 string // doors of nginx: http, TLS 1.3, HTTP/2
	bulkFile          string
}

func newWorld(t *testing.T) *world {
	w := &world{files: newPKI(t, workDir(t))}
	w.nginx = nginx(t, backend(t), w.files)
	w.squid, w.squidTLS = squid(t, "basic", w.files)
	w.digest, w.digestTLS = squid(t, "digest", w.files)
	w.tiny, w.socks = tinyproxy(t), microsocks(t)
	w.plain, w.secure, w.h2 = "http://"+local(w.nginx.http), localhost(w.nginx.tls13), localhost(w.nginx.h2)
	w.bulkFile = write(t, workDir(t), "bulk", string(bulkContent()), 0o644)
	return w
}

// localhost is the URL of a TLS port.
func localhost(port int) string { return fmt.Sprintf("https://localhost:%d", port) }

const auth = user + ":" + password + "@"

func overHTTP2() []requests.AdapterOption { return []requests.AdapterOption{requests.HTTP2(true)} }

// routes are the ways to nginx.
func (w *world) routes() []route {
	squid, squidTLS := "http://"+auth+local(w.squid), fmt.Sprintf("https://%slocalhost:%d", auth, w.squidTLS)
	tiny, socks, socksh := "http://"+auth+local(w.tiny), "socks5://"+auth+local(w.socks), "socks5h://"+auth+local(w.socks)
	return []route{
		{"http", w.plain, "", nil, false},
		{"https tls1.2", localhost(w.nginx.tls12), "", nil, false},
		{"https tls1.3", w.secure, "", nil, false},
		{"h2", w.h2, "", overHTTP2(), false},
		{"http through squid", w.plain, squid, nil, false},
		{"https through squid", w.secure, squid, nil, false},
		{"http through squid over TLS", w.plain, squidTLS, nil, false},
		{"https through squid over TLS", w.secure, squidTLS, nil, false},
		{"h2 through squid", w.h2, squid, overHTTP2(), false},
		// tinyproxy closes after each reply without announcing it
		{"http through tinyproxy", w.plain, tiny, []requests.AdapterOption{requests.PoolMaxSize(0)}, false},
		{"https through tinyproxy", w.secure, tiny, nil, false},
		{"http through socks5", w.plain, socks, nil, false},
		{"https through socks5", w.secure, socks, nil, false},
		{"https through socks5h", w.secure, socksh, nil, false},
		{"h2 through socks5h", w.h2, socksh, overHTTP2(), true},
	}
}

// route is one way to one server.
type route struct {
	name    string
	url     string
	proxy   string
	options []requests.AdapterOption
	// microsocks holds small packets back until the ones before are acknowledged, and
	// an upload over HTTP/2 waits for many of these: 20 MiB take 15 seconds, with curl too.
	slow bool
}

func (r route) session(t *testing.T, files pki) *requests.Session {
	s := requests.NewSession()
	s.TrustEnv = false
	s.Verify = requests.CABundle(files.ca)
	s.Timeouts = requests.Timeouts{Connect: 5 * time.Second, Read: 20 * time.Second}
	if r.proxy != "" {
		s.Proxies = requests.Proxies{"all": r.proxy}
	}
	for _, prefix := range []string{"http://", "https://"} {
		s.Mount(prefix, requests.NewHTTPAdapter(r.options...))
	}
	t.Cleanup(func() { s.Close() })
	return s
}
