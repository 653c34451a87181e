package requests_test

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt"
)

// TestAsCurl: what the command says.
func TestAsCurl(t *testing.T) {
	tests := []struct {
		request requests.Request
		options []requests.CurlOption
		want    string
	}{
		{requests.Request{URL: "http://h/?q=a b"}, nil, `curl 'http://h/?q=a%20b' -H User-Agent: -H Accept:`},
		{requests.Request{Method: "HEAD", URL: "http://h/"}, nil, `curl --head http://h/ -H User-Agent: -H Accept:`},
		{requests.Request{Method: "DELETE", URL: "http://h/[a]", Headers: requests.Headers{{"A", "it's"}, {"B", ""}}}, nil,
			`curl -X DELETE http://h/%5Ba%5D -H 'A: it'\''s' -H 'B;' -H 'Content-Length: 0' -H User-Agent: -H Accept:`},
		{requests.Request{Method: "POST", URL: "http://ada:pw@h/?token=t", Form: requests.Form{{"user", "ada"}, {"password", "pw"}}, Headers: requests.Headers{{"X-Api-Key", "k"}}}, nil,
			`curl 'http://***@h/?token=***' -H 'X-Api-Key: ***' -H 'Content-Type: application/x-www-form-urlencoded' -H 'Authorization: Basic ***' -H User-Agent: -H Accept: -H Expect: --data-raw 'user=ada&password=***' # *** stands for a secret`},
		{requests.Request{URL: "http://h/", Auth: requests.BearerAuth("t0")}, []requests.CurlOption{requests.CurlSecrets},
			`curl http://h/ -H 'Authorization: Bearer t0' -H User-Agent: -H Accept:`},
		{requests.Request{Method: "PUT", URL: "http://h/", Body: []byte("\x00\x01")}, nil,
			`printf %s 'AAE=' | base64 -d | curl -X PUT http://h/ -H User-Agent: -H Accept: -H Content-Type: -H Expect: --data-binary @-`},
		{requests.Request{Method: "POST", URL: "http://h/", Body: io.MultiReader(strings.NewReader("x"))}, nil,
			`curl http://h/ -H 'Transfer-Encoding: chunked' -H User-Agent: -H Accept: -H Content-Type: -H Expect: --data-binary @- # the body is a stream, which can be read only once: give it to the standard input of curl`},
	}
	for _, test := range tests {
		p, err := test.request.Prepare()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, requests.AsCurl(p, test.options...)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
	if got := requests.AsCurl(nil); got != "" {
		t.Errorf("nil: %q", got)
	}
}

// curlRequests are sent by curl, and come back from the text.
func curlRequests() []*requests.Request {
	return []*requests.Request{
		{URL: "/plain?a=1&b=$x"},
		{URL: "/a/[b]{c}", Headers: requests.Headers{{"X-Quote", `it's "so" \ $HOME`}, {"X-Empty", ""}, {"User-Agent", "me"}}},
		{Method: "POST", URL: "/form", Form: requests.Form{{"a", "1"}, {"b", "@c"}}},
		{Method: "POST", URL: "/empty"},
		{Method: "PATCH", URL: "/json", JSON: map[string]string{"text": "größe\n"}, Auth: requests.BasicAuth("ada", "secret")},
		{Method: "HEAD", URL: "/head", Cookies: requests.Cookies{{"c", "1"}}},
		{Method: "PUT", URL: "/text", Body: "@not a file\nline 2"},
	}
}

// prepareFor prepares for a server, without what no curl sends.
func prepareFor(t *testing.T, url string, r *requests.Request) *requests.PreparedRequest {
	t.Helper()
	r.URL = url + r.URL
	p, err := r.Prepare()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// echo tells what it was asked.
func echo(t *testing.T) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b bytes.Buffer
		r.Header.Del("Accept-Encoding")
		if r.Header.Get("User-Agent") != "me" {
			r.Header.Del("User-Agent")
		}
		_ = r.Write(&b)
		if r.Method == "HEAD" {
			w.Header().Set("X-Got", strings.Join(strings.Split(b.String(), "\r\n"), "|"))
		}
		w.Write(b.Bytes())
	}))
	t.Cleanup(server.Close)
	return server
}

// TestAsCurlIsSentByCurl: curl sends what a session sends.
func TestAsCurlIsSentByCurl(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if _, missing := exec.LookPath("curl"); err != nil || missing != nil {
		t.Skip("the commands are run by sh and curl, and one of them is not installed")
	}
	server := echo(t)
	s := requests.NewSession()
	defer s.Close()
	s.TrustEnv = false
	all := append(curlRequests(),
		&requests.Request{Method: "POST", URL: "/binary", Body: []byte("\x00\xff\x1b")},
		&requests.Request{Method: "POST", URL: "/large", Body: bytes.Repeat([]byte("line\n"), 40<<10)})
	for _, r := range all {
		p := prepareFor(t, server.URL, r)
		want, err := s.Send(t.Context(), p, requests.SendOptions{})
		if err != nil {
			t.Fatal(err)
		}
		content, _ := want.Content()
		command := exec.CommandContext(t.Context(), sh)
		command.Stdin = strings.NewReader(requests.AsCurl(p, requests.CurlSecrets) + " -sS --noproxy '*'")
		command.Stderr = &bytes.Buffer{}
		got, err := command.Output()
		if err != nil {
			t.Fatalf("%s: %v: %v", p.URL, err, command.Stderr)
		}
		if p.Method == "HEAD" {
			if !bytes.Contains(got, []byte(want.Headers.Get("X-Got"))) {
				t.Errorf("%s: got %q, want %q", p.URL, got, want.Headers.Get("X-Got"))
			}
			continue
		}
		if diff := cmp.Diff(string(content), string(got)); diff != "" {
			t.Errorf("%s (-session +curl)\n%s", p.URL, diff)
		}
	}
}

// TestFromCurlOfAsCurl: what AsCurl writes, FromCurl reads.
func TestFromCurlOfAsCurl(t *testing.T) {
	for _, r := range curlRequests() {
		want := prepareFor(t, "http://h.example", r)
		again, err := requests.FromCurl(requests.AsCurl(want, requests.CurlSecrets))
		if err != nil {
			t.Fatal(err)
		}
		got, err := again.Prepare()
		if err != nil {
			t.Fatal(err)
		}
		body, _ := got.Body()
		wanted, _ := want.Body()
		if diff := cmp.Diff([]any{want.Method, want.URL, sorted(want.Headers), string(wanted)}, []any{got.Method, got.URL, sorted(got.Headers), string(body)}); diff != "" {
			t.Errorf("%s (-want +got)\n%s", want.URL, diff)
		}
	}
}

func sorted(h requests.Headers) map[string]string {
	m := map[string]string{}
	for name, value := range h.All() {
		m[strings.ToLower(name)] = value
	}
	return m
}

// TestFromCurlBytes: the credentials of a command are sent by its bytes, as curl does.
func TestFromCurlBytes(t *testing.T) {
	for command, want := range map[string]string{
		`curl -u 'ü:p' http://h/`:              "w7w6cA==",
		`curl -u 'p:ü€' http://h/`:             "cDrDvOKCrA==",
		`curl -u $'\xfc:p' http://h/`:          "/Dpw",
		`curl --basic -u ada:secret http://h/`: "YWRhOnNlY3JldA==",
		"curl -u '\u00c3\u00bc:p' http://h/":   "w4PCvDpw",
		`curl http://%C3%BC:p@h/`:              "w7w6cA==",
		`curl http://ü:p@h/`:                   "w7w6cA==",
		`curl http://ada@h/`:                   "YWRhOg==",
		`curl -u ada:secret http://x:y@h/`:     "YWRhOnNlY3JldA==",
	} {
		r, err := requests.FromCurl(command)
		if err != nil {
			t.Fatal(err)
		}
		p, err := r.Prepare()
		if err != nil {
			t.Fatal(err)
		}
		if got := p.Headers.Get("Authorization"); got != "Basic "+want {
			t.Errorf("%s: %s, want %s", command, got, want)
		}
	}
}

// TestCredentialsBeyondASCII: what is sent of a name beyond ASCII, by every scheme, as the guide
// of authentication lists it.
func TestCredentialsBeyondASCII(t *testing.T) {
	challenged := func(field, params string) wiretest.Reply {
		return wiretest.Text(map[string]int{"WWW": 401, "Proxy": 407}[field], "", [2]string{field + "-Authenticate", `Digest realm="r", nonce="n"` + params})
	}
	const latin1, utf8 = "\xfc", "\xc3\xbc"
	digest := func(a requests.Auth) func(*requests.Session, string) error {
		return func(s *requests.Session, url string) error {
			_, err := s.Get(t.Context(), url, requests.Authenticate(a))
			return err
		}
	}
	through := func(a requests.Auth) func(*requests.Session, string) error {
		return func(s *requests.Session, url string) error {
			_, err := s.Get(t.Context(), "http://h.test/", requests.Authenticate(a), requests.Proxies{"http": url})
			return err
		}
	}
	curl := func(command string) func(*requests.Session, string) error {
		return func(s *requests.Session, url string) error {
			r, err := requests.FromCurl(strings.NewReplacer("URL", url, "HOST", strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/")).Replace(command))
			if err == nil {
				_, err = s.Do(t.Context(), r)
			}
			return err
		}
	}
	for name, tt := range map[string]struct {
		send          func(s *requests.Session, url string) error
		field, params string
		user          string
	}{
		"Digest":                   {digest(requests.DigestAuth("ü", "p")), "WWW", "", latin1},
		"Digest, charset":          {digest(requests.DigestAuth("ü", "p")), "WWW", ", charset=UTF-8", utf8},
		"Digest, beyond Latin-1":   {digest(requests.DigestAuth("ü€", "p")), "WWW", "", "ü€"},
		"ProxyDigest":              {through(toolbelt.HTTPProxyDigestAuth("ü", "p")), "Proxy", "", latin1},
		"ProxyDigest, charset":     {through(toolbelt.HTTPProxyDigestAuth("ü", "p")), "Proxy", ", charset=UTF-8", utf8},
		"Guess":                    {digest(toolbelt.GuessAuth("ü", "p")), "WWW", "", latin1},
		"curl --digest":            {curl("curl --digest -u ü:p URL"), "WWW", "", utf8},
		"curl --digest, charset":   {curl("curl --digest -u ü:p URL"), "WWW", ", charset=UTF-8", utf8},
		"curl --digest of the URL": {curl("curl --digest http://%C3%BC:p@HOST/"), "WWW", "", utf8},
	} {
		t.Run(name, func(t *testing.T) {
			server := wiretest.Origin(t, challenged(tt.field, tt.params), wiretest.Text(200, "ok"))
			if err := tt.send(newSession(t), server.URL("/")); err != nil {
				t.Fatal(err)
			}
			got := server.Requests()[1].Get(map[string]string{"WWW": "Authorization", "Proxy": "Proxy-Authorization"}[tt.field])
			hashed := strings.Replace(tt.user, latin1, utf8, 1) // always as UTF-8
			want := fmt.Sprintf(`Digest username="%s", realm="r", nonce="n", uri="/", response="%s"`, tt.user, md5Hex(md5Hex(hashed+":r:p")+":n:"+md5Hex("GET:/")))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func md5Hex(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

// TestFromCurlProxyBytes is the same for what goes to a proxy, in the text of its URL.
func TestFromCurlProxyBytes(t *testing.T) {
	for command, want := range map[string]string{
		`curl -x http://p:1 -U ü:p http://h/`:           "http://%C3%83%C2%BC:p@p:1",
		`curl -x http://ü:p@p:1 http://h/`:              "http://%C3%83%C2%BC:p@p:1",
		`curl -x %C3%BC:p@p:1 http://h/`:                "http://%C3%83%C2%BC:p@p:1",
		`curl -x socks5://p:1 -U ü:p http://h/`:         "socks5://%C3%BC:p@p:1",
		`curl -x socks5h://%C3%BC:p@p:1 http://h/`:      "socks5h://%C3%BC:p@p:1",
		`curl -x http://old:x@p:1 -U 'a:b@/' http://h/`: "http://a:b%40%2F@p:1",
		`curl -x http://p:1 http://h/`:                  "http://p:1",
		`curl -x p:1 http://h/`:                         "p:1",
	} {
		r, err := requests.FromCurl(command)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Send.Proxies["all"]; got != want {
			t.Errorf("%s: %s, want %s", command, got, want)
		}
	}
}

// TestFromCurl: the settings of the send, and the bodies that are not bytes.
func TestFromCurl(t *testing.T) {
	r, err := requests.FromCurl(`curl -k -x http://p:1 --noproxy a -m 2 -L -u a:b https://h/`)
	if err != nil {
		t.Fatal(err)
	}
	got := r.Send
	want := requests.SendOptions{Redirects: requests.On, Timeouts: requests.Timeouts{Total: 2 * time.Second}, Verify: requests.Verify(false), Proxies: requests.Proxies{"all": "http://p:1", "no_proxy": "a"}}
	if got.Redirects != want.Redirects || got.Timeouts != want.Timeouts || got.Verify != want.Verify || !cmp.Equal(map[string]string(got.Proxies), map[string]string(want.Proxies)) {
		t.Errorf("got %+v", got)
	}
	for command, want := range map[string]string{
		`curl -F a=b -F 'c=d;filename=e.txt;type=text/plain' http://h/`: "multipart/form-data",
		`curl -d x -H 'Transfer-Encoding: chunked' http://h/`:           "application/x-www-form-urlencoded",
	} {
		r, err := requests.FromCurl(command)
		if err != nil {
			t.Fatal(err)
		}
		p, err := r.Prepare()
		if err != nil || !strings.HasPrefix(p.Headers.Get("Content-Type"), want) || r.Send.Redirects != requests.Off {
			t.Errorf("%s: %v %v", command, p, err)
		}
	}
	for command, kind := range map[string]error{
		`curl --bogus http://h/`:        requests.ErrInvalidArgument,
		`curl -d @/no/such/f http://h/`: fs.ErrNotExist,
		`curl -b /no/such/f http://h/`:  requests.ErrFile,
	} {
		if r, err := requests.FromCurl(command); !errors.Is(err, kind) || r != nil {
			t.Errorf("%s: %v %v", command, r, err)
		}
	}
}
