package requests

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/mountable/requests/internal/jsontext"
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
// [ErrLineTooLong]. Leaving the loop early closes the response.
func (r *Response) Events() iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		p := &sse.Parser{Max: r.maxLine()}
		if err := r.events(p, func(e Event) bool { return yield(e, nil) }); err != nil {
			yield(Event{}, err)
		}
	}
}

// events feeds the body to p, as long as yield wants more.
func (r *Response) events(p *sse.Parser, yield func(Event) bool) (failed error) {
	r.content().Arriving(r.owner(), r.Close, func(piece []byte, err error) bool {
		if failed = err; err != nil {
			return false
		}
		more, err := p.Feed(piece, func(e sse.Event) bool { return yield(Event(e)) })
		if err != nil {
			failed = r.lineTooLong()
		}
		return more
	})
	return failed
}

// EventSource iterates over the server-sent events of url, and connects again whenever the
// stream ends or breaks: after 3 seconds or what the stream's retry field says, doubled, up
// to a minute, while no event comes, and with the last ID in the Last-Event-ID field. The
// loop ends where it is left, with ctx, where the server responds 204, and with the error of
// the first connection, of a response that is not a 200 of type text/event-stream, or of
// anything that connecting again would not mend. A stream that says nothing for
// Timeouts.Read is connected again; Timeouts.Total ends the loop.
func EventSource(ctx context.Context, s *Session, url string, options ...Option) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		p := &sse.Parser{Retry: 3 * time.Second}
		for first, silent := true, 0; ; first, silent = false, silent+1 {
			if !first {
				if err := pause(ctx, p.Wait(silent), time.Time{}); err != nil {
					yield(Event{}, err)
					return
				}
			}
			r, err := s.openEvents(ctx, p.ID, url, options)
			if err == nil && r == nil {
				return
			}
			opened, left := err == nil, false
			if opened {
				p.Restart()
				p.Max = r.maxLine()
				err = r.events(p, func(e Event) bool { silent = 0; left = !yield(e, nil); return !left })
			}
			if left {
				return
			}
			if err != nil && (first && !opened || !isBrokenStream(err)) {
				yield(Event{}, err)
				return
			}
		}
	}
}

// openEvents asks for a stream of events; a nil response says that there will be none.
func (s *Session) openEvents(ctx context.Context, lastID, url string, options []Option) (*Response, error) {
	all := append([]Option{Headers{{"Accept", "text/event-stream"}, {"Cache-Control", "no-store"}}}, options...)
	if lastID != "" {
		all = append(all, Headers{{"Last-Event-ID", lastID}})
	}
	r, err := s.Get(ctx, url, append(all, Stream(true))...)
	if err != nil {
		return nil, err
	}
	kind, _, _ := strings.Cut(r.Headers.Get("Content-Type"), ";")
	switch {
	case r.StatusCode == 204:
		return nil, r.Close()
	case r.StatusCode == 200 && strings.EqualFold(strings.TrimSpace(kind), "text/event-stream"):
		return r, nil
	}
	drain(r)
	if err := r.RaiseForStatus(); err != nil {
		return nil, err
	}
	detail := fmt.Sprintf("the response is not a stream of events: %d, of type %q", r.StatusCode, kind)
	return nil, &Error{Kind: ErrInvalidHeader, Request: r.Request, Response: r, Detail: detail}
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
	return func(yield func(T, error) bool) {
		n := 0
		for line, err := range r.Split("\n") {
			n++
			text := jsontext.Line(line, n)
			if err == nil && text == "" {
				continue
			}
			if v, err := decodeElement[T](r, []byte(text), err); !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// JSONArray iterates over the elements of a body that is one JSON array as they arrive, in
// UTF-8, UTF-16 or UTF-32. What is not such an array, or is cut short, is [ErrJSONDecode] and
// ends the loop, behind the elements before it; an element longer than Limits.MaxLine is
// [ErrLineTooLong]. Leaving the loop early closes the response.
func JSONArray[T any](r *Response) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		body, err := r.content().Loop(r.owner())
		if err == nil {
			defer r.Close()
			left := false
			err = jsontext.Array(body, r.maxLine(), func(element json.RawMessage) bool {
				v, err := decodeElement[T](r, element, nil)
				left = !yield(v, err) || err != nil
				return !left
			})
			if left {
				return
			}
		}
		if err != nil {
			var zero T
			yield(zero, r.arrayError(err))
		}
	}
}

// decodeElement decodes one value of several, unless reading it has failed.
func decodeElement[T any](r *Response, text []byte, err error) (v T, _ error) {
	if err == nil {
		err = r.unmarshal(text, &v)
	}
	if err != nil {
		var zero T
		return zero, err
	}
	return v, nil
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
