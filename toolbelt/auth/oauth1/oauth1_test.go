package oauth1

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

func TestMain(m *testing.M) { wiretest.Main(m) }

// at has the nonce and the time of an example.
func at(c Config, nonce string, unix int64) Config {
	c.Nonce, c.Now = func() string { return nonce }, func() time.Time { return time.Unix(unix, 0) }
	return c
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

// TestExampleOfTheRFC is section 1.2.
func TestExampleOfTheRFC(t *testing.T) {
	client := Config{ConsumerKey: "dpf43f3p2l4k3l03", ConsumerSecret: "kd94hf93k423kf44", Realm: "Photos"}
	initiate, token, photos := client, client, client
	initiate.Callback = "http://printer.example.com/ready"
	token.Token, token.TokenSecret, token.Verifier = "hh5s93j4hdidpola", "hdhd0244k9j7ao03", "hfdp7dh39dks9884"
	photos.Token, photos.TokenSecret = "nnch734d00sl2jdk", "pfkkdhi9sl3r4s00"
	for _, c := range []struct {
		config      Config
		method, url string
		want        string
	}{
		{at(initiate, "wIjqoS", 137131200), "POST", "https://photos.example.net/initiate", `OAuth realm="Photos", oauth_consumer_key="dpf43f3p2l4k3l03", oauth_signature_method="HMAC-SHA1", oauth_timestamp="137131200", oauth_nonce="wIjqoS", oauth_callback="http%3A%2F%2Fprinter.example.com%2Fready", oauth_signature="74KNZJeDHnMBp0EMJ9ZHt%2FXKycU%3D"`},
		{at(token, "walatlh", 137131201), "POST", "https://photos.example.net/token", `OAuth realm="Photos", oauth_consumer_key="dpf43f3p2l4k3l03", oauth_signature_method="HMAC-SHA1", oauth_timestamp="137131201", oauth_nonce="walatlh", oauth_token="hh5s93j4hdidpola", oauth_verifier="hfdp7dh39dks9884", oauth_signature="gKgrFCywp7rO0OXSjdot%2FIHF7IU%3D"`},
		{at(photos, "chapoH", 137131202), "GET", "http://photos.example.net/photos?file=vacation.jpg&size=original", `OAuth realm="Photos", oauth_consumer_key="dpf43f3p2l4k3l03", oauth_signature_method="HMAC-SHA1", oauth_timestamp="137131202", oauth_nonce="chapoH", oauth_token="nnch734d00sl2jdk", oauth_signature="MdpQcU8iPSUjWoN%2FUDMsK2sui9I%3D"`},
	} {
		p := prepare(t, c.method, c.url)
		sign(t, c.config, p)
		if diff := cmp.Diff(c.want, p.Headers.Get("Authorization")); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.url, diff)
		}
	}
}

// TestBaseString is section 3.4.1.1.
func TestBaseString(t *testing.T) {
	p := prepare(t, "POST", "http://example.com/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b",
		requests.Body("c2&a3=2+q"), requests.Headers{{"Content-Type", "application/x-www-form-urlencoded"}})
	a, err := New(at(Config{ConsumerKey: "9djdj82h48djs9d2", Token: "kkk9d7dh3k39sjv7"}, "7d8f3e4a", 137131201))
	if err != nil {
		t.Fatal(err)
	}
	form, isForm, err := formOf(p)
	if err != nil || !isForm {
		t.Fatal(isForm, err)
	}
	got, err := baseString(p, append(form, a.parameters()...))
	want := "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}

// TestBaseURI is section 3.4.1.2.
func TestBaseURI(t *testing.T) {
	for _, c := range []struct{ url, host, want string }{
		{"http://EXAMPLE.COM:80/r%20v/X?id=123", "", "http://example.com/r%20v/X"},
		{"https://www.example.net:8080/?q=1", "", "https://www.example.net:8080/"},
		{"https://example.net:443", "", "https://example.net/"},
		{"http://127.0.0.1:8080/a", "api.test", "http://api.test/a"},
		{"https://h.test/", "API.test:443", "https://api.test/"},
		{"https://h.test./", "", "https://h.test/"},
		{"https://[::1]:443/", "", "https://[::1]/"},
		{"http://[fe80::1%25eth0]/", "", "http://[fe80::1]/"},
	} {
		p := prepare(t, "GET", c.url)
		if c.host != "" {
			p.Headers.Set("Host", c.host)
		}
		base, err := baseString(p, nil)
		if diff := cmp.Diff("GET&"+escape(c.want), base[:strings.LastIndex(base, "&")]); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got)\n%s", c.url, err, diff)
		}
	}
}

// TestRSA: the signature is one of the base string.
func TestRSA(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	sum1, sum256 := sha1.Sum([]byte("text")), sha256.Sum256([]byte("text"))
	for method, h := range map[SignatureMethod]struct {
		hash crypto.Hash
		sum  []byte
	}{RSASHA1: {crypto.SHA1, sum1[:]}, RSASHA256: {crypto.SHA256, sum256[:]}} {
		a, err := New(Config{ConsumerKey: "k", Method: method, Key: key})
		if err != nil {
			t.Fatal(err)
		}
		text, err := a.sign("text")
		if err != nil {
			t.Fatal(err)
		}
		signature, _ := base64.StdEncoding.DecodeString(text)
		if err := rsa.VerifyPKCS1v15(&key.PublicKey, h.hash, h.sum, signature); err != nil {
			t.Errorf("%s: %v", method, err)
		}
	}
}

// TestPlacement: in the query before the fragment, and at the end of a form.
func TestPlacement(t *testing.T) {
	plain := Config{ConsumerKey: "k", ConsumerSecret: "s&", Method: Plaintext}
	const own = "oauth_consumer_key=k&oauth_signature_method=PLAINTEXT&oauth_signature=s%2526%26"
	for _, c := range []struct {
		placement      Placement
		url            string
		form           requests.Form
		wantURL, wants string
	}{
		{InQuery, "https://h.test/a#f", nil, "https://h.test/a?" + own + "#f", ""},
		{InQuery, "https://h.test/a?b=c", nil, "https://h.test/a?b=c&" + own, ""},
		{InBody, "https://h.test/", requests.Form{{"a", "b"}}, "https://h.test/", "a=b&" + own},
	} {
		p := prepare(t, "POST", c.url, c.form)
		plain.Placement = c.placement
		sign(t, plain, p)
		body, _ := p.Body()
		if diff := cmp.Diff([]string{c.wantURL, c.wants, ""}, []string{p.URL, string(body), p.Headers.Get("Authorization")}); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
}

// TestErrors: what cannot be signed is told, and no secret is shown.
func TestErrors(t *testing.T) {
	for _, c := range []Config{{}, {ConsumerKey: "k", Method: "MD5"}, {ConsumerKey: "k", Method: RSASHA1}, {ConsumerKey: "k", Placement: 9}} {
		if _, err := New(c); !errors.Is(err, requests.ErrInvalidArgument) {
			t.Errorf("New(%v): %v", c, err)
		}
	}
	hmac, plain := Config{ConsumerKey: "k", ConsumerSecret: "hidden"}, Config{ConsumerKey: "k", Method: Plaintext}
	inBody := Config{ConsumerKey: "k", Placement: InBody}
	form := requests.Headers{{"Content-Type", "application/x-www-form-urlencoded"}}
	for _, c := range []struct {
		name   string
		config Config
		p      *requests.PreparedRequest
	}{
		{"secrets in the clear", plain, prepare(t, "GET", "http://h.test/")},
		{"no form", inBody, prepare(t, "POST", "http://h.test/", requests.JSON(1))},
		{"a form that is streamed", hmac, prepare(t, "POST", "http://h.test/", form, requests.Body(strings.NewReader("a=b")))},
		{"a form that is compressed", hmac, prepare(t, "POST", "http://h.test/", form, requests.Compress("gzip", "a=b"))},
		{"a compressed form to write in", inBody, prepare(t, "POST", "http://h.test/", form, requests.Compress("gzip", "a=b"))},
		{"a path as it is", Config{ConsumerKey: "k", Placement: InQuery}, prepare(t, "GET", "", requests.AsIs("http://h.test/a/../b?c=d"))},
		{"a query as it is", Config{ConsumerKey: "k", Placement: InQuery}, prepare(t, "GET", "", requests.AsIs("http://h.test/b?c=[d]"))},
		{"a form that is none", hmac, prepare(t, "POST", "http://h.test/", form, requests.Body("a=%zz"))},
	} {
		a, err := New(c.config)
		if err != nil {
			t.Fatal(err)
		}
		if err := a.Authenticate(c.p); !errors.Is(err, requests.ErrInvalidArgument) {
			t.Errorf("%s: %v", c.name, err)
		}
		c.config.Verifier = "hidden"
		a.config.Verifier = "hidden"
		if text := fmt.Sprintf("%v %+v %#v %+v %v %+v %#v %s", a, a, a, c.config, *a, *a, *a, c.config); strings.Contains(text, "hidden") {
			t.Errorf("it shows %s", text)
		}
	}
}
