package interop

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"testing"
)

// transportChecks are what net/http's own tests of its Transport found to be different.
var transportChecks = []check{
	{name: "known words", protocols: []string{"h1", "h2"}, serve: echo, run: knownWords},
	{name: "other schemes", protocols: []string{"h1"}, serve: echo, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		var out []string
		for _, scheme := range []string{"httpss", "ws", "wss", "foo", "ftp", "httpx", ""} {
			body := &closing{Reader: strings.NewReader("x")}
			req := get(t, "POST", base+"/", body)
			req.URL.Scheme = scheme
			_, err := rt.RoundTrip(req.WithContext(limited(t)))
			out = append(out, fmt.Sprint(scheme, err != nil, body.closed(), body.read()))
		}
		return out
	}},
	{name: "server without TLS", protocols: []string{"h1"}, serve: echo, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		_, err := (&http.Client{Transport: rt}).Do(get(t, "GET", strings.Replace(base, "http", "https", 1), nil).WithContext(limited(t)))
		return errors.Is(err, http.ErrSchemeMismatch)
	}},
	{name: "errors of the body", serve: echo, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		var out []string
		mine := errors.New("mine")
		for _, size := range []int64{0, 3, 300 << 10} {
			body := &closing{Reader: io.MultiReader(io.LimitReader(zeros{}, size), failing{mine})}
			_, err := rt.RoundTrip(get(t, "POST", base+"/", body).WithContext(limited(t)))
			out = append(out, fmt.Sprint(err == mine, body.closed()))
		}
		return out
	}},
	{name: "several user agents", protocols: []string{"h1", "h2"}, serve: func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Header["User-Agent"]) },
		run: forEach(func(t *testing.T, base string) []*http.Request {
			req := get(t, "GET", base+"/", nil)
			req.Header["User-Agent"] = []string{"one", "two"}
			return []*http.Request{req}
		})},
	{name: "codings asked for", serve: func(w http.ResponseWriter, r *http.Request) { w.Header()["X-Asked"] = r.Header["Accept-Encoding"] },
		run: func(t *testing.T, rt http.RoundTripper, base string) any {
			part := get(t, "GET", base+"/", nil)
			part.Header.Set("Range", "bytes=0-9")
			var out []string
			for _, req := range []*http.Request{part, get(t, "HEAD", base+"/", nil)} {
				resp, err := rt.RoundTrip(req.WithContext(limited(t)))
				if err != nil {
					return err
				}
				resp.Body.Close()
				out = append(out, fmt.Sprint(resp.Header["X-Asked"], resp.Close, resp.ContentLength))
			}
			return out
		}},
	{name: "unknown codings", serve: func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", r.URL.Query().Get("as"))
		io.WriteString(w, "body")
	}, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		var out []string
		for _, as := range []string{"foo", "application/gzip", "identity"} {
			resp, err := rt.RoundTrip(get(t, "GET", base+"/?as="+as, nil).WithContext(limited(t)))
			if err != nil {
				return err
			}
			body, err := io.ReadAll(resp.Body)
			out = append(out, fmt.Sprint(resp.Header["Content-Encoding"], resp.Uncompressed, resp.ContentLength, string(body), err))
		}
		return out
	}},
	{name: "empty responses and their connection", serve: func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/204" {
			w.WriteHeader(204)
		}
	}, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		var out []string
		for _, path := range []string{"/204", "/200"} {
			resp, err := rt.RoundTrip(get(t, "GET", base+path, nil).WithContext(limited(t)))
			if err != nil {
				return err
			}
			out = append(out, fmt.Sprint(resp.Close, resp.ContentLength, resp.TransferEncoding))
		}
		return out
	}},
	{name: "fields in a trace", protocols: []string{"h1", "tls"}, serve: echo, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		fields := map[string][]string{}
		trace := &httptrace.ClientTrace{WroteHeaderField: func(name string, values []string) {
			fields[name] = append(fields[name], fmt.Sprint(values))
		}}
		req := get(t, "GET", base+"/", nil)
		req.Header["X-Two"] = []string{"a", "b"}
		resp, err := rt.RoundTrip(req.WithContext(httptrace.WithClientTrace(limited(t), trace)))
		if err != nil {
			return err
		}
		resp.Body.Close()
		return fmt.Sprint(fields["X-Two"], fields["Host"][0] == fmt.Sprint([]string{req.URL.Host}))
	}},
	{name: "unknown authority in a trace", protocols: []string{"tls", "h2"}, serve: echo, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		var told error
		trace := &httptrace.ClientTrace{TLSHandshakeDone: func(_ tls.ConnectionState, err error) { told = err }}
		_, err := rt.RoundTrip(get(t, "GET", newStranger(t), nil).WithContext(httptrace.WithClientTrace(limited(t), trace)))
		_, bare := told.(*tls.CertificateVerificationError)
		return fmt.Sprint(err != nil, bare)
	}},
	{name: "request of the response", serve: echo, run: func(t *testing.T, rt http.RoundTripper, base string) any {
		req := get(t, "POST", base+"/", strings.NewReader("x")).WithContext(limited(t))
		resp, err := rt.RoundTrip(req)
		if err != nil {
			return err
		}
		resp.Body.Close()
		return resp.Request == req
	}},
}

// failing is a reader that fails.
type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// knownWords shows what programs find in the texts of errors.
func knownWords(t *testing.T, rt http.RoundTripper, base string) any {
	var out []string
	for _, c := range []struct {
		edit  func(*http.Request)
		words string
	}{
		{func(r *http.Request) { r.Method = "BAD METHOD" }, `invalid method "BAD METHOD"`},
		{func(r *http.Request) { r.Header["bad name"] = []string{"x"} }, `invalid header field name "bad name"`},
		{func(r *http.Request) { r.Header["X"] = []string{"a\nb"} }, `invalid header field value for "X"`},
		{func(r *http.Request) { r.Trailer = http.Header{"bad name": {"x"}} }, `invalid trailer field name "bad name"`},
		{func(r *http.Request) { r.Trailer = http.Header{"X": {"a\nb"}} }, `invalid trailer field value for "X"`},
		{func(r *http.Request) { r.URL = &url.URL{Scheme: "http"} }, "no Host in request URL"},
		{func(r *http.Request) { r.URL = &url.URL{Scheme: "faux"} }, `unsupported protocol scheme "faux"`},
		{func(r *http.Request) { r.URL = &url.URL{Scheme: "faux", Host: "h.test"} }, `unsupported protocol scheme "faux"`},
	} {
		body := &closing{Reader: strings.NewReader("x")}
		req := get(t, "POST", base+"/", body)
		c.edit(req)
		_, err := rt.RoundTrip(req.WithContext(limited(t)))
		out = append(out, fmt.Sprintf("%s: %t %t %t", c.words, err != nil, err != nil && strings.Contains(err.Error(), c.words), body.closed()))
	}
	return strings.Join(out, "\n")
}
