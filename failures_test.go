package requests_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt"
)

var update = flag.Bool("update", false, "write the failures' texts to testdata/failures.txt")

// failure makes a request that fails.
type failure func(s *requests.Session) error

// getting fails with the error of a GET.
func getting(url string, options ...requests.Option) failure {
	return func(s *requests.Session) error {
		_, err := s.Get(context.Background(), url, options...)
		return err
	}
}

// inBody repeats what is to fail while the body is read, as long as a busy machine is too late with the head.
func inBody(fail failure) failure {
	return func(s *requests.Session) (err error) {
		for range 100 {
			if err = fail(s); errors.Is(err, requests.ErrBodyTimeout) {
				break
			}
		}
		return err
	}
}

// using fails in what is done with the response.
func using(url string, use func(r *requests.Response) error, options ...requests.Option) failure {
	return func(s *requests.Session) error {
		r, err := s.Get(context.Background(), url, options...)
		if err != nil {
			return fmt.Errorf("not expected: %w", err)
		}
		defer r.Close()
		return use(r)
	}
}

// TestFailureTexts compares the whole text of each failure, and looks for secrets and control characters in it: every URL
// has user information and a secret parameter.
func TestFailureTexts(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the texts of the system are Linux's")
	}
	f := &failures{t: t, named: map[string]string{}}
	var got strings.Builder
	all := f.all()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		s := requests.NewSession()
		s.TrustEnv, s.Timeouts.Total = false, time.Minute // for what should have failed
		err := all[name](s)
		s.Close()
		text := f.normal(fmt.Sprint(err))
		if err == nil || holdsSecret(text) || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) || len(text) > 4096 {
			t.Errorf("%s: %q", name, text)
		}
		fmt.Fprintf(&got, "%s\n\t%s\n", name, text)
	}
	golden := filepath.Join("testdata", "failures.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.String(), "\n")); diff != "" {
		t.Errorf("run with -update if this is meant (-want +got)\n%s", diff)
	}
}

// failures knows the addresses of its servers by name.
type failures struct {
	t     *testing.T
	named map[string]string // by address
}

// normal puts names for what differs from run to run.
func (f *failures) normal(text string) string {
	for addr, name := range f.named {
		text = strings.ReplaceAll(text, addr, name)
	}
	text = regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(text, "CLIENT")
	text = strings.ReplaceAll(text, f.t.TempDir()[:strings.LastIndexByte(f.t.TempDir(), '/')], "DIR")
	return regexp.MustCompile(`\d{4}-\d\d-\d\dT\S+Z`).ReplaceAllString(text, "TIME")
}

// at is a URL with secrets, at an address that has a name.
func (f *failures) at(scheme, addr, name string) string {
	f.named[addr] = name
	return scheme + "://ada:" + secret + "@" + addr + "/a?token=" + secret + "&page=1"
}

func (f *failures) origin(replies ...wiretest.Reply) string {
	return f.at("http", wiretest.Origin(f.t, replies...).Addr(), "SERVER")
}

func (f *failures) tls(config func() wiretest.Config) string {
	return f.at("https", wiretest.Start(f.t, config()).Addr(), "TLS")
}

// raw writes text to every connection, whatever it is sent, and ends it.
func (f *failures) raw(text string) string {
	return f.tls(func() wiretest.Config {
		return wiretest.Config{Conn: func(c net.Conn) {
			_, _ = c.Read(make([]byte, 4096))
			_, _ = io.WriteString(c, text)
			c.Close()
		}}
	})
}

// through sends requests through a proxy that answers with replies.
func (f *failures) through(replies ...wiretest.Reply) requests.Option {
	addr := wiretest.Start(f.t, wiretest.Config{Replies: replies}).Addr()
	f.named[addr] = "PROXY"
	return requests.Proxies{"all": "http://ada:" + secret + "@" + addr}
}

func (f *failures) all() map[string]failure {
	all := map[string]failure{}
	for _, some := range []map[string]failure{f.preparing(), f.connecting(), f.proxies(), f.encrypting(), f.receiving(), f.reading(), f.following(), f.files()} {
		maps.Copy(all, some)
	}
	return all
}

func (f *failures) preparing() map[string]failure {
	ok := f.origin(wiretest.Text(200, "ok"))
	channel := make(chan int)
	return map[string]failure{
		"URL: empty":              getting(""),
		"URL: no scheme":          getting("ada:" + secret + "@h.test/a?token=" + secret),
		"URL: a path":             getting("/x?token=" + secret),
		"URL: a flag":             getting("-h"),
		"URL: a host":             getting("h.test"),
		"URL: no host":            getting("http:///x"),
		"URL: bad host":           getting("http://ada:" + secret + "@bad host/"),
		"URL: bad port":           getting("http://ada:" + secret + "@h.test:99999/"),
		"URL: bad brackets":       getting("http://ada:" + secret + "@[::1/"),
		"URL: unknown scheme":     getting("gopher://ada:" + secret + "@h.test/"),
		"URL: control characters": getting("http://h.test\x1b[31m/"),
		"method":                  func(s *requests.Session) error { _, err := s.Request(context.Background(), "A B", ok); return err },
		"header: line break":      getting(ok, requests.Headers{{"Authorization", secret + "\nx"}}),
		"header: name":            getting(ok, requests.Headers{{"X y\x1b", "1"}}),
		"cookie":                  getting(ok, requests.Cookies{{"sid", secret + "\n"}}),
		"JSON: a channel":         getting(ok, requests.JSON(channel)),
		"JSON and form":           getting(ok, requests.JSON(1), requests.Form{{"password", secret}}),
		"body: a channel":         getting(ok, requests.Body(channel)),
		"body: too short":         getting(ok, requests.Body(io.LimitReader(strings.NewReader(secret), 1)), requests.Headers{{"Content-Length", "9"}}),
		"file: no content":        getting(ok, requests.Files{{Field: "f"}}),
		"timeout: negative":       getting(ok, requests.Timeout(-time.Second)),
		"a zero Session":          func(*requests.Session) error { return getting(ok)(&requests.Session{}) },
		"a nil Session":           func(*requests.Session) error { return getting(ok)(nil) },
	}
}

func (f *failures) connecting() map[string]failure {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	closed := f.at("http", wiretest.Closed(f.t), "CLOSED")
	silent := f.origin(wiretest.Reply{})
	const short = 20 * time.Millisecond
	return map[string]failure{
		"connect: refused": getting(closed),
		"connect: unknown host": func(s *requests.Session) error {
			s.Mount("http://", requests.NewHTTPAdapter(requests.ResolveWith(new(nowhere))))
			return getting("http://ada:" + secret + "@h.test/")(s)
		},
		"connect: timeout":  getting(f.at("http", wiretest.Blackhole(f.t), "HOLE"), requests.Timeouts{Connect: short}),
		"read: timeout":     getting(silent, requests.Timeouts{Read: short}),
		"total: timeout":    getting(silent, requests.Timeouts{Total: short}),
		"context: canceled": func(s *requests.Session) error { _, err := s.Get(ended, silent); return err },
		"retries: refused": func(s *requests.Session) error {
			s.Mount("http://", requests.NewHTTPAdapter(requests.MaxRetries(1)))
			return getting(closed)(s)
		},
		"retries: status": func(s *requests.Session) error {
			s.Mount("http://", requests.NewHTTPAdapter(requests.Retries(requests.Retry{Total: requests.RetryTimes(1), StatusForcelist: []int{503}})))
			return getting(f.origin(wiretest.Text(503, "busy")))(s)
		},
		"option: PoolMaxSize": func(s *requests.Session) error {
			s.Mount("http://", requests.NewHTTPAdapter(requests.PoolMaxSize(-5)))
			return getting(closed)(s)
		},
	}
}

// nowhere is a resolver that knows no host.
type nowhere struct{}

func (*nowhere) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

func (f *failures) proxies() map[string]failure {
	refused := wiretest.Closed(f.t)
	f.named[refused] = "CLOSED"
	target, secure := "http://ada:"+secret+"@h.test/?token="+secret, "https://ada:"+secret+"@h.test/?token="+secret
	socks := wiretest.StartSOCKS5(f.t, wiretest.SOCKS5{User: "x", Password: "y"}).Addr()
	f.named[socks] = "SOCKS"
	proxy := func(url string) requests.Option { return requests.Proxies{"all": url} }
	return map[string]failure{
		"proxy: refused":        getting(target, proxy("http://ada:"+secret+"@"+refused)),
		"proxy: refused tunnel": getting(secure, proxy("http://ada:"+secret+"@"+refused)),
		"proxy: 407":            getting(secure, f.through(wiretest.Text(407, "no", [2]string{"Proxy-Authenticate", "Basic realm=x"}))),
		"proxy: 503":            getting(secure, f.through(wiretest.Text(503, "\x1b[31m"))),
		"proxy: no HTTP":        getting(secure, f.through(wiretest.Send("garbage\r\n\r\n"))),
		"proxy: drops":          getting(secure, f.through(wiretest.Drop())),
		"proxy: bad URL":        getting(target, proxy("http://ada:"+secret+"@bad host")),
		"proxy: bad port":       getting(target, proxy("http://ada:"+secret+"@h.test:x")),
		"proxy: no scheme":      getting(target, proxy("ada:"+secret+"@"+refused)),
		"proxy: unknown scheme": getting(target, proxy("gopher://ada:"+secret+"@h.test")),
		"proxy: bad key":        getting("http://"+refused+"/", requests.Proxies{"htp": "http://ada:" + secret + "@h.test"}),
		"proxy: SOCKS refused":  getting(target, proxy("socks5h://ada:"+secret+"@"+refused)),
		"proxy: SOCKS password": getting(target, proxy("socks5h://ada:"+secret+"@"+socks)),
		"proxy: of the session": func(s *requests.Session) error {
			s.Proxies = requests.Proxies{"http": "http://ada:" + secret + "@" + refused}
			return getting(target)(s)
		},
		"proxy: of the environment": func(s *requests.Session) error {
			f.t.Setenv("http_proxy", "http://ada:"+secret+"@"+refused)
			f.t.Setenv("no_proxy", "")
			defer os.Unsetenv("http_proxy")
			s.TrustEnv = true
			return getting(target)(s)
		},
	}
}

func (f *failures) encrypting() map[string]failure {
	ca := wiretest.TestCA()
	of := func(c *wiretest.CA) requests.Option { return requests.CABundlePEM(c.PEM()) }
	server := f.tls(func() wiretest.Config { return wiretest.Config{TLS: ca.Server()} })
	return map[string]failure{
		"TLS: unknown authority":    getting(server),
		"TLS: wrong host":           getting(f.tls(func() wiretest.Config { return wiretest.Config{TLS: ca.WrongHost()} }), of(ca)),
		"TLS: expired":              getting(f.tls(func() wiretest.Config { return wiretest.Config{TLS: ca.Expired()} }), of(ca)),
		"TLS: certificate required": getting(f.tls(func() wiretest.Config { return wiretest.Config{TLS: ca.ClientAuth()} }), of(ca)),
		"TLS: no TLS":               getting(f.raw("HTTP/1.1 400 Bad Request\r\n\r\n")),
		"TLS: drops":                getting(f.raw("")),
		"TLS: bad bundle":           getting(server, requests.CABundlePEM([]byte("no certificate"))),
		"TLS: no bundle":            getting(server, requests.CABundle("/no/such/file.pem")),
		"TLS: bad certificate":      getting(server, of(ca), requests.CertPEM([]byte("x"), []byte(secret))),
		"TLS: no certificate":       getting(server, of(ca), requests.CertFile("/no/such/cert.pem")),
	}
}

func (f *failures) receiving() map[string]failure {
	answer := func(raw string) failure { return getting(f.origin(wiretest.Send(raw).ThenClose())) }
	return map[string]failure{
		"response: none":                 getting(f.origin(wiretest.Drop())),
		"response: garbage":              answer("garbage \x1b[31m\r\n\r\n"),
		"response: TLS":                  answer("\x15\x03\x01\x00\x02\x02\x28"),
		"response: cut head":             answer("HTTP/1.1 200 OK\r\nContent-"),
		"response: bad header":           answer("HTTP/1.1 200 OK\r\nX y\r\n\r\n"),
		"response: bad length":           answer("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"),
		"response: two lengths":          answer("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
		"response: bad coding":           answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: x\r\n\r\n"),
		"response: short body":           answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"),
		"response: bad chunk":            answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"),
		"response: cut chunks":           answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"),
		"response: no gzip":              getting(f.origin(wiretest.Text(200, "no gzip", [2]string{"Content-Encoding", "gzip"}))),
		"response: many codings":         getting(f.origin(wiretest.Text(200, "x", [2]string{"Content-Encoding", "gzip, gzip, gzip, gzip, gzip, gzip, gzip"}))),
		"response: too many fields":      answer("HTTP/1.1 200 OK\r\n" + strings.Repeat("a: b\r\n", 20000) + "\r\n"),
		"response: head without end":     answer("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("a", 4<<20)),
		"response: unasked upgrade":      answer("HTTP/1.1 101 Switching Protocols\r\n\r\n"),
		"response: read timeout in body": inBody(getting(f.origin(wiretest.Slowly(time.Minute, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "d")), requests.Timeouts{Read: 20 * time.Millisecond})),
	}
}

func (f *failures) reading() map[string]failure {
	of := func(status int, body, kind string) string {
		return f.origin(wiretest.Text(status, body, [2]string{"Content-Type", kind}))
	}
	asJSON := func(r *requests.Response) error { return r.JSON(new(map[string]any)) }
	read := func(r *requests.Response) error { _, err := io.ReadAll(r); return err }
	return map[string]failure{
		"status: 404":         using(of(404, "no", "text/plain"), (*requests.Response).RaiseForStatus),
		"status: 503":         using(of(503, "no", "text/plain"), (*requests.Response).RaiseForStatus),
		"JSON: HTML":          using(of(200, "<html><title>Sign in</title>\x1b\n", "text/html"), asJSON),
		"JSON: empty":         using(of(200, "", "application/json"), asJSON),
		"JSON: 204":           using(f.origin(wiretest.Send("HTTP/1.1 204 No Content\r\n\r\n")), asJSON),
		"JSON: cut":           using(of(200, `{"token": "`+secret+`", "a"`, "application/json"), asJSON),
		"JSON: another type":  using(of(200, `{"token": "`+secret+`"}`, "application/json"), func(r *requests.Response) error { return r.JSON(new(int)) }),
		"JSON: not a pointer": using(of(200, `1`, "application/json"), func(r *requests.Response) error { return r.JSON(1) }),
		"GetJSON: 404 and HTML": func(s *requests.Session) error {
			_, err := requests.GetJSON[int](context.Background(), s, of(404, "<html>", "text/html"))
			return err
		},
		"body: read twice": using(of(200, "abc", "text/plain"), func(r *requests.Response) error {
			return errors.Join(read(r), func() error { _, err := r.Content(); return err }())
		}, requests.Stream(true)),
		"body: closed": using(of(200, "abc", "text/plain"), func(r *requests.Response) error { r.Close(); return read(r) }, requests.Stream(true)),
		"body: too large": using(of(200, "abcdef", "text/plain"), func(r *requests.Response) error { _, err := r.Content(); return err },
			requests.Stream(true), requests.Limits{MaxBody: 3}),
	}
}

func (f *failures) following() map[string]failure {
	to := func(location string, options ...requests.Option) failure {
		return getting(f.origin(wiretest.Text(302, "", [2]string{"Location", location})), options...)
	}
	loop := f.origin(wiretest.Text(302, "", [2]string{"Location", "/a?access_token=" + secret}))
	return map[string]failure{
		"redirect: loop":          func(s *requests.Session) error { s.MaxRedirects = 2; return getting(loop)(s) },
		"redirect: to a file":     to("file:///etc/passwd?token=" + secret),
		"redirect: to no host":    to("http://ada:" + secret + "@bad host/"),
		"redirect: to a bad port": to("http://ada:" + secret + "@h.test:99999/"),
		"redirect: refused":       to(f.at("http", wiretest.Closed(f.t), "CLOSED")),
		"redirect: two locations": getting(f.origin(wiretest.Text(302, "", [2]string{"Location", "/b"}, [2]string{"Location", "/c"}))),
		"redirect: body is gone": func(s *requests.Session) error {
			_, err := s.Post(context.Background(), f.origin(wiretest.Text(307, "", [2]string{"Location", "/b"})), requests.Body(io.MultiReader(strings.NewReader(secret))))
			return err
		},
		"http.Client": func(s *requests.Session) error {
			_, err := (&http.Client{Transport: s.RoundTripper()}).Get(f.at("http", wiretest.Closed(f.t), "CLOSED"))
			return errors.Unwrap(err) // its own text shows more of the URL
		},
	}
}

func (f *failures) files() map[string]failure {
	return map[string]failure{
		"cookies: no file": func(s *requests.Session) error { return s.Cookies.Load("/no/such/cookies.txt") },
		"cookies: two": func(s *requests.Session) error {
			s.Cookies.Set(requests.Cookie{Name: "sid", Value: secret, Domain: "a.test"})
			s.Cookies.Set(requests.Cookie{Name: "sid", Value: secret, Domain: "b.test"})
			_, err := s.Cookies.Find("sid", "", "")
			return err
		},
		"cookies: none": func(s *requests.Session) error { _, err := s.Cookies.Find("sid", "", ""); return err },
		"download: 404": func(s *requests.Session) error {
			_, err := toolbelt.Download(context.Background(), s, f.origin(wiretest.Text(404, "no")), f.t.TempDir())
			return err
		},
		"download: short": func(s *requests.Session) error {
			_, err := toolbelt.Download(context.Background(), s, f.origin(wiretest.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc").ThenClose()),
				filepath.Join(f.t.TempDir(), "a"), toolbelt.Attempts(1))
			return err
		},
	}
}
