package requests_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"

	"github.com/mountable/requests"
)

// An adapter carries what starts with its prefix; the longest prefix wins. It need not be HTTP.
func ExampleSession_Mount() {
	s := requests.NewSession()
	defer s.Close()
	s.Mount("fortune://", requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		return requests.NewResponse(p, 200, requests.Headers{{"Content-Type", "text/plain"}}, nil), nil
	}))
	s.Mount("https://api.example.com/", requests.NewHTTPAdapter(requests.PoolMaxSize(32), requests.MaxRetries(3)))
	for _, prefix := range s.Prefixes() {
		fmt.Println(prefix)
	}

	r, err := s.Get(context.Background(), "fortune://cookie")
	fmt.Println(r, err)
	// Output:
	// https://api.example.com/
	// fortune://
	// https://
	// http://
	// <Response [200]> <nil>
}

// A wrapper acts around the sends of any adapter.
func ExampleWrapper() {
	var logged requests.Wrapper = func(next requests.Adapter) requests.Adapter {
		return requests.AdapterFunc(func(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
			r, err := next.Send(ctx, p, opts)
			fmt.Println(p.Method, r, err)
			return r, err
		})
	}
	server := example()
	defer server.Close()
	s := requests.NewSession()
	defer s.Close()
	adapter := requests.NewHTTPAdapter()
	defer adapter.Close()
	s.Mount("http://", logged(adapter))

	s.Get(context.Background(), server.URL)
	// Output: GET <Response [200]> <nil>
}

// An adapter option edits the connection that a request is about to use. Plan shows the result without connecting.
func ExampleConfigureConn() {
	tls13 := requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
		c.TLS.MinVersion = tls.VersionTLS13
		return nil
	})
	elsewhere := requests.ResolveTo(map[string]string{"example.com": "192.0.2.7:8443"})
	adapter := requests.NewHTTPAdapter(requests.JoinAdapterOptions(tls13, elsewhere))
	defer adapter.Close()

	p, err := (&requests.Request{URL: "https://example.com/"}).Prepare()
	if err != nil {
		fmt.Println(err)
		return
	}
	plan, err := adapter.Plan(p, requests.SendOptions{Proxies: requests.Proxies{"https": "http://ada:secret@proxy.example:3128"}})
	fmt.Println(plan, err)
	fmt.Println(plan.Proxy, plan.TLS.MinVersion == tls.VersionTLS13, plan.Proxy.TLS == requests.TLSConfig{})
	// Output:
	// https://example.com:443 through http://proxy.example:3128 <nil>
	// http://proxy.example:3128 true true
}

// Socket options are a value, by the platform's numbers.
func ExampleNewSocketOptionList() {
	const solSocket, soKeepalive = 1, 9 // of Linux
	keep := requests.SocketOption{Level: solSocket, Name: soKeepalive, Int: 1}
	options := requests.DefaultSocketOptions().Append(keep)
	alike := requests.NewSocketOptionList(options.All()...)
	fmt.Println(len(options.All()), alike == options)
	adapter := requests.NewHTTPAdapter(requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
		c.Options = options
		return nil
	}))
	defer adapter.Close()
	// Output: 2 true
}

// HTTP/2 is offered to servers over TLS; one that does not take it is spoken to as always.
func ExampleHTTP2() {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) }))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	s := requests.NewSession()
	defer s.Close()
	s.Mount("https://", requests.NewHTTPAdapter(requests.HTTP2(true)))

	r, err := s.Get(context.Background(), server.URL, requests.Verify(false))
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := r.Text()
	fmt.Println(r.Proto, text, err)
	// Output: HTTP/2.0 HTTP/2.0 <nil>
}

// HTTP2PriorKnowledge speaks HTTP/2 without asking, in the clear as well.
func ExampleHTTP2PriorKnowledge() {
	adapter := requests.NewHTTPAdapter(requests.HTTP2PriorKnowledge())
	defer adapter.Close()
	p, err := (&requests.Request{URL: "http://grpc.internal/"}).Prepare()
	if err != nil {
		fmt.Println(err)
		return
	}
	plan, err := adapter.Plan(p, requests.SendOptions{})
	fmt.Println(plan.HTTP2 == requests.HTTP2Assumed, err)
	// Output: true <nil>
}

// At most two connections to a place are open at a time; who waits for one for too long is told so.
func ExamplePoolBlock() {
	server := example()
	defer server.Close()
	s := requests.NewSession()
	defer s.Close()
	s.Mount("http://", requests.NewHTTPAdapter(requests.PoolMaxSize(1), requests.PoolBlock(true), requests.PoolMaxIdle(time.Minute)))

	held, err := s.Get(context.Background(), server.URL+"/lines", requests.Stream(true))
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = s.Get(context.Background(), server.URL+"/lines", requests.Timeouts{Pool: 10 * time.Millisecond})
	fmt.Println(err.(*requests.Error).Kind)
	held.Close()
	r, err := s.Get(context.Background(), server.URL+"/lines")
	fmt.Println(r, err)
	// Output:
	// pool timeout
	// <Response [200]> <nil>
}

// An adapter alone is an http.RoundTripper too: no session, no headers that nobody asked for.
func ExampleAdapterTransport() {
	server := example()
	defer server.Close()
	adapter := requests.NewHTTPAdapter()
	defer adapter.Close()

	client := &http.Client{Transport: requests.AdapterTransport(adapter)}
	resp, err := client.PostForm(server.URL+"/login", url.Values{"user": {"ada"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	fmt.Println(string(text), err)
	// Output: POST /login, 8 bytes of application/x-www-form-urlencoded <nil>
}

// A client certificate from two files, whose key is encrypted. Nothing is read before a connection needs it, unless
// Load is called.
func ExampleCertFiles() {
	cert := requests.CertFiles("client.pem", "client.key").WithPassword("secret")
	s := requests.NewSession()
	defer s.Close()
	s.Cert = cert
	fmt.Println(cert)
	_, err := cert.Load()
	fmt.Println(err)
	// Output:
	// client.pem with client.key
	// file error: TLS client certificate client.pem: no such file or directory
}
