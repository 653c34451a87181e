package requests_test

import (
	"context"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt"
)

// panickingWriter is what a response is written to.
type panickingWriter struct{}

func (panickingWriter) Write([]byte) (int, error) { panic(thePanic) }

// panickingPart tells its length.
type panickingPart struct{ *strings.Reader }

func (panickingPart) Read([]byte) (int, error) { panic(thePanic) }

func (panickingPart) WriteTo(io.Writer) (int64, error) { panic(thePanic) }

// wrapping has the adapter of the pool that is looked at wrapped.
func wrapping(w requests.Wrapper, run func(*requests.Session, string) error) func(*requests.Session, string) error {
	return setUp(func(s *requests.Session) {
		base, err := s.Adapter("http://")
		if err != nil {
			panic(err)
		}
		s.Mount("http://127.0.0.1", w(base))
	}, run)
}

// mocked mounts a mock, with one expectation.
func mocked(expect func(*adapters.Mock)) func(*requests.Session, string) error {
	return func(s *requests.Session, url string) error {
		m := adapters.NewMock()
		expect(m)
		s.Mount("http://127.0.0.1", m)
		func() {
			defer func() { _ = recover() }()
			_ = panicGetting("/")(s, url)
		}()
		return panicGetting("/")(s, url) // no lock is held
	}
}

func multiparted(fields ...toolbelt.Field) func(*requests.Session, string) error {
	return func(s *requests.Session, url string) error {
		body, err := toolbelt.NewMultipartEncoder(fields)
		if err != nil {
			return err
		}
		return panicPosting(body)(s, url)
	}
}

func inPool(options ...toolbelt.PoolOption) func(*requests.Session, string) error {
	return func(s *requests.Session, url string) error {
		urls := func(yield func(string) bool) {
			for n := 0; n < 2 && yield(url+"/"); n++ {
			}
		}
		p, err := toolbelt.FromURLs(urls, append([]toolbelt.PoolOption{toolbelt.Workers(2)}, options...)...)
		if err != nil {
			return err
		}
		return p.Join(context.Background())
	}
}

func pooledJobs(start func() (*toolbelt.Pool, error)) func(*requests.Session, string) error {
	return func(*requests.Session, string) error {
		p, err := start()
		if err != nil {
			return err
		}
		return p.Join(context.Background())
	}
}

func givenPanics(dir string) []panickingCall {
	boom := func() { panic(thePanic) }
	monitored := func(*toolbelt.Monitor) { boom() }
	return []panickingCall{
		{"password of a key", func(s *requests.Session, _ string) error {
			secure := httptest.NewTLSServer(http.NotFoundHandler())
			defer secure.Close()
			s.Mount("https://", requests.NewHTTPAdapter())
			key := requests.CertFile(filepath.Join("internal", "certs", "testdata", "id.p12")).WithPasswordFunc(func() (string, error) { boom(); return "", nil })
			return panicGetting("/", requests.Verify(false), key)(s, secure.URL)
		}},
		{"file in a form", func(s *requests.Session, url string) error {
			_, err := s.Post(context.Background(), url+"/", requests.Files{{Field: "f", Content: panickingBody{}}})
			return err
		}},
		{"body that is set", func(s *requests.Session, url string) error {
			p, err := s.Prepare(&requests.Request{Method: "POST", URL: url})
			if err == nil {
				err = p.SetBodyReader(panickingBody{})
			}
			if err == nil {
				_, err = s.Send(context.Background(), p, requests.SendOptions{})
			}
			return err
		}},
		{"trailers", func(s *requests.Session, url string) error {
			body := io.MultiReader(strings.NewReader("x"))
			_, err := s.Do(context.Background(), &requests.Request{Method: "POST", URL: url, Body: body, Trailers: func() requests.Headers { boom(); return nil }})
			return err
		}},
		{"writer", streaming(func(r *requests.Response) { _, _ = r.WriteTo(panickingWriter{}) })},
		{"interim of SendOptions", func(s *requests.Session, url string) error {
			p, err := s.Prepare(&requests.Request{Method: "GET", URL: url + "/interim"})
			if err == nil {
				_, err = s.Send(context.Background(), p, requests.SendOptions{Interim: func(int, requests.Headers) error { boom(); return nil }})
			}
			return err
		}},
		{"before sending", wrapping(adapters.BeforeSend(func(context.Context, *requests.PreparedRequest) (*requests.Response, error) { boom(); return nil, nil }), panicGetting("/"))},
		{"on an error", setUp(func(s *requests.Session) {
			failing := requests.AdapterFunc(func(context.Context, *requests.PreparedRequest, requests.SendOptions) (*requests.Response, error) {
				return nil, io.ErrUnexpectedEOF
			})
			s.Mount("http://127.0.0.1", adapters.OnError(func(context.Context, *requests.PreparedRequest, error) (*requests.Response, error) {
				boom()
				return nil, nil
			})(failing))
		}, panicGetting("/"))},
		{"content decoder", wrapping(adapters.ContentDecoder("x", func(io.Reader) (io.Reader, error) { boom(); return nil, nil }), panicGetting("/coded"))},
		{"content decoder's reader", wrapping(adapters.ContentDecoder("x", func(io.Reader) (io.Reader, error) { return panickingBody{}, nil }), panicGetting("/coded"))},
		{"mock's reply", mocked(func(m *adapters.Mock) {
			m.On("GET", "").ReplyFunc(func(*adapters.Sent) adapters.Reply { boom(); return adapters.Reply{} })
		})},
		{"mock's match", mocked(func(m *adapters.Mock) {
			m.On("GET", "", adapters.Match{Func: func(*adapters.Sent) bool { boom(); return false }})
		})},
		{"writer of Tee", streaming(func(r *requests.Response) {
			for range toolbelt.Tee(r, panickingWriter{}) {
			}
		})},
		{"writer of StreamResponseToWriter", streaming(func(r *requests.Response) { _, _ = toolbelt.StreamResponseToWriter(r, panickingWriter{}) })},
		{"loop over Tee", streaming(func(r *requests.Response) {
			for range toolbelt.TeeToFile(r, filepath.Join(dir, "tee")) {
				boom()
			}
		})},
		{"proxied, of a dump", func(s *requests.Session, url string) error {
			r, err := s.Get(context.Background(), url+"/")
			if err == nil {
				_, err = toolbelt.DumpResponse(r, toolbelt.DumpProxied(func(*requests.Response) bool { boom(); return false }))
			}
			return err
		}},
		{"monitor", panicPosting(toolbelt.NewMonitor(panickingStreamer{strings.NewReader("0123456789")}, nil))},
		{"monitor's callback", func(s *requests.Session, url string) error {
			m, err := toolbelt.MonitorFields([]toolbelt.Field{{Name: "a", Value: "b"}}, monitored)
			if err != nil {
				return err
			}
			return panicPosting(m)(s, url)
		}},
		{"monitor's writer", func(*requests.Session, string) error {
			m, err := toolbelt.MonitorFields([]toolbelt.Field{{Name: "a", Value: "b"}}, nil)
			if err == nil {
				_, err = m.WriteTo(panickingWriter{})
			}
			return err
		}},
		{"part of a multipart body", multiparted(toolbelt.Field{Name: "f", Value: panickingPart{strings.NewReader("x")}})},
		{"session of a pool", inPool(toolbelt.SessionFunc(func() *requests.Session { boom(); return nil }))},
		{"initializer of a pool", inPool(toolbelt.Initializer(func(*requests.Session) error { boom(); return nil }))},
		{"auth of a pool", inPool(toolbelt.AuthGenerator(func(*requests.Session) error { boom(); return nil }))},
		{"count of a pool", inPool(toolbelt.OnDone(func(int, int) { boom() }))},
		{"jobs of a pool", pooledJobs(func() (*toolbelt.Pool, error) {
			return toolbelt.NewPool(func(func(*requests.Request) bool) { boom() })
		})},
		{"URLs of a pool", pooledJobs(func() (*toolbelt.Pool, error) {
			return toolbelt.FromURLs(iter.Seq[string](func(func(string) bool) { boom() }))
		})},
		{"failures for a pool", pooledJobs(func() (*toolbelt.Pool, error) {
			return toolbelt.FromExceptions(func(func(toolbelt.PoolResult) bool) { boom() })
		})},
	}
}

// TestGivenPanics is TestPanics for what adapters and the toolbelt are given, with no goroutine, descriptor or file left.
func TestGivenPanics(t *testing.T) {
	for _, c := range givenPanics(t.TempDir()) {
		t.Run(c.name, func(t *testing.T) {
			server := panicServer(t)
			wiretest.NoLeak(t)
			s := newTestSession(t)
			adapter := requests.NewHTTPAdapter(requests.PoolMaxSize(1), requests.PoolBlock(true))
			s.Mount("http://", adapter)
			got := panicOf(func() {
				if err := c.run(s, server.URL("")); err != nil {
					t.Errorf("no panic: %v", err)
				}
			})
			if diff := cmp.Diff(any(thePanic), got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if n := adapter.Stats().InUse; n != 0 {
				t.Errorf("%d connections are in use", n)
			}
		})
	}
}
