package requests

import (
	"bytes"
	"cmp"
	"io"
	"slices"
	"strings"

	"github.com/mountable/requests/internal/curl"
	"github.com/mountable/requests/internal/nethttp"
)

// Request is what a caller asks for, before the session's settings are merged
// and before it is encoded. Options fill one in; it can as well be written as a
// literal and given to [Session.Prepare] or [Session.Do]. It can be sent again: what is
// read from readers starts again where it first stood, and is [ErrUnrewindableBody] where
// that is impossible. A Request without readers may be sent by several goroutines at once.
type Request struct {
	Method string // GET if empty; upper-cased
	URL    string

	Headers        Headers  // merged over the session's
	WithoutHeaders []string // names left out after merging
	Params         Params   // merged over the session's, appended to the URL's query
	ReplaceParams  bool     // Params replace the session's
	WithoutParams  []string // names left out after merging
	Query          string   // query text, instead of all params

	Body  any   // see the Body option
	Form  Form  // form-encoded, or the fields of a multipart body when Files are given
	JSON  any   // see the JSON option
	Files Files // multipart/form-data

	// Trailers is called when the body has been sent, for the fields behind it. The body is
	// sent in chunks then, whatever its kind; none is ErrInvalidBody. A Trailer header should
	// name the fields.
	Trailers func() Headers

	Cookies Cookies    // sent with this request only
	Jar     *CookieJar // more cookies for this request only, by the jar's rules
	Auth    Auth       // nil: the session's, else netrc, else the URL's user info
	Hooks   []Hook     // replace the session's when not empty

	Send SendOptions // settings of the send that are not part of the request

	asIs, relative bool // see AsIs; the URL was relative before Path had its values

	given   *nethttp.Given // by an http.Request; nil where Requests' way counts
	encoded *encodedBody   // of the first sending, if it has read from readers
	pooled  *pooledRequest // it is used again; nil for those of callers
}

// Params are query parameters, in order; a repeated name is a list. It is an
// [Option] whose names replace those of the session.
type Params [][2]string

// Apply adds p to the params of r.
func (p Params) Apply(r *Request) error {
	r.Params = append(slices.Clip(r.Params), p...)
	return nil
}

// Form is a form-encoded body, in order; a repeated name is a list. It is an
// [Option]. With Files it gives the plain fields of the multipart body.
type Form [][2]string

// Apply sets the form of r.
func (f Form) Apply(r *Request) error {
	r.Form = f
	return nil
}

// Files are the files of a multipart/form-data body, in order. It is an [Option]. Up to 1
// MiB are read and encoded when the request is prepared; more is read while it is sent, with
// a Content-Length if the length of each file is known (see [Body]), and chunked otherwise. A
// file that turns out longer or shorter than it was is [ErrBodyLength].
type Files []File

// File is one file part.
type File struct {
	Field       string    // the name of the form field
	Name        string    // the file name; of an *os.File its base name if empty, else the field's name
	NoName      bool      // leave the file name out, making a plain field
	Content     io.Reader // read from its current position, and not closed
	ContentType string    // none if empty: it is never guessed
	Headers     Headers   // further part headers
}

// Apply sets the files of r.
func (f Files) Apply(r *Request) error {
	r.Files = f
	return nil
}

// Cookies are sent with one request, and with the requests that its redirects
// lead to on the same origin; Policy.NetscapeCookies lets them go to every other
// origin as well. They are laid over the session's cookies for this call only. It
// is an [Option].
type Cookies [][2]string

// Apply adds c to the cookies of r.
func (c Cookies) Apply(r *Request) error {
	r.Cookies = append(slices.Clip(r.Cookies), c...)
	return nil
}

// Prepare encodes r without any session: no default headers, cookies, auth or
// hooks but its own.
func (r *Request) Prepare() (*PreparedRequest, error) {
	return r.prepare(&defaults{})
}

// FromCurl reads a command of curl, as browsers copy it and documentation shows it, in the
// quotes of a shell:
//
//	r, err := requests.FromCurl(`curl -L https://h.example/users -H 'Accept: text/plain' -d name=ada`)
//	resp, err := s.Do(ctx, r)
//
// As with curl, redirects are followed with -L only. Files that -d, -F, -T, -b and -H name are
// read into memory at once: do not give it commands of strangers. What a shell would do
// (variables, pipes) and flags that are not known, or about more than one request, are
// [ErrInvalidArgument], whose text names the flag and no value. Flags about what curl prints and
// saves are ignored.
func FromCurl(command string) (*Request, error) {
	c, err := curl.Parse(command)
	if err != nil {
		return nil, wrap(ErrInvalidArgument, err, "the curl command cannot be used")
	}
	r := &Request{Method: c.Method, URL: c.URL, Headers: c.Headers, WithoutHeaders: c.Without, Cookies: c.Cookies}
	r.Send = SendOptions{Redirects: toggle(c.Follow), Timeouts: Timeouts{Total: c.Total, Connect: c.Connect, Continue: c.Continue}, Proxies: Proxies(c.Proxies())}
	for _, part := range c.Parts {
		r.Files = append(r.Files, File{Field: part.Name, Name: part.FileName, NoName: !part.IsFile, Content: bytes.NewReader(part.Content), ContentType: part.Type, Headers: part.Headers})
	}
	if r.Body = c.Body; c.Chunked {
		r.Body = slices.Values([][]byte{c.Body}) // its length is not looked at
	}
	r.trustCurl(c)
	for _, name := range c.CookieFiles {
		r.Jar = NewCookieJar()
		if err := r.Jar.Load(name, KeepSessionCookies, SkipBadLines); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// trustCurl takes over who is trusted, and with what.
func (r *Request) trustCurl(c *curl.Command) {
	user, password, _ := strings.Cut(c.User, ":")
	switch {
	case c.Bearer != "":
		r.Auth = BearerAuth(c.Bearer)
	case c.Scheme == "digest":
		r.Auth = &Digest{user: user, password: password, written: user, StaleRejects: defaultStaleRejects}
	case c.User != "":
		r.Auth = BasicAuth(curl.ByteChars(user), curl.ByteChars(password))
	}
	switch {
	case c.Insecure:
		r.Send.Verify = Verify(false)
	case c.CA != "":
		r.Send.Verify = CABundle(c.CA)
	}
	r.asIs, r.Send.redirects = c.PathAsIs, c.MaxRedirects
	if c.Cert != "" {
		r.Send.Cert = CertFiles(c.Cert, cmp.Or(c.Key, c.Cert)).WithPassword(c.Password)
	}
}
