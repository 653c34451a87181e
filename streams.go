package requests

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"github.com/mountable/requests/internal/charset"
	"github.com/mountable/requests/internal/jsontext"
	"github.com/mountable/requests/internal/redirect"
	"github.com/mountable/requests/internal/sse"
)

// Event is one server-sent event.
type Event struct {
	Type string // "message" where the stream names none
	Data string // its lines, joined by "\n"
	ID   string // the last ID that the stream has named; see EventSource
}

// Events iterates over the server-sent events of the body as they arrive, as the HTML
// standard has them (section 9.2), whatever the Content-Type is. An event that the body ends
// in is not one. A line, or the data of an event, that is longer than Limits.MaxLine is
// [ErrLineTooLong]. It shares what was read ahead with loops like [Response.Lines]. Leaving
// the loop early closes the response.
func (r *Response) Events() iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		p := &sse.Parser{Max: r.maxLine()}
		if err := r.events(p, func(e sse.Event) bool { return yield(Event(e), nil) }); err != nil {
			yield(Event{}, err)
		}
	}
}

// events gives yield what p takes out of the body, as long as yield wants more.
func (r *Response) events(p *sse.Parser, yield func(sse.Event) bool) (failed error) {
	var e sse.Event
	take := func(s *charset.Scanner) (_ []byte, ok bool, err error) {
		e, ok, err = p.Next(s)
		return nil, ok, err
	}
	r.content().Lines(r.owner(), take, r.lineTooLong, r.Close, func(_ string, err error) bool {
		failed = err
		return err == nil && yield(e)
	})
	return failed
}

// EventSource iterates over the server-sent events of url, and connects again whenever the
// stream ends or breaks: after 3 seconds or what the stream's retry field says (0.1 at least, an hour
// at most), doubled, up to a minute, while no event comes, and with the last ID in the Last-Event-ID field. The
// loop ends where it is left, with ctx, where the server responds 204, and with the error of
// the first connection, of a response that is not a 200 of type text/event-stream, or of
// anything that connecting again would not mend. A stream that says nothing for
// Timeouts.Read is connected again; Timeouts.Total, of each connection, ends the loop.
func EventSource(ctx context.Context, s *Session, url string, options ...Option) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		p := &sse.Parser{Retry: 3 * time.Second}
		wait := func(d time.Duration) error { return pause(ctx, d, time.Time{}) }
		open := func() (sse.Stream, error) {
			r, err := s.openEvents(ctx, p.ID, url, options)
			if err != nil || r == nil {
				return nil, err
			}
			p.Restart()
			p.Max = r.maxLine()
			return func(yield func(sse.Event) bool) error { return r.events(p, yield) }, nil
		}
		p.Follow(wait, open, isBrokenStream, func(e sse.Event, err error) bool { return yield(Event(e), err) })
	}
}

// openEvents asks for a stream of events; a nil response says that there will be none.
func (s *Session) openEvents(ctx context.Context, lastID, url string, options []Option) (*Response, error) {
	all := append([]Option{Headers{{"Accept", "text/event-stream"}, {"Cache-Control", "no-store"}}}, options...)
	last := Headers{{"Last-Event-ID", lastID}}[:min(len(lastID), 1)] // none without an ID
	r, err := s.Get(ctx, url, append(all, last, Stream(true))...)
	if err != nil {
		return nil, err
	}
	kind := charset.MediaType(r.Headers.Get("Content-Type"))
	switch {
	case r.StatusCode == 204:
		return nil, r.Close()
	case r.StatusCode == 200 && kind == "text/event-stream":
		return r, nil
	}
	drain(r)
	if err := r.RaiseForStatus(); err != nil {
		return nil, err
	}
	return nil, withResponse(fail(ErrInvalidHeader, "the response is not a stream of events: %d, of type %q", r.StatusCode, kind), r)
}

// isBrokenStream reports whether connecting again may mend what ended a stream of events.
func isBrokenStream(err error) bool {
	if errors.Is(err, ErrTotalTimeout) || errors.Is(err, ErrCanceled) || errors.Is(err, ErrSSL) {
		return false
	}
	return isRetriable(err) || errors.Is(err, ErrChunkedEncoding) || errors.Is(err, io.ErrUnexpectedEOF)
}

// JSONLines iterates over the values of a body of JSON Lines as they arrive, one each line,
// blank lines left out. What is not JSON is [ErrJSONDecode] and ends the loop; a line longer
// than Limits.MaxLine is [ErrLineTooLong]. Leaving the loop early closes the response.
func JSONLines[T any](r *Response) iter.Seq2[T, error] {
	return decodeEach[T](r, jsontext.Lines(r.Split("\n")))
}

// JSONArray iterates over the elements of a body that is one JSON array as they arrive, in UTF-8,
// UTF-16 or UTF-32. What is not such an array, or is cut short, is [ErrJSONDecode] and ends the
// loop, after the elements before it; an element longer than Limits.MaxLine is [ErrLineTooLong].
// Leaving the loop early closes the response.
func JSONArray[T any](r *Response) iter.Seq2[T, error] { return decodeEach[T](r, r.elements) }

// decodeEach decodes the values of a body, up to the first that fails.
func decodeEach[T any](r *Response, texts iter.Seq2[jsontext.Text, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for text, err := range texts {
			var v, none T
			if err == nil {
				err = r.unmarshal(text, &v)
			}
			if err != nil {
				v = none
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// elements iterates over the texts of the elements of a JSON array.
func (r *Response) elements(yield func(jsontext.Text, error) bool) {
	body, err := r.content().Loop(r.owner())
	if err == nil {
		defer r.Close()
		err = jsontext.Array(body, r.maxLine(), func(element jsontext.Text) bool { return yield(element, nil) })
	}
	if err != nil {
		yield(jsontext.Text{}, r.arrayError(err))
	}
}

func (r *Response) arrayError(err error) error {
	if err == jsontext.ErrTooLong {
		return r.lineTooLong()
	}
	if e, ok := err.(*jsontext.SyntaxError); ok {
		return &Error{Kind: ErrJSONDecode, Request: r.Request, Response: r, Err: e, Detail: "the body is not a JSON array"}
	}
	return err
}

// Pages iterates over the pages of a collection, beginning with that at url. A link of relation
// type "next" (RFC 8288) leads from one to the next, and is [ErrInvalidURL] where it is not a URL;
// see [PagesBy].
func Pages(ctx context.Context, s *Session, url string, options ...Option) iter.Seq2[*Response, error] {
	next := func(r *Response) (string, error) {
		link, ok := r.Link("next")
		if !ok {
			link, _ = r.linkTarget("next") // what is not a URL is the loop's error
		}
		return link, nil
	}
	return PagesBy(ctx, s, url, next, options...)
}

// PagesBy is Pages where next returns what leads from a page to the next, a URL that may be
// relative, and "" behind the last. Its error ends the loop, as do those of the requests, a status
// of 400 or more, and, before it is followed, a link back to a page that has been given.
//
// The first page is asked for with options. The others are asked for as the target of a redirect
// would be: by the URL, with the body of the first and what headers, cookies and credentials may
// go there, but for the validators of [IfChanged]. Timeouts.Total holds for each page. A page is
// closed when the loop goes on.
func PagesBy(ctx context.Context, s *Session, url string, next func(*Response) (string, error), options ...Option) iter.Seq2[*Response, error] {
	return func(yield func(*Response, error) bool) {
		if next == nil {
			yield(nil, fail(ErrInvalidArgument, "PagesBy: next is nil"))
			return
		}
		seen := redirect.Visited{}
		r, err := s.Get(ctx, url, options...)
		for link := ""; err == nil; {
			if err = r.checkPage(seen); err == nil {
				link, err = r.page(yield, next)
			}
			if err == nil && link == "" {
				return
			}
			if err == nil {
				r, err = s.turnPage(ctx, r, link, seen)
			}
		}
		yield(nil, err)
	}
}

// checkPage refuses what is not a page, or has been given.
func (r *Response) checkPage(seen redirect.Visited) error {
	again := !seen.Visit(r.URL)
	if !again && r.OK() {
		return nil
	}
	drain(r)
	if again {
		return r.leadsBack()
	}
	return r.RaiseForStatus()
}

// leadsBack is the error of a link of r, or of a redirect, to a page that has been given.
func (r *Response) leadsBack() error {
	return &Error{Kind: ErrTooManyRedirects, Request: r.Request, Response: r, Detail: "the pages lead back to one that has been given"}
}

// page gives r to the loop, and returns what leads on, "" for nothing.
func (r *Response) page(yield func(*Response, error) bool, next func(*Response) (string, error)) (string, error) {
	defer r.Close()
	if !yield(r, nil) {
		return "", nil
	}
	return next(r)
}

// turnPage asks for the page that link leads to from r.
func (s *Session) turnPage(ctx context.Context, r *Response, link string, seen redirect.Visited) (*Response, error) {
	if r.Request == nil {
		return nil, fail(ErrInvalidArgument, "no request has led to the page before %q", redactURL(link))
	}
	c := newChain(s, r, &r.opts)
	c.opts.Deadline = time.Time{}
	p, err := c.to(r, link)
	switch {
	case err != nil:
		return nil, err
	case seen.Has(p.URL):
		return nil, r.leadsBack()
	}
	p.Headers.Del("If-None-Match") // of the first page
	p.Headers.Del("If-Modified-Since")
	return s.Send(ctx, p, c.opts)
}
