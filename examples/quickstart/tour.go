package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/mountable/requests"
)

// tour is one Session on its way through an httpbin.
type tour struct {
	out     io.Writer
	session *requests.Session
	base    string
}

type stop = func(ctx context.Context) error

func (t *tour) printf(format string, args ...any) { fmt.Fprintf(t.out, format, args...) }

// title starts a stop's part of the transcript: its code, then what comes of it.
func (t *tour) title(text string) {
	t.printf("\n== %s\n", text)
	for _, line := range codeOf(text) {
		t.printf("   | %s\n", line)
	}
}

// saw prints a response and how long it took.
func (t *tour) saw(r *requests.Response) {
	t.printf("   %s %s -> %d %s (%v)\n", r.Request.Method, strings.TrimPrefix(r.URL, t.base), r.StatusCode, r.Reason, r.Elapsed.Round(10*time.Microsecond))
}

func (t *tour) visit(ctx context.Context, stops []stop) error {
	for _, s := range stops {
		if err := s(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (t *tour) common() []stop {
	return []stop{
		t.cookies, t.headers, t.params, t.json, t.form, t.upload, t.redirects,
		t.basicAuth, t.gzip, t.lines, t.adapter, t.hooks, t.timeout, t.raise,
	}
}

// echo is what httpbin says it received.
type echo struct {
	Args    map[string][]string
	Headers map[string][]string
	Form    map[string][]string
	Files   map[string][]string
	JSON    any
	Cookies map[string]string
}

// get fetches a page and decodes it.
func (t *tour) get(ctx context.Context, path string, v any, options ...requests.Option) error {
	r, err := t.session.Get(ctx, t.base+path, options...)
	if err != nil {
		return err
	}
	t.saw(r)
	return r.JSON(v)
}

func (t *tour) cookies(ctx context.Context) error {
	t.title("Cookies persist from call to call")
	if err := t.get(ctx, "/cookies/set?flavour=oat", &echo{}); err != nil {
		return err
	}
	var page struct{ Cookies map[string]string }
	if err := t.get(ctx, "/cookies", &page); err != nil {
		return err
	}
	t.printf("   the server was sent %v\n", page.Cookies)
	return nil
}

func (t *tour) headers(ctx context.Context) error {
	t.title("Session headers are merged, and one is left out for one call")
	t.session.Headers.Set("X-Team", "search")
	t.session.Headers.Set("X-Trace", "on")
	var with, without echo
	if err := t.get(ctx, "/headers", &with, requests.Headers{{"X-Once", "yes"}}); err != nil {
		return err
	}
	if err := t.get(ctx, "/headers", &without, requests.WithoutHeader("X-Trace")); err != nil {
		return err
	}
	t.printf("   first  X-Team %v X-Trace %v X-Once %v\n", with.Headers["X-Team"], with.Headers["X-Trace"], with.Headers["X-Once"])
	t.printf("   second X-Team %v X-Trace %v X-Once %v\n", without.Headers["X-Team"], without.Headers["X-Trace"], without.Headers["X-Once"])
	return nil
}

func (t *tour) params(ctx context.Context) error {
	t.title("Params go into the query")
	var page echo
	if err := t.get(ctx, "/get", &page, requests.Params{{"q", "go & python"}, {"tag", "a"}, {"tag", "b"}}); err != nil {
		return err
	}
	t.printf("   args %v\n", page.Args)
	return nil
}

// post sends options to /post and decodes what was received.
func (t *tour) post(ctx context.Context, options ...requests.Option) (echo, error) {
	var page echo
	r, err := t.session.Post(ctx, t.base+"/post", options...)
	if err != nil {
		return page, err
	}
	t.saw(r)
	return page, r.JSON(&page)
}

func (t *tour) json(ctx context.Context) error {
	t.title("A JSON body")
	page, err := t.post(ctx, requests.JSON(map[string]any{"name": "Ada", "born": 1815}))
	if err != nil {
		return err
	}
	t.printf("   %v with Content-Type %v\n", page.JSON, page.Headers["Content-Type"])
	return nil
}

func (t *tour) form(ctx context.Context) error {
	t.title("A form")
	page, err := t.post(ctx, requests.Form{{"user", "ada"}, {"remember", "1"}})
	if err != nil {
		return err
	}
	t.printf("   %v with Content-Type %v\n", page.Form, page.Headers["Content-Type"])
	return nil
}

func (t *tour) upload(ctx context.Context) error {
	t.title("A file upload")
	report := strings.NewReader("all is well\n")
	page, err := t.post(ctx, requests.Files{{Field: "report", Name: "report.txt", Content: report}})
	if err != nil {
		return err
	}
	t.printf("   the server received %q\n", page.Files["report"])
	return nil
}

func (t *tour) redirects(ctx context.Context) error {
	t.title("Redirects are followed, and remembered")
	r, err := t.session.Get(ctx, t.base+"/redirect/3")
	if err != nil {
		return err
	}
	for _, earlier := range r.History {
		t.saw(earlier)
	}
	t.saw(r)
	return nil
}

func (t *tour) basicAuth(ctx context.Context) error {
	t.title("Basic authentication")
	for _, password := range []string{"wrong", "secret"} {
		r, err := t.session.Get(ctx, t.base+"/basic-auth/ada/secret", requests.Authenticate(requests.BasicAuth("ada", password)))
		if err != nil {
			return err
		}
		t.saw(r)
	}
	return nil
}

func (t *tour) gzip(ctx context.Context) error {
	t.title("gzip is undone")
	var page struct{ Gzipped bool }
	if err := t.get(ctx, "/gzip", &page); err != nil {
		return err
	}
	t.printf("   gzipped: %v\n", page.Gzipped)
	return nil
}

func (t *tour) brotli(ctx context.Context) error {
	t.title("br is undone")
	var page struct{ Brotli bool }
	if err := t.get(ctx, "/brotli", &page); err != nil {
		return err
	}
	t.printf("   brotli: %v\n", page.Brotli)
	return nil
}

func (t *tour) lines(ctx context.Context) error {
	t.title("A streamed response, line by line")
	r, err := t.session.Get(ctx, t.base+"/stream/3", requests.Stream(true))
	if err != nil {
		return err
	}
	t.saw(r)
	for line, err := range r.Lines() {
		if err != nil {
			return err
		}
		t.printf("   %.60s…\n", line)
	}
	return nil
}

func (t *tour) adapter(ctx context.Context) error {
	t.title("A custom adapter mounted on a prefix")
	t.session.Mount("http://fortune.example/", requests.AdapterFunc(
		func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
			body := io.NopCloser(strings.NewReader("Simplicity is prerequisite for reliability."))
			return requests.NewResponse(p, 200, requests.Headers{{"Content-Type", "text/plain; charset=utf-8"}}, body), nil
		}))
	r, err := t.session.Get(ctx, "http://fortune.example/today")
	if err != nil {
		return err
	}
	t.saw(r)
	text, err := r.Text()
	t.printf("   %s\n", text)
	return err
}

func (t *tour) hooks(ctx context.Context) error {
	t.title("Response hooks, on the session and on one call")
	note := func(who string) requests.Hook {
		return func(_ context.Context, r *requests.Response) (*requests.Response, error) {
			t.printf("   %s hook saw %d\n", who, r.StatusCode)
			return r, nil
		}
	}
	t.session.OnResponse(note("the session's"))
	defer func() { t.session.Hooks = nil }()
	if _, err := t.session.Get(ctx, t.base+"/status/204"); err != nil {
		return err
	}
	_, err := t.session.Get(ctx, t.base+"/status/202", requests.ReplaceHooks(note("the call's")))
	return err
}

func (t *tour) timeout(ctx context.Context) error {
	t.title("A server that is too slow")
	start := time.Now()
	_, err := t.session.Get(ctx, t.base+"/delay/3", requests.Timeouts{Connect: 3 * time.Second, Read: 100 * time.Millisecond})
	return t.failed(err, start)
}

func (t *tour) refused(ctx context.Context) error {
	t.title("A port where nobody listens")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	listener.Close()
	start := time.Now()
	_, err = t.session.Get(ctx, "http://"+listener.Addr().String()+"/")
	return t.failed(err, start)
}

// failed prints an error that was expected, told apart by its kind.
func (t *tour) failed(err error, start time.Time) error {
	if err == nil {
		return errors.New("an error was expected")
	}
	t.printf("   %v\n   timeout: %v, connection: %v (after %v)\n", err,
		errors.Is(err, requests.ErrTimeout), errors.Is(err, requests.ErrConnection), time.Since(start).Round(time.Millisecond))
	return nil
}

func (t *tour) raise(ctx context.Context) error {
	t.title("RaiseForStatus")
	r, err := t.session.Get(ctx, t.base+"/status/404")
	if err != nil {
		return err
	}
	t.saw(r)
	err = r.RaiseForStatus()
	t.printf("   %v (ErrHTTP: %v)\n", err, errors.Is(err, requests.ErrHTTP))
	return nil
}
