//go:build realworld

package realworld

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// TestRealWorld runs the same exchanges over every route, and what only some servers do.
func TestRealWorld(t *testing.T) {
	w := newWorld(t)
	for _, r := range w.routes() {
		t.Run(r.name, func(t *testing.T) {
			wiretest.NoLeak(t)
			s := r.session(t, w.files)
			exchanges(t, r, s)
			if !r.slow {
				bulk(t, r, s, w.bulkFile)
			}
			crowd(t, r, s)
		})
	}
	t.Run("refusals", w.refusals)
	t.Run("curl agrees", w.curlAgrees)
	t.Run("digest proxy", w.digestProxy)
	t.Run("NO_PROXY", w.noProxy)
	t.Run("proxies by hop", w.proxiesByHop)
	t.Run("client certificates", w.clientCertificates)
	t.Run("early 413", w.early413)
	t.Run("connections given up", w.givenUp)
	t.Run("gzip", w.gzip)
	t.Run("trickle", w.trickle)
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

// slow meets the read timeout, and a canceled context.
func slow(t *testing.T, r route, s *requests.Session) {
	_, err := s.Get(t.Context(), r.url+"/slow", requests.Timeouts{Read: 200 * time.Millisecond})
	if !errors.Is(err, requests.ErrReadTimeout) {
		t.Errorf("slow: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	if _, err := s.Get(ctx, r.url+"/slow"); !errors.Is(err, context.Canceled) || !errors.Is(err, requests.ErrCanceled) {
		t.Errorf("canceled: %v", err)
	}
}

// refusals are wrong credentials and untrusted certificates: the right Kind, and no secret in the text.
func (w *world) refusals(t *testing.T) {
	secure, plain := w.secure+"/", w.plain+"/"
	wrong := user + ":wr0ng@"
	cases := map[string]struct {
		url, proxy string
		option     requests.Option
		want       requests.Kind // 0: an ordinary reply of status 407
	}{
		"squid, CONNECT":       {secure, "http://" + wrong + local(w.squid), nil, requests.ErrProxy},
		"squid, no auth":       {secure, "http://" + local(w.squid), nil, requests.ErrProxy},
		"squid, http":          {plain, "http://" + wrong + local(w.squid), nil, 0},
		"tinyproxy, CONNECT":   {secure, "http://" + wrong + local(w.tiny), nil, requests.ErrProxy},
		"socks5":               {secure, "socks5h://" + wrong + local(w.socks), nil, requests.ErrConnection},
		"unknown authority":    {secure, "", requests.Verify(true), requests.ErrSSL},
		"plain http to https":  {fmt.Sprintf("https://localhost:%d/", w.nginx.http), "", nil, requests.ErrSSL},
		"no client certficate": {fmt.Sprintf("https://localhost:%d/", w.nginx.client), "", nil, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := route{proxy: c.proxy}.session(t, w.files)
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

// curlAgrees sends the same upload with curl and with this package.
func (w *world) curlAgrees(t *testing.T) {
	curl := program(t, "curl")
	body := strings.Repeat("upload ", 10_000)
	file := write(t, workDir(t), "upload", body, 0o644)
	for _, r := range w.routes() {
		args := []string{"-sS", "--max-time", "20", "--cacert", w.files.ca, "--proxy-cacert", w.files.ca, "-X", "POST", "--data-binary", "@" + file, r.url + "/x"}
		if r.proxy != "" {
			args = append(args, "-x", r.proxy)
		}
		out, err := exec.Command(curl, args...).Output()
		if err != nil {
			t.Errorf("%s: curl: %v", r.name, err)
			continue
		}
		resp, err := r.session(t, w.files).Post(t.Context(), r.url+"/x", requests.Body(body))
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
