package adapters_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/internal/wiretest"
)

// throughNetHTTP are clients whose requests go through a session to net/http's transport,
// over HTTP/1.1 and HTTP/2.
func throughNetHTTP(t *testing.T, handler http.HandlerFunc) map[string]struct {
	client *http.Client
	url    string
} {
	t.Helper()
	wiretest.NoLeak(t)
	clients := map[string]struct {
		client *http.Client
		url    string
	}{}
	for proto, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		server := httptest.NewUnstartedServer(handler)
		server.EnableHTTP2 = http2
		server.StartTLS()
		t.Cleanup(server.Close)
		s := requests.NewSession()
		s.TrustEnv = false
		s.Mount("https://", adapters.RoundTripper(server.Client().Transport))
		t.Cleanup(func() { s.Close() })
		clients[proto] = struct {
			client *http.Client
			url    string
		}{&http.Client{Transport: s.RoundTripper()}, server.URL}
	}
	return clients
}

func echoWhileReading(w http.ResponseWriter, r *http.Request) {
	http.NewResponseController(w).EnableFullDuplex()
	w.Header().Set("X-Proto", r.Proto)
	w.WriteHeader(200)
	w.(http.Flusher).Flush()
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Body.Read(buf)
		w.Write(buf[:n])
		w.(http.Flusher).Flush()
		if err != nil {
			break
		}
	}
	for name, values := range r.Trailer {
		w.Header().Set(http.TrailerPrefix+name, strings.Join(values, ","))
	}
}

// The request's body is closed when it has been sent, not when the response begins.
func TestRoundTripperSendsOn(t *testing.T) {
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<17)
	name := filepath.Join(t.TempDir(), "big")
	if err := os.WriteFile(name, big, 0o600); err != nil {
		t.Fatal(err)
	}
	for proto, c := range throughNetHTTP(t, echoWhileReading) {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequestWithContext(t.Context(), "POST", c.url, f)
		if err != nil {
			t.Fatal(err)
		}
		req.ContentLength = int64(len(big))
		resp, err := c.client.Do(req)
		if err != nil {
			t.Fatal(proto, err)
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if !bytes.Equal(got, big) || err != nil || resp.Header.Get("X-Proto") != proto {
			t.Errorf("%s (%s): %d bytes of %d came back, %v", proto, resp.Header.Get("X-Proto"), len(got), len(big), err)
		}
		if _, err := f.Stat(); err == nil {
			t.Errorf("%s: the file is still open", proto)
		}
	}
}

// Both sides speak in turn, and trailers end what is sent.
func TestRoundTripperBothWays(t *testing.T) {
	for proto, c := range throughNetHTTP(t, echoWhileReading) {
		pr, pw := io.Pipe()
		req, err := http.NewRequestWithContext(t.Context(), "POST", c.url, pr)
		if err != nil {
			t.Fatal(err)
		}
		req.Trailer = http.Header{"X-Sum": nil}
		resp, err := c.client.Do(req)
		if err != nil {
			t.Fatal(proto, err)
		}
		for _, word := range []string{"ping", "pong", "end."} {
			if _, err := io.WriteString(pw, word); err != nil {
				t.Fatal(proto, err)
			}
			back := make([]byte, len(word))
			if _, err := io.ReadFull(resp.Body, back); err != nil || string(back) != word {
				t.Fatalf("%s: %q came back as %q, %v", proto, word, back, err)
			}
		}
		req.Trailer.Set("X-Sum", "42")
		pw.Close()
		rest, err := io.ReadAll(resp.Body)
		if len(rest) > 0 || err != nil || resp.Trailer.Get("X-Sum") != "42" {
			t.Errorf("%s: %q, %v, and the trailers %v", proto, rest, err, resp.Trailer)
		}
		resp.Body.Close()
	}
}

// Trailers of a session's own request reach net/http's server.
func TestRoundTripperTrailers(t *testing.T) {
	for proto, c := range throughNetHTTP(t, echoWhileReading) {
		s := requests.NewSession()
		s.Mount("https://", adapters.RoundTripper(c.client.Transport))
		defer s.Close()
		r, err := s.Do(t.Context(), &requests.Request{
			Method: "POST", URL: c.url, Body: io.MultiReader(strings.NewReader("body")), Headers: requests.Headers{{"Trailer", "X-Sum"}},
			Trailers: func() requests.Headers { return requests.Headers{{"X-Sum", "4"}} },
		})
		if err != nil {
			t.Fatal(proto, err)
		}
		if text, _ := r.Text(); text != "body" || r.Trailers().Get("X-Sum") != "4" {
			t.Errorf("%s: %q with the trailers %v", proto, text, r.Trailers())
		}
	}
}

// A trace hears of an interim response once, whoever passes it on.
func TestInterimOnce(t *testing.T) {
	handler := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>")
		w.WriteHeader(103)
		io.WriteString(w, "final")
	}
	for proto, c := range throughNetHTTP(t, handler) {
		var seen []int
		connected := 0
		ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
			GotConn:        func(httptrace.GotConnInfo) { connected++ },
			Got1xxResponse: func(status int, _ textproto.MIMEHeader) error { seen = append(seen, status); return nil },
		})
		req, err := http.NewRequestWithContext(ctx, "GET", c.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if diff := cmp.Diff([]int{103, 1}, append(seen, connected)); diff != "" {
			t.Errorf("%s: interim responses, and connections (-want +got)\n%s", proto, diff)
		}
	}
}

// A body that goes on behind its announced length is an error, although the server has
// responded to what it got; one of which nobody knows the end does not hold a response back.
func TestRoundTripperOverlong(t *testing.T) {
	s := requests.NewSession()
	defer s.Close()
	s.Mount("http://", adapters.RoundTripper(tripper(func(req *http.Request) (*http.Response, error) {
		if _, err := io.ReadFull(req.Body, make([]byte, 3)); err != nil {
			return nil, err
		}
		go func() { // as net/http's writer does
			io.Copy(io.Discard, req.Body)
			req.Body.Close()
		}()
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	})))
	pr, pw := io.Pipe()
	defer pw.Close()
	go io.WriteString(pw, "abc")
	for name, c := range map[string]struct {
		body io.Reader
		want error
	}{
		"longer":     {io.MultiReader(strings.NewReader("abcde")), requests.ErrBodyLength},
		"as long":    {io.MultiReader(strings.NewReader("abc")), nil},
		"never ends": {pr, nil},
	} {
		p, err := s.Prepare(&requests.Request{Method: "POST", URL: "http://h.test/", Body: c.body})
		if err != nil {
			t.Fatal(err)
		}
		p.Headers.Del("Transfer-Encoding")
		p.Headers.Set("Content-Length", "3")
		if _, err := s.Send(t.Context(), p, requests.SendOptions{}); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}
