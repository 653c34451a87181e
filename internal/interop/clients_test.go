package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-resty/resty/v2"
	"github.com/gocolly/colly/v2"
	"github.com/gregjones/httpcache"
	"github.com/hashicorp/go-retryablehttp"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
	"k8s.io/apimachinery/pkg/runtime"
	corev1 "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
	resty3 "resty.dev/v3"
)

// api is a server as many clients meet one: JSON, forms, files, redirects, errors that pass.
func api() http.Handler {
	mux, failures := http.NewServeMux(), atomic.Int32{}
	mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"method": r.Method, "query": r.URL.RawQuery, "body": string(body), "auth": r.Header.Get("Authorization"), "type": r.Header.Get("Content-Type"), "length": r.ContentLength})
	})
	mux.HandleFunc("/upload", func(w http.ResponseWriter, r *http.Request) {
		f, header, err := r.FormFile("file")
		if err != nil {
			http.Error(w, err.Error(), 400)
			return
		}
		n, _ := io.Copy(io.Discard, f)
		fmt.Fprint(w, header.Filename, " ", n, " ", r.FormValue("field"))
	})
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/echo?moved=1", http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/flaky", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch failures.Add(1) % 3 {
		case 1:
			w.WriteHeader(503)
		case 2:
			panic(http.ErrAbortHandler)
		default:
			fmt.Fprintf(w, "%s after 2 failures", body)
		}
	})
	mux.HandleFunc("/missing", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(404)
		io.WriteString(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","message":"no such thing","reason":"NotFound","code":404}`)
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		user, _, _ := r.BasicAuth()
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":"t-%s-%s","token_type":"bearer","expires_in":3600}`, user, r.FormValue("grant_type"))
	})
	mux.HandleFunc("/cached", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"v1"`)
		if r.Header.Get("If-None-Match") == `"v1"` {
			w.WriteHeader(304)
			return
		}
		io.WriteString(w, "content")
	})
	mux.HandleFunc("/watch", func(w http.ResponseWriter, r *http.Request) {
		for i := range 3 {
			fmt.Fprintf(w, "event %d\n", i)
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	})
	mux.HandleFunc("/page/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, `<title>`, r.URL.Path, `</title><a href="/page/a">a</a> <a href="/page/b">b</a> <a href="/missing">c</a>`)
	})
	return mux
}

// everyProtocol runs a program over each carrier and protocol.
func everyProtocol(t *testing.T, run func(t *testing.T, rt http.RoundTripper, url string) any) {
	for _, protocol := range []string{"h1", "tls", "h2"} {
		t.Run(protocol, func(t *testing.T) { sameOver(t, protocol, api, run) })
	}
}

// steady takes out of a dump what is different each time.
func steady(s, base string) string {
	_, host, _ := strings.Cut(base, "://")
	return strings.ReplaceAll(strings.ReplaceAll(s, base, "BASE"), host, "HOST")
}

// TestResty runs resty v2: results, errors, files, redirects, retries, and its trace, which
// needs every event of httptrace.
func TestResty(t *testing.T) {
	everyProtocol(t, func(t *testing.T, rt http.RoundTripper, base string) any {
		c := resty.NewWithClient(&http.Client{Transport: rt}).SetBaseURL(base).SetRetryCount(3).SetRetryWaitTime(time.Millisecond).SetRetryMaxWaitTime(2 * time.Millisecond)
		c.AddRetryCondition(func(r *resty.Response, err error) bool { return err != nil || r.StatusCode() == 503 }).SetLogger(silent{})
		var out []string
		note := func(r *resty.Response, err error) {
			out = append(out, fmt.Sprint(r.StatusCode(), steady(strings.TrimSpace(r.String()), base), class(err)))
		}
		note(c.R().SetBasicAuth("ada", "secret").SetQueryParam("q", "a b").Get("/echo"))
		note(c.R().SetBody(map[string]int{"a": 1}).Post("/echo"))
		note(c.R().SetFormData(map[string]string{"k": "v"}).Put("/echo"))
		note(c.R().SetFileReader("file", "f.bin", bytes.NewReader(make([]byte, 100<<10))).SetFormData(map[string]string{"field": "x"}).Post("/upload"))
		note(c.R().SetBody("again").Post("/moved"))
		note(c.R().SetBody("body").Post("/flaky"))
		note(c.R().SetError(map[string]any{}).Get("/missing"))
		for range 2 {
			r, err := c.R().EnableTrace().Get("/echo")
			i := r.Request.TraceInfo()
			out = append(out, fmt.Sprint("trace ", i.IsConnReused, i.ConnTime >= 0, i.ServerTime > 0, i.TotalTime > 0, i.RemoteAddr != nil, class(err)))
		}
		return out
	})
}

// TestResty3 runs what is new in v3.
func TestResty3(t *testing.T) {
	everyProtocol(t, func(t *testing.T, rt http.RoundTripper, base string) any {
		c := resty3.New().SetTransport(rt).SetBaseURL(base).SetLogger(silent{})
		defer c.Close()
		var out []string
		note := func(r *resty3.Response, err error) {
			out = append(out, fmt.Sprint(r.StatusCode(), steady(strings.TrimSpace(r.String()), base), class(err)))
		}
		note(c.R().SetQueryParam("q", "a b").Get("/echo"))
		note(c.R().SetBody(map[string]int{"a": 1}).Post("/echo"))
		note(c.R().SetFileReader("file", "f.bin", bytes.NewReader(make([]byte, 100<<10))).SetFormData(map[string]string{"field": "x"}).Post("/upload"))
		r, err := c.R().SetTrace(true).Get("/echo")
		i := r.Request.TraceInfo()
		return append(out, fmt.Sprint("trace ", i.ConnTime >= 0, i.TotalTime > 0, i.RemoteAddr != "", class(err)))
	})
}

type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Debugf(string, ...any) {}

// TestRetryable sends a body again after a refusal and a cut connection.
func TestRetryable(t *testing.T) {
	everyProtocol(t, func(t *testing.T, rt http.RoundTripper, base string) any {
		c := retryablehttp.NewClient()
		c.HTTPClient, c.Logger, c.RetryWaitMin, c.RetryWaitMax = &http.Client{Transport: rt}, nil, time.Millisecond, time.Millisecond
		var out []string
		for _, body := range []any{[]byte("bytes"), strings.NewReader("reader"), retryablehttp.ReaderFunc(func() (io.Reader, error) { return io.MultiReader(strings.NewReader("func")), nil })} {
			resp, err := c.Post(base+"/flaky", "text/plain", body)
			if err != nil {
				return err
			}
			text, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			out = append(out, fmt.Sprintf("%d %s %v", resp.StatusCode, text, err))
		}
		return out
	})
}

// TestColly visits pages beside each other.
func TestColly(t *testing.T) {
	everyProtocol(t, func(t *testing.T, rt http.RoundTripper, base string) any {
		c := colly.NewCollector(colly.Async(true), colly.MaxDepth(2), colly.TraceHTTP())
		c.WithTransport(rt)
		var mu sync.Mutex
		var out []string
		note := func(format string, args ...any) {
			mu.Lock()
			out = append(out, fmt.Sprintf(format, args...))
			mu.Unlock()
		}
		c.OnHTML("title", func(e *colly.HTMLElement) { note("title %s", e.Text) })
		c.OnHTML("a[href]", func(e *colly.HTMLElement) { _ = e.Request.Visit(e.Attr("href")) })
		c.OnError(func(r *colly.Response, err error) { note("%s: %d %v", r.Request.URL.Path, r.StatusCode, err) })
		c.OnResponse(func(r *colly.Response) {
			note("%d bytes, traced %t", len(r.Body), r.Trace != nil && r.Trace.FirstByteDuration > 0)
		})
		err := c.Visit(base + "/page/")
		c.Wait()
		slices.Sort(out)
		return append(out, class(err))
	})
}

// TestOAuth2 gets a token over the transport, and sends it.
func TestOAuth2(t *testing.T) {
	everyProtocol(t, func(t *testing.T, rt http.RoundTripper, base string) any {
		ctx := context.WithValue(limited(t), oauth2.HTTPClient, &http.Client{Transport: rt})
		config := clientcredentials.Config{ClientID: "ada", ClientSecret: "secret", TokenURL: base + "/token"}
		client := config.Client(ctx)
		var out []string
		for range 2 {
			resp, err := client.Post(base+"/echo", "text/plain", strings.NewReader("x"))
			if err != nil {
				return err
			}
			text, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			out = append(out, fmt.Sprint(string(text), err))
		}
		return out
	})
}

// TestHTTPCache revalidates what it has.
func TestHTTPCache(t *testing.T) {
	everyProtocol(t, func(t *testing.T, rt http.RoundTripper, base string) any {
		cache := httpcache.NewMemoryCacheTransport()
		cache.Transport = rt
		var out []string
		for range 3 {
			resp, err := cache.Client().Get(base + "/cached")
			if err != nil {
				return err
			}
			text, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			out = append(out, fmt.Sprint(resp.StatusCode, string(text), resp.Header.Get(httpcache.XFromCache), err))
		}
		return out
	})
}

// TestKubernetes runs the client beneath client-go: paths, errors as statuses, and a watch
// that is canceled.
func TestKubernetes(t *testing.T) {
	everyProtocol(t, func(t *testing.T, rt http.RoundTripper, base string) any {
		config := rest.ClientContentConfig{
			GroupVersion: corev1.GroupVersion{Version: "v1"}, ContentType: "application/json",
			Negotiator: runtime.NewClientNegotiator(serializer.NewCodecFactory(runtime.NewScheme()).WithoutConversion(), corev1.GroupVersion{Version: "v1"}),
		}
		u := must(http.NewRequest("GET", base, nil))(t).URL
		c := must(rest.NewRESTClient(u, "/", config, nil, &http.Client{Transport: rt}))(t)
		raw, err := c.Verb("PATCH").AbsPath("/echo").Param("fieldManager", "x y").Body([]byte(`{"a":1}`)).DoRaw(limited(t))
		out := []string{fmt.Sprint(string(raw), err)}
		raw, err = c.Get().AbsPath("/missing").DoRaw(limited(t))
		out = append(out, fmt.Sprint(string(raw), err))
		ctx, cancel := context.WithCancel(limited(t))
		stream := must(c.Get().AbsPath("/watch").Stream(ctx))(t)
		defer stream.Close()
		events := make([]byte, 24)
		n, err := io.ReadFull(stream, events)
		out = append(out, fmt.Sprint(string(events[:n]), err))
		cancel()
		_, err = io.ReadAll(stream)
		return append(out, fmt.Sprint(errors.Is(err, context.Canceled)))
	})
}
