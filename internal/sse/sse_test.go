package sse

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests/internal/charset"
)

var streams = []struct {
	name, text string
	want       []Event
	id         string
	retry      time.Duration
}{
	{"nothing", "", nil, "", 0},
	{"one event", "data: a\n\n", []Event{{"message", "a", ""}}, "", 0},
	{"two lines of data", "data: YHOO\ndata: +2\ndata: 10\n\n", []Event{{"message", "YHOO\n+2\n10", ""}}, "", 0},
	{"the standard's second example", ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n", []Event{
		{"message", "first event", "1"}, {"message", "second event", ""}, {"message", " third event", ""}}, "", 0},
	{"the standard's third example", "data\n\ndata\ndata\n\ndata:\n", []Event{{"message", "", ""}, {"message", "\n", ""}}, "", 0},
	{"one space goes", "data:test\n\ndata: test\n\n", []Event{{"message", "test", ""}, {"message", "test", ""}}, "", 0},
	{"CR", "data: a\rdata: b\r\rdata: c\r\r", []Event{{"message", "a\nb", ""}, {"message", "c", ""}}, "", 0},
	{"CRLF", "data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n", []Event{{"message", "a\nb", ""}, {"message", "c", ""}}, "", 0},
	{"mixed line ends", "data: a\n\rdata: b\r\n\ndata: c\r\r\n", []Event{{"message", "a", ""}, {"message", "b", ""}, {"message", "c", ""}}, "", 0},
	{"byte order mark", "\ufeffdata: a\n\n", []Event{{"message", "a", ""}}, "", 0},
	{"byte order mark inside", "data: a\n\n\ufeffdata: b\n\n", []Event{{"message", "a", ""}}, "", 0},
	{"types", "event: add\ndata: 1\n\ndata: 2\n\nevent: gone\n\ndata: 3\n\n", []Event{{"add", "1", ""}, {"message", "2", ""}, {"message", "3", ""}}, "", 0},
	{"ids stay", "id: 7\ndata: a\n\ndata: b\n\nid: 8\n\n", []Event{{"message", "a", "7"}, {"message", "b", "7"}}, "8", 0},
	{"an id of an event that is not ended", "id: 7\ndata: a\n\nid: 8\ndata: b\n", []Event{{"message", "a", "7"}}, "7", 0},
	{"an id with U+0000", "id: 7\n\nid: a\x00b\ndata: c\n\n", []Event{{"message", "c", "7"}}, "7", 0},
	{"retry", "retry: 250\n\nretry: soon\nretry: -1\nretry:\nretry: 1.5\n", nil, "", 250 * time.Millisecond},
	{"a huge retry", "retry: 99999999999999999999999\n", nil, "", time.Hour},
	{"the longest retry but one", "retry: 3599999\n", nil, "", time.Hour - time.Millisecond},
	{"the longest retry", "retry: 3600000\n", nil, "", time.Hour},
	{"one that is longer", "retry: 3600001\n", nil, "", time.Hour},
	{"unknown fields", "Data: a\nfoo: b\n:data: c\ndata: d\n\n", []Event{{"message", "d", ""}}, "", 0},
	{"not ended", "data: a\n\ndata: b", []Event{{"message", "a", ""}}, "", 0},
	{"a line that is not ended", "retry: 25\ndata: a\n\nretry: 2", []Event{{"message", "a", ""}}, "", 25 * time.Millisecond},
	{"beyond ASCII", "data: grün 🙂\nid: é\n\n", []Event{{"message", "grün 🙂", "é"}}, "é", 0},
	{"not UTF-8", "data: a\xffb\xe2\x82\n\n", []Event{{"message", "a\ufffdb\ufffd", ""}}, "", 0},
}

// cuts are the ways to cut s: whole, byte by byte, and in two at every offset.
func cuts(s string) [][]string {
	all := [][]string{{s}, strings.Split(s, "")}
	bytes := make([]string, len(s))
	for i := range len(s) {
		bytes[i] = s[i : i+1]
		all = append(all, []string{s[:i], s[i:]})
	}
	return append(all, bytes)
}

// all feeds p a stream in pieces, takes the events as they come, and ends it.
func all(p *Parser, pieces ...string) (events []Event, err error) {
	s := new(charset.Scanner)
	for i := 0; i <= len(pieces); i++ {
		if i == len(pieces) {
			s.End()
		} else {
			s.Came(copy(s.Room(len(pieces[i])), pieces[i]))
		}
		e, ok, err := p.Next(s)
		for ; ok && err == nil; e, ok, err = p.Next(s) {
			events = append(events, e)
		}
		if err != nil {
			return events, err
		}
	}
	return events, nil
}

func TestStreams(t *testing.T) {
	for _, c := range streams {
		for _, pieces := range cuts(c.text) {
			var p Parser
			got, err := all(&p, pieces...)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" || p.ID != c.id || p.Retry != c.retry {
				t.Fatalf("%s, as %q: ID %q, retry %v (-want +got)\n%s", c.name, pieces, p.ID, p.Retry, diff)
			}
		}
	}
}

// TestAtOnce: an event is given as soon as its empty line has ended, were it by a CR.
func TestAtOnce(t *testing.T) {
	for _, end := range []string{"\n\n", "\r\r", "\r\n\r", "\n\r"} {
		text, s := "data: a"+end, new(charset.Scanner)
		s.Came(copy(s.Room(len(text)), text))
		if e, ok, err := new(Parser).Next(s); !ok || err != nil || e.Data != "a" {
			t.Errorf("%q: %v, %v, %v", end, e, ok, err)
		}
	}
}

// TestBounds: what is longer than Max is an error, and not kept.
func TestBounds(t *testing.T) {
	for _, c := range []struct {
		text string
		want error
	}{
		{"data: 1234\n\n", nil}, {"data: 12345\n\n", ErrTooLong}, {":" + strings.Repeat("x", 10), ErrTooLong},
		{"data:1234\ndata:12345\n\n", nil}, {"data:1234\ndata:123456\n\n", ErrTooLong}, {"data:1234\ndata:12345\ndata:\n\n", ErrTooLong}, {"data\ndata\ndata\ndata\ndata\ndata\n\n", nil},
	} {
		for _, pieces := range cuts(c.text) {
			if _, got := all(&Parser{Max: 10}, pieces...); !errors.Is(got, c.want) {
				t.Errorf("%q as %q: %v, want %v", c.text, pieces, got, c.want)
			}
		}
	}
}

// TestShared: what is behind an event is left for whoever reads on, and nothing before that
// is read twice.
func TestShared(t *testing.T) {
	s := charset.ScanAll([]byte("data: a\r\n\r\nline\rdata: b\n\nrest"))
	var got []string
	next := func() {
		e, ok, err := new(Parser).Next(s)
		got = append(got, fmt.Sprint(e.Data, ok, err))
	}
	line := func() {
		l, ok, err := s.Line(charset.LineEnds(false), 0)
		got = append(got, fmt.Sprint(string(l), ok, err))
	}
	next()
	line()
	next()
	line()
	next()
	if diff := cmp.Diff([]string{"atrue <nil>", "linetrue <nil>", "btrue <nil>", "resttrue <nil>", "false <nil>"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestRestart: another stream begins anew, but for the ID and the pause.
func TestRestart(t *testing.T) {
	var p Parser
	before, _ := all(&p, "id: 1\nretry: 5\ndata: a\n\nid: 2\nevent: x\ndata: lost\r")
	p.Restart()
	after, _ := all(&p, "\ufeffdata: b\n\n")
	if diff := cmp.Diff([]Event{{"message", "a", "1"}, {"message", "b", "1"}}, append(before, after...)); diff != "" || p.Retry != 5*time.Millisecond {
		t.Errorf("retry %v (-want +got)\n%s", p.Retry, diff)
	}
}

func TestWait(t *testing.T) {
	for _, c := range []struct {
		retry time.Duration
		n     int
		want  time.Duration
	}{
		{3 * time.Second, 0, 3 * time.Second}, {3 * time.Second, 1, 3 * time.Second}, {3 * time.Second, 2, 6 * time.Second},
		{3 * time.Second, 100, time.Minute}, {0, 0, minWait}, {0, 1, minWait}, {time.Millisecond, 1, minWait}, {0, 3, 4 * minWait}, {0, 1 << 30, time.Minute},
		{minWait, 1, minWait}, {minWait + 1, 1, minWait + 1}, {2 * time.Minute, 9, 2 * time.Minute}, {maxRetry, 1 << 30, maxRetry}, {time.Millisecond, 1 << 30, time.Minute},
	} {
		p := Parser{Retry: c.retry}
		if got := p.Wait(c.n); got != c.want {
			t.Errorf("%v, %d: %v, want %v", c.retry, c.n, got, c.want)
		}
	}
}

func FuzzNext(f *testing.F) {
	for _, c := range streams {
		f.Add(c.text, 1)
	}
	f.Fuzz(func(t *testing.T, text string, cut int) {
		cut = max(0, min(cut, len(text)))
		whole, _ := all(new(Parser), text)
		cutUp, _ := all(new(Parser), text[:cut], text[cut:])
		if diff := cmp.Diff(whole, cutUp); diff != "" {
			t.Errorf("whole and cut at %d (-whole +cut)\n%s", cut, diff)
		}
	})
}
