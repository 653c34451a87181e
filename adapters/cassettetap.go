package adapters

import (
	"cmp"
	"io"
	"strconv"
	"sync"

	"github.com/mountable/requests"
)

// tap records a response while its body is being read.
func (c *cassette) tap(asked tapedRequest, r *requests.Response) {
	if r.Raw == nil {
		r.Raw = &memory{}
	}
	t := &tapping{ReadCloser: r.Raw, reply: *r, method: asked.Method}
	t.done = func(raw []byte) error {
		return c.add(tapedExchange{asked, c.response(asked.Method, t, raw)})
	}
	r.Raw = t
}

// tapping is a body that remembers what went through.
type tapping struct {
	io.ReadCloser
	reply  requests.Response
	method string

	// mu protects the fields below: Close may come while another goroutine reads.
	mu      sync.Mutex
	reading bool
	seen    []byte
	done    func(raw []byte) error // nil once called
}

// Read implements [io.Reader]. A cassette that cannot be written is an error at the end.
func (t *tapping) Read(p []byte) (int, error) {
	t.setReading(true)
	n, err := t.ReadCloser.Read(p)
	t.setReading(false)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seen = append(t.seen, p[:n]...)
	if err == io.EOF {
		if failed := t.finish(); failed != nil {
			return n, failed
		}
	}
	return n, err
}

func (t *tapping) setReading(reading bool) {
	t.mu.Lock()
	t.reading = reading
	t.mu.Unlock()
}

// finish records the exchange, unless more of the body was announced than came: replayed,
// what is there would pass for the whole.
func (t *tapping) finish() error {
	done := t.done
	if t.done = nil; done == nil || t.cut() {
		return nil
	}
	if err := done(t.seen); err != nil {
		return &requests.Error{Kind: requests.ErrFile, Err: err, Detail: "the cassette cannot be written"}
	}
	return nil
}

// cut reports whether the body ended before its announced length. Not every carrier says
// so by an error of Read: some leave it to the response, which knows Content-Length too.
func (t *tapping) cut() bool {
	if t.Remaining() > 0 {
		return true
	}
	h := &t.reply.Headers
	if t.method == "HEAD" || t.reply.StatusCode == 304 || h.Has("Transfer-Encoding") {
		return false
	}
	n, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64)
	return err == nil && int64(len(t.seen)) < n
}

// Close implements [io.Closer]. A body of known length may never have been asked for its end.
func (t *tapping) Close() error {
	var failed error
	t.mu.Lock()
	if !t.reading && t.Remaining() == 0 {
		failed = t.finish()
	}
	t.mu.Unlock()
	return cmp.Or(failed, t.ReadCloser.Close())
}

// Remaining is what is left of a body of known length, -1 otherwise.
func (t *tapping) Remaining() int64 {
	if s, ok := t.ReadCloser.(interface{ Remaining() int64 }); ok {
		return s.Remaining()
	}
	return -1
}

// Trailers are the fields after the body.
func (t *tapping) Trailers() [][2]string {
	if s, ok := t.ReadCloser.(interface{ Trailers() [][2]string }); ok {
		return s.Trailers()
	}
	return nil
}

// response writes a response down: decoded, so that it can be read, and without secrets.
func (c *cassette) response(method string, t *tapping, raw []byte) tapedResponse {
	headers := t.reply.Headers.Clone()
	if method != "HEAD" {
		raw = decoded(&headers, raw)
	}
	raw = c.secrets.Body(headers.Get("Content-Type"), raw)
	if method != "HEAD" && headers.Has("Content-Length") {
		headers.Set("Content-Length", strconv.Itoa(len(raw)))
	}
	return tapedResponse{
		Status: t.reply.StatusCode, Reason: tapedText(t.reply.Reason), Proto: t.reply.Proto,
		Headers: tapedHeaders(c.secrets.Fields(headers)), Body: raw, Trailers: tapedHeaders(c.secrets.Fields(t.Trailers())),
	}
}

// decoded undoes the content coding, unless that is impossible.
func decoded(headers *requests.Headers, raw []byte) []byte {
	if !headers.Has("Content-Encoding") {
		return raw
	}
	content, err := requests.NewResponse(nil, 200, *headers, &memory{content: raw}).Content()
	if err != nil {
		return raw
	}
	headers.Del("Content-Encoding")
	return content
}
