// Package sse reads event streams, as the HTML standard has them (section 9.2).
package sse

import (
	"bytes"
	"errors"
	"strconv"
	"time"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/charset"
)

// Event is one event of a stream.
type Event struct {
	Type string // "message" where the stream names none
	Data string // its lines, joined by "\n"
	ID   string // the last ID that the stream has named
}

// ErrTooLong is a line, or the data of an event, that is longer than Parser.Max.
var ErrTooLong = errors.New("the event is too long")

// Parser takes events out of a stream that comes in pieces, cut anywhere, into a
// charset.Scanner. The zero Parser is at the beginning of a stream.
//
//	a line                 what it does
//	empty                  ends the event: with data it is given, without it is forgotten
//	":" and anything       nothing
//	"data: x"              x is one more line of the data
//	"event: x"             x is the type of the event
//	"id: x"                x is the ID of this event and of those that follow, unless U+0000 is in it
//	"retry: 100"           reconnecting waits for so many milliseconds from now on
//	anything else          nothing
//
// A line ends with CR, LF or both, at once with the CR. What is not ended at the end of the
// stream is not an event.
type Parser struct {
	Max   int           // bytes of a line and of the data of an event; 0 for any number
	ID    string        // the last ID, to reconnect with
	Retry time.Duration // as the stream has it, and as it was given before that

	ends    *charset.Separator // of lines
	started bool               // the first line has ended: no byte order mark can come any more

	id, kind string
	data     []byte
}

// Restart makes p read another stream, for which ID and Retry still hold.
func (p *Parser) Restart() { *p = Parser{Max: p.Max, ID: p.ID, id: p.ID, Retry: p.Retry, ends: p.ends} }

// minWait is the shortest pause, whatever retry says: a server that closes each connection at once, and asks for no pause,
// is asked ten times a second by one client, and not as often as the network allows.
const minWait = 100 * time.Millisecond

// Wait is the pause before connecting again, the nth time without an event: Retry, and minWait at
// least, doubled with each time, up to a minute where Retry is not longer itself.
func (p *Parser) Wait(n int) time.Duration {
	retry := max(p.Retry, minWait)
	if n <= 1 {
		return retry
	}
	return max(retry, min(retry<<min(n-1, 16), time.Minute))
}

// Stream is one connection: it gives its events as long as yield wants more.
type Stream func(yield func(Event) bool) error

// Follow gives yield the events of one stream after the other, until that returns false, open
// returns no stream, or an error comes up: of pausing, of the first open, or one that mends says
// another stream would not mend, which yield is given.
func (p *Parser) Follow(pause func(time.Duration) error, open func() (Stream, error), mends func(error) bool, yield func(Event, error) bool) {
	left := false
	for first, silent := true, 0; !left; first, silent = false, silent+1 {
		var err error
		if !first {
			err = pause(p.Wait(silent))
		}
		if err == nil {
			var stream Stream
			stream, err = open()
			if err == nil && stream == nil {
				return
			}
			if err == nil {
				first = false
				err = stream(func(e Event) bool { silent, left = 0, !yield(e, nil); return !left })
			}
		}
		if !left && err != nil && (first || !mends(err)) {
			yield(Event{}, err)
			return
		}
	}
}

// Next takes lines out of s up to the end of an event, and nothing behind it, so that others
// may read on from there. ok is false where more has to come into s first, or nothing will. A
// line that only the end of the stream ends is none. The error is ErrTooLong.
func (p *Parser) Next(s *charset.Scanner) (e Event, ok bool, err error) {
	if p.ends == nil {
		p.ends = charset.LineEnds(false)
	}
	for {
		there := len(s.Bytes())
		line, found, err := s.Line(p.ends, p.Max)
		switch {
		case err != nil:
			return e, false, ErrTooLong
		case !found || len(line) == there:
			return e, false, nil
		}
		if e, ok, err = p.take(line); ok || err != nil {
			return e, ok, err
		}
	}
}

// take does what a line says. ok is true where it ends an event.
func (p *Parser) take(line []byte) (e Event, ok bool, err error) {
	if !p.started {
		line, p.started = bytes.TrimPrefix(line, []byte("\ufeff")), true
	}
	if len(line) == 0 {
		e, ok = p.dispatch()
		return e, ok, nil
	}
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" "))
	switch string(name) {
	case "data":
		if p.data = append(append(p.data, value...), '\n'); p.Max > 0 && len(p.data) > p.Max+1 {
			return e, false, ErrTooLong
		}
	case "event":
		p.kind = text(value)
	case "id":
		if bytes.IndexByte(value, 0) < 0 {
			p.id = text(value)
		}
	case "retry":
		p.wait(string(value))
	}
	return e, false, nil
}

// dispatch ends the event.
func (p *Parser) dispatch() (Event, bool) {
	e := Event{Type: p.kind, ID: p.id}
	p.ID, p.kind = p.id, ""
	if len(p.data) == 0 {
		return Event{}, false
	}
	if e.Type == "" {
		e.Type = "message"
	}
	e.Data, p.data = text(bytes.TrimSuffix(p.data, []byte("\n"))), p.data[:0]
	return e, true
}

// maxRetry is the longest pause that a stream can ask for: one mistaken for a time, or that wants to be rid of a client,
// must not keep it away for ever.
const maxRetry = time.Hour

func (p *Parser) wait(milliseconds string) {
	if !ascii.IsDigits(milliseconds) {
		return
	}
	p.Retry = maxRetry
	if n, err := strconv.ParseInt(milliseconds, 10, 64); err == nil && n < int64(maxRetry/time.Millisecond) {
		p.Retry = time.Duration(n) * time.Millisecond
	}
}

// text decodes UTF-8, which event streams always are.
func text(data []byte) string {
	s, _ := charset.Decode(data, "utf-8")
	return s
}
