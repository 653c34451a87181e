package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/uri"
	"github.com/mountable/requests/toolbelt"
)

// methods are what a first word may be in any case; one in upper case is a method whatever it is.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY"}

// request makes the request of the command line, or of a command of curl.
func (c *command) request(ctx context.Context, f *flags) (*requests.Request, error) {
	if f.fromCurl != "" {
		return f.curlRequest()
	}
	method, address, rest, err := splitArgs(f)
	if err != nil {
		return nil, err
	}
	x, err := parseItems(rest)
	if err != nil {
		return nil, err
	}
	r := &requests.Request{Method: method, URL: address, Params: x.params, WithoutHeaders: x.without}
	if f.asIs {
		if err := requests.AsIs(address).Apply(r); err != nil {
			return nil, err
		}
	}
	if err := c.fill(ctx, r, x, f); err != nil {
		return nil, err
	}
	x.keepBoundary(r.Headers.Get("Content-Type"))
	for _, field := range x.headers {
		r.Headers.Del(field[0])
	}
	r.Headers = append(r.Headers, x.headers...)
	if r.Method == "" {
		r.Method = map[bool]string{true: "POST", false: "GET"}[r.Body != nil || r.JSON != nil || r.Form != nil]
	}
	return r, nil
}

// curlRequest is that of --from-curl, which says all of it.
func (f *flags) curlRequest() (*requests.Request, error) {
	if len(f.args) > 0 {
		return nil, misuse("--from-curl and %q do not go together", f.args[0])
	}
	if name := f.alsoSet(ofRequest...); name != "" {
		return nil, misuse("--from-curl and --%s do not go together: the command of curl says what is sent", name)
	}
	r, err := requests.FromCurl(f.fromCurl)
	if err != nil {
		return nil, misuse("--from-curl: %v", err)
	}
	return r, nil
}

// splitArgs tells method, URL and items apart. A word alone is a URL, as with HTTPie.
func splitArgs(f *flags) (method, address string, rest []string, err error) {
	args := f.args
	if len(args) > 1 && isMethod(args[0], args[1]) {
		method, args = strings.ToUpper(args[0]), args[1:]
	}
	return method, fullURL(args[0], f.scheme), args[1:], nil
}

// isMethod reports whether a word is a method and next its URL. One that is neither known nor in upper
// case may be a host, and next its first item.
func isMethod(word, next string) bool {
	upper := strings.ToUpper(word)
	if !isWord(word) || slices.Contains(methods, upper) || word == upper {
		return isWord(word)
	}
	_, err := parseItem(next)
	return err != nil || hasScheme.MatchString(next)
}

func isWord(s string) bool {
	return strings.Trim(strings.ToUpper(s), "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") == ""
}

var hasScheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)

// fullURL adds what HTTPie lets one leave out: the scheme, and localhost.
func fullURL(text, scheme string) string {
	switch {
	case hasScheme.MatchString(text):
		return text
	case strings.HasPrefix(text, "://"): // pasted behind a command
		return scheme + text
	case strings.HasPrefix(text, ":/"), text == ":":
		return scheme + "://localhost" + text[1:]
	case strings.HasPrefix(text, ":") && !strings.HasPrefix(text, "::"):
		return scheme + "://localhost" + text
	}
	return scheme + "://" + strings.TrimPrefix(text, "//")
}

// fill gives r its body, of the items, of --raw, of a file or of the standard input.
func (c *command) fill(ctx context.Context, r *requests.Request, x *items, f *flags) (err error) {
	r.Body, err = c.whole(ctx, x, f)
	if err != nil {
		return err
	}
	isForm := f.form || f.multipart || x.hasFiles
	switch {
	case r.Body != nil && isForm:
	case r.Body != nil:
		setJSON(r)
	case isForm && x.notForm != "":
		return misuse("%q: a form has texts, numbers and booleans, and this is another type of JSON", x.notForm)
	case f.multipart || x.hasFiles:
		err = fillMultipart(r, x, f.boundary)
	case f.form:
		r.Form = x.form
	case len(x.data) > 0:
		if r.JSON, err = x.object(); err != nil {
			return err
		}
		setJSON(r)
	case f.json:
		setJSON(r)
	}
	if f.chunked && err == nil {
		return inChunks(r)
	}
	return err
}

// inChunks sends a body whose length is not told.
func inChunks(r *requests.Request) (err error) {
	var data []byte
	switch body := r.Body.(type) {
	case []byte:
		data = body
	case string:
		data = []byte(body)
	case io.Reader:
		r.Body = struct{ io.Reader }{body}
		return nil
	case nil:
		if data, err = encoded(r); err != nil {
			return err
		}
	}
	r.Body = slices.Values([][]byte{data})
	return nil
}

// encoded is the body that r's form or JSON makes, which r then has no more.
func encoded(r *requests.Request) ([]byte, error) {
	if r.Form != nil {
		body := uri.EncodePairs(r.Form)
		r.Form = nil
		r.Headers.Set("Content-Type", "application/x-www-form-urlencoded")
		return []byte(body), nil
	}
	if r.JSON == nil {
		return nil, misuse("--chunked is for a body, and there is none")
	}
	data, err := json.Marshal(r.JSON)
	r.JSON = nil
	return data, err
}

// whole is the body where it is not made of fields, nil if it is.
func (c *command) whole(ctx context.Context, x *items, f *flags) (any, error) {
	input, err := c.input(ctx, f)
	if err != nil {
		return nil, err
	}
	sources := 0
	for _, there := range []bool{f.raw != "", input != nil, x.file != "", len(x.fields) > 0} {
		if there {
			sources++
		}
	}
	switch {
	case sources > 1:
		return nil, misuse("a body comes from the items, a file, --raw or the standard input, and here from two of them: see --ignore-stdin")
	case f.raw != "":
		return f.raw, nil
	case x.file != "":
		return c.contentOf(x.file)
	}
	return input, nil
}

// contentOf is the content of a file, the file itself where it is long. It is closed when the
// command is done.
func (c *command) contentOf(name string) (any, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, misuse("%q: %v", "@"+name, err)
	}
	c.opened = append(c.opened, file)
	info, err := file.Stat()
	if err == nil && info.Mode().IsRegular() && info.Size() > maxInMemory {
		return file, nil
	}
	data, err := io.ReadAll(file)
	if err != nil {
		return nil, misuse("%q: %v", "@"+name, err)
	}
	return data, nil
}

// setJSON says what HTTPie says of JSON.
func setJSON(r *requests.Request) {
	r.Headers.Set("Accept", "application/json, */*;q=0.5")
	r.Headers.Set("Content-Type", "application/json")
}

func fillMultipart(r *requests.Request, x *items, boundary string) error {
	encoder, err := toolbelt.NewMultipartEncoder(x.fields, toolbelt.Boundary(boundary))
	if err != nil {
		return misuse("%v", err)
	}
	r.Headers.Set("Content-Type", encoder.ContentType())
	if r.Body = encoder; encoder.Len() < maxInMemory {
		r.Body, err = io.ReadAll(encoder)
	}
	return err
}

// maxInMemory is how much of the standard input is read before anything is sent, so that it can be
// shown, and sent again for a redirect or a challenge.
const maxInMemory = 1 << 20

// input is what stands on the standard input, nil for nothing.
func (c *command) input(ctx context.Context, f *flags) (any, error) {
	if c.stdin == nil || f.ignoreStdin || f.fromCurl != "" {
		return nil, nil
	}
	data, err := unlessInterrupted(ctx, func() ([]byte, error) { return io.ReadAll(io.LimitReader(c.stdin, maxInMemory)) })
	switch {
	case err != nil || len(data) == 0:
		return nil, err
	case len(data) == maxInMemory:
		return io.MultiReader(bytes.NewReader(data), c.stdin), nil
	}
	return data, nil
}

// newSession makes the session of the flags.
func (f *flags) newSession() (*requests.Session, error) {
	s := requests.NewSession()
	s.MaxRedirects = f.maxRedirects
	switch f.verify {
	case "yes", "true", "1":
	case "no", "false", "0":
		s.Verify = requests.Verify(false)
	default:
		s.Verify = requests.CABundle(f.verify)
	}
	if f.cert != "" {
		s.Cert = requests.CertFile(f.cert)
		if f.certKey != "" {
			s.Cert = requests.CertFiles(f.cert, f.certKey)
		}
		if f.certPass != "" {
			s.Cert = s.Cert.WithPassword(f.certPass)
		}
	}
	if f.timeout > 0 {
		s.Timeouts.Connect, s.Timeouts.Read = f.timeout, f.timeout
	}
	for _, proxy := range f.proxies {
		scheme, address, ok := strings.Cut(proxy, ":")
		if !ok {
			return nil, misuse("--proxy: expected scheme:URL, as http:http://10.0.0.1:3128")
		}
		if s.Proxies == nil {
			s.Proxies = requests.Proxies{}
		}
		s.Proxies[scheme] = address
	}
	return s, nil
}

// credentials are those of --auth.
type credentials struct {
	Type     string `json:"type"`
	User     string `json:"user"`
	Password string `json:"password"` // or the token
}

// credentials asks for a password that is not given, where there is a terminal to ask on.
func (c *command) credentials(ctx context.Context, f *flags) (*credentials, error) {
	if f.auth == "" {
		return nil, nil
	}
	user, password, given := strings.Cut(f.auth, ":")
	switch {
	case f.authType == "bearer":
		user, password = "", f.auth
	case !given && c.ask == nil:
		return nil, misuse("--auth has no password, and there is no terminal to ask for it: expected user:password")
	case !given:
		var err error
		if password, err = c.ask(ctx, "password for "+user+": "); err != nil {
			return nil, err
		}
	}
	return &credentials{Type: f.authType, User: user, Password: password}, nil
}

func (c *credentials) auth() requests.Auth {
	switch cmp.Or(c.Type, "basic") {
	case "digest":
		return requests.DigestAuth(c.User, c.Password)
	case "bearer":
		return requests.BearerAuth(c.Password)
	}
	return requests.BasicAuth(c.User, c.Password)
}
