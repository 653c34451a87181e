package parity

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/cases"
	"github.com/mountable/requests/internal/multipart"
	"github.com/mountable/requests/toolbelt"
)

// curlCase is one of curl's tests: what to do, the scripted replies, and the requests that must arrive.
type curlCase struct {
	Action    curlAction        `json:"action"`
	Files     map[string][]byte `json:"files"`
	Stdin     []byte            `json:"stdin_b64"`
	Exchanges []struct {
		Expect curlRequest `json:"expect"`
		Reply  struct {
			Raw  []byte `json:"raw_b64"`
			Then string `json:"then"`
		} `json:"reply"`
	} `json:"exchanges"`
}

type curlAction struct {
	URLs    []string
	Method  string
	Headers []string
	Data    []struct {
		Raw string `json:"raw"`
	}
	Multipart []curlPart
	Auth      *struct{ Kind, Credentials, Token string }
	Proxy     *struct {
		URL, Credentials string
		AuthKind         string `json:"auth_kind"`
		Tunnel           bool
	}
	Follow  bool `json:"follow_redirects"`
	Cookies *struct {
		Send []string
		Load []string `json:"load_netscape_file"`
	}
	Options map[string]json.RawMessage
}

type curlPart struct {
	Name, Value, File, Type, Filename, Spec string
	ValueFromFile                           string `json:"value_from_file"`
}

// TestCurl plays curl's own tests: the same action by this library must send the same requests. Headers are compared
// without order; those which every client chooses for itself are left out unless the caller set them.
func TestCurl(t *testing.T) {
	var file struct {
		Cases []json.RawMessage `json:"cases"`
	}
	cases.Corpus(t, "curlcmd.json", &file)
	tl := newTally(t)
	for _, raw := range file.Cases {
		runCase(t, tl, "curlcmd", caseID(t, raw), raw, func(t *testing.T, c curlCase) string {
			if why := c.Action.curlOnly(); why != "" {
				t.Skip(why)
			}
			t.Parallel()
			return c.run(t)
		})
	}
}

// curlOnly tells an action that is about curl and not about HTTP.
func (a *curlAction) curlOnly() string {
	switch {
	case !strings.HasPrefix(a.URLs[0], "http"):
		return "telnet: another protocol"
	case a.Cookies != nil && slices.Contains(a.Cookies.Load, "log/cookie442"):
		return "curl's own bound: it sends no more than 150 cookies with a request"
	case slices.ContainsFunc(a.Multipart, func(p curlPart) bool { return strings.Contains(p.Spec, `",`) }):
		return "several files in one field, as a nested multipart/mixed: RFC 7578 section 4.3 has ended that, each file is a part"
	}
	return ""
}

// curlServer answers requests in order with the scripted replies.
type curlServer struct {
	ln      net.Listener
	replies [][]byte
	closes  []bool
	mu      sync.Mutex
	sent    []string
}

func (c *curlCase) serve(t *testing.T) *curlServer {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &curlServer{ln: ln}
	for _, x := range c.Exchanges {
		s.replies = append(s.replies, []byte(s.here(string(x.Reply.Raw))))
		s.closes = append(s.closes, x.Reply.Then == "close")
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go s.answer(conn)
		}
	}()
	return s
}

// here writes this server's address for the corpus's.
func (s *curlServer) here(text string) string {
	return strings.ReplaceAll(text, "127.0.0.1:8990", s.ln.Addr().String())
}

// there is the way back.
func (s *curlServer) there(text string) string {
	return strings.ReplaceAll(text, s.ln.Addr().String(), "127.0.0.1:8990")
}

func (s *curlServer) answer(conn net.Conn) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(callLimit))
	for r := newRequestReader(conn); ; {
		request := r.read()
		if len(request) == 0 {
			return
		}
		s.mu.Lock()
		n := len(s.sent)
		s.sent = append(s.sent, s.there(string(request)))
		s.mu.Unlock()
		if n >= len(s.replies) {
			return
		}
		if _, err := conn.Write(s.replies[n]); err != nil || s.closes[n] {
			return
		}
	}
}

// dropWithheld leaves out the requests by which curl asks for a challenge without its body.
func (c *curlCase) dropWithheld() {
	for i := len(c.Exchanges) - 1; i >= 0; i-- {
		if c.withholds(i) {
			c.Exchanges = slices.Delete(c.Exchanges, i, i+1)
		}
	}
}

func (c *curlCase) run(t *testing.T) string {
	c.dropWithheld()
	srv := c.serve(t)
	s := requests.NewSession()
	defer s.Close()
	s.TrustEnv = false
	if n, ok := c.Action.option("max_redirects"); ok {
		fmt.Sscan(n, &s.MaxRedirects)
	}
	adapter, err := c.Action.adapter(srv)
	if err != nil {
		return err.Error()
	}
	s.Mount("http://", adapter)
	if err := c.loadCookies(t, s, srv, adapter); err != nil {
		return err.Error()
	}
	ctx, cancel := context.WithTimeout(t.Context(), callLimit)
	defer cancel()
	options, err := c.options(srv)
	if err != nil {
		return err.Error()
	}
	for _, url := range c.Action.expandedURLs() {
		method := c.Action.Method
		if !c.uploadsTo(url) {
			method = "GET"
		}
		r, err := s.Request(ctx, method, srv.here(url), options(url)...)
		if err == nil {
			r.Close()
		}
	}
	srv.mu.Lock()
	defer srv.mu.Unlock()
	return c.compare(srv.sent)
}

// option reads an option that is text or a number.
func (a *curlAction) option(name string) (string, bool) {
	raw, ok := a.Options[name]
	return strings.Trim(string(raw), `"`), ok
}

var curlGlob = regexp.MustCompile(`\{([^}]*)\}`)

// expandedURLs writes out {a,b} as curl does.
func (a *curlAction) expandedURLs() []string {
	var out []string
	for _, url := range a.URLs {
		m := curlGlob.FindStringSubmatchIndex(url)
		if m == nil {
			out = append(out, url)
			continue
		}
		for _, alternative := range strings.Split(url[m[2]:m[3]], ",") {
			out = append(out, url[:m[0]]+alternative+url[m[1]:])
		}
	}
	return out
}

// options makes the options of each call: uploads are made anew, and curl asks anew how to authenticate.
func (c *curlCase) options(srv *curlServer) (func(url string) []requests.Option, error) {
	a := &c.Action
	fixed := []requests.Option{requests.AllowRedirects(a.Follow)}
	fixed = append(fixed, a.headerOptions()...)
	if a.Proxy != nil {
		fixed = append(fixed, requests.Proxies{"http": a.proxyURL(srv)})
	}
	if bytes, ok := a.option("range"); ok {
		fixed = append(fixed, requests.Headers{{"Range", "bytes=" + bytes}})
	}
	if from, ok := a.option("resume_from"); ok && !c.uploads() {
		fixed = append(fixed, requests.Headers{{"Range", "bytes=" + from + "-"}})
	}
	if a.Cookies != nil && len(a.Cookies.Send) > 0 {
		fixed = append(fixed, a.sentCookies())
	}
	return func(url string) []requests.Option {
		all := append(fixed[:len(fixed):len(fixed)], a.authOptions()...)
		if !c.uploadsTo(url) {
			return all
		}
		return append(all, c.bodyOptions()...)
	}, nil
}

// proxyAuth waits for what the proxy and the origin ask for.
func (a *curlAction) proxyAuth() requests.Auth {
	var user, password string
	if a.Auth != nil {
		user, password, _ = strings.Cut(a.Auth.Credentials, ":")
	}
	proxyUser, proxyPassword, _ := strings.Cut(a.Proxy.Credentials, ":")
	return toolbelt.GuessProxyAuth(user, password, proxyUser, proxyPassword)
}

// sentCookies are those given as text "name=value;name2=value2".
func (a *curlAction) sentCookies() requests.Option {
	var cookies requests.Cookies
	for _, c := range strings.Split(strings.Join(a.Cookies.Send, ";"), ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(c), "=")
		cookies = append(cookies, [2]string{name, value})
	}
	return cookies
}

// headerOptions reads curl's header arguments: "Name: value", "Name;" for an empty value, "Name:" to leave one out.
func (a *curlAction) headerOptions() []requests.Option {
	var headers requests.Headers
	var without []string
	for _, h := range a.Headers {
		if name, value, ok := strings.Cut(h, ":"); ok {
			value = strings.TrimLeft(value, " ")
			if value == "" {
				without = append(without, name)
				continue
			}
			if a.streamed(name) {
				continue
			}
			headers.Add(name, value)
		} else if name, rest, _ := strings.Cut(h, ";"); rest == "" {
			headers.Add(name, "")
		}
	}
	// An empty header argument takes out what curl would send by itself, not what other arguments give.
	without = slices.DeleteFunc(without, func(name string) bool { return headers.Has(name) })
	return []requests.Option{requests.WithoutHeader(without...), headers}
}

// streamed tells the headers by which curl is told how to frame an upload: here the kind of body says it.
func (a *curlAction) streamed(name string) bool {
	_, file := a.option("upload_file")
	return (file || a.Options["upload_stdin"] != nil) &&
		(strings.EqualFold(name, "Transfer-Encoding") || strings.EqualFold(name, "Content-Length"))
}

// given returns the value of a header argument.
func (a *curlAction) given(name string) string {
	for _, h := range a.Headers {
		if n, value, _ := strings.Cut(h, ":"); strings.EqualFold(n, name) {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func (a *curlAction) authOptions() []requests.Option {
	switch {
	case a.Proxy != nil && a.Proxy.AuthKind != "":
		return []requests.Option{requests.Authenticate(a.proxyAuth())}
	case a.Auth == nil:
		return nil
	}
	user, password, _ := strings.Cut(a.Auth.Credentials, ":")
	switch a.Auth.Kind {
	case "basic":
		return []requests.Option{requests.Authenticate(requests.BasicAuth(user, password))}
	case "digest":
		return []requests.Option{requests.Authenticate(requests.DigestAuth(user, password))}
	case "bearer":
		return []requests.Option{requests.Authenticate(requests.BearerAuth(a.Auth.Token))}
	}
	return []requests.Option{requests.Authenticate(toolbelt.GuessAuth(user, password))}
}

// proxyURL puts the credentials into the proxy's URL, unless they are for Digest.
func (a *curlAction) proxyURL(srv *curlServer) string {
	url := srv.here(a.Proxy.URL)
	if a.Proxy.Credentials == "" || a.Proxy.AuthKind != "" {
		return url
	}
	return "http://" + a.Proxy.Credentials + "@" + strings.TrimPrefix(url, "http://")
}

// bodyOptions gives the data, the parts or the upload.
func (c *curlCase) bodyOptions() []requests.Option {
	a := &c.Action
	var text []string
	for _, d := range a.Data {
		text = append(text, d.Raw)
	}
	joined := strings.Join(text, "&")
	upload, isUpload := a.option("upload_file")
	switch {
	case a.Options["data_in_query"] != nil:
		return []requests.Option{requests.Query(joined)}
	case text != nil:
		form := requests.OptionFunc(func(r *requests.Request) error {
			if !r.Headers.Has("Content-Type") {
				r.Headers.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			return nil
		})
		return []requests.Option{requests.Body(joined), form}
	case a.Multipart != nil:
		return []requests.Option{c.parts()}
	case isUpload && a.Options["resume_from"] != nil:
		return c.rest(c.Files[upload])
	case isUpload && a.given("Transfer-Encoding") == "":
		return []requests.Option{requests.Body(c.Files[upload])}
	case isUpload:
		return []requests.Option{requests.Body(struct{ io.Reader }{bytes.NewReader(c.Files[upload])})}
	case a.Options["upload_stdin"] != nil:
		return []requests.Option{c.stdin()}
	}
	return nil
}

// stdin is a stream, of the length that the caller announces.
func (c *curlCase) stdin() requests.Option {
	var size int64
	stream := struct{ io.Reader }{bytes.NewReader(c.Stdin)}
	if n, _ := fmt.Sscan(c.Action.given("Content-Length"), &size); n == 1 {
		if body, err := toolbelt.NewStreamingIterator(size, stream); err == nil {
			return body
		}
	}
	return requests.Body(stream)
}

func (c *curlCase) parts() requests.Option {
	var files requests.Files
	for _, p := range c.Action.Multipart {
		f := requests.File{Field: p.Name, Name: p.Filename, ContentType: p.fullType(), Content: strings.NewReader(strings.TrimLeft(p.Value, " "))}
		if name := p.File + p.ValueFromFile; name != "" {
			f.Content = bytes.NewReader(c.file(name))
		}
		if p.File != "" {
			f.Name = cmp.Or(f.Name, filepath.Base(p.File))
			f.ContentType = cmp.Or(f.ContentType, multipart.GuessContentType(p.File)) // curl's own guess, made by the caller
		}
		f.NoName = f.Name == ""
		files = append(files, f)
	}
	return files
}

// file is the content of a file argument, "-" being the standard input.
func (c *curlCase) file(name string) []byte {
	if name == "-" {
		return c.Stdin
	}
	return c.Files[name]
}

// fullType is the content type with its parameters, which the corpus cuts off.
func (p *curlPart) fullType() string {
	_, after, ok := strings.Cut(p.Spec, ";type=")
	if !ok {
		return p.Type
	}
	full, _, _ := strings.Cut(after, ";filename=")
	return full
}
