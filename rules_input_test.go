package requests_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt"
)

// listener keeps every byte that comes in, and answers each request that seems whole.
type listener struct {
	*wiretest.Server
	mu   sync.Mutex
	seen bytes.Buffer
}

func listen(t *testing.T, reply string) *listener {
	l := &listener{}
	ready := make(chan struct{})
	l.Server = wiretest.Start(t, wiretest.Config{Conn: func(c net.Conn) {
		<-ready
		l.hear(c, reply)
	}})
	close(ready)
	return l
}

func (l *listener) hear(c net.Conn, reply string) {
	block := make([]byte, 64<<10)
	for {
		_ = c.SetReadDeadline(time.Now().Add(2 * time.Second))
		n, err := c.Read(block)
		l.mu.Lock()
		l.seen.Write(block[:n])
		l.mu.Unlock()
		if err != nil {
			return
		}
		if _, err := c.Write([]byte(reply)); err != nil {
			return
		}
	}
}

func (l *listener) heard() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.seen.String()
}

// broken is a line that the library did not mean to begin.
var broken = regexp.MustCompile(`(?i)[\r\n\x00]\s*(X-Evil|GET /evil)`)

// evils are what callers may have been talked into passing on.
var evils = []string{
	"v\r\nX-Evil: 1", "v\nX-Evil: 1", "v\rX-Evil: 1", "v\x00X-Evil: 1", "\r\nX-Evil: 1", "\nX-Evil: 1",
	"v\r\n\r\nGET /evil HTTP/1.1\r\nHost: h\r\n\r\n", "v\r\n X-Evil: 1", "v HTTP/1.1\r\nX-Evil: 1\r\n\r\n",
	"v\u010aX-Evil: 1", "v\u560d\u560aX-Evil: 1", "v%0d%0aX-Evil:%201", "v\u0085X-Evil: 1", "v\u2028X-Evil: 1", "v\v\fX-Evil: 1",
}

// place is somewhere in a request where text of the caller's goes.
type place func(ctx context.Context, s *requests.Session, base, evil string) error

func get(ctx context.Context, s *requests.Session, url string, options ...requests.Option) error {
	_, err := s.Get(ctx, url, options...)
	return err
}

func post(ctx context.Context, s *requests.Session, url string, options ...requests.Option) error {
	_, err := s.Post(ctx, url, options...)
	return err
}

// afterwards sends a request that was changed after it was prepared.
func afterwards(edit func(p *requests.PreparedRequest, evil string)) place {
	return func(ctx context.Context, s *requests.Session, base, evil string) error {
		p, err := s.Prepare(&requests.Request{Method: "POST", URL: base + "/", Body: "body"})
		if err != nil {
			return err
		}
		edit(p, evil)
		_, err = s.Send(ctx, p, requests.SendOptions{})
		return err
	}
}

// foreign sends net/http's request over the session and over the bare adapter.
func foreign(edit func(r *http.Request, evil string)) place {
	return func(ctx context.Context, s *requests.Session, base, evil string) error {
		a, err := s.Adapter(base)
		if err != nil {
			return err
		}
		for _, transport := range []http.RoundTripper{s.RoundTripper(), requests.AdapterTransport(a)} {
			r, err := http.NewRequestWithContext(ctx, "POST", base+"/", strings.NewReader("body"))
			if err != nil {
				return err
			}
			edit(r, evil)
			if resp, err := transport.RoundTrip(r); err == nil {
				resp.Body.Close()
			}
		}
		return nil
	}
}

var places = map[string]place{
	"method": func(ctx context.Context, s *requests.Session, base, evil string) error {
		_, err := s.Request(ctx, evil, base+"/")
		return err
	},
	"path": func(ctx context.Context, s *requests.Session, base, evil string) error {
		return get(ctx, s, base+"/"+evil)
	},
	"query": func(ctx context.Context, s *requests.Session, base, evil string) error {
		return get(ctx, s, base+"/?"+evil)
	},
	"fragment": func(ctx context.Context, s *requests.Session, base, evil string) error {
		return get(ctx, s, base+"/#"+evil)
	},
	"host": func(ctx context.Context, s *requests.Session, base, evil string) error {
		return get(ctx, s, base+evil+"/")
	},
	"user": func(ctx context.Context, s *requests.Session, base, evil string) error {
		return get(ctx, s, strings.Replace(base, "//", "//"+evil+":p@", 1)+"/")
	},
	"param": func(ctx context.Context, s *requests.Session, base, evil string) error {
		return get(ctx, s, base, requests.Params{{evil, evil}})
	},
	"query text": func(ctx context.Context, s *requests.Session, base, evil string) error {
		return get(ctx, s, base, requests.Query(evil))
	},
	"header": func(ctx context.Context, s *requests.Session, base, evil string) error {
		return get(ctx, s, base, requests.Headers{{"X-A", evil}})
	},
	"header name": func(ctx context.Context, s *requests.Session, base, evil string) error {
		return get(ctx, s, base, requests.Headers{{evil, "v"}})
	},
	"Host": func(ctx context.Context, s *requests.Session, base, evil string) error {
		return get(ctx, s, base, requests.Headers{{"Host", evil}})
	},
	"own length": func(ctx context.Context, s *requests.Session, base, evil string) error {
		return get(ctx, s, base, requests.Headers{{"Content-Length", evil}})
	},
	"session header": func(ctx context.Context, s *requests.Session, base, evil string) error {
		s.Headers.Set("X-A", evil)
		defer s.Headers.Del("X-A")
		return get(ctx, s, base)
	},
	"session param": func(ctx context.Context, s *requests.Session, base, evil string) error {
		s.Params = requests.Params{{evil, evil}}
		defer func() { s.Params = nil }()
		return get(ctx, s, base)
	},
	"Cookie": func(ctx context.Context, s *requests.Session, base, evil string) error {
		return get(ctx, s, base, requests.Headers{{"Cookie", evil}})
	},
	"cookie": func(ctx context.Context, s *requests.Session, base, evil string) error {
		_ = get(ctx, s, base, requests.Cookies{{evil, "v"}})
		return get(ctx, s, base, requests.Cookies{{"k", evil}})
	},
	"jar": func(ctx context.Context, s *requests.Session, base, evil string) error {
		for _, c := range []requests.Cookie{{Name: "k", Value: evil}, {Name: evil, Value: "v"}, {Name: "k", Path: "/" + evil}, {Name: "k", Domain: evil}, {Name: "k", Value: "v", SameSite: evil}} {
			_ = s.Cookies.Set(c)
		}
		s.Cookies.SetCookies(&url.URL{Scheme: "http", Host: "127.0.0.1", Path: "/"}, []*http.Cookie{{Name: "k", Value: evil}, {Name: evil, Value: "v"}})
		return get(ctx, s, base)
	},
	"netscape jar": func(ctx context.Context, s *requests.Session, base, evil string) error {
		jar := requests.NewCookieJar(requests.NetscapeRules())
		_ = jar.Set(requests.Cookie{Name: "k", Value: evil})
		_ = jar.UnmarshalText([]byte("127.0.0.1\tFALSE\t/\tFALSE\t0\tk\t" + evil + "\n"))
		_ = jar.UnmarshalJSON([]byte(fmt.Sprintf(`[{"name":"k","domain":"127.0.0.1","path":"/","raw_value":%q}]`, "djENClgtRXZpbDogMQ==")))
		return get(ctx, s, base, requests.OptionFunc(func(r *requests.Request) error { r.Jar = jar; return nil }))
	},
	"basic": func(ctx context.Context, s *requests.Session, base, evil string) error {
		return get(ctx, s, base, requests.Authenticate(requests.BasicAuth(evil, evil)))
	},
	"bearer": func(ctx context.Context, s *requests.Session, base, evil string) error {
		return get(ctx, s, base, requests.Authenticate(requests.BearerAuth(evil)))
	},
	"toolbelt": func(ctx context.Context, s *requests.Session, base, evil string) error {
		return get(ctx, s, base, requests.Authenticate(requests.BearerAuth(evil)))
	},
	"digest": func(ctx context.Context, s *requests.Session, base, evil string) error {
		d := requests.DigestAuth(evil, evil)
		d.ClientNonce = func() string { return evil }
		return get(ctx, s, base, requests.Authenticate(d))
	},
	"user agent": func(ctx context.Context, s *requests.Session, base, evil string) error {
		return get(ctx, s, base, requests.Headers{{"User-Agent", toolbelt.UserAgent(evil, evil, [2]string{evil, evil})}})
	},
	"form": func(ctx context.Context, s *requests.Session, base, evil string) error {
		return post(ctx, s, base, requests.Form{{evil, evil}})
	},
	"form data": func(ctx context.Context, s *requests.Session, base, evil string) error {
		return post(ctx, s, base, toolbelt.FormData{{evil, toolbelt.FormData{{evil, evil}}}})
	},
	"file": func(ctx context.Context, s *requests.Session, base, evil string) error {
		for _, f := range []requests.File{{Field: evil}, {Field: "f", Name: evil}, {Field: "f", ContentType: evil}, {Field: "f", Headers: requests.Headers{{"X-A", evil}}}, {Field: "f", Headers: requests.Headers{{evil, "v"}}}} {
			f.Content = strings.NewReader("content")
			_ = post(ctx, s, base, requests.Files{f})
		}
		return nil
	},
	"part": func(ctx context.Context, s *requests.Session, base, evil string) error {
		for _, f := range []toolbelt.Field{{Name: evil}, {Name: "f", Filename: evil}, {Name: "f", ContentType: evil}, {Name: "f", Headers: requests.Headers{{"X-A", evil}}}, {Name: "f", Headers: requests.Headers{{evil, "v"}}}} {
			_ = post(ctx, s, base, toolbelt.Fields{f})
		}
		e, err := toolbelt.NewMultipartEncoder([]toolbelt.Field{{Name: "f"}}, toolbelt.Boundary(evil))
		if err != nil {
			return err
		}
		return post(ctx, s, base, e)
	},
	"opened file": func(ctx context.Context, s *requests.Session, base, evil string) error {
		dir, err := os.MkdirTemp("", "rule22")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		f, err := os.Create(filepath.Join(dir, filepath.Base(evil)))
		if err != nil {
			return err
		}
		defer f.Close()
		return post(ctx, s, base, requests.Files{{Field: "f", Content: f}})
	},
	"proxy user": func(ctx context.Context, s *requests.Session, base, evil string) error {
		return get(ctx, s, "http://example.com/", requests.Proxies{"http": strings.Replace(base, "//", "//"+evil+":"+evil+"@", 1)})
	},
	"tunnel user": func(ctx context.Context, s *requests.Session, base, evil string) error {
		return get(ctx, s, "https://example.com/", requests.Proxies{"https": strings.Replace(base, "//", "//"+evil+":"+evil+"@", 1)})
	},
	"forwarded": func(ctx context.Context, s *requests.Session, base, evil string) error {
		_ = get(ctx, s, "http://example.com/"+evil, requests.Proxies{"http": base})
		_ = get(ctx, s, "http://example.com"+evil, requests.Proxies{"http": base})
		return get(ctx, s, "http://example.com/?"+evil, requests.Proxies{"http": base})
	},
	"tunnelled": func(ctx context.Context, s *requests.Session, base, evil string) error {
		_ = get(ctx, s, "https://example.com"+evil+"/", requests.Proxies{"https": base})
		return get(ctx, s, "https://example.com/", requests.Proxies{"https": base}, requests.Headers{{"Proxy-Authorization", evil}})
	},
	"proxy headers": func(ctx context.Context, s *requests.Session, base, evil string) error {
		for _, h := range []requests.Headers{{{"X-A", evil}}, {{evil, "v"}}, {{"Host", evil}}} {
			option, err := adapters.ProxyHeaders(h)
			if err != nil {
				continue
			}
			own := requests.NewSession()
			own.TrustEnv = false
			own.Mount("http://", requests.NewHTTPAdapter(option))
			own.Mount("https://", requests.NewHTTPAdapter(option))
			_ = get(ctx, own, "http://example.com/", requests.Proxies{"all": base})
			_ = get(ctx, own, "https://example.com/", requests.Proxies{"all": base})
			own.Close()
		}
		return nil
	},
	"conn editor": func(ctx context.Context, s *requests.Session, base, evil string) error {
		own := requests.NewSession()
		defer own.Close()
		own.TrustEnv = false
		edit := requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
			c.Host, c.Proxy.Authorization = evil, evil
			return nil
		})
		own.Mount("https://", requests.NewHTTPAdapter(edit))
		return get(ctx, own, "https://example.com/", requests.Proxies{"all": base})
	},
	"edited method": afterwards(func(p *requests.PreparedRequest, evil string) { p.Method = evil }),
	"edited URL":    afterwards(func(p *requests.PreparedRequest, evil string) { p.URL += evil }),
	"edited query":  afterwards(func(p *requests.PreparedRequest, evil string) { p.URL += "?" + evil }),
	"edited host":   afterwards(func(p *requests.PreparedRequest, evil string) { p.URL = strings.TrimSuffix(p.URL, "/") + evil }),
	"edited header": afterwards(func(p *requests.PreparedRequest, evil string) { p.Headers.Add("X-A", evil) }),
	"edited name":   afterwards(func(p *requests.PreparedRequest, evil string) { p.Headers.Add(evil, "v") }),
	"edited Host":   afterwards(func(p *requests.PreparedRequest, evil string) { p.Headers.Set("Host", evil) }),
	"edited cookie": afterwards(func(p *requests.PreparedRequest, evil string) { p.Headers.Set("Cookie", evil) }),
	"edited coding": afterwards(func(p *requests.PreparedRequest, evil string) {
		p.Headers.Set("Transfer-Encoding", evil)
		p.Headers.Del("Content-Length")
	}),
	"http method":   foreign(func(r *http.Request, evil string) { r.Method = evil }),
	"http header":   foreign(func(r *http.Request, evil string) { r.Header["X-A"] = []string{evil} }),
	"http name":     foreign(func(r *http.Request, evil string) { r.Header[evil] = []string{"v"} }),
	"http Host":     foreign(func(r *http.Request, evil string) { r.Host = evil }),
	"http path":     foreign(func(r *http.Request, evil string) { r.URL.Path = "/" + evil }),
	"http raw path": foreign(func(r *http.Request, evil string) { r.URL.Path, r.URL.RawPath = "/"+evil, "/"+evil }),
	"http opaque":   foreign(func(r *http.Request, evil string) { r.URL.Opaque = evil }),
	"http query":    foreign(func(r *http.Request, evil string) { r.URL.RawQuery = evil }),
	"http host":     foreign(func(r *http.Request, evil string) { r.URL.Host += evil }),
	"http user":     foreign(func(r *http.Request, evil string) { r.URL.User = url.UserPassword(evil, evil) }),
	"http coding":   foreign(func(r *http.Request, evil string) { r.TransferEncoding = []string{evil} }),
	"http trailer":  foreign(func(r *http.Request, evil string) { r.Trailer = http.Header{evil: {evil}} }),
}

// TestRule22Everywhere: whatever is put anywhere into a request, no line begins that the
// library did not mean to, in the head or in the body. The listener answers, so that
// every request comes to its end.
func TestRule22Everywhere(t *testing.T) {
	challenge := "HTTP/1.1 401 No\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\nContent-Length: 0\r\n\r\n"
	for _, reply := range []string{"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", challenge} {
		l := listen(t, reply)
		base := "http://" + l.Addr()
		for name, where := range places {
			for _, evil := range evils {
				s := newSession(t)
				before := len(l.heard())
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				_ = where(ctx, s, base, evil)
				cancel()
				s.Close()
				if got := l.heard()[before:]; broken.MatchString(got) {
					t.Errorf("%s, %q: the server got\n%q", name, evil, got)
				}
			}
		}
	}
}
