package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/mountable/requests"
)

// ask is a request, and the little world it is sent in.
type ask struct {
	method, url string
	headers     [][2]string
	body        string
	roots       string // the file of the authorities; "" has nothing checked
	proxy       string // of URLs whose host is proxied
	proxied     string // that host
}

// Every name is looked up as 127.0.0.1, by each client in its own way. No client reads the
// environment, and certificates are checked where roots says so alone.

type loopback struct{}

func (loopback) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}, nil
}

func here(ctx context.Context, a ask) (int64, bool) {
	s := requests.NewSession()
	defer s.Close()
	s.TrustEnv = false
	adapter := requests.NewHTTPAdapter(requests.ResolveWith(loopback{}))
	s.Mount("http://", adapter)
	s.Mount("https://", adapter)
	s.Verify = requests.Verify(false)
	if a.roots != "" {
		s.Verify = requests.CABundle(a.roots)
	}
	if a.proxy != "" {
		s.Proxies = requests.Proxies{"http://" + a.proxied: a.proxy, "https://" + a.proxied: a.proxy}
	}
	var content any
	if a.body != "" {
		content = a.body
	}
	r, err := s.Request(ctx, a.method, a.url, requests.Headers(a.headers), requests.Body(content), requests.Stream(true))
	if err != nil {
		return 0, false
	}
	defer r.Close()
	n, err := io.Copy(io.Discard, r)
	return n, err == nil
}

func netHTTP(ctx context.Context, a ask) (int64, bool) {
	transport, err := netTransport(a)
	if err != nil {
		return 0, false
	}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, a.method, a.url, strings.NewReader(a.body))
	if err != nil {
		return 0, false
	}
	for _, f := range a.headers {
		req.Header.Add(f[0], f[1])
	}
	jar, _ := cookiejar.New(nil)
	resp, err := (&http.Client{Transport: transport, Jar: jar}).Do(req)
	if err != nil {
		return 0, false
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	return n, err == nil
}

func netTransport(a ask) (*http.Transport, error) {
	config := &tls.Config{InsecureSkipVerify: a.roots == ""} //nolint:gosec // see above
	if a.roots != "" {
		pem, err := os.ReadFile(a.roots)
		if err != nil {
			return nil, err
		}
		config.RootCAs = x509.NewCertPool()
		config.RootCAs.AppendCertsFromPEM(pem)
	}
	return &http.Transport{
		TLSClientConfig: config,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			_, port, _ := net.SplitHostPort(address)
			return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
		},
		Proxy: func(r *http.Request) (*url.URL, error) {
			if a.proxy == "" || r.URL.Hostname() != a.proxied {
				return nil, nil
			}
			return url.Parse(a.proxy)
		},
	}, nil
}

func curl(ctx context.Context, a ask) (int64, bool) {
	cmd := exec.CommandContext(ctx, "curl", curlArgs(a)...)
	cmd.Stdin = strings.NewReader(a.body)
	out := new(counter)
	cmd.Stdout = out
	err := cmd.Run()
	if _, ok := errors.AsType[*exec.ExitError](err); err != nil && !ok {
		return 0, false
	}
	return out.n, err == nil
}

func curlArgs(a ask) []string {
	args := []string{"--disable", "--silent", "--location", "--compressed", "--cookie", ""}
	for _, port := range ports(a) {
		args = append(args, "--resolve", "*:"+port+":127.0.0.1")
	}
	if a.roots == "" {
		args = append(args, "--insecure", "--proxy-insecure")
	} else {
		args = append(args, "--cacert", a.roots, "--proxy-cacert", a.roots)
	}
	if a.proxy == "" {
		args = append(args, "--noproxy", "*")
	} else {
		args = append(args, "--proxy", a.proxy, "--noproxy", direct)
	}
	switch {
	case a.method == "PUT":
		args = append(args, "--upload-file", "-")
	case a.body != "":
		args = append(args, "--request", a.method, "--data-binary", a.body)
	case a.method != "GET":
		args = append(args, "--request", a.method)
	}
	for _, f := range a.headers {
		args = append(args, "--header", f[0]+": "+f[1])
	}
	return append(args, a.url)
}

// ports are those of the URLs that curl is given: a redirect to a name has the same.
func ports(a ask) (all []string) {
	for _, text := range []string{a.url, a.proxy} {
		if u, err := url.Parse(text); err == nil && u.Port() != "" && !slices.Contains(all, u.Port()) {
			all = append(all, u.Port())
		}
	}
	return all
}

// counter counts what is written to it.
type counter struct{ n int64 }

func (c *counter) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return len(b), nil
}

// requestsScript sends what its standard input says, and prints how long the body was.
const requestsScript = `
import json, socket, sys
import requests
ask = json.load(sys.stdin)
lookup = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: lookup("127.0.0.1", *rest, **more)
n = 0
try:
    session = requests.Session()
    session.trust_env = False
    requests.packages.urllib3.disable_warnings()
    r = session.request(ask["Method"], ask["URL"], headers=dict(ask["Headers"] or []), data=ask["Body"] or None, verify=ask["Roots"] or False, proxies=ask["Proxies"], stream=True)
    for piece in r.iter_content(1 << 16):
        n += len(piece)
except Exception:
    print(n)
    sys.exit(1)
print(n)
`

func python(ctx context.Context, a ask) (int64, bool) {
	var proxies map[string]string
	if a.proxy != "" {
		proxies = map[string]string{"http://" + a.proxied: a.proxy, "https://" + a.proxied: a.proxy}
	}
	text, err := json.Marshal(struct {
		Method, URL, Body, Roots string
		Headers                  [][2]string
		Proxies                  map[string]string
	}{a.method, a.url, a.body, a.roots, a.headers, proxies})
	if err != nil {
		return 0, false
	}
	cmd := exec.CommandContext(ctx, "python3", "-c", requestsScript)
	cmd.Stdin = bytes.NewReader(text)
	out, err := cmd.Output()
	n, _ := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	return n, err == nil
}
