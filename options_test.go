package requests_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/andybalholm/brotli"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/mountable/requests"
)

// TestPath: a template is expanded before the URL is prepared, relative to a base too.
func TestPath(t *testing.T) {
	s, base := serveText(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.URL.RequestURI()) })
	s.BaseURL = base + "/v1/"
	for _, c := range []struct {
		url  string
		path requests.Path
		want string
	}{
		{"users/{id}", requests.Path{"id": "a/b ü"}, "/v1/users/a%2Fb%20%C3%BC?p=1"},
		{base + "/users{/id*}{?q}", requests.Path{"id": []int{1, 2}, "q": "x&y"}, "/users/1/2?q=x%26y&p=1"},
		{"users/{id}", requests.Path{"id": ".."}, ""},
		{"users/{id}", requests.Path{"id": ""}, ""},
		{"users/{id}", nil, ""},
		{"users/{id}", requests.Path{"id": 1, "name": 2}, ""},
		{"{+id}", requests.Path{"id": "http://evil.test/"}, ""},
		{"{+id}", requests.Path{"id": "//evil.test/x"}, ""},
		{"{+a}{+b}", requests.Path{"a": "http:", "b": "//evil.test/"}, ""},
		{"{+id}", requests.Path{"id": base + "/whole"}, "/whole?p=1"},
		{"{+id}", requests.Path{"id": "/top"}, "/top?p=1"},
	} {
		r, err := s.Get(t.Context(), c.url, c.path, requests.Params{{"p", "1"}})
		if c.want == "" {
			if !errors.Is(err, requests.ErrInvalidURL) {
				t.Errorf("%s, %v: %v", c.url, c.path, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := text(t, r); got != c.want {
			t.Errorf("%s: %s, want %s", c.url, got, c.want)
		}
	}
}

// TestSecretsAreSent: a Secret is masked where it is shown, and sent as it is; what only Go can read is not sent.
func TestSecretsAreSent(t *testing.T) {
	s, base := serveText(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s|%s", r.URL.RequestURI(), body)
	})
	type login struct {
		Password requests.Secret   `url:"password"`
		Old      []requests.Secret `url:"old"`
		Any      any               `url:"any"`
	}
	password := requests.Secret("hunter2")
	given := login{password, []requests.Secret{"a", "b"}, &password}
	for _, c := range []struct {
		option requests.Option
		want   string
	}{
		{requests.FormFrom(given), "/{x}|any=hunter2&old=a&old=b&password=hunter2"},
		{requests.ParamsFrom(&given), "/{x}?any=hunter2&old=a&old=b&password=hunter2|"},
		{requests.FormFrom(map[string]requests.Secret{"p": password}), "/{x}|p=hunter2"},
		{requests.ParamsFrom(map[string]any{"p": []any{&password}}), "/{x}?p=hunter2|"},
		{requests.Path{"x": password}, "/hunter2|"},
		{requests.Path{"x": []*requests.Secret{&password}}, "/hunter2|"},
		{requests.Path{"x": map[requests.Secret]requests.Secret{"k": password}}, "/k,hunter2|"},
	} {
		r, err := s.Post(t.Context(), base+"/{x}", c.option)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.NewReplacer("%7B", "{", "%7D", "}").Replace(text(t, r)); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
	for _, v := range []any{func() {}, make(chan int), errors.New("e"), struct{ A int }{1}, []any{struct{}{}}, map[string]any{"k": func() {}}} {
		for _, option := range []requests.Option{requests.Path{"x": v}, requests.ParamsFrom(map[string]any{"x": []any{v}}), requests.FormFrom(struct{ X any }{[]any{v}})} {
			if _, err := s.Post(t.Context(), base+"/{x}", option); !errors.Is(err, requests.ErrInvalidArgument) {
				t.Errorf("%T of %T: %v", option, v, err)
			}
		}
	}
}

// TestPairsFrom: maps are sorted, structs read by their tags, and anything else refused.
func TestPairsFrom(t *testing.T) {
	s, base := serveText(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s", r.URL.RawQuery, r.Header.Get("Content-Type"), body)
	})
	type search struct {
		Query string   `url:"q"`
		Tags  []string `url:"tag"`
	}
	for _, c := range []struct {
		option requests.Option
		want   string
	}{
		{requests.ParamsFrom(url.Values{"b": {"1", "2"}, "a": {"x"}}), "a=x&b=1&b=2  "},
		{requests.ParamsFrom(search{"go", []string{"t", "u"}}), "q=go&tag=t&tag=u  "},
		{requests.FormFrom(map[string]any{"b": 1, "a": []string{"x", "y"}}), " application/x-www-form-urlencoded a=x&a=y&b=1"},
	} {
		r, err := s.Post(t.Context(), base, c.option)
		if err != nil {
			t.Fatal(err)
		}
		if got := text(t, r); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	for _, option := range []requests.Option{requests.ParamsFrom("a=b"), requests.FormFrom(7)} {
		if _, err := s.Post(t.Context(), base, option); !errors.Is(err, requests.ErrInvalidArgument) {
			t.Errorf("%v", err)
		}
	}
}

// TestCompress: bodies in memory and streams, sent again by a redirect where they can be.
func TestCompress(t *testing.T) {
	decoders := map[string]func(io.Reader) (io.Reader, error){
		"gzip": func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) },
		"zstd": func(r io.Reader) (io.Reader, error) {
			d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
			t.Cleanup(d.Close)
			return d, err
		},
		"br": func(r io.Reader) (io.Reader, error) { return brotli.NewReader(r), nil },
	}
	want := strings.Repeat("some text ", 20000)
	s, base := serveText(t, func(w http.ResponseWriter, r *http.Request) {
		decode := decoders[r.Header.Get("Content-Encoding")]
		if decode == nil {
			w.WriteHeader(415)
			return
		}
		body, err := decode(r.Body)
		if err != nil {
			w.WriteHeader(400)
			return
		}
		data, err := io.ReadAll(body)
		if r.URL.Path == "/old" {
			http.Redirect(w, r, "/new", http.StatusTemporaryRedirect)
			return
		}
		fmt.Fprintf(w, "%v %v %v %v", string(data) == want, err, r.ContentLength > 0, r.Header.Get("Content-Type"))
	})
	for name := range decoders {
		for _, c := range []struct {
			path string
			body any
			want string
			ends error
		}{
			{"/old", want, "true <nil> true a/b", nil},
			{"/old", []byte(want), "true <nil> true a/b", nil},
			{"/old", strings.NewReader(want), "true <nil> false a/b", nil},
			{"/new", iotest.HalfReader(strings.NewReader(want)), "true <nil> false a/b", nil},
			{"/old", iotest.HalfReader(strings.NewReader(want)), "", requests.ErrUnrewindableBody},
			{"/new", 7, "", requests.ErrInvalidBody},
		} {
			r, err := s.Post(t.Context(), base+c.path, requests.Compress(name, c.body), requests.Headers{{"Content-Type", "a/b"}})
			if c.ends != nil {
				if !errors.Is(err, c.ends) {
					t.Errorf("%s of %T: %v, want %v", name, c.body, err, c.ends)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := text(t, r); got != c.want {
				t.Errorf("%s of %T: %q, want %q", name, c.body, got, c.want)
			}
		}
	}
	if _, err := s.Post(t.Context(), base, requests.Compress("lzw", "a")); !errors.Is(err, requests.ErrInvalidArgument) {
		t.Error(err)
	}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestCompressSaysWhatIsSent: Content-Encoding is that of the body that is sent, and there is none without a body.
func TestCompressSaysWhatIsSent(t *testing.T) {
	given := func(value string) requests.Option { return requests.Headers{{"Content-Encoding", value}} }
	type sent struct {
		Coding string
		Coded  bool
		Kind   string
	}
	got, want := map[string]sent{}, map[string]sent{}
	for name, c := range map[string]struct {
		options []requests.Option
		want    sent
	}{
		"alone":               {[]requests.Option{requests.Compress("gzip", "x")}, sent{"gzip", true, ""}},
		"and another body":    {[]requests.Option{requests.Compress("gzip", "x"), requests.Body("plain")}, sent{"", false, ""}},
		"after another":       {[]requests.Option{requests.Body("plain"), requests.Compress("gzip", "x")}, sent{"gzip", true, ""}},
		"twice":               {[]requests.Option{requests.Compress("gzip", "x"), requests.Compress("zstd", "x")}, sent{"zstd", true, ""}},
		"and what it is":      {[]requests.Option{requests.Compress("gzip", "x"), given("gzip")}, sent{"gzip", true, ""}},
		"and another coding":  {[]requests.Option{requests.Compress("gzip", "x"), given("br")}, sent{"", false, "invalid argument"}},
		"in capitals":         {[]requests.Option{requests.Compress("GZip", "x")}, sent{"gzip", true, ""}},
		"given in capitals":   {[]requests.Option{requests.Compress("gzip", "x"), given("GZIP")}, sent{"GZIP", true, ""}},
		"of nothing":          {[]requests.Option{requests.Compress("gzip", nil)}, sent{}},
		"of no text":          {[]requests.Option{requests.Compress("gzip", "")}, sent{}},
		"of no bytes":         {[]requests.Option{requests.Compress("gzip", []byte{})}, sent{}},
		"and a form":          {[]requests.Option{requests.Compress("gzip", "x"), requests.Form{{"a", "b"}}}, sent{"", false, "invalid body"}},
		"coded by the caller": {[]requests.Option{requests.Body("x"), given("br")}, sent{"br", false, ""}},
	} {
		var err error
		r := &requests.Request{Method: "POST", URL: "http://h.test/"}
		for _, o := range c.options {
			err = firstError(err, o.Apply(r))
		}
		var s sent
		p, failed := r.Prepare()
		if err = firstError(err, failed); err == nil {
			data, _ := p.Body()
			s = sent{p.Headers.Get("Content-Encoding"), len(data) > 0 && data[0] != 'p' && data[0] != 'x', ""}
		}
		if e, ok := errors.AsType[*requests.Error](err); ok {
			s.Kind = e.Kind.Error()
		}
		got[name], want[name] = s, c.want
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestIfChangedMethods: what a POST gave is not what a GET of the same URL gives, and no validators are sent for it.
func TestIfChangedMethods(t *testing.T) {
	s, base := serveText(t, func(w http.ResponseWriter, r *http.Request) {
		if w.Header().Set("ETag", `"1"`); r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		fmt.Fprint(w, "of ", r.Method)
	})
	for method, want := range map[string]int{"GET": 304, "POST": 200, "PUT": 200, "QUERY": 200, "DELETE": 200} {
		previous, err := s.Request(t.Context(), method, base)
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.Get(t.Context(), base, requests.IfChanged(previous))
		if err != nil {
			t.Fatal(err)
		}
		if got := text(t, r); r.StatusCode != want || got != "of GET" {
			t.Errorf("after a %s: %d, %q", method, r.StatusCode, got)
		}
	}
	previous, err := s.Get(t.Context(), base)
	if err != nil {
		t.Fatal(err)
	}
	for method, want := range map[string]bool{"GET": true, "HEAD": true, "POST": false, "PUT": false, "QUERY": false} {
		if r, err := s.Request(t.Context(), method, base, requests.IfChanged(previous)); (err == nil) != want || err != nil && !errors.Is(err, requests.ErrInvalidArgument) {
			t.Errorf("%s behind a GET: %v, %v", method, r, err)
		}
	}
}

// TestIfChanged: a 304 has the content of the response before, again and again, and a change its own.
func TestIfChanged(t *testing.T) {
	var asked []string
	etag := `"1"`
	s, base := serveText(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("If-None-Match")+"|"+r.Header.Get("If-Modified-Since"))
		w.Header().Set("ETag", etag)
		if r.URL.Path == "/lost" || r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("Last-Modified", "Sat, 28 Nov 2026 00:00:00 GMT")
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"etag": %q}`, etag)
	})
	var last *requests.Response
	var got []string
	for _, next := range []string{`"1"`, `"1"`, `"1"`, `"2"`, `"2"`} {
		etag = next
		r, err := s.Get(t.Context(), base, requests.IfChanged(last), requests.Stream(last != nil && next == `"1"`))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(r.StatusCode, " ", r.Headers.Get("Content-Type"), " ", text(t, r)))
		if last != nil {
			clear(must(last.Content())) // which is its owner's
		}
		last = r
	}
	want := []string{`200 application/json {"etag": "\"1\""}`, `304 application/json {"etag": "\"1\""}`, `304 application/json {"etag": "\"1\""}`,
		`200 application/json {"etag": "\"2\""}`, `304 application/json {"etag": "\"2\""}`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	const since = "|Sat, 28 Nov 2026 00:00:00 GMT"
	if diff := cmp.Diff([]string{"|", `"1"` + since, `"1"` + since, `"1"` + since, `"2"` + since}, asked); diff != "" {
		t.Errorf("asked (-want +got)\n%s", diff)
	}
	if _, err := s.Get(t.Context(), base+"/lost", requests.IfChanged(last)); !errors.Is(err, requests.ErrInvalidArgument) {
		t.Errorf("another URL: %v", err)
	}
	_, other := serveText(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) })
	if _, err := s.Get(t.Context(), other, requests.IfChanged(last)); !errors.Is(err, requests.ErrInvalidArgument) {
		t.Errorf("another host: %v", err)
	}
	if _, err := s.Get(t.Context(), "", requests.AsIs(base+"/a/.."), requests.IfChanged(last)); !errors.Is(err, requests.ErrInvalidArgument) {
		t.Errorf("another target: %v", err)
	}
	streamed, err := s.Get(t.Context(), base, requests.Stream(true))
	if err != nil {
		t.Fatal(err)
	}
	defer streamed.Close()
	if _, err := s.Get(t.Context(), base, requests.IfChanged(streamed)); !errors.Is(err, requests.ErrInvalidArgument) {
		t.Errorf("not in memory: %v", err)
	}
	if r, err := s.Get(t.Context(), base+"#part", requests.IfChanged(last)); err != nil || r.StatusCode != 304 || text(t, r) == "" {
		t.Errorf("with a fragment: %v, %v", r, err)
	}
	head, err := s.Head(t.Context(), base)
	if err != nil {
		t.Fatal(err)
	}
	bare, err := s.Get(t.Context(), base, requests.Headers{{"If-None-Match", etag}})
	if err != nil || bare.StatusCode != 304 {
		t.Fatal(bare, err)
	}
	for _, previous := range []*requests.Response{head, bare} {
		if r, err := s.Get(t.Context(), base, requests.IfChanged(previous)); !errors.Is(err, requests.ErrInvalidArgument) {
			t.Errorf("%v has no content: %v, %v", previous, r, err)
		}
	}
}

// TestRedirectsOption: how many are followed, whatever the session says.
func TestRedirectsOption(t *testing.T) {
	s, base := serveText(t, func(w http.ResponseWriter, r *http.Request) {
		n := len(r.URL.Path) - 1
		if n == 0 {
			return
		}
		http.Redirect(w, r, r.URL.Path[:n], http.StatusFound)
	})
	s.MaxRedirects = 2
	for _, c := range []struct {
		path string
		n    int
		ends error
	}{
		{"/xxx", 3, nil}, {"/xxx", 2, requests.ErrTooManyRedirects}, {"/x", 0, requests.ErrTooManyRedirects}, {"/", 0, nil}, {"/x", -1, requests.ErrInvalidArgument},
	} {
		for range 2 {
			r, err := s.Head(t.Context(), base+c.path, requests.Redirects(c.n))
			if c.ends == nil && (err != nil || len(r.History) != len(c.path)-1) || c.ends != nil && !errors.Is(err, c.ends) {
				t.Errorf("%s within %d: %v", c.path, c.n, err)
			}
		}
	}
	if _, err := s.Get(t.Context(), base+"/xxx"); !errors.Is(err, requests.ErrTooManyRedirects) {
		t.Errorf("the session's: %v", err)
	}
}

// TestOnRedirect: a policy changes the next request, ends the chain with the redirect, or with an error.
func TestOnRedirect(t *testing.T) {
	s, base := serveText(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/end" {
			fmt.Fprint(w, r.Header.Get("X-Hop"))
			return
		}
		http.Redirect(w, r, "/end", http.StatusFound)
	})
	refused := errors.New("refused")
	s.OnRedirect = func(_ context.Context, r *requests.Response, next *requests.PreparedRequest) error {
		next.Headers.Set("X-Hop", fmt.Sprint(r.StatusCode, " ", strings.TrimPrefix(next.URL, base)))
		return map[string]error{base + "/stop": fmt.Errorf("far enough: %w", http.ErrUseLastResponse), base + "/no": refused}[r.URL]
	}
	r, err := s.Get(t.Context(), base+"/go")
	if err != nil || text(t, r) != "302 /end" {
		t.Errorf("%v, %v", r, err)
	}
	r, err = s.Get(t.Context(), base+"/stop")
	if err != nil || r.StatusCode != 302 || r.Next == nil || r.Next.URL != base+"/end" || len(r.History) != 0 {
		t.Errorf("%v, %v", r, err)
	}
	if _, err := s.Get(t.Context(), base+"/no"); err != refused {
		t.Errorf("%v", err)
	}
}

// TestQuery: QUERY keeps its method and body over redirects, but for 303, and is tried again.
func TestQuery(t *testing.T) {
	failures := 0
	s, base := serveText(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var status int
		if _, err := fmt.Sscanf(r.URL.Path, "/%d", &status); err == nil && status < 400 {
			http.Redirect(w, r, "/end", status)
			return
		}
		if status == 503 && failures < 2 {
			failures++
			w.WriteHeader(503)
			return
		}
		fmt.Fprintf(w, "%s %s", r.Method, body)
	})
	s.Mount("http://", requests.NewHTTPAdapter(requests.Retries(requests.Retry{Total: 3, StatusForcelist: []int{503}})))
	for path, want := range map[string]string{"/": "QUERY q", "/301": "QUERY q", "/302": "QUERY q", "/303": "GET ", "/307": "QUERY q", "/308": "QUERY q", "/503": "QUERY q"} {
		r, err := s.Query(t.Context(), base+path, requests.Body("q"))
		if err != nil {
			t.Fatal(err)
		}
		if got := text(t, r); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}
