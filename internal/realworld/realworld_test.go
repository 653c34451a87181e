//go:build realworld

package realworld

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mountable/requests"
)

// backend answers behind nginx with what reached it; /slow takes its time, /drip
// sends a line now and then.
func backend(t *testing.T) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		switch {
		case r.URL.Path == "/slow":
			select {
			case <-time.After(3 * time.Second):
			case <-r.Context().Done():
			}
		case r.URL.Path == "/drip":
			for i := range 3 {
				fmt.Fprintf(w, "line %d\n", i)
				w.(http.Flusher).Flush()
				time.Sleep(20 * time.Millisecond)
			}
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		fmt.Fprintf(w, "%s %d %x", r.Method, len(body), sha256.Sum256(body))
		if r.URL.Path == "/who" {
			fmt.Fprint(w, " ", r.Header.Get("X-Protocol"))
		}
		if proxied := r.Header.Get("Proxy-Authorization"); proxied != "" {
			fmt.Fprint(w, " LEAKED ", proxied)
		}
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// route is one way to one server.
type route struct {
	name    string
	url     string
	proxy   string
	options []requests.AdapterOption
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

// TestRealWorld runs the same exchanges over every route.
func TestRealWorld(t *testing.T) {
	files := newPKI(t, workDir(t))
	n := nginx(t, backend(t), files)
	squidPlain, squidTLS := squid(t, "basic", files)
	tiny, socks := tinyproxy(t), microsocks(t)
	auth := user + ":" + password + "@"
	plain, secure := "http://"+local(n.http), fmt.Sprintf("https://localhost:%d", n.tls13)
	h2 := []requests.AdapterOption{requests.HTTP2(true)}
	routes := []route{
		{"http", plain, "", nil},
		{"https tls1.2", fmt.Sprintf("https://localhost:%d", n.tls12), "", nil},
		{"https tls1.3", secure, "", nil},
		{"h2", fmt.Sprintf("https://localhost:%d", n.h2), "", h2},
		{"http through squid", plain, "http://" + auth + local(squidPlain), nil},
		{"https through squid", secure, "http://" + auth + local(squidPlain), nil},
		{"http through squid over TLS", plain, fmt.Sprintf("https://%slocalhost:%d", auth, squidTLS), nil},
		{"https through squid over TLS", secure, fmt.Sprintf("https://%slocalhost:%d", auth, squidTLS), nil},
		{"h2 through squid", fmt.Sprintf("https://localhost:%d", n.h2), "http://" + auth + local(squidPlain), h2},
		// tinyproxy closes after each reply without announcing it
		{"http through tinyproxy", plain, "http://" + auth + local(tiny), []requests.AdapterOption{requests.PoolMaxSize(-1)}},
		{"https through tinyproxy", secure, "http://" + auth + local(tiny), nil},
		{"http through socks5", plain, "socks5://" + auth + local(socks), nil},
		{"https through socks5", secure, "socks5://" + auth + local(socks), nil},
		{"https through socks5h", secure, "socks5h://" + auth + local(socks), nil},
		{"h2 through socks5h", fmt.Sprintf("https://localhost:%d", n.h2), "socks5h://" + auth + local(socks), h2},
	}
	for _, r := range routes {
		t.Run(r.name, func(t *testing.T) { exchanges(t, r, r.session(t, files)) })
	}
	t.Run("refusals", func(t *testing.T) { refusals(t, n, files, squidPlain, tiny, socks) })
	t.Run("client certificates", func(t *testing.T) { clientCertificates(t, n, files) })
	t.Run("curl agrees", func(t *testing.T) { curlAgrees(t, routes, files) })
}

// summary is what backend says of a body.
func summary(method string, body []byte) string {
	return fmt.Sprintf("%s %d %x", method, len(body), sha256.Sum256(body))
}

func exchanges(t *testing.T, r route, s *requests.Session) {
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	bodies := map[string]struct {
		method string
		body   func() any
		want   []byte
	}{
		"GET":     {"GET", func() any { return nil }, nil},
		"bytes":   {"POST", func() any { return []byte("small") }, []byte("small")},
		"reader":  {"PUT", func() any { return bytes.NewReader(big) }, big},
		"chunked": {"POST", func() any { return io.MultiReader(bytes.NewReader(big)) }, big},
		"iterator": {"POST", func() any {
			return func(yield func([]byte) bool) { _ = yield([]byte("a")) && yield([]byte("b")) }
		}, []byte("ab")},
	}
	for name, c := range bodies {
		for _, path := range []string{"/x", "/gzip/x"} {
			resp, err := s.Request(t.Context(), c.method, r.url+path, requests.Body(c.body()))
			if err != nil {
				t.Errorf("%s %s: %v", name, path, err)
				continue
			}
			text, err := resp.Text()
			if diff := cmp.Diff(summary(c.method, c.want), text); diff != "" || err != nil {
				t.Errorf("%s %s: %v (-want +got)\n%s", name, path, err, diff)
			}
		}
	}
	drip(t, r, s)
	slow(t, r, s)
}

// drip reads a reply that comes in pieces, line by line.
func drip(t *testing.T, r route, s *requests.Session) {
	resp, err := s.Get(t.Context(), r.url+"/drip", requests.Stream(true))
	if err != nil {
		t.Error(err)
		return
	}
	var lines []string
	for line, err := range resp.Lines() {
		if err != nil {
			t.Error(err)
		}
		lines = append(lines, line)
	}
	if diff := cmp.Diff([]string{"line 0", "line 1", "line 2"}, lines); diff != "" {
		t.Errorf("drip (-want +got)\n%s", diff)
	}
}

// slow meets the read timeout, and a cancelled context.
func slow(t *testing.T, r route, s *requests.Session) {
	_, err := s.Get(t.Context(), r.url+"/slow", requests.Timeouts{Read: 200 * time.Millisecond})
	if !errors.Is(err, requests.ErrReadTimeout) {
		t.Errorf("slow: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	if _, err := s.Get(ctx, r.url+"/slow"); !errors.Is(err, context.Canceled) || !errors.Is(err, requests.ErrCanceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// refusals are wrong credentials and untrusted certificates: the right Kind, and no secret in the text.
func refusals(t *testing.T, n nginxPorts, files pki, squidPlain, tiny, socks int) {
	secure, plain := fmt.Sprintf("https://localhost:%d/", n.tls13), "http://"+local(n.http)+"/"
	wrong := user + ":wr0ng@"
	cases := map[string]struct {
		url, proxy string
		option     requests.Option
		want       requests.Kind // 0: an ordinary reply of status 407
	}{
		"squid, CONNECT":       {secure, "http://" + wrong + local(squidPlain), nil, requests.ErrProxy},
		"squid, no auth":       {secure, "http://" + local(squidPlain), nil, requests.ErrProxy},
		"squid, http":          {plain, "http://" + wrong + local(squidPlain), nil, 0},
		"tinyproxy, CONNECT":   {secure, "http://" + wrong + local(tiny), nil, requests.ErrProxy},
		"socks5":               {secure, "socks5h://" + wrong + local(socks), nil, requests.ErrConnection},
		"unknown authority":    {secure, "", requests.Verify(true), requests.ErrSSL},
		"plain http to https":  {fmt.Sprintf("https://localhost:%d/", n.http), "", nil, requests.ErrSSL},
		"no client certficate": {fmt.Sprintf("https://localhost:%d/", n.client), "", nil, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := route{proxy: c.proxy}.session(t, files)
			resp, err := s.Get(t.Context(), c.url, c.option)
			if c.want == 0 {
				if err != nil || resp.StatusCode < 400 {
					t.Errorf("got %v, %v", resp, err)
				}
				return
			}
			if !errors.Is(err, c.want) || strings.Contains(fmt.Sprint(err), "wr0ng") {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func clientCertificates(t *testing.T, n nginxPorts, files pki) {
	s := route{}.session(t, files)
	resp, err := s.Get(t.Context(), fmt.Sprintf("https://localhost:%d/who", n.client), requests.CertFiles(files.clientCert, files.clientKey))
	if err != nil {
		t.Fatal(err)
	}
	text, _ := resp.Text()
	if !strings.HasSuffix(text, " HTTP/1.1 TLSv1.3 CN=ada") {
		t.Errorf("nginx saw %q", text)
	}
}

// curlAgrees sends the same upload with curl and with this package.
func curlAgrees(t *testing.T, routes []route, files pki) {
	curl := program(t, "curl")
	body := strings.Repeat("upload ", 10_000)
	file := write(t, workDir(t), "upload", body, 0o644)
	for _, r := range routes {
		args := []string{"-sS", "--max-time", "20", "--cacert", files.ca, "--proxy-cacert", files.ca, "-X", "POST", "--data-binary", "@" + file, r.url + "/x"}
		if r.proxy != "" {
			args = append(args, "-x", r.proxy)
		}
		out, err := exec.Command(curl, args...).Output()
		if err != nil {
			t.Errorf("%s: curl: %v", r.name, err)
			continue
		}
		resp, err := r.session(t, files).Post(t.Context(), r.url+"/x", requests.Body(body))
		if err != nil {
			t.Errorf("%s: %v", r.name, err)
			continue
		}
		text, _ := resp.Text()
		if diff := cmp.Diff(string(out), text); diff != "" {
			t.Errorf("%s (-curl +ours)\n%s", r.name, diff)
		}
	}
}
