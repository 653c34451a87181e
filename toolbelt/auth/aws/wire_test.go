package aws_test

import (
	"bytes"
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt/auth/aws"
)

// verify checks a signature as AWS describes it for servers: of the request as it has come. It writes
// what is wrong, and the Host and the path that were right otherwise.
func verify(w http.ResponseWriter, r *http.Request) {
	parts := map[string]string{}
	for part := range strings.SplitSeq(strings.TrimPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 "), ", ") {
		name, value, _ := strings.Cut(part, "=")
		parts[name] = value
	}
	_, scope, _ := strings.Cut(parts["Credential"], "/")
	names := strings.Split(parts["SignedHeaders"], ";")
	path, query, _ := strings.Cut(strings.TrimPrefix(r.RequestURI, "http://"+r.URL.Host), "?")
	body, _ := io.ReadAll(r.Body)
	canonical := []string{r.Method, canonicalPath(path, strings.Contains(scope, "/s3/")), canonicalQuery(query)}
	for _, name := range names {
		canonical = append(canonical, name+":"+field(r, name))
	}
	canonical = append(canonical, "", parts["SignedHeaders"], digest(body))
	text := strings.Join([]string{"AWS4-HMAC-SHA256", r.Header.Get("X-Amz-Date"), scope, digest([]byte(strings.Join(canonical, "\n")))}, "\n")
	key := []byte("AWS4secret")
	for step := range strings.SplitSeq(scope, "/") {
		key = authCode(key, step)
	}
	if hex.EncodeToString(authCode(key, text)) != parts["Signature"] {
		fmt.Fprintf(w, "not the signature of %q", canonical)
		return
	}
	fmt.Fprint(w, r.Host, " ", r.RequestURI)
}

func canonicalPath(path string, s3 bool) string {
	if s3 {
		path, _ = url.PathUnescape(path)
	}
	parts := strings.Split(path, "/")
	for i := range parts {
		parts[i] = strings.ReplaceAll(url.QueryEscape(parts[i]), "+", "%20")
	}
	return strings.Join(parts, "/")
}

func canonicalQuery(query string) string {
	var pairs []string
	values, _ := url.ParseQuery(query)
	for name, list := range values {
		for _, value := range list {
			pairs = append(pairs, strings.ReplaceAll(url.QueryEscape(name)+"="+url.QueryEscape(value), "+", "%20"))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

func field(r *http.Request, name string) string {
	switch name {
	case "host":
		return r.Host
	case "content-length":
		return r.Header.Get("Content-Length")
	}
	return strings.Join(r.Header.Values(name), ",")
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func authCode(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// verifying is a session all of whose requests go to servers that verify.
func verifying(t *testing.T) *requests.Session {
	t.Helper()
	plain := httptest.NewServer(http.HandlerFunc(verify))
	t.Cleanup(plain.Close)
	secure := httptest.NewUnstartedServer(http.HandlerFunc(verify))
	secure.TLS = wiretest.TestCA().Server()
	secure.StartTLS()
	t.Cleanup(secure.Close)
	s := requests.NewSession()
	t.Cleanup(func() { _ = s.Close() })
	s.TrustEnv, s.Verify = false, requests.Verify(false)
	for prefix, server := range map[string]*httptest.Server{"http://": plain, "https://": secure} {
		there, err := adapters.Address(server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		s.Mount(prefix, requests.NewHTTPAdapter(there))
	}
	return s
}

// trailing is a body with fields behind it, which is sent in chunks though its length is known.
type trailing struct{}

func (trailing) Apply(r *requests.Request) error {
	r.Trailers = func() requests.Headers { return requests.Headers{{"X-End", "1"}} }
	return nil
}

// TestSignatureIsOfWhatGoesOut: host, path and length are signed as a server gets them.
func TestSignatureIsOfWhatGoesOut(t *testing.T) {
	s := verifying(t)
	for _, c := range []struct {
		service, url, host string
		option             requests.Option
		want               string
	}{
		{"x", "http://h.test/", "", nil, "h.test /"},
		{"x", "http://h.test:80/", "", nil, "h.test /"},
		{"x", "https://h.test:443/", "", nil, "h.test /"},
		{"x", "http://h.test:443/", "", nil, "h.test:443 /"},
		{"x", "https://h.test./", "", nil, "h.test /"},
		{"x", "https://H.test:8443/", "", nil, "h.test:8443 /"},
		{"x", "http://[::1]/", "", nil, "[::1] /"},
		{"x", "http://[::1]:80/", "", nil, "[::1] /"},
		{"x", "http://[::1]:81/", "", nil, "[::1]:81 /"},
		{"x", "http://h.test/", "api.test:80", nil, "api.test /"},
		{"x", "https://h.test/", "api.test:443", nil, "api.test /"},
		{"x", "https://h.test/", "api.test:80", nil, "api.test:80 /"},
		{"x", "https://h.test/", "[2001:db8::1]:443", nil, "[2001:db8::1] /"},
		{"x", "https://h.test/", "Api.Test", nil, "Api.Test /"},
		{"x", "https://h.test/a%2Fb/ü?b=x y&a=%2f&a=1", "", nil, "h.test /a%2Fb/%C3%BC?b=x%20y&a=%2F&a=1"},
		{"x", "", "", requests.AsIs("https://h.test/a/../b!?c=d"), "h.test /a/../b!?c=d"},
		{"s3", "https://h.test/a!(b)*'%20c", "", nil, "h.test /a!(b)*'%20c"},
		{"x", "https://h.test/", "", trailing{}, "h.test /"},
	} {
		a, err := aws.New(static("id", "secret", ""), c.service, "r")
		if err != nil {
			t.Fatal(err)
		}
		options := []requests.Option{requests.Authenticate(a), requests.Body(bytes.NewReader([]byte("hello")))}
		if c.option != nil {
			options = append(options, c.option)
		}
		if c.host != "" {
			options = append(options, requests.Headers{{"Host", c.host}})
		}
		r, err := s.Post(t.Context(), c.url, options...)
		if err != nil {
			t.Errorf("%s, Host %q: %v", c.url, c.host, err)
			continue
		}
		if text, err := r.Text(); text != c.want || err != nil {
			t.Errorf("%s, Host %q: %s, %v; want %s", cmp.Or(c.url, "as it is"), c.host, text, err, c.want)
		}
	}
}

// TestRoundTripper: net/http keeps the default port in the Host field, and the query as it is.
func TestRoundTripper(t *testing.T) {
	s := verifying(t)
	a, err := aws.New(static("id", "secret", ""), "x", "r")
	if err != nil {
		t.Fatal(err)
	}
	s.Auth = a
	client := &http.Client{Transport: s.RoundTripper()}
	for _, c := range []struct{ url, host, want string }{
		{"http://h.test:80/a/../b?c=d", "", "h.test /a/../b?c=d"},
		{"https://h.test:443/", "", "h.test /"},
		{"http://H.test/", "", "H.test /"},
		{"http://H.test:80/", "", "H.test /"},
		{"https://[::1]:443/", "", "[::1] /"},
		{"https://h.test/", "Api.test:443", "Api.test /"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), "PUT", c.url, strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		req.Host = cmp.Or(c.host, req.Host)
		resp, err := client.Do(req)
		if err != nil {
			t.Errorf("%s: %v", c.url, err)
			continue
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if string(body) != c.want || err != nil {
			t.Errorf("%s, Host %q: %s, %v; want %s", c.url, c.host, body, err, c.want)
		}
	}
}

// TestThroughProxy: what a proxy that forwards is sent has the host that is signed.
func TestThroughProxy(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(verify))
	t.Cleanup(proxy.Close)
	s := requests.NewSession()
	t.Cleanup(func() { _ = s.Close() })
	s.TrustEnv, s.Proxies = false, requests.Proxies{"http": proxy.URL}
	a, err := aws.New(static("id", "secret", ""), "x", "r")
	if err != nil {
		t.Fatal(err)
	}
	for url, want := range map[string]string{
		"http://h.test/":           "h.test http://h.test/",
		"http://h.test:80/a?b":     "h.test http://h.test/a?b",
		"http://h.test:81/":        "h.test:81 http://h.test:81/",
		"http://u:p:80@h.test:80":  "h.test http://h.test/",
		"http://[2001:db8::1]:80/": "[2001:db8::1] http://[2001:db8::1]/",
	} {
		r, err := s.Get(t.Context(), url, requests.Authenticate(a))
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		if text, err := r.Text(); text != want || err != nil {
			t.Errorf("%s: %s, %v; want %s", url, text, err, want)
		}
	}
}
