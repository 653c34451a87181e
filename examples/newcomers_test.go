package examples

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// serve answers with a handler until the test is over.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

func TestGetJSON(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"full_name": %q, "stargazers_count": 7}`, r.Header.Get("Accept"))
	})
	program{}.prints(t, "application/json has 7 stars\n", "getjson", url)
	program{}.fails(t, "no connection", "getjson", "http://127.0.0.1:1/")
}

func TestPostJSON(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var order map[string]any
		err := json.NewDecoder(r.Body).Decode(&order)
		if err != nil || order["count"] != "2" {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusUnprocessableEntity)
			fmt.Fprint(w, `{"title": "Out of stock", "detail": "there are two"}`)
			return
		}
		fmt.Fprint(w, `{"id": 12}`)
	})
	program{}.prints(t, "order 12\n", "postjson", url, "coffee", "2")
	program{}.fails(t, "refused: Out of stock: there are two", "postjson", url, "coffee", "3")
}

// site runs the site of the tutorial until the test is over.
func site(t *testing.T) string {
	t.Helper()
	cmd := exec.Command(filepath.Join(programs, "site"))
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(url)
}

func TestLogin(t *testing.T) {
	url := site(t)
	program{env: []string{"LOGIN_PASSWORD=lovelace"}}.prints(t, "Ada's account\n", "login", url, "ada")
	program{env: []string{"LOGIN_PASSWORD=byron"}}.fails(t, "401", "login", url, "ada")
}

func TestPages(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		page := r.FormValue("page")
		if page == "" {
			w.Header().Set("Link", fmt.Sprintf(`<?page=2&per_page=%s>; rel="next"`, r.FormValue("per_page")))
		}
		fmt.Fprintf(w, `[{"name": "a%s"}, {"name": "b%s"}]`, page, r.FormValue("per_page"))
	})
	program{}.prints(t, "a\nb50\na2\nb50\n", "pages", url)
}

func TestUpload(t *testing.T) {
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, header, err := r.FormFile("file")
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		w.Header().Set("Location", fmt.Sprintf("/%s/%d", header.Filename, header.Size))
		w.WriteHeader(http.StatusCreated)
	})
	p := program{dir: t.TempDir()}
	write(t, filepath.Join(p.dir, "report.pdf"), strings.Repeat("x", 100_000))
	p.prints(t, "201 /report.pdf/100000\n", "upload", url, "report.pdf")
	p.fails(t, "missing.pdf", "upload", url, "missing.pdf")
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDownload(t *testing.T) {
	content := bytes.Repeat([]byte("image "), 10_000)
	sum := fmt.Sprintf("%x", sha256.Sum256(content))
	p := program{dir: t.TempDir()}
	p.prints(t, "complete: image.iso\n", "download", site(t)+"/image.iso", "image.iso", sum)
	if got, err := os.ReadFile(filepath.Join(p.dir, "image.iso")); err != nil || !bytes.Equal(got, content) {
		t.Errorf("the file has %d bytes (%v)", len(got), err)
	}
	p.fails(t, "as Checksum says", "download", site(t)+"/image.iso", "other.iso", strings.Repeat("0", 64))
}

func TestRetry(t *testing.T) {
	var requests atomic.Int32
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if requests.Add(1) < 3 {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	program{}.prints(t, "try 1: 503\ntry 2: 503\nthen: 200\n", "retry", url)
}

func TestOAuth2(t *testing.T) {
	login := serve(t, func(w http.ResponseWriter, r *http.Request) {
		id, secret, _ := r.BasicAuth()
		if id != "app" || secret != "s3cret" || r.FormValue("grant_type") != "client_credentials" {
			http.Error(w, `{"error": "invalid_client"}`, http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, `{"access_token": "t0ken", "token_type": "Bearer", "expires_in": 3600}`)
	})
	api := serve(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"auth": %q}`, r.Header.Get("Authorization"))
	})
	program{env: []string{"CLIENT_ID=app", "CLIENT_SECRET=s3cret"}}.prints(t, "map[auth:Bearer t0ken]\n", "oauth2", login, api)
	program{env: []string{"CLIENT_ID=app"}}.fails(t, "401", "oauth2", login, api)
}

// tunnel is a proxy that wants a password, and knows CONNECT alone.
func tunnel(w http.ResponseWriter, r *http.Request) {
	if user, password, _ := proxyAuth(r); user != "ada" || password != "lovelace" {
		w.Header().Set("Proxy-Authenticate", `Basic realm="corp"`)
		w.WriteHeader(http.StatusProxyAuthRequired)
		return
	}
	there, err := net.Dial("tcp", r.Host)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer there.Close()
	here, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer here.Close()
	_, _ = io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
	go func() {
		_, _ = io.Copy(there, here)
		there.Close()
	}()
	_, _ = io.Copy(here, there)
}

func proxyAuth(r *http.Request) (user, password string, ok bool) {
	return (&http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}).BasicAuth()
}

func TestProxy(t *testing.T) {
	wiki := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(wiki.Close)
	proxy := serve(t, tunnel)
	p := program{dir: t.TempDir(), env: []string{"PROXY_PASSWORD=lovelace"}}
	write(t, filepath.Join(p.dir, "ca.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: wiki.Certificate().Raw})))
	out, err := p.run(t, "proxy", proxy, "ca.pem", wiki.URL)
	if err != nil || !strings.HasPrefix(out, "404 ") || !strings.Contains(out, proxy) {
		t.Errorf("%q, %v", out, err)
	}
	program{dir: p.dir}.fails(t, "the proxy: ", "proxy", proxy, "ca.pem", wiki.URL)
	p.fails(t, "none.pem", "proxy", proxy, "none.pem", wiki.URL)
}

func TestTutorial(t *testing.T) {
	url := site(t)
	p := program{dir: t.TempDir(), env: []string{"SITE_PASSWORD=lovelace"}}
	write(t, filepath.Join(p.dir, "report.pdf"), strings.Repeat("x", 100_000))
	want := fmt.Sprintf("%[1]s/reports [report]\n%[1]s/reports?page=2 [report2]\nsaved as annual.pdf\n", url)
	p.prints(t, want, "tutorial", url)
	program{}.fails(t, "401", "tutorial", url)
}
