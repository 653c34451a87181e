package adapters

import (
	"bytes"
	"slices"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wire"
)

// snapshot is a response that several callers get copies of. Nobody else has it, and nothing
// of it changes: two responses have nothing in common that one can change, the state of
// reading their bodies above all, and so has what stands behind them, in History.
type snapshot struct {
	head    requests.Response // as it came; its body is not read
	body    wire.Held         // where it is in memory
	history []*snapshot
}

// snapshotOf is that of a response which nobody else reads yet. Its body stays where it is.
func snapshotOf(r *requests.Response) *snapshot {
	s := &snapshot{head: *r}
	s.head.Headers, s.head.Attempts = r.Headers.Clone(), slices.Clone(r.Attempts)
	if r.Cookies != nil {
		s.head.Cookies = r.Cookies.Clone()
	}
	if r.Request != nil {
		s.head.Request = r.Request.Clone()
	}
	for _, earlier := range r.History {
		if earlier != nil {
			s.history = append(s.history, readSnapshot(earlier))
		}
	}
	return s
}

// readSnapshot is snapshotOf for one that came before another, or with an error: its body has
// been read or given up. What is in memory has no content coding any more.
func readSnapshot(r *requests.Response) *snapshot {
	content, err := r.Content()
	s := snapshotOf(r)
	s.body = wire.Held{Content: bytes.Clone(content), Cut: err}
	if err == nil {
		s.body.Fields = r.Trailers()
	}
	if s.head.Headers.Has("Content-Encoding") {
		s.head.Headers.Del("Content-Encoding")
		s.head.Headers.Del("Content-Length")
	}
	return s
}

// copy is the response for one caller, who sent p.
func (s *snapshot) copy(p *requests.PreparedRequest) *requests.Response {
	of, body := &s.head, s.body
	r := requests.NewResponse(p, of.StatusCode, of.Headers.Clone(), &body)
	r.Reason, r.Proto, r.URL, r.Encoding = of.Reason, of.Proto, of.URL, of.Encoding
	r.Elapsed, r.TLS, r.Codecs, r.Attempts = of.Elapsed, of.TLS, of.Codecs, slices.Clone(of.Attempts)
	if of.Cookies != nil {
		r.Cookies = of.Cookies.Clone()
	}
	for _, earlier := range s.history {
		r.History = append(r.History, earlier.again())
	}
	return r
}

// again is a copy that was not sent by the caller.
func (s *snapshot) again() *requests.Response {
	if s.head.Request == nil {
		return s.copy(nil)
	}
	return s.copy(s.head.Request.Clone())
}
