package requests_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/toolbelt"
)

// utf16LE is text in UTF-16 without a byte order mark.
func utf16LE(text string) (out []byte) {
	for _, unit := range utf16.Encode([]rune(text)) {
		out = append(out, byte(unit), byte(unit>>8))
	}
	return out
}

func gzipped(text string) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return b.Bytes()
}

// TestRule39Coded: a content coding, whole or cut, and UTF-16 hide no secret: what is recorded
// or shown of such a body has neither the secret nor the bytes that hold it.
func TestRule39Coded(t *testing.T) {
	form := "user=ada&password=" + secret + "&note=" + strings.Repeat("abcdefgh", 50)
	answer := `{"token":"` + secret + `","note":"` + strings.Repeat("abcdefgh", 50) + `"}`
	cut := gzipped(answer)[:40]
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		body := []byte(answer)
		switch r.URL.Path {
		case "/gzip":
			w.Header().Set("Content-Encoding", "gzip")
			body = gzipped(answer)
		case "/cut":
			w.Header().Set("Content-Encoding", "gzip")
			body = cut
		case "/wide":
			body = utf16LE(answer)
		}
		_, _ = w.Write(body)
	}))
	defer server.Close()
	dir := t.TempDir()
	var har toolbelt.HAR
	cassette, err := adapters.Cassette(filepath.Join(dir, "tape"), adapters.RecordAll)
	if err != nil {
		t.Fatal(err)
	}
	s := newSession(t)
	s.Mount("http://", cassette(har.Wrap(requests.NewHTTPAdapter())))
	shown := map[string]string{}
	forbidden := []string{secret, string(utf16LE(secret)), base64.StdEncoding.EncodeToString(cut), base64.StdEncoding.EncodeToString(utf16LE(secret))[:16]}
	for _, coding := range []string{"gzip", "deflate", "br", "zstd"} {
		kind := requests.Headers{{"Content-Type", "application/x-www-form-urlencoded"}}
		r, err := s.Post(t.Context(), server.URL+"/gzip", requests.Compress(coding, form), kind)
		if err != nil {
			t.Log(err) // a coding that is read only
			continue
		}
		sent, _ := r.Request.Body()
		forbidden = append(forbidden, string(sent), base64.StdEncoding.EncodeToString(sent))
		dump, err := toolbelt.DumpResponse(r)
		if err != nil {
			t.Fatal(err)
		}
		shown[coding+", dump"], shown[coding+", curl"] = string(dump), requests.AsCurl(r.Request)
		if curl := requests.AsCurl(r.Request, requests.CurlSecrets); !strings.Contains(curl, base64.StdEncoding.EncodeToString(sent)) {
			t.Errorf("%s: with secrets: %s", coding, curl)
		}
	}
	for _, path := range []string{"/cut", "/wide"} {
		if r, err := s.Get(t.Context(), server.URL+path); err == nil {
			dump, _ := toolbelt.DumpResponse(r)
			shown[path+", dump"] = string(dump)
		}
	}
	if err := har.Save(filepath.Join(dir, "har")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"har", "tape"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		shown[name] = strings.ReplaceAll(string(text), `\u0000`, "\x00")
	}
	for name, text := range shown {
		for _, bad := range forbidden {
			if strings.Contains(text, bad) {
				t.Errorf("%s has %.40q: %.400q", name, bad, text)
			}
		}
		if !strings.Contains(strings.ReplaceAll(text, "\x00", ""), "***") {
			t.Errorf("%s: nothing is masked: %.400q", name, text)
		}
	}
	// What holds no secret is shown as it was sent.
	p, err := s.Prepare(&requests.Request{Method: "POST", URL: server.URL, Body: gzipped("a=b"), Headers: requests.Headers{{"Content-Encoding", "gzip"}}})
	if err != nil {
		t.Fatal(err)
	}
	if curl := requests.AsCurl(p); !strings.Contains(curl, base64.StdEncoding.EncodeToString(gzipped("a=b"))) {
		t.Errorf("without a secret: %s", curl)
	}
}
