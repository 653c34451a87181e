package requests_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/toolbelt"
)

// script is a server for every host whose responses are made of a fuzzer's bytes: redirects,
// cookies, challenges, codings and framings, whole and broken. Where the bytes end, each
// response is good and plain.
type script struct {
	mu       sync.Mutex // mu protects the fields below.
	program  []byte
	requests int
	wrong    []string          // what the requests should not have had
	whole    map[string]string // by X-Id: the body of each response that is whole
	serving  sync.WaitGroup
}

const (
	scriptSecret = "ada-secret"
	mostRequests = 300 // of one program: each call has 10 redirects, 3 retries and some challenges at most
)

// scriptPlaces are where redirects lead.
var scriptPlaces = []string{"/next", "http://a.test/x", "http://b.test/", "http://sub.a.test/", "http://a.test:8080/", "//b.test/y", "HTTP://A.TEST/z", "http://a.test./dot",
	"http://u:p@b.test/", "file:///etc/passwd", "http://[", "http://b.test\\@a.test/", "", "?q=1", "http://127.1/", "http://a%2etest/", "/a b\r\n\tc", "https://a.test/", "http://xn--/", "http://*"}

var scriptCookies = []string{"n=%s", "n=%s; Domain=a.test", "n=%s; Domain=.test", "n=%s; Domain=b.test", "n=%s; Path=/next", "n=%s; Secure", "__Host-n=%s; Path=/", "n=%s; Max-Age=0", "=%s", "%s",
	"n=%s; Domain=.a.test; HttpOnly", "n=%s; Domain=sub.a.test"}

var scriptChallenges = [][2]string{{"WWW-Authenticate", `Digest realm="r", nonce="n", qop="auth"`}, {"WWW-Authenticate", `Digest realm="r", nonce="m", stale=true`}, {"WWW-Authenticate", `Basic realm="r"`},
	{"Proxy-Authenticate", `Digest realm="r", nonce="n"`}, {"Proxy-Authenticate", `Basic realm="r"`}, {"WWW-Authenticate", `Digest realm="`}, {"WWW-Authenticate", "NTLM, Negotiate x"}, {"Authentication-Info", `nextnonce="x"`}}

// next returns the next byte of the program modulo n, 0 behind its end.
func (s *script) next(n int) int {
	if len(s.program) == 0 {
		return 0
	}
	b := s.program[0]
	s.program = s.program[1:]
	return int(b) % n
}

func (s *script) dial(_ context.Context, _, address string) (net.Conn, error) {
	if !strings.Contains(address, ".test") {
		return nil, errors.New("no such host")
	}
	client, server := net.Pipe()
	s.serving.Go(func() {
		defer server.Close()
		in := bufio.NewReader(server)
		for {
			req, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			body, err := io.ReadAll(req.Body)
			if err != nil {
				return
			}
			reply, more := s.reply(address, req, string(body))
			if _, err := io.WriteString(server, reply); err != nil || !more {
				return
			}
		}
	})
	return client, nil
}

// reply checks a request and returns what is sent back, and whether the connection goes on.
func (s *script) reply(address string, req *http.Request, body string) (text string, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.check(address, req, body)
	id := strconv.Itoa(s.requests)
	fields := []string{"X-Id: " + id}
	status := []int{200, 302, 301, 303, 307, 308, 401, 407, 503, 200, 304, 204, 429, 100, 404}[s.next(15)]
	if status/100 == 3 {
		fields = append(fields, "Location: "+scriptPlaces[s.next(len(scriptPlaces))])
	}
	for range s.next(3) {
		fields = append(fields, "Set-Cookie: "+fmt.Sprintf(scriptCookies[s.next(len(scriptCookies))], "from-"+strings.Split(address, ":")[0]))
	}
	if status == 401 || status == 407 {
		challenge := scriptChallenges[s.next(len(scriptChallenges))]
		fields = append(fields, challenge[0]+": "+challenge[1])
	}
	if status == 503 || status == 429 {
		fields = append(fields, "Retry-After: "+[]string{"0", "x", "-1", "99999"}[s.next(4)])
	}
	content := strings.Repeat("body"+id, s.next(100))
	coded := content
	if s.next(4) == 1 {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = io.WriteString(z, content)
		_ = z.Close()
		coded = b.String()
		fields = append(fields, "Content-Encoding: gzip")
	}
	bodiless := status == 304 || status == 204
	if bodiless {
		content, coded = "", ""
	}
	framed, whole, more := s.frame(coded, &fields)
	if whole || bodiless {
		s.whole[id] = content
	}
	if status == 100 {
		s.whole[""] = "" // what follows an interim response may be a response, which has no number then
	}
	interim := strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n", s.next(3))
	return interim + fmt.Sprintf("HTTP/1.1 %d X\r\n%s\r\n\r\n%s", status, strings.Join(fields, "\r\n"), framed), more && status != 100
}

// frame gives a body its framing, whole or broken.
func (s *script) frame(body string, fields *[]string) (framed string, whole, more bool) {
	add := func(f string) { *fields = append(*fields, f) }
	switch s.next(10) {
	case 1:
		add("Transfer-Encoding: chunked")
		half := len(body) / 2
		for _, chunk := range []string{body[:half], body[half:]} {
			if chunk != "" {
				framed += fmt.Sprintf("%x\r\n%s\r\n", len(chunk), chunk)
			}
		}
		return framed + "0\r\n\r\n", true, true
	case 2:
		add("Connection: close")
		return body, true, false
	case 3:
		add("Content-Length: " + strconv.Itoa(len(body)+1))
		return body, false, false
	case 4:
		add("Transfer-Encoding: chunked")
		return fmt.Sprintf("%x\r\n%s", len(body)+1, body), false, false
	case 5:
		add("Content-Length: " + strconv.Itoa(len(body)))
		add("Content-Length: " + strconv.Itoa(len(body)+1))
		return body, false, false
	case 6:
		add("Content-Length: " + strconv.Itoa(len(body)))
		return body + "HTTP/1.1 200 OK\r\n\r\n", true, true // of nobody's request
	case 7:
		add("Transfer-Encoding: chunked")
		add("Content-Length: 3")
		if body != "" {
			framed = fmt.Sprintf("%x\r\n%s\r\n", len(body), body)
		}
		return framed + "0\r\n\r\n", true, true
	case 8:
		add("Bad Field: x")
		add("Content-Length: " + strconv.Itoa(len(body)))
		return body, false, false
	}
	add("Content-Length: " + strconv.Itoa(len(body)))
	return body, true, true
}

// check notes what a request has that was not meant for its host.
func (s *script) check(address string, req *http.Request, body string) {
	s.requests++
	host, _, _ := net.SplitHostPort(address)
	says := func(format string, args ...any) {
		s.wrong = append(s.wrong, fmt.Sprintf(format, args...)+fmt.Sprintf(" in %s %s to %s", req.Method, req.URL, address))
	}
	if s.requests == mostRequests {
		says("request %d", s.requests)
	}
	for name, values := range req.Header {
		for _, value := range values {
			secret := strings.Contains(value, scriptSecret) || strings.Contains(value, "YWRhLXNlY3JldD")
			if secret && address != "a.test:80" {
				says("%s: %s", name, value)
			}
			if strings.Contains(value, "from-b.test") && host != "b.test" || strings.Contains(value, "from-a.test") && !slices.Contains([]string{"a.test", "sub.a.test", "a.test."}, host) {
				says("a cookie of another host, %s", value)
			}
			if name == "Proxy-Authorization" || name == "Referer" && address != "a.test:80" {
				says("%s: %s", name, value)
			}
		}
	}
	if !strings.EqualFold(req.Host, strings.TrimSuffix(strings.TrimSuffix(address, ":80"), ".")) { // without the dot that ends a name
		says("Host %q", req.Host)
	}
	if body != "" && body != "sent" {
		says("the body %q", body)
	}
}

// FuzzSession sends some requests by one session in each of the ways there are, over whatever
// the script makes of the fuzzer's bytes: no secret is told to another origin, no cookie to another
// host, no body is taken for whole that is not, nothing hangs, spins, panics or stays open.
func FuzzSession(f *testing.F) {
	for _, program := range []string{"", "\x01\x01\x00\x05", "\x06\x00\x00\x01\x00\x06\x01", "\x01\x02\x01\x01\x10\x01\x01\x01\x03\x01\x00\x00", "\x04\x03\x00\x07\x01\x02\x00\x08\x00\x05\x00",
		"\x08\x00\x00\x10\x01\x03\x08\x00\x00\x10\x00\x04", "\x02\x08\x02\x00\x01\x14\x00\x06\x00\x01\x01", "\x07\x00\x03\x07\x00\x04", strings.Repeat("\x01\x00\x00\x00\x00\x00\x00", 40),
		strings.Repeat("\x06\x00\x01\x00\x00\x00\x00", 40), "\x0d\x00\x00\x00\x00\x00", strings.Repeat("\x05\x04\x02\x01\x0a\x40\x01\x01\x01", 20)} {
		for _, settings := range []byte{0, 1, 2, 3, 0x14, 0x25, 0x36, 0xff} {
			f.Add(settings, []byte(program))
		}
	}
	f.Fuzz(func(t *testing.T, settings byte, program []byte) {
		s := &script{program: program[:min(len(program), 1<<10)], whole: map[string]string{}}
		session := requests.NewSession()
		session.TrustEnv, session.MaxRedirects = false, 10
		session.Timeouts = requests.Timeouts{Total: 30 * time.Second}
		session.Headers.Set("X-Api-Key", scriptSecret)
		session.Auth = []requests.Auth{nil, requests.BasicAuth(scriptSecret, "p"), requests.DigestAuth(scriptSecret, "p"), requests.BearerAuth(scriptSecret), toolbelt.GuessAuth(scriptSecret, "p"),
			toolbelt.GuessProxyAuth(scriptSecret, "p", scriptSecret, "p"), toolbelt.HTTPProxyDigestAuth(scriptSecret, "p"), requests.NoAuth}[settings&7]
		adapter := requests.NewHTTPAdapter(adapters.Dialer(s.dial), requests.Retries(requests.Retry{Total: requests.RetryTimes(3), StatusForcelist: []int{503}}))
		session.Mount("http://", adapter)
		session.Mount("https://", requests.AdapterFunc(func(context.Context, *requests.PreparedRequest, requests.SendOptions) (*requests.Response, error) {
			return nil, errors.New("there is no https here")
		}))
		for i := range 3 {
			start := time.Now()
			if err := s.send(session, int(settings>>3)+i); time.Since(start) >= session.Timeouts.Total {
				t.Errorf("it hangs: %v", err)
			}
		}
		if stats := adapter.Stats(); stats.InUse != 0 {
			t.Errorf("%d connections are in use", stats.InUse)
		}
		_ = session.Close()
		s.serving.Wait()
		for _, wrong := range s.wrong {
			t.Error(wrong)
		}
	})
}

// send sends one request, and checks the body that comes.
func (s *script) send(session *requests.Session, way int) error {
	ctx := context.Background()
	switch way % 5 {
	case 0:
		r, err := session.Get(ctx, "http://a.test/", requests.Headers{{"Cookie", "k=" + scriptSecret}})
		return s.read(r, err)
	case 1:
		r, err := session.Put(ctx, "http://a.test/", requests.Body("sent"), requests.Stream(true))
		return s.read(r, err)
	case 2:
		r, err := session.Post(ctx, "http://a.test/", requests.Body(io.MultiReader(strings.NewReader("sent"))))
		return s.read(r, err)
	case 3:
		r, err := session.Get(ctx, "http://a.test/", requests.Stream(true))
		if err == nil {
			_, _ = r.Read(make([]byte, 3))
			err = r.Close()
		}
		return err
	}
	req, err := http.NewRequestWithContext(ctx, "POST", "http://a.test/", strings.NewReader("sent"))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+scriptSecret)
	resp, err := (&http.Client{Transport: session.RoundTripper()}).Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err == nil {
		s.compare(resp.Header.Get("X-Id"), string(content))
	}
	return err
}

func (s *script) read(r *requests.Response, err error) error {
	if err != nil {
		return err
	}
	defer r.Close()
	content, err := r.Content()
	if err == nil {
		s.compare(r.Headers.Get("X-Id"), string(content))
	}
	return err
}

// compare notes a body that is not what the response had.
func (s *script) compare(id, content string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if want, whole := s.whole[id]; !whole || content != want {
		s.wrong = append(s.wrong, fmt.Sprintf("response %s came as %q, and was %q, whole: %v", id, content, want, whole))
	}
}
