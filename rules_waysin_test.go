package requests_test

import (
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt"
)

// These are all ways in: every exported function and method that starts requests, reads a
// response, or takes text of others. internal/architecture compares the keys of the four tables
// with what is exported, so that a new one cannot be missing.

// startWays are those that start requests.
var startWays = map[string]func(*started) error{
	"requests.Delete": byFunction(requests.Delete), "requests.Get": byFunction(requests.Get), "requests.Head": byFunction(requests.Head), "requests.Options": byFunction(requests.Options),
	"requests.Patch": byFunction(requests.Patch), "requests.Post": byFunction(requests.Post), "requests.Put": byFunction(requests.Put),
	"requests.Do": byFunction(func(ctx context.Context, url string, options ...requests.Option) (*requests.Response, error) {
		r := &requests.Request{URL: url}
		if err := requests.JoinOptions(options...).Apply(r); err != nil {
			return nil, err
		}
		return requests.Do(ctx, r)
	}),
	"requests.Session.Delete": byMethod((*requests.Session).Delete), "requests.Session.Get": byMethod((*requests.Session).Get), "requests.Session.Head": byMethod((*requests.Session).Head),
	"requests.Session.Options": byMethod((*requests.Session).Options), "requests.Session.Patch": byMethod((*requests.Session).Patch), "requests.Session.Post": byMethod((*requests.Session).Post),
	"requests.Session.Put": byMethod((*requests.Session).Put), "requests.Session.Query": byMethod((*requests.Session).Query),
	"requests.Session.Request": func(c *started) error { return second(c.s.Request(c.Context(), "GET", c.url, c.headers)) },
	"requests.Session.Do":      func(c *started) error { return second(c.s.Do(c.Context(), c.request())) },
	"requests.Session.Send": func(c *started) error {
		p, err := c.s.Prepare(c.request())
		if err != nil {
			return err
		}
		return second(c.s.Send(c.Context(), p, requests.SendOptions{}))
	},
	"requests.Session.Upgrade": func(c *started) error {
		conn, _, err := c.s.Upgrade(c.Context(), c.url, "test", c.headers)
		if err == nil {
			conn.Close()
		}
		return err
	},
	"requests.Session.RoundTripper": func(c *started) error {
		_, err := sendByClient(c.Context(), c.s, "GET", c.url, c.headers, nil)
		return err
	},
	"requests.GetJSON": func(c *started) error {
		_, err := requests.GetJSON[any](c.Context(), c.s, c.url, c.headers)
		return err
	},
	"requests.PostJSON": func(c *started) error {
		_, err := requests.PostJSON[any](c.Context(), c.s, c.url, 1, c.headers)
		return err
	},
	"requests.EventSource": func(c *started) error {
		return drained(requests.EventSource(c.Context(), c.s, c.url, c.headers))
	},
	"requests.Pages": func(c *started) error { return drained(requests.Pages(c.Context(), c.s, c.url, c.headers)) },
	"requests.PagesBy": func(c *started) error {
		next := func(*requests.Response) (string, error) { return "", nil }
		return drained(requests.PagesBy(c.Context(), c.s, c.url, next, c.headers))
	},
	"requests.Response.Resend": byHook(func(ctx context.Context, r *requests.Response) (*requests.Response, error) {
		return r.Resend(ctx, r.Request)
	}),
	"requests.AuthExchange.Answer": byHook(func(ctx context.Context, r *requests.Response) (*requests.Response, error) {
		return r.Auth().Answer(ctx, func(*requests.PreparedRequest) error { return nil })
	}),
	"requests.Digest.Answer": byHook(requests.DigestAuth("ada", secret).Answer),
	"requests.SendAuthenticated": func(c *started) error {
		base, home := c.adapter(), c.l.at("example.com", "/")
		c.s.Mount(home, requests.AdapterFunc(func(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
			return requests.SendAuthenticated(ctx, base, requests.BearerAuth(secret), p, opts)
		}))
		return second(c.s.Get(c.Context(), c.url, c.headers))
	},
	"requests.HTTPAdapter.Send": func(c *started) error {
		p, err := c.request().Prepare()
		if err != nil {
			return err
		}
		r, err := c.adapter().Send(c.Context(), p, requests.SendOptions{Proxies: c.s.Proxies, Verify: c.s.Verify})
		if err == nil {
			r.Close()
		}
		return err
	},
	"toolbelt.Download": func(c *started) error {
		_, err := toolbelt.Download(c.Context(), c.s, c.url, filepath.Join(c.TempDir(), "f"), toolbelt.RequestOptions(c.headers))
		return err
	},
	"toolbelt.FileFromURL": func(c *started) error {
		f, err := toolbelt.FileFromURL(c.Context(), c.s, c.url, c.headers)
		if err == nil {
			f.Close()
		}
		return err
	},
	"toolbelt.Map": func(c *started) error {
		_, _, err := toolbelt.Map(c.Context(), []*requests.Request{c.request()}, toolbelt.SharedSession(c.s))
		return err
	},
	"toolbelt.NewPool": byPool(ofJobs, results), "toolbelt.FromChannel": byPool(ofChannel, results), "toolbelt.FromURLs": byPool(ofURLs, results),
	"toolbelt.FromExceptions": byPool(ofExceptions, results), "toolbelt.Pool.Results": byPool(ofJobs, results), "toolbelt.Pool.Join": byPool(ofJobs, joined((*toolbelt.Pool).Responses)),
	"toolbelt.Pool.Responses": byPool(ofJobs, joined((*toolbelt.Pool).Responses)), "toolbelt.Pool.Exceptions": byPool(ofJobs, joined((*toolbelt.Pool).Exceptions)),
}

// drained takes all of a loop, and returns its error.
func drained[T any](loop iter.Seq2[T, error]) (last error) {
	for _, err := range loop {
		last = err
	}
	return last
}

// TestWaysIn: rules 1, 3, 4, 8 and 13 hold whichever way a request is started.
func TestWaysIn(t *testing.T) {
	for name, why := range notWays {
		if startWays[name] != nil || readWays[name] != nil || textWays[name] != nil || why == "" {
			t.Errorf("%s is not to be tried: %s", name, why)
		}
	}
	// The ways in are the callers of this test.
	eachLaneOf(t, lane.bySession, func(t *testing.T, l lane) {
		for name, start := range startWays {
			c := &started{t, l, l.session(t), l.redirected(302, "example.com", "other.test"), requests.Headers{{"Authorization", secret}, {"Cookie", "k=" + secret}, {"X-Api-Key", secret}}}
			err := start(c)
			hops := l.site.took()
			if len(hops) == 0 && err != errNoNames {
				t.Errorf("%s has sent nothing: %v", name, err)
			}
			for _, r := range hops {
				if text := strings.Join(slices.Concat(r.header["Authorization"], r.header["Cookie"], r.header["X-Api-Key"]), " "); holdsSecret(text) && !strings.Contains(r.at, "://example.com") {
					t.Errorf("%s: %s got %q", name, r.at, text)
				}
			}
			if l.scheme == "https" {
				c.url = chain(302, "https://example.com/", "http://example.com/away")
				_ = start(c)
				for _, r := range l.site.took() {
					if strings.HasPrefix(r.at, "http://") {
						t.Errorf("%s was led to %s", name, r.at)
					}
				}
			}
		}
	})
}

// readWays are those that read a response.
var readWays = map[string]func(*requests.Response) error{
	"requests.Response.ApparentEncoding": func(r *requests.Response) error { r.ApparentEncoding(); _, err := r.Content(); return err },
	"requests.Response.Chunks":           func(r *requests.Response) error { return drained(r.Chunks(1 << 16)) },
	"requests.Response.Content":          func(r *requests.Response) error { _, err := r.Content(); return err },
	"requests.Response.Decode": func(r *requests.Response) error {
		r.Headers.Set("Content-Type", "application/xml")
		return r.Decode(new(struct{}))
	},
	"requests.Response.Events": func(r *requests.Response) error { return drained(r.Events()) },
	"requests.Response.JSON":   func(r *requests.Response) error { return r.JSON(new(any)) },
	"requests.Response.Lines":  func(r *requests.Response) error { return drained(r.Lines()) },
	"requests.Response.Read":   func(r *requests.Response) error { _, err := io.Copy(io.Discard, struct{ io.Reader }{r}); return err },
	"requests.Response.ReadChunk": func(r *requests.Response) error {
		for {
			if _, err := r.ReadChunk(1 << 16); err != nil {
				if err == io.EOF {
					return nil
				}
				return err
			}
		}
	},
	"requests.Response.Split":      func(r *requests.Response) error { return drained(r.Split("\n")) },
	"requests.Response.Text":       func(r *requests.Response) error { _, err := r.Text(); return err },
	"requests.Response.TextChunks": func(r *requests.Response) error { return drained(r.TextChunks(1 << 16)) },
	"requests.Response.TextLines":  func(r *requests.Response) error { return drained(r.TextLines()) },
	"requests.Response.TextSplit":  func(r *requests.Response) error { return drained(r.TextSplit("\n")) },
	"requests.Response.WriteTo":    func(r *requests.Response) error { _, err := r.WriteTo(io.Discard); return err },
	"requests.JSONArray":           func(r *requests.Response) error { return drained(requests.JSONArray[any](r)) },
	"requests.JSONLines":           func(r *requests.Response) error { return drained(requests.JSONLines[any](r)) },
	"toolbelt.DecodeResponse":      func(r *requests.Response) error { _, err := toolbelt.DecodeResponse(r, ""); return err },
	"toolbelt.DownloadPath": func(r *requests.Response) error {
		_, err := toolbelt.DownloadPath(r, "")
		return errors.Join(err, errNoBody)
	},
	"toolbelt.DumpAll":      func(r *requests.Response) error { _, err := toolbelt.DumpAll(r); return err },
	"toolbelt.DumpResponse": func(r *requests.Response) error { _, err := toolbelt.DumpResponse(r); return err },
	"toolbelt.Parts":        func(r *requests.Response) error { return drained(toolbelt.Parts(r)) },
	"toolbelt.StreamResponseToFile": intoFile(func(r *requests.Response, path string) error {
		_, err := toolbelt.StreamResponseToFile(r, path, toolbelt.Decoded())
		return err
	}),
	"toolbelt.StreamResponseToWriter": func(r *requests.Response) error {
		_, err := toolbelt.StreamResponseToWriter(r, io.Discard, toolbelt.Decoded())
		return err
	},
	"toolbelt.Tee": func(r *requests.Response) error { return drained(toolbelt.Tee(r, io.Discard, toolbelt.Decoded())) },
	"toolbelt.TeeToBytes": func(r *requests.Response) error {
		return drained(toolbelt.TeeToBytes(r, new([]byte), toolbelt.Decoded()))
	},
	"toolbelt.TeeToFile": intoFile(func(r *requests.Response, path string) error {
		return drained(toolbelt.TeeToFile(r, path, toolbelt.Decoded()))
	}),
	"toolbelt.UnicodeFromResponse": func(r *requests.Response) error { _, err := toolbelt.UnicodeFromResponse(r); return err },
}

// errNoBody is for what does not look at the body.
var errNoBody = errors.New("it reads no body")

func intoFile(save func(r *requests.Response, path string) error) func(*requests.Response) error {
	return func(r *requests.Response) error {
		dir, err := os.MkdirTemp("", "")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		err = save(r, filepath.Join(dir, "f"))
		if files, _ := os.ReadDir(dir); err != nil && len(files) > 0 {
			return nil // a file that is not whole stays
		}
		return err
	}
}

// TestWaysOfReading: rules 27 and 28: no way of reading unpacks a bomb, or takes a body that was
// cut short, within its coding or its length, for a whole one.
func TestWaysOfReading(t *testing.T) {
	bomb, cut := gzipped(strings.Repeat("[[", 20<<20)), gzipped(strings.Repeat("a,b\n", 1000))
	bodies := map[string]struct {
		fields requests.Headers
		body   []byte
	}{
		"bomb":    {requests.Headers{{"Content-Encoding", "gzip"}}, bomb},
		"codings": {requests.Headers{{"Content-Encoding", "gzip, gzip, gzip, gzip, gzip, gzip"}}, bomb},
		"cut":     {requests.Headers{{"Content-Encoding", "gzip"}}, cut[:len(cut)/2]},
	}
	for name, read := range readWays {
		for what, b := range bodies {
			if raceDetector && what == "bomb" && name != "requests.Response.Content" {
				continue // the race detector makes it slow
			}
			p, err := (&requests.Request{URL: "http://example.com/f"}).Prepare()
			if err != nil {
				t.Fatal(err)
			}
			fields := append(requests.Headers{{"Content-Type", "multipart/mixed; boundary=b"}}, b.fields...)
			if err := read(requests.NewResponse(p, 200, fields, io.NopCloser(strings.NewReader(string(b.body))))); err == nil {
				t.Errorf("%s of a %s: no error", name, what)
			}
		}
	}
}

// textWays are those that take what others may have written, as text or in a file.
var textWays = map[string]func(text, file string){
	"adapters.CRLFiles":                   func(_, file string) { _, _ = adapters.CRLFiles(file) },
	"adapters.Cassette":                   func(_, file string) { _, _ = adapters.Cassette(file, adapters.RecordNone) },
	"adapters.Fingerprint":                func(text, _ string) { _, _ = adapters.Fingerprint(text) },
	"adapters.X509":                       func(text, _ string) { _, _ = adapters.X509([]byte(text), []byte(text), "") },
	"requests.CABundlePEM":                func(text, _ string) { _, _ = sendOver(requests.CABundlePEM([]byte(text))) },
	"requests.CertPEM":                    func(text, _ string) { _, _ = sendOver(requests.CertPEM([]byte(text), []byte(text))) },
	"requests.CookieJar.Load":             func(_, file string) { _ = requests.NewCookieJar().Load(file) },
	"requests.CookieJar.UnmarshalJSON":    func(text, _ string) { _ = requests.NewCookieJar().UnmarshalJSON([]byte(text)) },
	"requests.CookieJar.UnmarshalText":    func(text, _ string) { _ = requests.NewCookieJar().UnmarshalText([]byte(text)) },
	"requests.FromCurl":                   func(text, _ string) { _, _ = requests.FromCurl("curl " + text) },
	"requests.HSTS.Load":                  func(_, file string) { _ = requests.NewHSTS().Load(file) },
	"requests.HSTS.UnmarshalText":         func(text, _ string) { _ = requests.NewHSTS().UnmarshalText([]byte(text)) },
	"requests.ProxyFromEnvironment":       func(text, _ string) { _, _ = requests.ProxyFromEnvironment(text) },
	"requests.RetryState.ParseRetryAfter": func(text, _ string) { _, _ = requests.Retry{}.State().ParseRetryAfter(text, time.Time{}) },
	"requests.Session.Adapter":            func(text, _ string) { _, _ = requests.NewSession().Adapter(text) },
	"requests.Session.ExplainProxy":       func(text, _ string) { _, _ = requests.NewSession().ExplainProxy(text) },
	"requests.Session.MergeEnvironment":   func(text, _ string) { _, _ = requests.NewSession().MergeEnvironment(text, requests.SendOptions{}) },
	"toolbelt.EncodingsFromContent":       func(text, _ string) { _, _ = toolbelt.EncodingsFromContent([]byte(text)) },
	"toolbelt.Filename":                   func(text, _ string) { _, _ = toolbelt.Filename(text) },
	"toolbelt.LoadSession":                func(_, file string) { _, _ = toolbelt.LoadSession(file) },
	"toolbelt.NewBodyPart":                func(text, _ string) { _, _ = toolbelt.NewBodyPart([]byte(text), "") },
	"toolbelt.NewMultipartDecoder": func(text, _ string) {
		_, _ = toolbelt.NewMultipartDecoder([]byte(text), "multipart/mixed; boundary="+text, "")
	},
	"toolbelt.SafeFilename": func(text, _ string) { _, _ = toolbelt.SafeFilename(text) },
}

// sendOver prepares a connection with an option.
func sendOver(option requests.Option) (requests.ConnConfig, error) {
	r := &requests.Request{URL: "https://example.com/"}
	if err := option.Apply(r); err != nil {
		return requests.ConnConfig{}, err
	}
	p, err := r.Prepare()
	if err != nil {
		return requests.ConnConfig{}, err
	}
	return requests.NewHTTPAdapter().Plan(p, r.Send)
}

// TestWaysOfText: no text makes anything panic. The fuzz targets have more of them.
func TestWaysOfText(t *testing.T) {
	for _, text := range []string{
		"", "\x00", "\r\n\r\n", "\xff\xfe\xfd", `"`, "'", "\\", "%", "%zz", "=", ";", ",", "[", "]", "{", "}", "--", "--b", ":", "::", "://", "http://", "http://[", "@", "-", "--data", "a\tb\tc\td\te\tf\tg",
		strings.Repeat("a", 1<<16), strings.Repeat("[", 1<<14), strings.Repeat("{\"a\":", 1<<12), strings.Repeat("%41", 1<<12), "null", "0", "-1", "true", `{"version":1}`, `{"log":{}}`, `{"cookies":null}`,
		"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", "9223372036854775808", "attachment; filename*=UTF-8''%", "<meta charset=",
	} {
		file := wiretest.File(t, "text", []byte(text))
		for name, take := range textWays {
			func() {
				defer func() {
					if v := recover(); v != nil {
						t.Errorf("%s of %.40q: panic: %v", name, text, v)
					}
				}()
				take(text, file)
			}()
		}
	}
}

// notWays are those that look alike, with the reason.
var notWays = map[string]string{
	"adapters.Address": ofProgram, "adapters.DNSOverHTTPS": ofProgram, "adapters.File": ofProgram, "adapters.ParseSourceAddress": ofProgram, "adapters.SourceInterface": ofProgram, "adapters.Unix": ofProgram,
	"requests.AuthExchange.Fail": ofProgram, "requests.Challenge.Param": ofProgram, "requests.CookieJar.Find": ofProgram, "requests.CookieJar.Get": ofProgram, "requests.CookieJar.Has": ofProgram,
	"requests.CookieJar.Save": ofProgram, "requests.HSTS.Save": ofProgram, "requests.Headers.Has": ofProgram, "requests.PreparedRequest.ProxyAuthorization": ofProgram, "requests.RetryState.IsRetry": ofProgram,
	"requests.PreparedRequest.SetBodyReader": ofProgram, "toolbelt.HAR.Save": ofProgram, "toolbelt.SaveSession": ofProgram, "toolbelt.Monitor.Read": ofProgram,
	"requests.IfChanged": ofFields, "requests.Response.Auth": ofFields, "requests.Response.Close": ofFields, "requests.Response.IsPermanentRedirect": ofFields, "requests.Response.IsRedirect": ofFields,
	"requests.Response.Link": ofFields, "requests.Response.Links": ofFields, "requests.Response.OK": ofFields, "requests.Response.Options": ofFields, "requests.Response.Proxy": ofFields,
	"requests.Response.RaiseForStatus": ofFields, "requests.Response.Timing": ofFields, "requests.Response.Trailers": ofFields, "requests.Response.Value": ofFields,
	"requests.RetryState.Delay": ofFields, "requests.RetryState.Increment": ofFields,
	"requests.Response.Conn": "an upgraded connection, which is no HTTP any more", "requests.Response.Undecoded": "gives the bytes as they came",
	"requests.AdapterTransport": "net/http decides about redirects there, as TestRule42AdapterTransport has it", "requests.AdapterFunc.Send": "calls the program's function", "adapters.Mock.Send": "sends nothing",
	"adapters.DNSCache.LookupNetIP": "a lookup and no request; TestDNSCache", "toolbelt.URLFile.Read": "reads what FileFromURL has opened",
	"requests.TLSConfig.Client": "makes a configuration and sends nothing; TestTLSConfigClient",
}

const (
	ofProgram = "its text is the program's own"
	ofFields  = "it looks at what has been read"
)
