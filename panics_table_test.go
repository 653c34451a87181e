package requests_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/toolbelt"
)

// The methods by which crash is any value that is sent or read.
func (c crash) MarshalJSON() ([]byte, error)           { c(); return nil, nil }
func (c crash) EncodeValues(string, *url.Values) error { c(); return nil }
func (c crash) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	c()
	return nil, nil
}

// replying sends to what make makes.
func replying(make func() *adapters.Mock) func(*requests.Session, string) error {
	return func(s *requests.Session, _ string) error {
		s.Mount("http://mock.test/", make())
		_, err := s.Get(context.Background(), "http://mock.test/")
		return err
	}
}

func matching(match adapters.Match) func() *adapters.Mock {
	return func() *adapters.Mock {
		m := adapters.NewMock()
		m.On("", "", match).Reply(adapters.Reply{})
		return m
	}
}

func sending(options ...requests.Option) func(*requests.Session, string) error {
	return func(s *requests.Session, url string) error {
		_, err := s.Post(context.Background(), url+"/", options...)
		return err
	}
}

// decoding has the body of /lines in a coding that decode undoes.
func decoding(decode func(io.Reader) (io.Reader, error)) func(*requests.Session, string) error {
	coded := func(base requests.Adapter) requests.Adapter {
		return requests.AdapterFunc(func(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
			r, err := base.Send(ctx, p, opts)
			if err == nil {
				r.Headers.Set("Content-Encoding", "x-own")
			}
			return r, err
		})
	}
	return below(func(a requests.Adapter) requests.Adapter {
		return adapters.ContentDecoder("x-own", decode)(coded(a))
	}, panicGetting("/lines"))
}

func runningPool(c crash, options ...toolbelt.PoolOption) func(*requests.Session, string) error {
	return func(s *requests.Session, url string) error {
		p, err := toolbelt.FromURLs(func(yield func(string) bool) { yield(url + "/") }, options...)
		if err != nil {
			return err
		}
		for r := range p.Results(context.Background()) {
			err = r.Err
		}
		return errors.Join(err, errors.New("the pool has ended"))
	}
}

// poolOf makes a pool of what crashes in an iterator, which runs when the pool is made, or in its jobs.
func poolOf(make func(url string) (*toolbelt.Pool, error)) func(*requests.Session, string) error {
	return func(_ *requests.Session, url string) error {
		p, err := make(url)
		if err != nil {
			return err
		}
		for range p.Results(context.Background()) {
		}
		return errors.New("the pool has ended")
	}
}

// moreCrashes are the fields and parameters that crashingCalls and TestPanics do not have.
func moreCrashes(c crash) []panickingCall {
	encoded := func(value any) (*toolbelt.MultipartEncoder, error) {
		return toolbelt.NewMultipartEncoder([]toolbelt.Field{{Name: "f", Value: value}})
	}
	return []panickingCall{
		{"BeforeSend", below(adapters.BeforeSend(func(context.Context, *requests.PreparedRequest) (*requests.Response, error) { c(); return nil, nil }), panicGetting("/"))},
		{"OnError", setUp(func(s *requests.Session) {
			s.Mount("http://far.test/", adapters.OnError(func(context.Context, *requests.PreparedRequest, error) (*requests.Response, error) {
				c()
				return nil, nil
			})(
				requests.AdapterFunc(func(context.Context, *requests.PreparedRequest, requests.SendOptions) (*requests.Response, error) {
					return nil, io.EOF
				})))
		}, func(s *requests.Session, _ string) error { return panicGetting("")(s, "http://far.test/") })},
		{"ContentDecoder", decoding(func(io.Reader) (io.Reader, error) { c(); return nil, nil })},
		{"ContentDecoder, reading", decoding(func(io.Reader) (io.Reader, error) { return c, nil })},
		{"Match.Func", replying(matching(adapters.Match{Func: func(*adapters.Sent) bool { c(); return true }}))},
		{"Match.JSON", replying(matching(adapters.Match{JSON: c}))},
		{"ReplyFunc", replying(func() *adapters.Mock {
			m := adapters.NewMock()
			m.On("", "").ReplyFunc(func(*adapters.Sent) adapters.Reply { c(); return adapters.Reply{} })
			return m
		})},
		{"Reply.JSON", replying(func() *adapters.Mock {
			m := adapters.NewMock()
			m.On("", "").Reply(adapters.Reply{JSON: c})
			return m
		})},
		{"DNSCache.Resolver", setUp(func(s *requests.Session) {
			a := requests.NewHTTPAdapter(requests.ResolveWith(&adapters.DNSCache{Resolver: c}))
			s.Mount("http://far.test", a)
		}, func(s *requests.Session, _ string) error { return panicGetting("")(s, "http://far.test/") })},
		{"RoundTripper", setUp(func(s *requests.Session) { s.Mount("http://rt.test/", adapters.RoundTripper(crashingTrip{c})) },
			func(s *requests.Session, _ string) error { return panicGetting("")(s, "http://rt.test/") })},
		{"WithPasswordFunc", func(s *requests.Session, _ string) error {
			cert := requests.CertFile(filepath.Join("internal", "certs", "testdata", "id.p12"))
			return panicGetting("", cert.WithPasswordFunc(func() (string, error) { c(); return "", nil }))(s, "https://127.0.0.1:1/")
		}},
		{"JSON", sending(requests.JSON(c))},
		{"File.Content", sending(requests.Files{{Field: "f", Content: c}})},
		{"FormFrom", sending(requests.FormFrom(struct{ A crash }{c}))},
		{"ParamsFrom", sending(requests.ParamsFrom(struct{ A crash }{c}))},
		{"Compress", sending(requests.Compress("gzip", c))},
		{"PagesBy", func(s *requests.Session, url string) error {
			for range requests.PagesBy(context.Background(), s, url+"/lines", func(*requests.Response) (string, error) { c(); return "", nil }, requests.Stream(true)) {
			}
			return errors.New("no more pages")
		}},
		{"NewMonitor", func(s *requests.Session, url string) error {
			e, err := encoded("text")
			if err != nil {
				return err
			}
			return sending(toolbelt.NewMonitor(e, func(*toolbelt.Monitor) { c() }))(s, url)
		}},
		{"Field.Value", func(s *requests.Session, url string) error {
			content, err := toolbelt.NewStreamingIterator(1, c)
			if err != nil {
				return err
			}
			e, err := encoded(content)
			if err != nil {
				return err
			}
			return sending(requests.Body(e))(s, url)
		}},
		{"Tee", streaming(func(r *requests.Response) {
			for range toolbelt.Tee(r, c) {
			}
		})},
		{"StreamResponseToWriter", streaming(func(r *requests.Response) { _, _ = toolbelt.StreamResponseToWriter(r, c) })},
		{"DumpProxied", streaming(func(r *requests.Response) {
			defer r.Close()
			_, _ = toolbelt.DumpAll(r, toolbelt.DumpProxied(func(*requests.Response) bool { c(); return true }))
		})},
		{"Initializer", runningPool(c, toolbelt.Initializer(func(*requests.Session) error { c(); return nil }))},
		{"AuthGenerator", runningPool(c, toolbelt.AuthGenerator(func(*requests.Session) error { c(); return nil }))},
		{"SessionFunc", runningPool(c, toolbelt.SessionFunc(func() *requests.Session { c(); return nil }))},
		{"OnDone", runningPool(c, toolbelt.OnDone(func(int, int) { c() }))},
		{"FromURLs", poolOf(func(url string) (*toolbelt.Pool, error) {
			return toolbelt.FromURLs(func(yield func(string) bool) { yield(url + "/"); c() })
		})},
		{"NewPool", poolOf(func(url string) (*toolbelt.Pool, error) {
			return toolbelt.NewPool(func(yield func(*requests.Request) bool) { yield(&requests.Request{URL: url + "/"}); c() })
		})},
		{"FromExceptions", poolOf(func(string) (*toolbelt.Pool, error) {
			return toolbelt.FromExceptions(iter.Seq[toolbelt.PoolResult](func(func(toolbelt.PoolResult) bool) { c() }))
		})},
		{"Response.Raw", func(s *requests.Session, _ string) error {
			s.Mount("http://made.test/", crashingBody(c)(requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
				return requests.NewResponse(p, 200, nil, io.NopCloser(bytes.NewReader(nil))), nil
			})))
			return panicGetting("")(s, "http://made.test/")
		}},
		{"SetBodyReader", func(s *requests.Session, url string) error {
			p, err := s.Prepare(&requests.Request{Method: "POST", URL: url + "/"})
			if err == nil {
				p.Headers.Del("Content-Length")
				err = p.SetBodyReader(io.MultiReader(strings.NewReader("x"), c))
			}
			if err == nil {
				_, err = s.Send(context.Background(), p, requests.SendOptions{})
			}
			return err
		}},
	}
}

type crashingTrip struct{ crash }

func (t crashingTrip) RoundTrip(*http.Request) (*http.Response, error) { t.crash(); return nil, nil }
