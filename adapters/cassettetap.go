package adapters

import (
	"io"
	"strconv"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wire"
)

// tap records a response while its body is being read.
func (c *cassette) tap(asked tapedRequest, r *requests.Response, limit int64) {
	t := &tapping{reply: *r, method: asked.Method, limit: limit, add: func(t *tapping) error {
		return c.add(tapedExchange{asked, c.response(asked.Method, t)})
	}}
	t.reply.Headers = r.Headers.Clone() // hooks may change the response's before its body has come
	if t.limit <= 0 {
		t.limit = maxTaped
	}
	t.body = wire.Tap(r.Raw, t.see)
	r.Raw = t.body
}

// maxTaped is how long a body may be by default: as long as Response.Content takes.
const maxTaped = 256 << 20

// tapping remembers what went through a body.
type tapping struct {
	body   wire.Stream
	reply  requests.Response
	method string
	seen   []byte
	limit  int64
	over   bool // it is longer than that
	add    func(*tapping) error
}

// see records the exchange where the body has ended, unless more of it was announced than came:
// replayed, what is there would pass for the whole. A cassette that cannot be written is an error.
func (t *tapping) see(b []byte, how error) error {
	if t.over = t.over || int64(len(t.seen)+len(b)) > t.limit; t.over {
		t.seen = nil
		return nil
	}
	t.seen = append(t.seen, b...)
	if how != io.EOF || t.cut() {
		return nil
	}
	if err := t.add(t); err != nil {
		return &requests.Error{Kind: requests.ErrFile, Err: err, Detail: "the cassette cannot be written"}
	}
	return nil
}

// cut reports whether the body ended before its announced length. Not every carrier says
// so by an error of Read: some leave it to the response, which knows Content-Length too.
func (t *tapping) cut() bool {
	if t.body.Remaining() > 0 {
		return true
	}
	h := &t.reply.Headers
	if t.method == "HEAD" || t.reply.StatusCode == 304 || h.Has("Transfer-Encoding") {
		return false
	}
	n, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64)
	return err == nil && int64(len(t.seen)) < n
}

// response writes a response down: decoded, so that it can be read, and without secrets.
func (c *cassette) response(method string, t *tapping) tapedResponse {
	headers, raw := t.reply.Headers.Clone(), t.seen
	kind := headers.Get("Content-Type")
	if method != "HEAD" {
		plain, without, err := decoded(headers, raw)
		if err != nil {
			raw = c.secrets.Opaque(raw)
		} else {
			raw, headers = c.secrets.Body(kind, plain), without
		}
	}
	if method != "HEAD" && headers.Has("Content-Length") {
		headers.Set("Content-Length", strconv.Itoa(len(raw)))
	}
	return tapedResponse{
		Status: t.reply.StatusCode, Reason: tapedText(t.reply.Reason), Proto: t.reply.Proto,
		Headers: tapedHeaders(c.secrets.Fields(headers)), Body: raw, Trailers: tapedHeaders(c.secrets.Fields(t.body.Trailers())),
	}
}

// decoded undoes the content coding, and takes it out of a copy of the header.
func decoded(headers requests.Headers, raw []byte) ([]byte, requests.Headers, error) {
	if !headers.Has("Content-Encoding") {
		return raw, headers, nil
	}
	content, err := requests.NewResponse(nil, 200, headers, &wire.Held{Content: raw}).Content()
	if err != nil {
		return raw, headers, err
	}
	without := headers.Clone()
	without.Del("Content-Encoding")
	return content, without, nil
}
