package requests_test

import (
	"context"
	"crypto/tls"
	"io"
	"iter"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/internal/wiretest"
)

// thePanic is what every callback of TestPanics panics with.
const thePanic = "the caller's code"

func panickingHook(context.Context, *requests.Response) (*requests.Response, error) { panic(thePanic) }

type panickingBody struct{ io.Reader }

func (panickingBody) Read([]byte) (int, error) { panic(thePanic) }

type panickingStreamer struct{ *strings.Reader }

func (panickingStreamer) Len() int64                       { return 10 }
func (panickingStreamer) Rewind() error                    { return nil }
func (panickingStreamer) WriteTo(io.Writer) (int64, error) { panic(thePanic) }

type panickingJSON struct{}

func (*panickingJSON) UnmarshalJSON([]byte) error { panic(thePanic) }

// panickingCall is one use of a session; its callback panics.
type panickingCall struct {
	name string
	run  func(s *requests.Session, url string) error
}

func panicGetting(path string, options ...requests.Option) func(*requests.Session, string) error {
	return func(s *requests.Session, url string) error {
		_, err := s.Get(context.Background(), url+path, options...)
		return err
	}
}

func panicPosting(body any, options ...requests.Option) func(*requests.Session, string) error {
	return func(s *requests.Session, url string) error {
		_, err := s.Post(context.Background(), url+"/", append(options, requests.Body(body))...)
		return err
	}
}

func setUp(change func(*requests.Session), run func(*requests.Session, string) error) func(*requests.Session, string) error {
	return func(s *requests.Session, url string) error {
		change(s)
		return run(s, url)
	}
}

// overAdapter is run over an adapter with one more option.
func overAdapter(option requests.AdapterOption, run func(*requests.Session, string) error) func(*requests.Session, string) error {
	return setUp(func(s *requests.Session) {
		s.Mount("http://", requests.NewHTTPAdapter(requests.PoolMaxSize(1), requests.PoolBlock(true), option))
	}, run)
}

// onSecondHop is a hook that panics for the target of the redirect.
func onSecondHop(_ context.Context, r *requests.Response) (*requests.Response, error) {
	if strings.HasSuffix(r.URL, "/there") {
		panic(thePanic)
	}
	return nil, nil
}

func resending(ctx context.Context, r *requests.Response) (*requests.Response, error) {
	if _, err := r.Content(); err != nil {
		return nil, err
	}
	return r.Resend(ctx, r.Request)
}

func replacing(_ context.Context, r *requests.Response) (*requests.Response, error) {
	return requests.NewResponse(r.Request, 200, nil, io.NopCloser(strings.NewReader("made up"))), nil
}

// panickingFrom is a hook that puts a body in front of those of responses from path, with another
// status. Reading it panics, and nobody but the session closes it.
func panickingFrom(path string, status int) requests.Option {
	return requests.ReplaceHooks(func(_ context.Context, r *requests.Response) (*requests.Response, error) {
		if !strings.HasSuffix(r.URL, path) {
			return nil, nil
		}
		return requests.NewResponse(r.Request, status, requests.Headers{{"Location", "/next"}}, io.NopCloser(panickingBody{})), nil
	})
}

func streaming(use func(*requests.Response)) func(*requests.Session, string) error {
	return func(s *requests.Session, url string) error {
		r, err := s.Get(context.Background(), url+"/lines", requests.Stream(true))
		if err == nil {
			use(r)
		}
		return err
	}
}

// throughClient sends through an http.Client over the session.
func throughClient(path string) func(*requests.Session, string) error {
	return func(s *requests.Session, url string) error {
		r, err := (&http.Client{Transport: s.RoundTripper()}).Get(url + path)
		if err == nil {
			r.Body.Close()
		}
		return err
	}
}

func panics() []panickingCall {
	hooks := func(hooks ...requests.Hook) requests.Option { return requests.ReplaceHooks(hooks...) }
	forgetful := func(s *requests.Session) {
		s.Cookies = requests.NewCookieJar(requests.CookieFilter(func(requests.Cookie) bool { panic(thePanic) }))
	}
	return []panickingCall{
		{"hook", panicGetting("/", hooks(panickingHook))},
		{"hook, streamed", panicGetting("/lines", hooks(panickingHook), requests.Stream(true))},
		{"hook of the session", setUp(func(s *requests.Session) { s.OnResponse(panickingHook) }, panicGetting("/"))},
		{"hook on the second hop", panicGetting("/moved", hooks(onSecondHop))},
		{"hook behind one that replaces", panicGetting("/", hooks(replacing, panickingHook))},
		{"hook behind one that sends again", panicGetting("/", hooks(resending, panickingHook))},
		{"hook that has sent again", panicGetting("/", hooks(func(ctx context.Context, r *requests.Response) (*requests.Response, error) {
			if _, err := resending(ctx, r); err != nil {
				return nil, err
			}
			panic(thePanic)
		}))},
		{"hook of a redirect that is not followed", panicGetting("/moved", hooks(panickingHook), requests.AllowRedirects(false))},
		{"hook's body", panicGetting("/lines", panickingFrom("/lines", 200))},
		{"hook's body of an error", setUp(func(s *requests.Session) { s.RaiseForStatus = true }, panicGetting("/lines", panickingFrom("/lines", 500), requests.Stream(true)))},
		{"hook's body of a redirect", panicGetting("/lines", panickingFrom("/lines", 302))},
		{"hook's body of a redirect that is not followed", panicGetting("/lines", panickingFrom("/lines", 302), requests.AllowRedirects(false))},
		{"hook's body of a second redirect", panicGetting("/moved", panickingFrom("/there", 302))},
		{"redirect", setUp(func(s *requests.Session) {
			s.OnRedirect = func(context.Context, *requests.Response, *requests.PreparedRequest) error { panic(thePanic) }
		}, panicGetting("/moved"))},
		{"redirect, second", setUp(func(s *requests.Session) {
			s.OnRedirect = func(_ context.Context, r *requests.Response, _ *requests.PreparedRequest) error {
				if len(r.History) > 0 {
					panic(thePanic)
				}
				return nil
			}
		}, panicGetting("/twice"))},
		{"option", panicGetting("/", requests.OptionFunc(func(*requests.Request) error { panic(thePanic) }))},
		{"auth", panicGetting("/", requests.Authenticate(requests.AuthFunc(func(*requests.PreparedRequest) error { panic(thePanic) })))},
		{"cookie filter", setUp(forgetful, panicGetting("/cookie"))},
		{"cookie filter, streamed", setUp(forgetful, panicGetting("/cookie", requests.Stream(true)))},
		{"cookie filter on a redirect", setUp(forgetful, panicGetting("/moved"))},
		{"proxy function", setUp(func(s *requests.Session) { s.ProxyFunc = func(string) (string, error) { panic(thePanic) } }, panicGetting("/"))},
		{"proxy function on the second hop", setUp(func(s *requests.Session) {
			s.ProxyFunc = func(url string) (string, error) {
				if strings.HasSuffix(url, "/there") {
					panic(thePanic)
				}
				return "", nil
			}
		}, panicGetting("/moved"))},
		{"interim", panicGetting("/interim", requests.OnInterim(func(int, requests.Headers) error { panic(thePanic) }))},
		{"attempt", overAdapter(requests.Retries(requests.Retry{OnAttempt: func(context.Context, *requests.PreparedRequest, []requests.Attempt) error { panic(thePanic) }}), panicGetting("/"))},
		{"codec that writes", panicGetting("/", requests.JSON(1), requests.Codecs{"application/json": {Marshal: func(any) ([]byte, error) { panic(thePanic) }}})},
		{"codec that reads", func(s *requests.Session, url string) error {
			s.Codecs = requests.Codecs{"application/json": {Unmarshal: func([]byte, any) error { panic(thePanic) }}}
			_, err := requests.GetJSON[any](context.Background(), s, url+"/lines", requests.Stream(true))
			return err
		}},
		{"codec of a line", func(s *requests.Session, url string) error {
			s.Codecs = requests.Codecs{"application/json": {Unmarshal: func([]byte, any) error { panic(thePanic) }}}
			r, err := s.Get(context.Background(), url+"/lines", requests.Stream(true))
			if err != nil {
				return err
			}
			for range requests.JSONLines[any](r) {
			}
			return nil
		}},
		{"body", panicPosting(panickingBody{})},
		{"body that writes itself", panicPosting(panickingStreamer{strings.NewReader("0123456789")})},
		{"iterator", panicPosting(iter.Seq[[]byte](func(yield func([]byte) bool) { yield([]byte("x")); panic(thePanic) }))},
		{"editor", overAdapter(requests.ConfigureConn(func(*requests.ConnConfig, *requests.PreparedRequest) error { panic(thePanic) }), panicGetting("/"))},
		{"resolver", overAdapter(requests.ResolveWith(panickingResolver{}), func(s *requests.Session, url string) error {
			_, port, _ := strings.Cut(strings.TrimPrefix(url, "http://"), ":")
			_, err := s.Get(context.Background(), "http://name.test:"+port+"/")
			return err
		})},
		{"token", panicGetting("/", requests.Authenticate(requests.RefreshAuth(requests.TokenFunc[*requests.Bearer](func() (*requests.Bearer, error) { panic(thePanic) }))))},
		{"guard", overAdapter(requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
			c.Guard = panickingGuard{}
			return nil
		}), panicGetting("/"))},
		{"TLS check", func(s *requests.Session, _ string) error {
			secure := httptest.NewTLSServer(http.NotFoundHandler())
			defer secure.Close()
			a := requests.NewHTTPAdapter(requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
				c.TLS.Check = panickingCheck{}
				return nil
			}))
			s.Mount("http://", a)
			s.Mount("https://", a)
			return panicGetting("/", requests.Verify(false))(s, secure.URL)
		}},
		{"dialer", overAdapter(adapters.Dialer(func(context.Context, string, string) (net.Conn, error) { panic(thePanic) }), panicGetting("/"))},
		{"adapter", setUp(func(s *requests.Session) { s.Mount("http://127.0.0.1", panickingAdapter()) }, panicGetting("/"))},
		{"adapter on the second hop", setUp(func(s *requests.Session) { s.Mount("http://localhost", panickingAdapter()) }, panicGetting("/away"))},
		{"loop over chunks", streaming(func(r *requests.Response) {
			for range r.Chunks(1) {
				panic(thePanic)
			}
		})},
		{"loop over lines", streaming(func(r *requests.Response) {
			for range r.Lines() {
				panic(thePanic)
			}
		})},
		{"JSON", func(s *requests.Session, url string) error {
			_, err := requests.GetJSON[panickingJSON](context.Background(), s, url+"/json", requests.Stream(true))
			return err
		}},
		{"hook under an http.Client", setUp(func(s *requests.Session) { s.OnResponse(panickingHook) }, throughClient("/"))},
		{"hook under an http.Client, second hop", setUp(func(s *requests.Session) { s.OnResponse(onSecondHop) }, throughClient("/moved"))},
		{"cookie filter under an http.Client", setUp(forgetful, throughClient("/cookie"))},
		{"adapter under an http.Client", setUp(func(s *requests.Session) { s.Mount("http://127.0.0.1", panickingAdapter()) }, throughClient("/"))},
	}
}

type panickingResolver struct{}

func (panickingResolver) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	panic(thePanic)
}

type panickingGuard struct{}

func (panickingGuard) CheckAddress(string, netip.AddrPort) error { panic(thePanic) }

type panickingCheck struct{}

func (panickingCheck) CheckTLS(tls.ConnectionState) error { panic(thePanic) }

func panickingAdapter() requests.Adapter {
	return requests.AdapterFunc(func(context.Context, *requests.PreparedRequest, requests.SendOptions) (*requests.Response, error) {
		panic(thePanic)
	})
}

func panicServer(t *testing.T) *wiretest.Server {
	return wiretest.Start(t, wiretest.Config{Handler: func(r *wiretest.Request) wiretest.Reply {
		switch r.Target {
		case "/moved":
			return wiretest.Text(302, "moved", [2]string{"Location", "/there"}, [2]string{"Set-Cookie", "a=1"})
		case "/twice":
			return wiretest.Text(302, "moved", [2]string{"Location", "/moved"})
		case "/away":
			return wiretest.Text(302, "moved", [2]string{"Location", "http://localhost:1/"})
		case "/cookie":
			return wiretest.Text(200, strings.Repeat("long ", 1<<16), [2]string{"Set-Cookie", "a=1"})
		case "/lines":
			return wiretest.Text(200, strings.Repeat("line\n", 1<<16))
		case "/coded":
			return wiretest.Text(200, "ok", [2]string{"Content-Encoding", "x"})
		case "/json":
			return wiretest.Text(200, "[1]")
		case "/interim":
			return wiretest.Send("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
		return wiretest.Text(200, "ok")
	}})
}

// TestPanics: whatever of the caller's panics, what is held is let go and the panic goes on:
// the only connection of a pool that blocks serves the next request.
func TestPanics(t *testing.T) {
	for _, c := range panics() {
		t.Run(c.name, func(t *testing.T) {
			server := panicServer(t)
			s := newTestSession(t)
			s.Mount("http://", requests.NewHTTPAdapter(requests.PoolMaxSize(1), requests.PoolBlock(true)))
			var got any
			func() {
				defer func() { got = recover() }()
				if err := c.run(s, server.URL("")); err != nil {
					t.Errorf("no panic: %v", err)
				}
			}()
			if diff := cmp.Diff(any(thePanic), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			adapter, err := s.Adapter("http://")
			if err != nil {
				t.Fatal(err)
			}
			if stats := adapter.(*requests.HTTPAdapter).Stats(); stats.InUse != 0 {
				t.Errorf("%d connections are in use", stats.InUse)
			}
		})
	}
}

// TestDroppedResponses: what hooks replace or drop is closed, at once where a hook fails, else
// with what replaces it, which may read from it.
func TestDroppedResponses(t *testing.T) {
	failing := func(context.Context, *requests.Response) (*requests.Response, error) { return nil, io.ErrUnexpectedEOF }
	wrapping := func(_ context.Context, r *requests.Response) (*requests.Response, error) {
		return requests.NewResponse(r.Request, 200, nil, struct {
			io.Reader
			io.Closer
		}{io.LimitReader(r, 4), io.NopCloser(nil)}), nil
	}
	sendAgain := func(ctx context.Context, r *requests.Response) (*requests.Response, error) {
		r.Close()
		return r.Resend(ctx, r.Request)
	}
	for name, c := range map[string]struct {
		hooks   []requests.Hook
		options requests.Option
		want    string
	}{
		"replaced":                {[]requests.Hook{replacing}, requests.Stream(false), "made up"},
		"replaced, streamed":      {[]requests.Hook{replacing}, requests.Stream(true), "made up"},
		"replaced twice":          {[]requests.Hook{replacing, replacing}, requests.Stream(true), "made up"},
		"wrapped":                 {[]requests.Hook{wrapping}, requests.Stream(true), "line"},
		"wrapped, replaced":       {[]requests.Hook{wrapping, replacing}, requests.Stream(false), "made up"},
		"sent again, then failed": {[]requests.Hook{sendAgain, failing}, requests.Stream(true), ""},
		"replaced, then failed":   {[]requests.Hook{replacing, failing}, requests.Stream(true), ""},
		"failed":                  {[]requests.Hook{failing}, requests.Stream(true), ""},
		"sent again, replaced":    {[]requests.Hook{sendAgain, replacing}, requests.Stream(true), "made up"},
		"sent again, then not taken": {[]requests.Hook{func(ctx context.Context, r *requests.Response) (*requests.Response, error) {
			_, err := sendAgain(ctx, r)
			return nil, errorOr(err)
		}}, requests.Stream(true), ""},
	} {
		t.Run(name, func(t *testing.T) {
			server := panicServer(t)
			s := newTestSession(t)
			adapter := requests.NewHTTPAdapter(requests.PoolMaxSize(2), requests.PoolBlock(true))
			s.Mount("http://", adapter)
			r, err := s.Get(t.Context(), server.URL("/lines"), requests.ReplaceHooks(c.hooks...), c.options)
			got := ""
			if err == nil {
				if got, err = r.Text(); err != nil {
					t.Error(err)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if stats := adapter.Stats(); stats.InUse != 0 {
				t.Errorf("%d connections are in use", stats.InUse)
			}
		})
	}
}

// errorOr is err, or one that says that there is none.
func errorOr(err error) error {
	if err == nil {
		return io.ErrUnexpectedEOF
	}
	return err
}
