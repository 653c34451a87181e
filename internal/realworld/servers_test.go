//go:build realworld

package realworld

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// clientCertificates shows nginx one in every form, directly and through a proxy's
// tunnel.
func (w *world) clientCertificates(t *testing.T) {
	dir, f := workDir(t), w.files
	encrypted, pfx := filepath.Join(dir, "encrypted.key"), filepath.Join(dir, "id.p12")
	openssl(t, "pkcs8", "-topk8", "-in", f.clientKey, "-out", encrypted, "-passout", "pass:"+password)
	openssl(t, "pkcs12", "-export", "-in", f.clientCert, "-inkey", f.clientKey, "-out", pfx, "-passout", "pass:"+password)
	ask := func() (string, error) { return password, nil }
	cases := map[string]struct {
		cert requests.Certificate
		want error
	}{
		"two files":              {requests.CertFiles(f.clientCert, f.clientKey), nil},
		"encrypted key":          {requests.CertFiles(f.clientCert, encrypted).WithPassword(password), nil},
		"encrypted key, asked":   {requests.CertFiles(f.clientCert, encrypted).WithPasswordFunc(ask), nil},
		"PKCS#12":                {requests.CertFile(pfx).WithPassword(password), nil},
		"PKCS#12, asked":         {requests.CertFile(pfx).WithPasswordFunc(ask), nil},
		"wrong password":         {requests.CertFiles(f.clientCert, encrypted).WithPassword("wr0ng"), requests.ErrFile},
		"wrong PKCS#12 password": {requests.CertFile(pfx).WithPassword("wr0ng"), requests.ErrFile},
	}
	proxies := map[string]string{"directly": "", "squid": "http://" + auth + local(w.squid), "squid over TLS": fmt.Sprintf("https://%slocalhost:%d", auth, w.squidTLS)}
	for name, c := range cases {
		for way, proxy := range proxies {
			s := route{proxy: proxy}.session(t, f)
			resp, err := s.Get(t.Context(), localhost(w.nginx.client)+"/who", c.cert)
			if !errors.Is(err, c.want) || strings.Contains(fmt.Sprint(err), "wr0ng") {
				t.Errorf("%s, %s: want %v, got %v", name, way, c.want, err)
			}
			if err != nil {
				continue
			}
			if text, _ := resp.Text(); !strings.HasSuffix(text, " HTTP/1.1 TLSv1.3 CN=ada") {
				t.Errorf("%s, %s: nginx saw %q", name, way, text)
			}
		}
	}
}

func openssl(t *testing.T, args ...string) {
	if out, err := exec.Command(program(t, "openssl"), args...).CombinedOutput(); err != nil {
		t.Fatalf("openssl %s: %v\n%s", args[0], err, out)
	}
}

// early413 uploads what nginx refuses to take after its first kilobyte, or its head:
// the 413 is the answer, whatever becomes of the upload, and the next request works. That is a PUT,
// which may be sent again: nginx may close a connection of HTTP/2 behind the 413, and through a
// tunnel its GOAWAY can be lost.
func (w *world) early413(t *testing.T) {
	bodies := map[string]func(f *os.File) any{
		"file":    func(f *os.File) any { return f },
		"bytes":   func(*os.File) any { return bulkContent() },
		"chunked": func(*os.File) any { return io.MultiReader(bytes.NewReader(bulkContent())) },
	}
	for _, r := range w.routes() {
		if strings.Contains(r.name, "tinyproxy") {
			continue // closes its connections without reading on, which loses the reply
		}
		for name, body := range bodies {
			t.Run(r.name+"/"+name, func(t *testing.T) {
				f, err := os.Open(w.bulkFile)
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				s, start := r.session(t, w.files), time.Now()
				resp, err := s.Post(t.Context(), r.url+"/limited/", requests.Body(body(f)))
				if err != nil || resp.StatusCode != 413 {
					t.Fatalf("%v, %v", resp, err)
				}
				if took := time.Since(start); took > 10*time.Second {
					t.Errorf("the reply was seen after %v", took)
				}
				resp, err = s.Put(t.Context(), r.url+"/limited/", requests.Body("small"))
				if err != nil || resp.StatusCode != 200 {
					t.Errorf("afterwards: %v, %v", resp, err)
				}
			})
		}
	}
}

// givenUp uses connections again that nginx has closed while they were idle, or gives
// up after a few requests.
func (w *world) givenUp(t *testing.T) {
	for _, r := range []route{
		{"http", "http://" + local(w.nginx.idle), "", nil, false},
		{"https", localhost(w.nginx.idleTLS), "", nil, false},
		{"h2", localhost(w.nginx.idleH2), "", overHTTP2(), false},
		{"https through squid", localhost(w.nginx.idleTLS), "http://" + auth + local(w.squid), nil, false},
	} {
		t.Run(r.name, func(t *testing.T) {
			s := r.session(t, w.files)
			for i := range 15 {
				if i > 11 {
					time.Sleep(400 * time.Millisecond)
				}
				resp, err := s.Post(t.Context(), r.url+"/x", requests.Body("x"))
				if err != nil || resp.StatusCode != 200 {
					t.Errorf("request %d: %v, %v", i, resp, err)
				}
			}
			crowd(t, r, s)
		})
	}
}

// gzip reads what nginx has compressed.
func (w *world) gzip(t *testing.T) {
	for _, r := range w.routes()[:4] {
		resp, err := r.session(t, w.files).Get(t.Context(), r.url+"/gzip/x")
		if err != nil {
			t.Errorf("%s: %v", r.name, err)
			continue
		}
		text, err := resp.Text()
		got := []any{resp.Headers.Get("Content-Encoding"), text, err}
		if diff := cmp.Diff([]any{"gzip", summary("GET", nil), nil}, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", r.name, diff)
		}
	}
}

// trickle reads a reply that takes longer than the read timeout, which is for each
// wait, and then than the total one.
func (w *world) trickle(t *testing.T) {
	for _, r := range w.routes() {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			s := r.session(t, w.files)
			wiretest.Patiently(t, func(slower time.Duration) error {
				resp, err := s.Get(t.Context(), r.url+"/trickle", requests.Timeouts{Read: slower * 500 * time.Millisecond})
				if err != nil {
					return err
				}
				if text, err := resp.Text(); text != "tricklingdown" || err != nil {
					t.Errorf("%q, %v", text, err)
				}
				return nil
			})
			_, err := s.Get(t.Context(), r.url+"/trickle", requests.Timeouts{Total: 300 * time.Millisecond})
			if !errors.Is(err, requests.ErrTimeout) {
				t.Errorf("%v after the total time", err)
			}
		})
	}
}
