//go:build unix

package bench

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net/http"

	carlmjohnson "github.com/carlmjohnson/requests"
	"github.com/dghubble/sling"
	resty2 "github.com/go-resty/resty/v2"
	fiber3 "github.com/gofiber/fiber/v3/client"
	"github.com/mountable/requests"
	"github.com/valyala/fasthttp"
	resty3 "resty.dev/v3"
)

// get gets a page and reads it to its end, and returns its length.
type get func(url string) (int, error)

func pool(ca string) *x509.CertPool {
	p := x509.NewCertPool()
	p.AppendCertsFromPEM([]byte(ca))
	return p
}

// session is one of this library, with all its defaults but the size of the pool, which the
// peers' is as large as.
func session(ca string, options ...requests.AdapterOption) *requests.Session {
	s := requests.NewSession()
	adapter := requests.NewHTTPAdapter(append(options, requests.PoolMaxSize(1000))...)
	s.Mount("http://", adapter)
	s.Mount("https://", adapter)
	s.Verify = requests.CABundlePEM([]byte(ca))
	return s
}

func standard(ca string, second bool) *http.Client {
	return &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 1000, DisableCompression: true, ForceAttemptHTTP2: second, TLSClientConfig: &tls.Config{RootCAs: pool(ca)},
	}}
}

func fast(ca string) *fasthttp.Client {
	return &fasthttp.Client{MaxConnsPerHost: 1000, TLSConfig: &tls.Config{RootCAs: pool(ca)}}
}

// getters are the clients for small pages and for large ones.
var getters = []struct {
	name string
	make func(ca string) get
}{
	{"requests", func(ca string) get { return ours(session(ca)) }},
	{"net/http", func(ca string) get { return theirs(standard(ca, false)) }},
	{"fasthttp", func(ca string) get {
		c := fast(ca)
		return func(url string) (int, error) {
			_, content, err := c.Get(nil, url)
			return len(content), err
		}
	}},
	{"fiber 3", func(ca string) get {
		c := fiber3.NewWithClient(fast(ca))
		return func(url string) (int, error) {
			r, err := c.Get(url)
			if err != nil {
				return 0, err
			}
			defer r.Close()
			return len(r.Body()), nil
		}
	}},
	{"resty 2", func(ca string) get {
		c := resty2.NewWithClient(standard(ca, false))
		return func(url string) (int, error) {
			r, err := c.R().Get(url)
			if err != nil {
				return 0, err
			}
			return len(r.Body()), nil
		}
	}},
	{"resty 3", func(ca string) get {
		c := resty3.NewWithClient(standard(ca, false))
		return func(url string) (int, error) {
			r, err := c.R().Get(url)
			if err != nil {
				return 0, err
			}
			return len(r.Bytes()), nil
		}
	}},
	{"carlmjohnson", func(ca string) get {
		c := standard(ca, false)
		return func(url string) (int, error) {
			var b bytes.Buffer
			err := carlmjohnson.URL(url).Client(c).ToBytesBuffer(&b).Fetch(context.Background())
			return b.Len(), err
		}
	}},
	{"sling", func(ca string) get {
		base := sling.New().Client(standard(ca, false)).ResponseDecoder(whole{})
		return func(url string) (int, error) {
			var b []byte
			_, err := base.New().Get(url).ReceiveSuccess(&b)
			return len(b), err
		}
	}},
}

// whole makes sling read a body as it is.
type whole struct{}

func (whole) Decode(r *http.Response, v any) (err error) {
	*(v.(*[]byte)), err = io.ReadAll(r.Body)
	return err
}

func ours(s *requests.Session) get {
	return func(url string) (int, error) {
		r, err := s.Get(context.Background(), url)
		if err != nil {
			return 0, err
		}
		content, err := r.Content()
		return len(content), err
	}
}

func theirs(c *http.Client) get {
	return func(url string) (int, error) {
		r, err := c.Get(url)
		return length(r, err)
	}
}

func length(r *http.Response, err error) (int, error) {
	if err != nil {
		return 0, err
	}
	defer r.Body.Close()
	content, err := io.ReadAll(r.Body)
	return len(content), err
}
