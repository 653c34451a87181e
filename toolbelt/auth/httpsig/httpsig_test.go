package httpsig

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/internal/wiretest"
)

func TestMain(m *testing.M) { wiretest.Main(m) }

// The keys of RFC 9421 appendix B.1.
const (
	rfcSecret  = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="
	rfcEd25519 = "MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF"
)

func decode(t *testing.T, s string) []byte {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func edKey(t *testing.T) any {
	t.Helper()
	key, err := x509.ParsePKCS8PrivateKey(decode(t, rfcEd25519))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func at1618884473() time.Time { return time.Unix(1618884473, 0) }

// rfcRequest is the request of appendix B.2.
func rfcRequest(t *testing.T) *requests.PreparedRequest {
	t.Helper()
	return prepare(t, "POST", "http://example.com/foo?param=Value&Pet=dog", requests.Headers{
		{"Host", "example.com"}, {"Date", "Tue, 20 Apr 2021 02:07:55 GMT"}, {"Content-Type", "application/json"},
		{"Content-Digest", "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"},
	}, requests.Body(`{"hello": "world"}`))
}

func prepare(t *testing.T, method, url string, options ...requests.Option) *requests.PreparedRequest {
	t.Helper()
	r := &requests.Request{Method: method, URL: url}
	if err := requests.JoinOptions(options...).Apply(r); err != nil {
		t.Fatal(err)
	}
	p, err := r.Prepare()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func list(s string) []string { return strings.Fields(s) }

// TestSignaturesOfTheRFC is appendix B.2.5 and B.2.6, whose algorithms always give the same.
func TestSignaturesOfTheRFC(t *testing.T) {
	for _, c := range []struct {
		config           Config
		input, signature string
	}{
		{Config{Key: decode(t, rfcSecret), KeyID: "test-shared-secret", Label: "sig-b25", Components: list("date @authority content-type")},
			`sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"`,
			"sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:"},
		{Config{Key: edKey(t), KeyID: "test-key-ed25519", Label: "sig-b26", Components: list("date @method @path @authority content-type content-length")},
			`sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"`,
			"sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:"},
	} {
		c.config.Now = at1618884473
		p := rfcRequest(t)
		sign(t, c.config, p)
		if diff := cmp.Diff([]string{c.input, c.signature}, []string{p.Headers.Get("Signature-Input"), p.Headers.Get("Signature")}); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

func sign(t *testing.T, c Config, p *requests.PreparedRequest) {
	t.Helper()
	a, err := New(c)
	if err == nil {
		err = a.Authenticate(p)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestBasesOfTheRFC is appendix B.2.1 to B.2.3.
func TestBasesOfTheRFC(t *testing.T) {
	const digest = "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:"
	for _, c := range []struct {
		config     Config
		components []string
		want       string
	}{
		{Config{Nonce: func() string { return "b3k2pp5k7z-50gnwp.yemd" }}, nil,
			`"@signature-params": ();created=1618884473;keyid="test-key-rsa-pss";nonce="b3k2pp5k7z-50gnwp.yemd"`},
		{Config{Tag: "header-example"}, list(`@authority content-digest @query-param;name="Pet"`),
			"\"@authority\": example.com\n\"content-digest\": " + digest + "\n\"@query-param\";name=\"Pet\": dog\n" +
				`"@signature-params": ("@authority" "content-digest" "@query-param";name="Pet");created=1618884473;keyid="test-key-rsa-pss";tag="header-example"`},
		{Config{}, list("date @method @path @query @authority content-type content-digest content-length"),
			"\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\"@method\": POST\n\"@path\": /foo\n\"@query\": ?param=Value&Pet=dog\n\"@authority\": example.com\n" +
				"\"content-type\": application/json\n\"content-digest\": " + digest + "\n\"content-length\": 18\n" +
				`"@signature-params": ("date" "@method" "@path" "@query" "@authority" "content-type" "content-digest" "content-length");created=1618884473;keyid="test-key-rsa-pss"`},
	} {
		c.config.Now, c.config.KeyID, c.config.Key = at1618884473, "test-key-rsa-pss", make([]byte, 16)
		a, err := New(c.config)
		if err != nil {
			t.Fatal(err)
		}
		got, _, err := a.base(rfcRequest(t), c.components)
		if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
			t.Errorf("%v (-want +got)\n%s", err, diff)
		}
	}
}

// The public halves of the keys of appendix B.1 whose signatures differ each time.
const (
	rfcRSA = "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAr4tmm3r20Wd/PbqvP1s2+QEtvpuRaV8Yq40gjUR8y2Rjxa6dpG2GXHbPfvMs8ct+Lh1GH45x28Rw3Ry53mm+" +
		"oAXjyQ86OnDkZ5N8lYbggD4O3w6M6pAvLkhk95AndTrifbIFPNU8PPMO7OyrFAHqgDsznjPFmTOtCEcN2Z1FpWgchwuYLPL+Wokqltd11nqqzi+bJ9cvSKADYdUAAN5W" +
		"Utzdpiy6LbTgSxP7ociU4Tn0g5I6aDZJ7A8Lzo0KSyZYoA485mqcO0GVAdVw9lq4aOT9v6d+nb4bnNkQVklLQ3fVAvJm+xdDOp9LCNCN48V2pnDOkFV6+U9nV5oyc6XI2wIDAQAB"
	rfcP256 = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lfw0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ=="
)

// verifies reports whether a signature of the RFC is one of a text.
func verifies(t *testing.T, key, text, signature string) bool {
	t.Helper()
	public, err := x509.ParsePKIXPublicKey(decode(t, key))
	if err != nil {
		t.Fatal(err)
	}
	signed := decode(t, signature)
	switch public := public.(type) {
	case *rsa.PublicKey:
		sum := sha512.Sum512([]byte(text))
		return rsa.VerifyPSS(public, crypto.SHA512, sum[:], signed, &rsa.PSSOptions{SaltLength: 64}) == nil
	case *ecdsa.PublicKey:
		sum := sha256.Sum256([]byte(text))
		return ecdsa.Verify(public, sum[:], new(big.Int).SetBytes(signed[:32]), new(big.Int).SetBytes(signed[32:]))
	}
	t.Fatalf("a key of type %T", public)
	return false
}

// TestPublishedSignatures: those of appendix B.2.1 to B.2.3 and B.3, which differ each time that they
// are made, are signatures of the bases that are made here.
func TestPublishedSignatures(t *testing.T) {
	const clientCert = ":MIIBqDCCAU6gAwIBAgIBBzAKBggqhkjOPQQDAjA6MRswGQYDVQQKDBJMZXQncyBBdXRoZW50aWNhdGUxGzAZBgNVBAMMEkxBIEludGVybWVkaWF0ZSBDQTAeFw0yMDAxMTQyMjU1MzNaFw0yMTAxMjMyMjU1MzNaMA0xCzAJBgNVBAMMAkJDMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8YnXXfaUgmnMtOXU/IncWalRhebrXmckC8vdgJ1p5Be5F/3YC8OthxM4+k1M6aEAEFcGzkJiNy6J84y7uzo9M6NyMHAwCQYDVR0TBAIwADAfBgNVHSMEGDAWgBRm3WjLa38lbEYCuiCPct0ZaSED2DAOBgNVHQ8BAf8EBAMCBsAwEwYDVR0lBAwwCgYIKwYBBQUHAwIwHQYDVR0RAQH/BBMwEYEPYmRjQGV4YW1wbGUuY29tMAoGCCqGSM49BAMCA0gAMEUCIBHda/r1vaL6G3VliL4/Di6YK0Q6bMjeSkC3dFCOOB8TAiEAx/kHSB4urmiZ0NX5r5XarmPk0wmuydBVoU4hBVZ1yhk=:"
	behindProxy := prepare(t, "POST", "https://service.internal.example/foo?param=Value&Pet=dog", requests.Headers{{"Client-Cert", clientCert}}, requests.Body(`{"hello": "world"}`))
	for name, c := range map[string]struct {
		request        *requests.PreparedRequest
		config         Config
		components     []string
		key, signature string
	}{
		"B.2.1": {rfcRequest(t), Config{KeyID: "test-key-rsa-pss", Nonce: func() string { return "b3k2pp5k7z-50gnwp.yemd" }}, nil, rfcRSA,
			"d2pmTvmbncD3xQm8E9ZV2828BjQWGgiwAaw5bAkgibUopemLJcWDy/lkbbHAve4cRAtx31Iq786U7it++wgGxbtRxf8Udx7zFZsckzXaJMkA7ChG52eSkFxykJeNqsrWH5S+oxNFlD4dzVuwe8DhTSja8xxbR/Z2cOGdCbzR72rgFWhzx2VjBqJzsPLMIQKhO4DGezXehhWwE56YCE+O6c0mKZsfxVrogUvA4HELjVKWmAvtl6UnCh8jYzuVG5WSb/QEVPnP5TmcAnLH1g+s++v6d4s8m0gCw1fV5/SITLq9mhho8K3+7EPYTU8IU1bLhdxO5Nyt8C8ssinQ98Xw9Q=="},
		"B.2.2": {rfcRequest(t), Config{KeyID: "test-key-rsa-pss", Tag: "header-example"}, list(`@authority content-digest @query-param;name="Pet"`), rfcRSA,
			"LjbtqUbfmvjj5C5kr1Ugj4PmLYvx9wVjZvD9GsTT4F7GrcQEdJzgI9qHxICagShLRiLMlAJjtq6N4CDfKtjvuJyE5qH7KT8UCMkSowOB4+ECxCmT8rtAmj/0PIXxi0A0nxKyB09RNrCQibbUjsLS/2YyFYXEu4TRJQzRw1rLEuEfY17SARYhpTlaqwZVtR8NV7+4UKkjqpcAoFqWFQh62s7Cl+H2fjBSpqfZUJcsIk4N6wiKYd4je2U/lankenQ99PZfB4jY3I5rSV2DSBVkSFsURIjYErOs0tFTQosMTAoxk//0RoKUqiYY8Bh0aaUEb0rQl3/XaVe4bXTugEjHSw=="},
		"B.2.3": {rfcRequest(t), Config{KeyID: "test-key-rsa-pss"}, list("date @method @path @query @authority content-type content-digest content-length"), rfcRSA,
			"bbN8oArOxYoyylQQUU6QYwrTuaxLwjAC9fbY2F6SVWvh0yBiMIRGOnMYwZ/5MR6fb0Kh1rIRASVxFkeGt683+qRpRRU5p2voTp768ZrCUb38K0fUxN0O0iC59DzYx8DFll5GmydPxSmme9v6ULbMFkl+V5B1TP/yPViV7KsLNmvKiLJH1pFkh/aYA2HXXZzNBXmIkoQoLd7YfW91kE9o/CCoC1xMy7JA1ipwvKvfrs65ldmlu9bpG6A9BmzhuzF8Eim5f8ui9eH8LZH896+QIF61ka39VBrohr9iyMUJpvRX2Zbhl5ZJzSRxpJyoEZAFL2FUo5fTIztsDZKEgM4cUA=="},
		"B.3": {behindProxy, Config{KeyID: "test-key-ecc-p256"}, list("@path @query @method @authority client-cert"), rfcP256,
			"xVMHVpawaAC/0SbHrKRs9i8I3eOs5RtTMGCWXm/9nvZzoHsIg6Mce9315T6xoklyy0yzhD9ah4JHRwMLOgmizw=="},
	} {
		c.config.Now, c.config.Key = at1618884473, make([]byte, 16)
		a, err := New(c.config)
		if err != nil {
			t.Fatal(err)
		}
		base, _, err := a.base(c.request, c.components)
		if err != nil || !verifies(t, c.key, base, c.signature) {
			t.Errorf("%s: %v; the signature is not one of\n%s", name, err, base)
		}
	}
}

// TestTransformations is appendix B.4: two lines of a field are one list, whatever is added beside it.
func TestTransformations(t *testing.T) {
	p := prepare(t, "GET", "https://example.org/demo?name1=Value1&Name2=value2", requests.Headers{{"Accept", "application/json"}, {"Accept", "*/*"}})
	sign(t, Config{Key: edKey(t), KeyID: "test-key-ed25519", Label: "transform", Now: at1618884473, Components: list("@method @path @authority accept")}, p)
	want := "transform=:ZT1kooQsEHpZ0I1IjCqtQppOmIqlJPeo7DHR3SoMn0s5JZ1eRGS0A+vyYP9t/LXlh5QMFFQ6cpLt2m0pmj3NDA==:"
	if diff := cmp.Diff(want, p.Headers.Get("Signature")); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestComponents is section 2.
func TestComponents(t *testing.T) {
	p := prepare(t, "GET", "https://WWW.example.com:443/path?param=value&foo=bar&baz=batman&qux=&a%20b=c+d#f",
		requests.Headers{{"X-Two", "one"}, {"X-two", "two"}, {"X-Empty", ""}})
	for component, want := range map[string]string{
		"@method": "GET", "@scheme": "https", "@authority": "www.example.com", "@path": "/path",
		"@target-uri":             "https://www.example.com/path?param=value&foo=bar&baz=batman&qux=&a%20b=c+d",
		"@request-target":         "/path?param=value&foo=bar&baz=batman&qux=&a%20b=c+d",
		"@query":                  "?param=value&foo=bar&baz=batman&qux=&a%20b=c+d",
		`@query-param;name="baz"`: "batman", `@query-param;name="qux"`: "", `@query-param;name="a%20b"`: "c%20d",
		"X-Two": "one, two", "x-empty": "", "@Method": "GET",
	} {
		a, err := New(Config{Key: make([]byte, 16), Components: []string{component}})
		if err != nil {
			t.Fatal(err)
		}
		base, _, err := a.base(p, a.config.Components)
		line, _, _ := strings.Cut(base, "\n")
		if _, got, _ := strings.Cut(line, ": "); got != want || err != nil {
			t.Errorf("%s: got %q, %v, want %q", component, got, err, want)
		}
	}
}

// TestQueryParams is section 2.2.8, with the percent-encode set of forms: "*" stays and "~" does not.
func TestQueryParams(t *testing.T) {
	for _, c := range []struct{ query, name, want string }{
		{"var=this%20is%20a%20big%0Amultiline%20value", "var", "this%20is%20a%20big%0Amultiline%20value"}, // the RFC's
		{"bar=with+plus+whitespace", "bar", "with%20plus%20whitespace"},
		{"fa%C3%A7ade%22%3A%20=something", "fa%C3%A7ade%22%3A%20", "something"},
		{"a=*~-._!()'", "a", "*%7E-._%21%28%29%27"},
		{"a=%2A%7E%2D", "a", "*%7E-"},
		{"~*=1", "%7E*", "1"},
		{"a=%zz%4", "a", "%25zz%254"},
		{"a=%FF%2b", "a", "%EF%BF%BD%2B"},
		{"&&=empty", "", "empty"},
		{"a", "a", ""},
	} {
		a, err := New(Config{Key: make([]byte, 16), Components: []string{`@Query-Param;name="` + c.name + `"`}})
		if err != nil {
			t.Fatal(err)
		}
		p := prepare(t, "GET", "", requests.AsIs("https://h.test/?"+c.query))
		base, _, err := a.base(p, a.config.Components)
		line, _, _ := strings.Cut(base, "\n")
		if diff := cmp.Diff(`"@query-param";name="`+c.name+`": `+c.want, line); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got)\n%s", c.query, err, diff)
		}
	}
}

// TestTarget: what the components of the target say is what goes out.
func TestTarget(t *testing.T) {
	for _, c := range []struct{ url, host, want string }{
		{"http://H.test:80", "", "h.test http://h.test/ /"},
		{"https://h.test./?", "", "h.test https://h.test/ /"},
		{"https://[::1]:443/a?b", "", "[::1] https://[::1]/a?b /a"},
		{"https://[fe80::1%25eth0]:8443/", "", "[fe80::1]:8443 https://[fe80::1]:8443/ /"},
		{"http://127.0.0.1:8080/a", "API.test:80", "api.test http://api.test/a /a"},
		{"https://u:p@h.test/a%2Fb", "api.test:80", "api.test:80 https://api.test:80/a%2Fb /a%2Fb"},
		{"https://h.test/a/../b", "as it is", "h.test https://h.test/a/../b /a/../b"},
	} {
		p := prepare(t, "GET", c.url)
		if c.host == "as it is" {
			p = prepare(t, "GET", "", requests.AsIs(c.url))
		} else if c.host != "" {
			p.Headers.Set("Host", c.host)
		}
		a, err := New(Config{Key: make([]byte, 16), Components: list("@authority @target-uri @path")})
		if err != nil {
			t.Fatal(err)
		}
		base, _, err := a.base(p, a.config.Components)
		var got []string
		for _, line := range strings.Split(base, "\n")[:3] {
			_, value, _ := strings.Cut(line, ": ")
			got = append(got, value)
		}
		if diff := cmp.Diff(c.want, strings.Join(got, " ")); diff != "" || err != nil {
			t.Errorf("%s, Host %q: %v (-want +got)\n%s", c.url, c.host, err, diff)
		}
	}
}

// TestAlgorithms: the signatures can be verified.
func TestAlgorithms(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	verifyEC := func(public *ecdsa.PublicKey, sum, signature []byte) bool {
		half := len(signature) / 2
		return ecdsa.Verify(public, sum, new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:]))
	}
	p256, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	p384, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	for name, c := range map[string]struct {
		config Config
		verify func(text, signature []byte) bool
	}{
		"rsa-pss-sha512": {Config{Key: rsaKey}, func(text, signature []byte) bool {
			sum := sha512.Sum512(text)
			return rsa.VerifyPSS(&rsaKey.PublicKey, crypto.SHA512, sum[:], signature, &rsa.PSSOptions{SaltLength: 64}) == nil
		}},
		"rsa-v1_5-sha256": {Config{Key: rsaKey, RSAv15: true}, func(text, signature []byte) bool {
			sum := sha256.Sum256(text)
			return rsa.VerifyPKCS1v15(&rsaKey.PublicKey, crypto.SHA256, sum[:], signature) == nil
		}},
		"ecdsa-p256-sha256": {Config{Key: p256}, func(text, signature []byte) bool {
			sum := sha256.Sum256(text)
			return len(signature) == 64 && verifyEC(&p256.PublicKey, sum[:], signature)
		}},
		"ecdsa-p384-sha384": {Config{Key: p384}, func(text, signature []byte) bool {
			sum := sha512.Sum384(text)
			return len(signature) == 96 && verifyEC(&p384.PublicKey, sum[:], signature)
		}},
	} {
		c.config.Alg = true
		a, err := New(c.config)
		if err != nil {
			t.Fatal(err)
		}
		p := prepare(t, "GET", "https://example.com/")
		if err := a.Authenticate(p); err != nil {
			t.Fatal(err)
		}
		input := strings.TrimPrefix(p.Headers.Get("Signature-Input"), "sig1=")
		base := "\"@method\": GET\n\"@target-uri\": https://example.com/\n\"@signature-params\": " + input
		signature := decode(t, strings.Trim(strings.TrimPrefix(p.Headers.Get("Signature"), "sig1="), ":"))
		if !c.verify([]byte(base), signature) || !strings.Contains(input, `;alg="`+name+`"`) {
			t.Errorf("%s: %s does not verify", name, input)
		}
	}
}

// TestDigest: of a body in memory, and of one that is read twice.
func TestDigest(t *testing.T) {
	const want = "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:"
	for _, body := range []any{"hello", strings.NewReader("hello")} {
		p := prepare(t, "POST", "https://example.com/", requests.Body(body))
		sign(t, Config{Key: edKey(t)}, p)
		sent, err := io.ReadAll(p.OpenBody())
		if diff := cmp.Diff([]string{want, "hello"}, []string{p.Headers.Get("Content-Digest"), string(sent)}); diff != "" || err != nil {
			t.Errorf("%v (-want +got)\n%s", err, diff)
		}
	}
	p := prepare(t, "POST", "https://example.com/", requests.Body(io.MultiReader(strings.NewReader("hello"))))
	a, _ := New(Config{Key: edKey(t)})
	if err := a.Authenticate(p); !errors.Is(err, requests.ErrUnrewindableBody) {
		t.Errorf("got %v", err)
	}
}

// TestTwo: a request can have several signatures.
func TestTwo(t *testing.T) {
	p := prepare(t, "GET", "https://example.com/")
	sign(t, Config{Key: edKey(t)}, p)
	sign(t, Config{Key: edKey(t), Label: "second", Components: []string{"signature"}, Expires: time.Minute, Now: at1618884473}, p)
	want := `, second=("signature");created=1618884473;expires=1618884533`
	signatures := p.Headers.Get("Signature")
	if got := p.Headers.Get("Signature-Input"); !strings.HasSuffix(got, want) || !strings.HasPrefix(signatures, "sig1=:") || !strings.Contains(signatures, ", second=:") {
		t.Errorf("got %s, %s", got, signatures)
	}
}

// TestRedirects: a signature, which is of one URL, and the digest of a body are not sent to another.
func TestRedirects(t *testing.T) {
	var got []string
	s := requests.NewSession()
	defer s.Close()
	s.Mount("https://", adapters.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, fmt.Sprintf("%s %s %t %t %q", r.Method, r.Host, r.Header.Get("Signature-Input") != "", strings.Contains(r.Header.Get("Signature"), "sig1"), r.Header.Get("Content-Digest")))
		if to := r.URL.Query().Get("to"); to != "" {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusSeeOther)
		}
	})))
	a, err := New(Config{Key: edKey(t)})
	if err != nil {
		t.Fatal(err)
	}
	second, err := New(Config{Key: edKey(t), Label: "second"})
	if err != nil {
		t.Fatal(err)
	}
	both := requests.AuthFunc(func(p *requests.PreparedRequest) error { return errors.Join(a.Authenticate(p), second.Authenticate(p)) })
	for _, auth := range []requests.Auth{a, both} {
		for _, to := range []string{"/b", "https://other.test/"} {
			if _, err := s.Post(t.Context(), "https://h.test/?to="+to, requests.Body("hello"), requests.Authenticate(auth)); err != nil {
				t.Fatal(err)
			}
		}
	}
	const digest = "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:"
	first := fmt.Sprintf("POST h.test true true %q", digest)
	want := []string{first, `GET h.test false false ""`, first, `GET other.test false false ""`}
	if diff := cmp.Diff(append(want, want...), got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestErrors: what cannot be signed is told, and no key is shown.
func TestErrors(t *testing.T) {
	p521, _ := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	good := []byte("a secret that is long enough")
	for _, c := range []Config{
		{}, {Key: "text"}, {Key: []byte("short")}, {Key: p521}, {Key: good, Label: "Upper"}, {Key: good, Label: "1"},
		{Key: good, KeyID: "a\nb"}, {Key: good, Components: []string{"a", "a"}}, {Key: good, Components: []string{"Date", "date"}},
	} {
		if _, err := New(c); !errors.Is(err, requests.ErrInvalidArgument) {
			t.Errorf("New(%+v): %v", c, err)
		}
	}
	for _, component := range []string{"x-absent", "@status", "@query-param", `@query-param;name="a"`, `@query-param;name="b"`, "host;sf", "@frob"} {
		a, err := New(Config{Key: good, Components: []string{component}})
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Authenticate(prepare(t, "GET", "https://example.com/?a=1&a=2", requests.Headers{{"Host", "h"}})); !errors.Is(err, requests.ErrInvalidArgument) {
			t.Errorf("%s: %v", component, err)
		}
		if text := fmt.Sprintf("%v %+v %#v %v %+v %v %+v %s", a, a, a, a.config, a.config, *a, *a, *a); strings.Contains(text, "secret") || strings.Contains(text, "97 32 115") {
			t.Errorf("it shows %s", text)
		}
	}
}
