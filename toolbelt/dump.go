package toolbelt

import (
	"bytes"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/secret"
	"github.com/mountable/requests/internal/uri"
)

// DumpOption changes what [DumpResponse] and [DumpAll] show.
type DumpOption func(d *dumper)

// DumpPrefixes sets what stands before each line of a request, "< " by default, and
// of a response, "> " by default. Bodies have no prefix, but for the first line of
// a request's.
func DumpPrefixes(request, response string) DumpOption {
	return func(d *dumper) { d.request, d.response = request, response }
}

// DumpSecrets shows credentials, which are masked as "***" otherwise: the values of
// Authorization, Cookie, Set-Cookie, and of headers named after keys, tokens or
// passwords; user information and query parameters with such names in URLs; and
// such fields of forms, JSON and XML. Other bodies are always shown as they are.
func DumpSecrets() DumpOption {
	return func(d *dumper) { d.secrets = true }
}

// DumpProxied shows the request of a response as one that went to an HTTP proxy where
// f says so. By default each is shown as it went: see [requests.Response.Proxy].
func DumpProxied(f func(r *requests.Response) bool) DumpOption {
	return func(d *dumper) { d.proxied = f }
}

// DumpResponse returns the request of r and r itself as text like that on the wire:
// heads with every line behind a prefix, header fields in their order and letter
// case, and bodies, decoded. Content that has not been read yet is read; an error in
// reading it comes with what could be dumped before it.
//
// The text is the toolbelt's, with its ways: Host comes first, fields of one name
// stand together, a request through a proxy names the whole URL and, if that is
// https, the method CONNECT. A streamed request body is named but not shown. A
// response without a request is [requests.ErrInvalidArgument].
func DumpResponse(r *requests.Response, options ...DumpOption) ([]byte, error) {
	d := newDumper(options)
	err := d.exchange(r)
	return d.out, err
}

// DumpAll is [DumpResponse] of every response in the history of r, oldest first, and of r, one
// after the other.
func DumpAll(r *requests.Response, options ...DumpOption) ([]byte, error) {
	d := newDumper(options)
	if r == nil {
		return nil, d.exchange(nil)
	}
	for _, hop := range append(slices.Clip(r.History), r) {
		if err := d.exchange(hop); err != nil {
			return d.out, err
		}
	}
	return d.out, nil
}

type dumper struct {
	request, response string // prefixes
	secrets           bool
	proxied           func(*requests.Response) bool
	out               []byte
}

func newDumper(options []DumpOption) *dumper {
	d := &dumper{request: "< ", response: "> ", proxied: throughHTTPProxy}
	for _, o := range options {
		if o != nil {
			o(d)
		}
	}
	return d
}

func throughHTTPProxy(r *requests.Response) bool { return strings.HasPrefix(r.Proxy(), "http") }

func (d *dumper) exchange(r *requests.Response) error {
	if r == nil || r.Request == nil {
		return &requests.Error{Kind: requests.ErrInvalidArgument, Response: r, Detail: "a response without a request cannot be dumped"}
	}
	d.dumpRequest(r.Request, d.proxied(r))
	d.dumpHead(r)
	content, err := r.Content()
	if !d.secrets {
		content = secret.Default().Body(r.Headers.Get("Content-Type"), content)
	}
	d.out = append(d.out, content...)
	return err
}

// line appends a line of a head.
func (d *dumper) line(prefix string, parts ...string) {
	d.out = append(d.out, prefix...)
	for _, p := range parts {
		d.out = append(d.out, p...)
	}
	d.out = append(d.out, "\r\n"...)
}

func (d *dumper) dumpRequest(p *requests.PreparedRequest, proxied bool) {
	method, target := p.Method, targetOf(p.URL)
	if exact := p.Target(); exact != uri.RequestTarget(p.URL) {
		target = exact
	}
	if proxied {
		target = p.URL
		if strings.HasPrefix(target, "https://") {
			method = "CONNECT"
		}
	}
	d.line(d.request, method, " ", d.url(target), " HTTP/1.1")
	host := p.Headers.Get("Host")
	if host == "" {
		_, host, _ = splitURL(p.URL)
	}
	d.line(d.request, "Host: ", d.userinfo(host))
	for name, value := range p.Headers.All() {
		if !strings.EqualFold(name, "Host") {
			d.field(d.request, name, value)
		}
	}
	d.line(d.request)
	d.body(p)
	d.line("")
}

func (d *dumper) body(p *requests.PreparedRequest) {
	data, ok := p.Body()
	switch {
	case !ok:
		d.line("", "<< Request body is not a string-like type >>")
	case len(data) > 0:
		if !d.secrets {
			data = secret.Default().Coded(p.Headers.Get("Content-Type"), data, func() ([]byte, error) { return undone(p.Headers, data) })
		}
		d.line(d.request, string(data))
	}
}

// undone is a body without its content coding.
func undone(headers requests.Headers, data []byte) ([]byte, error) {
	if !headers.Has("Content-Encoding") || len(data) == 0 {
		return data, nil
	}
	return requests.NewResponse(nil, 200, headers, io.NopCloser(bytes.NewReader(data))).Content()
}

func (d *dumper) dumpHead(r *requests.Response) {
	d.line(d.response, "HTTP/", versionOf(r.Proto), " ", strconv.Itoa(r.StatusCode), " ", r.Reason)
	for _, group := range grouped(r.Headers) {
		for _, f := range group {
			d.field(d.response, group[0][0], f[1])
		}
	}
	d.line(d.response)
}

func (d *dumper) field(prefix, name, value string) {
	if !d.secrets {
		value = secret.Default().Field(name, value)
	}
	d.line(prefix, name, ": ", value)
}

func (d *dumper) url(url string) string {
	if d.secrets {
		return url
	}
	return secret.Default().URL(url)
}

func (d *dumper) userinfo(host string) string {
	if d.secrets {
		return host
	}
	return secret.Default().URL("//" + host)[2:]
}

// grouped puts the fields of one name where its first one stands.
func grouped(h requests.Headers) [][][2]string {
	var groups [][][2]string
	index := map[string]int{}
	for _, f := range h {
		key := strings.ToLower(f[0])
		i, seen := index[key]
		if !seen {
			i = len(groups)
			index[key] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], f)
	}
	return groups
}

// versionOf returns the number of "HTTP/1.1", "?" where there is none.
func versionOf(proto string) string {
	v, ok := strings.CutPrefix(proto, "HTTP/")
	if !ok || v == "" || strings.Trim(v, "0123456789.") != "" {
		return "?"
	}
	return v
}

// splitURL cuts a URL as the toolbelt does, with nothing checked. A fragment is
// left out.
func splitURL(url string) (scheme, netloc, rest string) {
	url, _, _ = strings.Cut(url, "#")
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok {
		return "", "", url
	}
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	return scheme, rest[:end], rest[end:]
}

// targetOf returns path and query. The parameters of the path's last segment
// (";name=value") are not shown, as in the toolbelt.
func targetOf(url string) string {
	_, _, rest := splitURL(url)
	path, query, hasQuery := strings.Cut(rest, "?")
	segment := strings.LastIndexByte(path, '/') + 1
	if i := strings.IndexByte(path[segment:], ';'); i >= 0 {
		path = path[:segment+i]
	}
	if hasQuery && query != "" {
		path += "?" + query
	}
	return path
}
