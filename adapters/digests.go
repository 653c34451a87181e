package adapters

import (
	"context"
	"hash"
	"io"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/integrity"
	"github.com/mountable/requests/internal/wire"
)

// Digests protects bodies by digest fields (RFC 9530), with SHA-256 and SHA-512.
//
// A request's body gets a Content-Digest, unless the request has one: in its header, for which
// a body that can be read again is read once more, and behind the body, which is chunked then,
// where it cannot. Requests ask for one by Want-Content-Digest.
//
// The body of a response that has a Content-Digest is checked as it is read, before its content
// coding is undone, and that of a 200 against Repr-Digest as well; either may follow the body.
// Reading the end of one that differs is [requests.ErrDigest]: what has been read until then was
// not checked. Other algorithms, a field that cannot be read (RFC 9651 has
// it ignored), and a response without the fields are not looked at, nor is one to HEAD.
func Digests() requests.Wrapper {
	return around(func(ctx context.Context, base requests.Adapter, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
		p, body, err := withDigest(p)
		if err != nil {
			return nil, err
		}
		taken := false
		defer func() {
			if !taken {
				body.Close() // nothing came, or the sending panicked
			}
		}()
		r, err := base.Send(ctx, p, opts)
		if err != nil || r == nil {
			return r, err
		}
		taken = true
		if checkDigest(r, p); r.Raw == nil {
			body.Close()
		} else if body != nil {
			r.Raw = wire.OnEnd(r.Raw, func(error) { body.Close() })
		}
		return r, nil
	})
}

// withDigest is a copy of asked that says what the digest of its body is, and asks for that of the
// response. What sums a body while it is sent is to be closed; it is nil where nothing does.
func withDigest(asked *requests.PreparedRequest) (*requests.PreparedRequest, *summedBody, error) {
	p := asked.Clone()
	if !p.Headers.Has("Want-Content-Digest") {
		p.Headers.Add("Want-Content-Digest", integrity.Wanted)
	}
	data, inMemory := p.Body()
	if p.Headers.Has("Content-Digest") || inMemory && len(data) == 0 {
		return p, nil, nil
	}
	sum := integrity.New()
	switch {
	case inMemory:
		sum.Write(data)
	case p.Replayable():
		if err := sumAhead(sum, p); err != nil {
			return nil, nil, err
		}
	default:
		body := &summedBody{body: asked.OpenBody(), sum: sum}
		return p, body, body.behind(p)
	}
	p.Headers.Add("Content-Digest", integrity.Field(sum))
	return p, nil, nil
}

// sumAhead reads the body of p, and brings it back to where it stood.
func sumAhead(sum hash.Hash, p *requests.PreparedRequest) error {
	body := p.OpenBody()
	_, err := io.Copy(sum, body)
	if closed := body.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = p.Rewind()
	}
	return err
}

// summedBody is the body of a request that is summed while it is sent. It may be closed while
// it is read.
type summedBody struct {
	reading sync.Mutex // held by who touches body and sum
	body    io.ReadCloser
	sum     hash.Hash
	closed  atomic.Bool
}

// behind sends b as the body of p, and its digest behind it.
func (b *summedBody) behind(p *requests.PreparedRequest) error {
	trailers := p.Trailers
	p.Trailers = func() requests.Headers {
		var fields requests.Headers
		if trailers != nil {
			fields = trailers()
		}
		b.reading.Lock()
		defer b.reading.Unlock()
		return append(fields.Clone(), [2]string{"Content-Digest", integrity.Field(b.sum)})
	}
	p.Headers.Add("Trailer", "Content-Digest")
	p.Headers.Del("Content-Length")
	return p.SetBodyReader(b)
}

// Read implements [io.Reader].
func (b *summedBody) Read(p []byte) (int, error) {
	b.reading.Lock()
	defer b.finish()
	if b.closed.Load() {
		return 0, io.ErrClosedPipe
	}
	n, err := b.body.Read(p)
	b.sum.Write(p[:n])
	return n, err
}

// Close ends the reading of the caller's body, at once or when the Read under way returns.
func (b *summedBody) Close() {
	if b == nil {
		return
	}
	b.closed.Store(true)
	if b.reading.TryLock() {
		b.finish()
	}
}

// finish ends a turn with the body, and the body itself once it has been closed.
func (b *summedBody) finish() {
	closed := b.closed.Load()
	if closed {
		_ = b.body.Close()
	}
	b.reading.Unlock()
	if !closed && b.closed.Load() {
		b.Close() // it came between
	}
}

// checkDigest has the body of r checked as it is read.
func checkDigest(r *requests.Response, p *requests.PreparedRequest) {
	if r.Raw == nil || p.Method == "HEAD" || r.StatusCode == 204 || r.StatusCode == 304 {
		return
	}
	c := &digestCheck{p: p, r: r}
	c.said = c.fields(r.Headers)
	body := wire.StreamOf(r.Raw)
	if !strings.HasPrefix(r.Proto, "HTTP/1.") {
		body = unsized{body}
	}
	c.sums = integrity.NewChecker(body.Remaining() < 0, c.said...)
	c.body = wire.Tap(body, c.see)
	r.Raw = c.body
	if c.body.Remaining() != 0 {
		return
	}
	if err := c.differs(c.said); err != nil { // nobody has to read what is empty
		_ = c.body.Close()
		r.Raw = &wire.Held{Cut: err}
	}
}

// unsized is a body that is read to its end before that is believed: in HTTP/2 and 3, trailers
// follow one of known length, too.
type unsized struct{ wire.Stream }

// Remaining is not known.
func (unsized) Remaining() int64 { return -1 }

// digestCheck compares a body with what the header and the trailers say of it.
type digestCheck struct {
	p    *requests.PreparedRequest
	r    *requests.Response
	said []integrity.Digests // by the header
	sums *integrity.Checker
	body wire.Stream
}

// fields are the digests of a header or of trailers that are about the body of the response.
func (c *digestCheck) fields(h requests.Headers) []integrity.Digests {
	all := []integrity.Digests{integrity.Parse(h.Values("Content-Digest"))}
	if c.r.StatusCode == 200 {
		all = append(all, integrity.Parse(h.Values("Repr-Digest")))
	}
	return all
}

// see sums what is read.
func (c *digestCheck) see(b []byte, how error) error {
	c.sums.Write(b)
	if how != io.EOF {
		return nil
	}
	return c.differs(append(c.said, c.fields(c.body.Trailers())...))
}

func (c *digestCheck) differs(said []integrity.Digests) error {
	for _, d := range said {
		if name := c.sums.Mismatch(d); name != "" {
			return &requests.Error{Kind: requests.ErrDigest, Request: c.p, Response: c.r, Detail: "the body does not have the " + name + " that the server says it has"}
		}
	}
	return nil
}
