package requests_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt"
)

// allTexts is every text of an error: of each cause and with each verb.
func allTexts(err error) string {
	var b strings.Builder
	for stack := []error{err}; len(stack) > 0; {
		e := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if e == nil {
			continue
		}
		fmt.Fprintf(&b, "%v\n%+v\n%#v\n%q\n", e, e, e, e)
		switch u := e.(type) {
		case interface{ Unwrap() error }:
			stack = append(stack, u.Unwrap())
		case interface{ Unwrap() []error }:
			stack = append(stack, u.Unwrap()...)
		}
	}
	return b.String()
}

// TestRule39Failures: whatever fails, and wherever the secret stands, no text of the
// error has it, nor does a log line, nor a control character of the server's.
func TestRule39Failures(t *testing.T) {
	const nasty = "\x1b[31m" + "nasty"
	closed := wiretest.Closed(t)
	drops := wiretest.Origin(t, wiretest.Drop())
	silent := wiretest.Origin(t, wiretest.Reply{})
	garbage := wiretest.Origin(t, wiretest.Send("garbage "+nasty+"\r\n\r\n"))
	short := wiretest.Origin(t, wiretest.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc").ThenClose())
	chunks := wiretest.Origin(t, wiretest.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"+nasty+"\r\n"))
	coded := wiretest.Origin(t, wiretest.Text(200, "no gzip", [2]string{"Content-Encoding", "gzip"}))
	missing := wiretest.Origin(t, wiretest.Text(404, "not here"))
	busy := wiretest.Origin(t, wiretest.Text(503, "busy"))
	refuses := wiretest.Origin(t, wiretest.Text(407, "no", [2]string{"Proxy-Authenticate", `Basic realm="` + secret[:0] + `x"`}))
	loop := wiretest.Origin(t, wiretest.Text(302, "", [2]string{"Location", "/again?access_token=" + secret + "#id_token=" + secret}))
	away := func(to string) *wiretest.Server {
		return wiretest.Origin(t, wiretest.Text(302, "", [2]string{"Location", to}))
	}
	wrong := wiretest.Start(t, wiretest.Config{TLS: wiretest.TestCA().Server()})
	user := func(s *wiretest.Server, path string) string {
		return strings.Replace(s.URL(path), "//", "//ada:"+secret+"@", 1)
	}
	query := "/?api_key=" + secret + "&X-Amz-Signature=" + secret + "&password=" + secret + "#access_token=" + secret
	proxied := func(addr string) requests.Option {
		return requests.Proxies{"all": "http://ada:" + secret + "@" + addr}
	}
	calls := map[string]struct {
		url     string
		options []requests.Option
	}{
		"refused":           {"http://ada:" + secret + "@" + closed + query, nil},
		"dropped":           {user(drops, query), nil},
		"silent":            {user(silent, query), []requests.Option{requests.Timeout(20 * time.Millisecond)}},
		"garbage":           {user(garbage, query), nil},
		"short":             {user(short, query), nil},
		"chunks":            {user(chunks, query), nil},
		"coding":            {user(coded, query), nil},
		"status":            {user(missing, query), nil},
		"busy":              {user(busy, query), nil},
		"certificate":       {user(wrong, query), nil},
		"loop":              {user(loop, query), nil},
		"downgrade":         {user(wrong, query), []requests.Option{requests.CABundlePEM([]byte("no certificate " + secret))}},
		"to a file":         {user(away("file://ada:"+secret+"@h/?token="+secret), "/"), nil},
		"to nowhere":        {user(away("http://ada:"+secret+"@"+closed+"/?token="+secret), "/"), nil},
		"to a bad host":     {user(away("http://ada:"+secret+"@bad host/"), "/"), nil},
		"to a bad port":     {user(away("http://ada:"+secret+"@h:99999/"), "/"), nil},
		"to bad brackets":   {user(away("http://ada:"+secret+"@[::1/"), "/"), nil},
		"bad host":          {"http://ada:" + secret + "@bad host/", nil},
		"bad port":          {"http://ada:" + secret + "@h:99999/", nil},
		"bad password":      {"http://ada:" + secret + "/" + secret + "@h/", nil},
		"no scheme":         {"ada:" + secret + "@h/?token=" + secret, nil},
		"one slash":         {"http:/ada:" + secret + "@h/", nil},
		"unknown scheme":    {"nope://ada:" + secret + "@h/?token=" + secret, nil},
		"bad header":        {user(drops, "/"), []requests.Option{requests.Headers{{"Authorization", secret + "\n"}}}},
		"bad cookie":        {user(drops, "/"), []requests.Option{requests.Cookies{{"sid", secret + "\n"}}}},
		"proxy refused":     {"http://h.test" + query, []requests.Option{proxied(closed)}},
		"tunnel refused":    {"https://h.test" + query, []requests.Option{proxied(closed)}},
		"407":               {"https://h.test" + query, []requests.Option{proxied(refuses.Addr())}},
		"bad proxy":         {"http://h.test" + query, []requests.Option{requests.Proxies{"all": "http://ada:" + secret + "@bad host"}}},
		"bad proxy port":    {"http://h.test" + query, []requests.Option{requests.Proxies{"all": "http://ada:" + secret + "@h:x"}}},
		"unknown proxy":     {"http://h.test" + query, []requests.Option{requests.Proxies{"all": "gopher://ada:" + secret + "@h"}}},
		"proxy, no scheme":  {"http://h.test" + query, []requests.Option{requests.Proxies{"all": "ada:" + secret + "@" + closed}}},
		"socks":             {"http://h.test" + query, []requests.Option{requests.Proxies{"all": "socks5h://ada:" + secret + "@" + closed}}},
		"socks refused":     {"http://h.test" + query, []requests.Option{requests.Proxies{"all": "socks5h://ada:" + secret + "@" + wiretest.StartSOCKS5(t, wiretest.SOCKS5{User: "x", Password: "y"}).Addr()}}},
		"bad certificate":   {user(wrong, "/"), []requests.Option{requests.CertPEM([]byte(secret), []byte(secret)).WithPassword(secret)}},
		"no such name":      {"http://ada:" + secret + "@no-such-host.invalid" + query, nil},
		"body that lies":    {user(drops, "/"), []requests.Option{requests.Body(strings.NewReader(secret)), requests.Headers{{"Content-Length", "1"}}}},
		"JSON of a channel": {user(drops, "/"), []requests.Option{requests.JSON(make(chan int))}},
	}
	for name, c := range calls {
		for _, retry := range []requests.AdapterOption{nil, requests.Retries(requests.Retry{Total: requests.RetryTimes(1), StatusForcelist: []int{503}})} {
			var lines bytes.Buffer
			logged := adapters.Logging(slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelDebug})))
			s := newSession(t)
			s.MaxRedirects = 3
			for _, scheme := range []string{"http://", "https://"} {
				s.Mount(scheme, adapters.Chain(requests.NewHTTPAdapter(retry), logged))
			}
			options := append([]requests.Option{requests.Headers{{"X-Api-Key", secret}, {"Cookie", "sid=" + secret}}, requests.Timeouts{Total: 2 * time.Second}}, c.options...)
			r, err := s.Post(t.Context(), c.url, options...)
			if err == nil {
				err = errors.Join(r.RaiseForStatus(), r.JSON(new(int)))
			}
			_, viaClient := (&http.Client{Transport: s.RoundTripper()}).Get("http://" + closed)
			_, byDownload := toolbelt.Download(context.Background(), s, c.url, t.TempDir(), toolbelt.Attempts(1), toolbelt.RequestOptions(options...))
			if err == nil {
				t.Errorf("%s: no error", name)
			}
			for line := range strings.Lines(allTexts(errors.Join(err, viaClient, byDownload)) + lines.String()) {
				if holdsSecret(line) || strings.ContainsAny(line, "\x1b\x00\r") {
					t.Errorf("%s: %q", name, line)
				}
			}
		}
	}
}
