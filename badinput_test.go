package requests_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"iter"
	"math"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// badInput is one wrong argument: the kind of its error, and words of the message that name the argument.
type badInput struct {
	name  string
	run   func(s *requests.Session, url string) error
	kind  requests.Kind
	words string
}

// TestBadInput gives wrong arguments of each sort. Every one is refused with its Kind and a message that names the
// argument, shows no secret, and nothing is sent.
func TestBadInput(t *testing.T) {
	for area, cases := range map[string][]badInput{
		"url": badURLs, "header": badHeaders, "body": badBodies(t), "setting": badSettings, "adapter": badAdapters,
		"proxy": badProxies, "tls": badTLS(t), "cookie": badCookies, "nil": nilInput,
	} {
		for _, c := range cases {
			t.Run(area+"/"+c.name, c.check)
		}
	}
}

func (c badInput) check(t *testing.T) {
	server := wiretest.Origin(t)
	s := requests.NewSession()
	defer s.Close()
	s.TrustEnv, s.Timeouts.Total = false, 5*time.Second
	err := c.run(s, server.URL("/"))
	type outcome struct {
		Kind          requests.Kind
		Named, Secret bool
		Sent          []string
	}
	e, _ := errors.AsType[*requests.Error](err)
	if e == nil {
		t.Fatalf("no *Error but %v", err)
	}
	got := outcome{e.Kind, strings.Contains(e.Error(), c.words), strings.Contains(e.Error(), "hunter2"), server.Raw()}
	if diff := cmp.Diff(outcome{Kind: c.kind, Named: true}, got); diff != "" {
		t.Errorf("%v\nwanted: %q (-want +got)\n%s", err, c.words, diff)
	}
}

// with is a call with these options.
func with(options ...requests.Option) func(*requests.Session, string) error {
	return func(s *requests.Session, url string) error {
		_, err := s.Post(context.Background(), url, options...)
		return err
	}
}

// at is a call to another URL.
func at(url string, options ...requests.Option) func(*requests.Session, string) error {
	return func(s *requests.Session, _ string) error { return with(options...)(s, url) }
}

// over is a call to the server as if it had TLS.
func over(options ...requests.Option) func(*requests.Session, string) error {
	return func(s *requests.Session, url string) error {
		return with(options...)(s, strings.Replace(url, "http:", "https:", 1))
	}
}

// after is a call with the session changed.
func after(change func(s *requests.Session)) func(*requests.Session, string) error {
	return func(s *requests.Session, url string) error {
		change(s)
		return with()(s, url)
	}
}

// mounted is a call over an adapter of these options.
func mounted(options ...requests.AdapterOption) func(*requests.Session, string) error {
	return after(func(s *requests.Session) { s.Mount("http://", requests.NewHTTPAdapter(options...)) })
}

// edited is a call over an adapter whose connection is edited.
func edited(edit func(c *requests.ConnConfig)) func(*requests.Session, string) error {
	return mounted(requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
		edit(c)
		return nil
	}))
}

// prepared is a prepared request that is changed by hand before it is sent.
func prepared(change func(p *requests.PreparedRequest)) func(*requests.Session, string) error {
	return func(s *requests.Session, url string) error {
		p, err := s.Prepare(&requests.Request{URL: url})
		if err != nil {
			return err
		}
		change(p)
		_, err = s.Send(context.Background(), p, requests.SendOptions{})
		return err
	}
}

var badURLs = []badInput{
	{"empty", at(""), requests.ErrMissingSchema, "no scheme supplied"},
	{"without scheme", at("example.test/path"), requests.ErrMissingSchema, `perhaps you meant "https://example.test/path"`},
	{"without host", at("http://"), requests.ErrInvalidURL, "http://: no host supplied"},
	{"blank in host", at("http://ada:hunter2@exa mple.test/"), requests.ErrInvalidURL, "http://***@exa mple.test/: invalid host: forbidden character"},
	{"wildcard", at("http://*.example.test/"), requests.ErrInvalidURL, "http://*.example.test/: invalid host: invalid label"},
	{"port", at("http://h.test:99999/"), requests.ErrInvalidURL, "http://h.test:99999/: invalid port"},
	{"bracket", at("http://[::1/"), requests.ErrInvalidURL, "http://[::1/: invalid host"},
	{"nothing mounted", at("gopher://ada:hunter2@h.test/?token=hunter2"), requests.ErrInvalidSchema, `no adapter is mounted for "gopher://***@h.test/?token=***"`},
	{"by hand", prepared(func(p *requests.PreparedRequest) { p.URL = "http://h.test/\r\nX: y" }), requests.ErrInvalidURL, `control character: "http://h.test/\r\nX: y"`},
	{"none by hand", prepared(func(p *requests.PreparedRequest) { p.URL = "" }), requests.ErrInvalidSchema, `no adapter is mounted for ""`},
	{"method", func(s *requests.Session, url string) error {
		_, err := s.Request(context.Background(), "GE T", url)
		return err
	}, requests.ErrInvalidMethod, `the method "GE T" is not a token`},
	{"method by hand", prepared(func(p *requests.PreparedRequest) { p.Method = "GET\r\n" }), requests.ErrInvalidMethod, `invalid method: "GET\r\n"`},
}

var badHeaders = []badInput{
	{"newline", with(requests.Headers{{"X-Pin", "hunter2\r\nX: y"}}), requests.ErrInvalidHeader, `the value of header "X-Pin" contains a line break or NUL`},
	{"leading blank", with(requests.Headers{{"X-Pin", " hunter2"}}), requests.ErrInvalidHeader, `the value of header "X-Pin" starts with white space`},
	{"newline in name", with(requests.Headers{{"X\nY", "hunter2"}}), requests.ErrInvalidHeader, `invalid header name "X\nY"`},
	{"no name", with(requests.Headers{{"", "hunter2"}}), requests.ErrInvalidHeader, `invalid header name ""`},
	{"blank in name", with(requests.Headers{{"X Y", "hunter2"}}), requests.ErrInvalidHeader, `invalid header name: "X Y"`},
	{"of the session", after(func(s *requests.Session) { s.Headers.Set("X-Pin", "hunter2\n") }), requests.ErrInvalidHeader, `header "X-Pin"`},
	{"by hand", prepared(func(p *requests.PreparedRequest) { p.Headers.Set("X-Pin", "hunter2\r\nX: y") }), requests.ErrInvalidHeader, "invalid header value: of X-Pin"},
}

func badBodies(t *testing.T) []badInput {
	closed := open(t, wiretest.File(t, "closed"))
	closed.Close()
	dir := open(t, t.TempDir())
	var file *os.File
	text := strings.NewReader("text")
	return []badInput{
		{"JSON into no pointer", func(s *requests.Session, _ string) error {
			p, err := s.Prepare(&requests.Request{URL: "http://h.test/"})
			if err != nil {
				return err
			}
			return requests.NewResponse(p, 200, nil, io.NopCloser(strings.NewReader("{}"))).JSON(map[string]string{})
		}, requests.ErrInvalidArgument, "JSON decodes into a pointer, not into a map[string]string"},
		{"a number", with(requests.Body(7)), requests.ErrInvalidBody, "Body cannot be of type int"},
		{"nil file", with(requests.Body(file)), requests.ErrInvalidBody, "Body is a nil *os.File"},
		{"nil buffer", with(requests.Body((*bytes.Buffer)(nil))), requests.ErrInvalidBody, "Body is a nil *bytes.Buffer"},
		{"nil reader", with(requests.Body((*io.LimitedReader)(nil))), requests.ErrInvalidBody, "Body is a nil *io.LimitedReader"},
		{"nil iterator", with(requests.Body(iter.Seq[[]byte](nil))), requests.ErrInvalidBody, "Body is a nil iter.Seq"},
		{"closed file", with(requests.Body(closed)), requests.ErrFile, closed.Name()},
		{"directory", with(requests.Body(dir)), requests.ErrInvalidBody, "Body is a directory: " + dir.Name()},
		{"body and form", with(requests.Body("x"), requests.Form{{"a", "b"}}), requests.ErrInvalidBody, "Body and Form cannot both be given"},
		{"body and files", with(requests.Body("x"), requests.Files{{Field: "f", Content: text}}), requests.ErrInvalidBody, "Body and Files cannot both be given"},
		{"file is a directory", with(requests.Files{{Field: "f", Content: dir}}), requests.ErrFile, `file "f" cannot be read: Body is a directory: ` + dir.Name()},
		{"file is nil", with(requests.Files{{Field: "f", Content: file}}), requests.ErrInvalidBody, `the Content of file "f" is a nil *os.File`},
		{"newline in a part's header", with(requests.Files{{Field: "f", Content: text, Headers: requests.Headers{{"X", "a\r\nb"}}}}), requests.ErrInvalidBody, "CR, LF or NUL in part header"},
		{"newline in a part's type", with(requests.Files{{Field: "f", Content: text, ContentType: "a\r\nb"}}), requests.ErrInvalidBody, "CR, LF or NUL in content type"},
		{"JSON of a channel", with(requests.JSON(make(chan int))), requests.ErrInvalidJSON, "JSON cannot hold a chan int"},
		{"JSON of NaN", with(requests.JSON(math.NaN())), requests.ErrInvalidJSON, "unsupported value: NaN"},
	}
}

func open(t *testing.T, name string) *os.File {
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

var badSettings = []badInput{
	{"Timeout", with(requests.Timeout(-1)), requests.ErrInvalidTimeout, "Timeout(-1ns): a time limit is above 0"},
	{"Total", with(requests.Timeouts{Total: -time.Second}), requests.ErrInvalidTimeout, "Timeouts.Total is negative: -1s"},
	{"the session's", after(func(s *requests.Session) { s.Timeouts.Pool = -1 }), requests.ErrInvalidTimeout, "Timeouts.Pool is negative"},
	{"the session's, to any adapter", after(func(s *requests.Session) {
		s.Timeouts.Read = -1
		s.Mount("http://", requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
			return requests.NewResponse(p, 200, nil, nil), nil
		}))
	}), requests.ErrInvalidTimeout, "Timeouts.Read is negative"},
	{"MaxRedirects", after(func(s *requests.Session) { s.MaxRedirects = -1 }), requests.ErrInvalidArgument, "Session.MaxRedirects is negative: -1"},
	{"MergeEnvironment", func(s *requests.Session, url string) error {
		_, err := s.MergeEnvironment(url, requests.SendOptions{Timeouts: requests.Timeouts{Read: -1}})
		return err
	}, requests.ErrInvalidTimeout, "Timeouts.Read is negative"},
}

var badAdapters = []badInput{
	{"MaxRetries", mounted(requests.MaxRetries(-1)), requests.ErrInvalidArgument, "MaxRetries(-1)"},
	{"PoolMaxSize", mounted(requests.JoinAdapterOptions(requests.PoolMaxSize(-5), requests.PoolBlock(true))), requests.ErrInvalidArgument, "PoolMaxSize(-5)"},
	{"PoolConnections", mounted(requests.PoolConnections(-1)), requests.ErrInvalidArgument, "PoolConnections(-1)"},
	{"PoolMaxAge", mounted(requests.PoolMaxAge(-time.Second)), requests.ErrInvalidArgument, "PoolMaxAge(-1s)"},
	{"PoolMaxIdle", mounted(requests.PoolMaxIdle(-1)), requests.ErrInvalidArgument, "PoolMaxIdle(-1ns)"},
	{"Retries", mounted(requests.Retries(requests.Retry{Read: -3})), requests.ErrInvalidArgument, "Retry.Read is negative: -3"},
	{"BackoffFactor", mounted(requests.Retries(requests.Retry{BackoffFactor: -1})), requests.ErrInvalidArgument, "Retry.BackoffFactor"},
	{"RetryBudget", mounted(requests.RetryBudget(-1, 0.1)), requests.ErrInvalidArgument, "RetryBudget(-1, 0.1)"},
	{"ResolveTo", mounted(requests.ResolveTo(map[string]string{"h.test": "nowhere"})), requests.ErrInvalidArgument, `ResolveTo: "nowhere" for "h.test"`},
	{"ResolveWith", mounted(requests.ResolveWith(slowResolver{})), requests.ErrInvalidArgument, "a Resolver must be comparable"},
	{"unbindable address", edited(func(c *requests.ConnConfig) { c.LocalAddr = netip.MustParseAddrPort("192.0.2.1:0") }), requests.ErrConnect, "bind 192.0.2.1:0"},
	{"unknown interface", edited(func(c *requests.ConnConfig) { c.Interface = "nope0" }), requests.ErrConnect, "bind nope0"},
	{"unknown network", edited(func(c *requests.ConnConfig) { c.Network = "pigeon" }), requests.ErrConnect, "unknown network pigeon"},
	{"adapter without answer", after(func(s *requests.Session) {
		s.Mount("http://", requests.AdapterFunc(func(context.Context, *requests.PreparedRequest, requests.SendOptions) (*requests.Response, error) {
			return nil, nil
		}))
	}), requests.ErrInvalidArgument, "returned neither a response nor an error"},
	{"Resend of a made-up reply", func(s *requests.Session, _ string) error {
		_, err := requests.NewResponse(nil, 200, nil, nil).Resend(context.Background(), nil)
		return err
	}, requests.ErrInvalidArgument, "Resend on a response that no adapter brought"},
}

// slowResolver cannot be compared.
type slowResolver struct{ _ []time.Duration }

func (r slowResolver) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return nil, errors.ErrUnsupported
}

var badProxies = []badInput{
	{"unknown scheme", with(requests.Proxies{"all": "ftp://ada:hunter2@p.test:1"}), requests.ErrInvalidProxyURL, `proxy "ftp://***@p.test:1": its scheme is none of http, https`},
	{"credentials and another scheme", with(requests.Proxies{"all": "ftp://ada:hunter2@p.test"}), requests.ErrInvalidProxyURL, `proxy "ftp://***@p.test"`},
	{"bracket", with(requests.Proxies{"all": "http://ada:hunter2@[::1"}), requests.ErrInvalidProxyURL, `proxy "http://***@[::1": invalid host`},
	{"without host", with(requests.Proxies{"all": "http://"}), requests.ErrInvalidProxyURL, `proxy "http://": it has no host`},
	{"port", with(requests.Proxies{"all": "http://p.test:0x1"}), requests.ErrInvalidProxyURL, `proxy "http://p.test:0x1": invalid port`},
	{"ProxyFunc", after(func(s *requests.Session) {
		s.ProxyFunc = func(string) (string, error) { return "gopher://p.test", nil }
	}), requests.ErrInvalidProxyURL, `proxy "gopher://p.test"`},
	{"ExplainProxy", func(s *requests.Session, _ string) error { _, err := s.ExplainProxy("h.test"); return err }, requests.ErrMissingSchema, "no scheme supplied"},
}

func badTLS(t *testing.T) []badInput {
	ca := wiretest.TestCA()
	cert, key := wiretest.PEM(ca.Client("ada"))
	_, other := wiretest.PEM(ca.Client("bob"))
	late, lateKey := wiretest.PEM(ca.Issue(wiretest.Leaf{Name: "late", Client: true, Expires: time.Now().Add(-time.Minute)}))
	p12 := filepath.Join("internal", "certs", "testdata", "id.p12")
	empty, words := wiretest.File(t, "empty.pem"), wiretest.File(t, "words.pem", []byte("hunter2"))
	return []badInput{
		{"bundle missing", over(requests.CABundle("/nowhere/ca.pem")), requests.ErrFile, "the CA bundle cannot be used: stat /nowhere/ca.pem"},
		{"bundle empty", over(requests.CABundle(empty)), requests.ErrFile, empty + ": no certificate found"},
		{"bundle without certificate", over(requests.CABundle(words)), requests.ErrFile, words + ": no certificate found"},
		{"bundle without path", over(requests.CABundle("")), requests.ErrFile, "CA bundle: no certificate found"},
		{"bundle as bytes", over(requests.CABundlePEM([]byte("hunter2"))), requests.ErrFile, "CA bundle: no certificate found"},
		{"nil pool", over(requests.CAPool(nil)), requests.ErrFile, "CA bundle: no certificate found"},
		{"certificate missing", over(requests.CertFile("/nowhere/cert.pem")), requests.ErrFile, "client certificate /nowhere/cert.pem"},
		{"certificate missing, without TLS", with(requests.CertFile("/nowhere/cert.pem")), requests.ErrFile, "client certificate /nowhere/cert.pem"},
		{"key missing", over(requests.CertFiles(empty, "/nowhere/key.pem")), requests.ErrFile, "private key /nowhere/key.pem"},
		{"certificate empty", over(requests.CertPEM(nil, nil)), requests.ErrFile, "client certificate: no certificate found"},
		{"certificate of nothing", over(requests.CertTLS(tls.Certificate{})), requests.ErrFile, "CertTLS was given no certificate"},
		{"key of another", over(requests.CertPEM(cert, other)), requests.ErrFile, "the private key does not belong to the first certificate"},
		{"no key", over(requests.CertPEM(cert, nil)), requests.ErrFile, "no private key found"},
		{"no certificate", over(requests.CertPEM(key, key)), requests.ErrFile, "no certificate found"},
		{"wrong password", over(requests.CertFile(p12).WithPassword("hunter2")), requests.ErrFile, p12 + ": wrong password"},
		{"no answer to the question", over(requests.CertFile(p12).WithPasswordFunc(func() (string, error) { return "hunter2", io.EOF })), requests.ErrFile, "asking for the password: EOF"},
		{"expired", over(requests.CertPEM(late, lateKey)), requests.ErrFile, "CN=late has expired on"},
	}
}

var badCookies = []badInput{
	{"newline", with(requests.Cookies{{"k", "hunter2\r\n"}}), requests.ErrInvalidArgument, `the cookie "k" contains control characters`},
	{"name", with(requests.Cookies{{"k=x;", "hunter2"}}), requests.ErrInvalidArgument, `the name of a cookie cannot be "k=x;"`},
	{"no name", with(requests.Cookies{{"", "hunter2"}}), requests.ErrInvalidArgument, `a cookie has no name`},
	{"domain", func(s *requests.Session, _ string) error {
		return s.Cookies.Set(requests.Cookie{Name: "k", Value: "hunter2", Domain: "a b"})
	}, requests.ErrInvalidArgument, `the domain "a b" of the cookie "k"`},
	{"unknown", func(s *requests.Session, _ string) error { _, err := s.Cookies.Get("k"); return err }, requests.ErrNoCookie, `there is no cookie "k"`},
	{"two of a name", func(s *requests.Session, _ string) error {
		s.Cookies.Set(requests.Cookie{Name: "k", Value: "hunter2", Domain: "a.test"})
		s.Cookies.Set(requests.Cookie{Name: "k", Value: "hunter2", Domain: "b.test"})
		_, err := s.Cookies.Get("k")
		return err
	}, requests.ErrCookieConflict, `there are 2 cookies "k"`},
	{"file", func(s *requests.Session, _ string) error { return s.Cookies.Load("/nowhere/jar.txt") }, requests.ErrFile, "/nowhere/jar.txt"},
	{"nil jar", func(s *requests.Session, _ string) error {
		return (*requests.CookieJar)(nil).Set(requests.Cookie{Name: "k"})
	}, requests.ErrInvalidArgument, "a nil CookieJar"},
}

var nilInput = []badInput{
	{"context", func(s *requests.Session, url string) error {
		var none context.Context
		_, err := s.Get(none, url)
		return err
	}, requests.ErrInvalidArgument, "the context is nil"},
	{"request", func(s *requests.Session, _ string) error { _, err := s.Do(context.Background(), nil); return err }, requests.ErrInvalidArgument, "a Session and a Request are needed"},
	{"prepared request", func(s *requests.Session, _ string) error {
		_, err := s.Send(context.Background(), nil, requests.SendOptions{})
		return err
	}, requests.ErrInvalidArgument, "a Session and a prepared request are needed"},
	{"prepared request of an adapter", func(s *requests.Session, _ string) error {
		_, err := requests.NewHTTPAdapter().Send(context.Background(), nil, requests.SendOptions{})
		return err
	}, requests.ErrInvalidArgument, "Send needs a context and a prepared request"},
	{"session", func(_ *requests.Session, url string) error {
		_, err := requests.GetJSON[string](context.Background(), nil, url)
		return err
	}, requests.ErrInvalidArgument, "a Session and a Request are needed"},
	{"adapter", after(func(s *requests.Session) { s.Mount("http://", nil) }), requests.ErrInvalidSchema, "no adapter is mounted"},
	{"adapter function", after(func(s *requests.Session) { s.Mount("http://", requests.AdapterFunc(nil)) }), requests.ErrInvalidArgument, "the adapter is a nil requests.AdapterFunc"},
	{"adapter's pointer", after(func(s *requests.Session) { s.Mount("http://", (*requests.HTTPAdapter)(nil)) }), requests.ErrInvalidArgument, "the adapter is a nil *requests.HTTPAdapter"},
	{"adapter of a transport", func(s *requests.Session, url string) error {
		r, err := http.NewRequest("GET", url, nil)
		if err == nil {
			_, err = requests.AdapterTransport(nil).RoundTrip(r)
		}
		return err
	}, requests.ErrInvalidArgument, "the adapter is a nil"},
	{"adapter that nobody made", after(func(s *requests.Session) { s.Mount("http://", new(requests.HTTPAdapter)) }), requests.ErrInvalidArgument, "made with NewHTTPAdapter"},
	{"auth", with(requests.Authenticate((*requests.Basic)(nil))), requests.ErrInvalidArgument, "the Auth is a nil *requests.Basic"},
	{"auth function", after(func(s *requests.Session) { s.Auth = requests.AuthFunc(nil) }), requests.ErrInvalidArgument, "the Auth is a nil requests.AuthFunc"},
}

// TestNilIsNone: where nothing is a sensible thing to give, it changes nothing.
func TestNilIsNone(t *testing.T) {
	server := wiretest.Origin(t)
	s := requests.NewSession()
	defer s.Close()
	s.Cookies = requests.NewCookieJar(nil, requests.CookieFilter(nil))
	s.Proxies, s.Params, s.Hooks, s.ProxyFunc = nil, nil, []requests.Hook{nil}, nil
	s.Mount("http://", requests.NewHTTPAdapter(nil, requests.ConfigureConn(nil), requests.ResolveTo(nil), requests.ResolveWith(nil)))
	r, err := s.Post(context.Background(), server.URL("/"), nil, requests.OptionFunc(nil), requests.JoinOptions(), requests.Body(nil),
		requests.JSON(nil), requests.Headers(nil), requests.Files(nil), requests.Authenticate(nil), requests.ReplaceHooks(nil), requests.OnInterim(nil),
		requests.ReplaceHooks(func(context.Context, *requests.Response) (*requests.Response, error) { return nil, nil }))
	if err != nil {
		t.Fatal(err)
	}
	text, err := r.Text()
	if diff := cmp.Diff("ok", text); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}
