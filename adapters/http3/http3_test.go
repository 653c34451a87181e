package http3_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	quichttp3 "github.com/quic-go/quic-go/http3"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/adapters/adaptertest"
	"github.com/mountable/requests/adapters/http3"
	"github.com/mountable/requests/internal/wiretest"
)

func TestMain(m *testing.M) { wiretest.Main(m) }

// served starts quic-go's server and returns the URL of its root, without a slash.
func served(t testing.TB, config *tls.Config, h http.Handler) string {
	t.Helper()
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	return servedOn(t, socket, config, h)
}

// servedOn is served on a socket.
func servedOn(t testing.TB, socket *net.UDPConn, config *tls.Config, h http.Handler) string {
	t.Helper()
	server := &quichttp3.Server{Handler: h, TLSConfig: quichttp3.ConfigureTLSConfig(config)}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(socket)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		_ = socket.Close()
		<-ended
	})
	return "https://" + socket.LocalAddr().String()
}

// trusting accepts the tests' authority.
func trusting() requests.AdapterOption {
	return requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
		c.TLS.Verify = requests.CABundlePEM(wiretest.TestCA().PEM())
		return nil
	})
}

func opened(t testing.TB, options ...requests.AdapterOption) *http3.Adapter {
	a := http3.New(append(options, trusting())...)
	t.Cleanup(func() { _ = a.Close() })
	return a
}

func prepared(t testing.TB, method, url string, options ...requests.Option) *requests.PreparedRequest {
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

// TestContract runs the contract of an adapter against quic-go's server. Without Aborts, as a
// stream that is reset may lose what was sent before, the head too: TestFrames has bodies that are cut.
func TestContract(t *testing.T) {
	adaptertest.Run(t, func(t *testing.T, h http.Handler) (requests.Adapter, string) {
		return opened(t), served(t, wiretest.TestCA().Server(), h)
	}, adaptertest.Without(adaptertest.Aborts))
}

// TestRequestTrailers: the fields behind a body arrive.
func TestRequestTrailers(t *testing.T) {
	base := served(t, wiretest.TestCA().Server(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %v %q", body, err, r.Trailer["X-End"])
	}))
	p := prepared(t, "POST", base+"/", requests.Body("body"), trailing{})
	r, err := opened(t).Send(t.Context(), p, requests.SendOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if text, err := r.Text(); text != `body <nil> ["1" "2"]` || err != nil {
		t.Errorf("%s, %v", text, err)
	}
}

// trailing gives a request trailers.
type trailing struct{}

func (trailing) Apply(r *requests.Request) error {
	r.Headers = append(r.Headers, [2]string{"Trailer", "X-End"})
	r.Trailers = func() requests.Headers { return requests.Headers{{"X-End", "1"}, {"X-End", "2"}} }
	return nil
}

// panicking is a body that panics once its first bytes have been sent.
type panicking struct {
	sent bool
	when <-chan struct{}
}

func (b *panicking) Read(p []byte) (int, error) {
	if b.sent {
		<-b.when
		panic("the body's own")
	}
	b.sent = true
	return copy(p, "begin"), nil
}

// TestBodyPanics: a panic of the caller's body reaches the caller, before the response and behind its
// head, and leaves the connection to others.
func TestBodyPanics(t *testing.T) {
	base := served(t, wiretest.TestCA().Server(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/early" {
			w.(http.Flusher).Flush()
		}
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	a := opened(t)
	for _, path := range []string{"/", "/early"} {
		when := make(chan struct{})
		got := func() (v any) {
			defer func() { v = recover() }()
			if path == "/" {
				close(when)
			}
			r, err := a.Send(t.Context(), prepared(t, "POST", base+path, requests.Body(&panicking{when: when})), requests.SendOptions{})
			if err != nil {
				return err
			}
			defer r.Close()
			close(when)
			_, err = r.Content()
			return err
		}()
		if got != "the body's own" {
			t.Errorf("%s: %v", path, got)
		}
	}
	r, err := a.Send(t.Context(), prepared(t, "GET", base+"/"), requests.SendOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = r.Content()
	if s := a.Stats(); s.InUse != 0 || s.Opened != 1 {
		t.Errorf("%+v", s)
	}
}

// TestParallel: a hundred requests share a connection.
func TestParallel(t *testing.T) {
	base := served(t, wiretest.TestCA().Server(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.URL.Path+strings.Repeat("x", 10_000))
	}))
	a := opened(t)
	var group sync.WaitGroup
	for i := range 100 {
		group.Go(func() {
			path := "/" + strings.Repeat("p", i)
			r, err := a.Send(t.Context(), prepared(t, "GET", base+path), requests.SendOptions{})
			if err != nil {
				t.Error(err)
				return
			}
			defer r.Close()
			if text, err := r.Content(); err != nil || string(text) != path+strings.Repeat("x", 10_000) {
				t.Errorf("%s: %d bytes, %v", path, len(text), err)
			}
		})
	}
	group.Wait()
	if stats := a.Stats(); stats.Opened != 1 || stats.Requests != 100 {
		t.Errorf("%d requests on %d connections", stats.Requests, stats.Opened)
	}
}

// TestKinds: what cannot be sent, and why; none of it has been written.
func TestKinds(t *testing.T) {
	ca := wiretest.TestCA()
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	base, wrong := served(t, ca.Server(), ok), served(t, ca.WrongHost(), ok)
	silent, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	edit := func(e func(c *requests.ConnConfig)) requests.AdapterOption {
		return requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error { e(c); return nil })
	}
	pin, err := adapters.Fingerprint(strings.Repeat("00", 32))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		url    string
		option requests.AdapterOption
		want   requests.Kind
	}{
		"the certificate of another host": {wrong, nil, requests.ErrSSL},
		"another fingerprint":             {base, pin, requests.ErrSSL},
		"an address that is denied":       {base, adapters.DenyPrivate(), requests.ErrDenied},
		"a server that never answers":     {"https://" + silent.LocalAddr().String(), nil, requests.ErrConnectTimeout},
		"a proxy":                         {base, edit(func(c *requests.ConnConfig) { c.Proxy.Scheme, c.Proxy.Tunnel = "http", true }), requests.ErrProxy},
		"a Unix socket":                   {base, edit(func(c *requests.ConnConfig) { c.Network = "unix" }), requests.ErrInvalidArgument},
		"an interface":                    {base, edit(func(c *requests.ConnConfig) { c.Interface = "lo" }), requests.ErrInvalidArgument},
		"an http URL":                     {"http://127.0.0.1/", nil, requests.ErrInvalidSchema},
	} {
		options := requests.SendOptions{Timeouts: requests.Timeouts{Connect: 5 * time.Second}}
		if c.want == requests.ErrConnectTimeout {
			options.Timeouts.Connect = 50 * time.Millisecond
		}
		a := opened(t, c.option)
		_, err := a.Send(t.Context(), prepared(t, "GET", c.url), options)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// TestResponse: what a response has is what an HTTPAdapter's has.
func TestResponse(t *testing.T) {
	base := served(t, wiretest.TestCA().Server(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Method", r.Method)
		_, _ = io.Copy(w, r.Body)
	}))
	s := requests.NewSession()
	s.Mount("https://", opened(t))
	t.Cleanup(func() { _ = s.Close() })
	r, err := s.Post(context.Background(), base+"/a?b=c", requests.Body(strings.NewReader("content")))
	if err != nil {
		t.Fatal(err)
	}
	content, err := r.Content()
	if err != nil {
		t.Fatal(err)
	}
	got := []any{r.StatusCode, r.Proto, r.Headers.Get("X-Method"), string(content), r.TLS != nil && len(r.TLS.VerifiedChains) > 0}
	if diff := cmp.Diff([]any{200, "HTTP/3.0", "POST", "content", true}, got); diff != "" {
		t.Error(diff)
	}
}
