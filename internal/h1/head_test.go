package h1

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

type headResult struct {
	Head ResponseHead
	Code Code
}

func readHead(src io.Reader, lim *Limits) headResult {
	var h ResponseHead
	if err := NewReader(src).ReadResponseHead(&h, lim); err != nil {
		return headResult{Code: codeOf(err)}
	}
	return headResult{Head: h}
}

func TestReadResponseHead(t *testing.T) {
	ok := func(minor, status int, reason string, fields ...[2]string) headResult {
		return headResult{Head: ResponseHead{minor, status, reason, fields}}
	}
	bad := func(c Code) headResult { return headResult{Code: c} }
	tests := []struct {
		name, raw string
		want      headResult
	}{
		{"plain", "HTTP/1.1 200 OK\r\nA: 1\r\nb:2\r\n\r\n", ok(1, 200, "OK", [2]string{"A", "1"}, [2]string{"b", "2"})},
		{"LF line ends", "HTTP/1.1 200 OK\nA: 1\n\n", ok(1, 200, "OK", [2]string{"A", "1"})},
		{"mixed line ends", "HTTP/1.1 200 OK\nA: 1\r\n\n", ok(1, 200, "OK", [2]string{"A", "1"})},
		{"no reason", "HTTP/1.0 204\r\n\r\n", ok(0, 204, "")},
		{"empty reason", "HTTP/1.1 204 \r\n\r\n", ok(1, 204, "")},
		{"reason kept", "HTTP/1.1 404 Ni\xf1o  x \r\n\r\n", ok(1, 404, "Ni\xf1o  x")},
		{"several spaces", "HTTP/1.1  200 OK\r\n\r\n", ok(1, 200, "OK")},
		{"later minor", "HTTP/1.2 999 Odd\r\n\r\n", ok(2, 999, "Odd")},
		{"blanks", "HTTP/1.1 200 OK\r\nA: \t 1 2\t \r\nB:\r\nC: \r\n\r\n",
			ok(1, 200, "OK", [2]string{"A", "1 2"}, [2]string{"B", ""}, [2]string{"C", ""})},
		{"obs-text", "HTTP/1.1 200 OK\r\nA: \xe9\x85\r\n\r\n", ok(1, 200, "OK", [2]string{"A", "\xe9\x85"})},
		{"folded", "HTTP/1.1 200 OK\r\nA: one\r\n two\r\n\tthree\nB: 1\r\n\r\n",
			ok(1, 200, "OK", [2]string{"A", "one two three"}, [2]string{"B", "1"})},
		{"folded, LF", "HTTP/1.1 200 OK\nA: one\n two\n\n", ok(1, 200, "OK", [2]string{"A", "one two"})},
		{"folded before", "HTTP/1.1 200 OK\r\nA:\r\n w\r\n\r\n", ok(1, 200, "OK", [2]string{"A", "w"})},
		{"folded behind", "HTTP/1.1 200 OK\r\nA: w\r\n \r\n\t\r\n\r\n", ok(1, 200, "OK", [2]string{"A", "w"})},
		{"folded, blanks around", "HTTP/1.1 200 OK\r\nA: v \t\r\n \r\n\t w,\r\n x \r\n\r\n", ok(1, 200, "OK", [2]string{"A", "v w, x"})},
		{"folded to nothing", "HTTP/1.1 200 OK\r\nA:\r\n \r\n\r\n", ok(1, 200, "OK", [2]string{"A", ""})},

		{"nothing", "", bad(NoResponse)},
		{"cut status line", "HTTP/1.1 200", bad(HeadTruncated)},
		{"cut head", "HTTP/1.1 200 OK\r\nA: 1\r\n", bad(HeadTruncated)},
		{"cut before LF", "HTTP/1.1 200 OK\r\n\r", bad(HeadTruncated)},
		{"empty line", "\r\nHTTP/1.1 200 OK\r\n\r\n", bad(BadStatusLine)},
		{"other protocol", "ICY 200 OK\r\n\r\n", bad(BadStatusLine)},
		{"HTTP/2", "HTTP/2 200 OK\r\n\r\n", bad(BadStatusLine)},
		{"lower case", "http/1.1 200 OK\r\n\r\n", bad(BadStatusLine)},
		{"two digits", "HTTP/1.1 99 X\r\n\r\n", bad(BadStatusLine)},
		{"four digits", "HTTP/1.1 1000 X\r\n\r\n", bad(BadStatusLine)},
		{"below 100", "HTTP/1.1 099 X\r\n\r\n", bad(BadStatusLine)},
		{"tab", "HTTP/1.1\t200 OK\r\n\r\n", bad(BadStatusLine)},
		{"long version", "HTTP/1.10 200 OK\r\n\r\n", bad(BadStatusLine)},
		{"control in reason", "HTTP/1.1 200 O\x01K\r\n\r\n", bad(BadStatusLine)},
		{"CR in reason", "HTTP/1.1 200 OK\r\r\n\r\n", bad(BadStatusLine)},
		{"blank before name", "HTTP/1.1 200 OK\r\n A: 1\r\n\r\n", bad(BadHeader)},
		{"blank after name", "HTTP/1.1 200 OK\r\nA : 1\r\n\r\n", bad(BadHeader)},
		{"blank in name", "HTTP/1.1 200 OK\r\nA B: 1\r\n\r\n", bad(BadHeader)},
		{"name not ASCII", "HTTP/1.1 200 OK\r\nA\xe9: 1\r\n\r\n", bad(BadHeader)},
		{"no name", "HTTP/1.1 200 OK\r\n: 1\r\n\r\n", bad(BadHeader)},
		{"no colon", "HTTP/1.1 200 OK\r\nA\r\n\r\n", bad(BadHeader)},
		{"bare CR", "HTTP/1.1 200 OK\r\nA: 1\rB: 2\r\n\r\n", bad(BadHeader)},
		{"CR CR LF", "HTTP/1.1 200 OK\r\nA: 1\r\r\n\r\n", bad(BadHeader)},
		{"CR line", "HTTP/1.1 200 OK\r\n\r\r\n\r\n", bad(BadHeader)},
		{"NUL", "HTTP/1.1 200 OK\r\nA: long enough\x00\r\n\r\n", bad(BadHeader)},
		{"DEL", "HTTP/1.1 200 OK\r\nA: \x7f long enough\r\n\r\n", bad(BadHeader)},
		{"NUL in fold", "HTTP/1.1 200 OK\r\nA: 1\r\n \x00\r\n\r\n", bad(BadHeader)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, readHead(strings.NewReader(tt.raw), nil)); diff != "" {
				t.Errorf("whole (-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(tt.want, readHead(iotest.OneByteReader(strings.NewReader(tt.raw)), nil)); diff != "" {
				t.Errorf("byte by byte (-want +got)\n%s", diff)
			}
		})
	}
}

func TestRule29HeadLimits(t *testing.T) {
	head := func(fields, size int) string {
		line := "A: " + strings.Repeat("v", size-5) + "\r\n"
		return "HTTP/1.1 200 OK\r\n" + strings.Repeat(line, fields) + "\r\n"
	}
	tests := []struct {
		name string
		raw  string
		lim  *Limits
		want Code
	}{
		{"default fields", head(1000, 10), nil, 0},
		{"one field more", head(1001, 10), nil, TooManyFields},
		{"default bytes", head(255, 1024), nil, 0},
		{"too many bytes", head(257, 1024), nil, HeadTooLarge},
		{"too many bytes without end", strings.TrimSpace(head(257, 1024)), nil, HeadTooLarge},
		{"own fields", head(3, 10), &Limits{Fields: 2}, TooManyFields},
		{"own bytes", head(3, 10), &Limits{HeadBytes: 48}, HeadTooLarge},
		{"exact bytes", head(3, 10), &Limits{HeadBytes: 49}, 0},
		{"own line", head(3, 100), &Limits{LineBytes: 97}, HeadTooLarge},
		{"exact line", head(3, 100), &Limits{LineBytes: 98}, 0},
		{"own status line", "HTTP/1.1 200 OK\r\n\r\n", &Limits{LineBytes: 14}, HeadTooLarge},
	}
	for _, tt := range tests {
		if got := readHead(strings.NewReader(tt.raw), tt.lim).Code; got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// endless repeats a text for ever, as a hostile peer does.
type endless struct{ text, rest string }

func (e *endless) Read(p []byte) (int, error) {
	if e.rest == "" {
		e.rest = e.text
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

func TestRule29EndlessHeads(t *testing.T) {
	for _, text := range []string{"HTTP/1.1 200 OK", "HTTP/1.1 100 Continue\r\n\r\n"} {
		var h ResponseHead
		err := NewReader(&endless{text: text}).ReadFinalHead(&h, nil, nil)
		if c := codeOf(err); c != HeadTooLarge && c != TooManyInterim {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestReadFinalHead(t *testing.T) {
	const hundred, ok = "HTTP/1.1 100 Continue\r\nA: 1\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"
	type result struct {
		Status  int
		Interim []int
		Code    Code
	}
	tests := []struct {
		name, raw string
		lim       Limits
		want      result
	}{
		{"none", ok, Limits{}, result{200, nil, 0}},
		{"some", hundred + "HTTP/1.1 103 Early\r\n\r\n" + ok, Limits{}, result{200, []int{100, 103}, 0}},
		{"as many as allowed", strings.Repeat(hundred, 2) + ok, Limits{Interim: 2}, result{200, []int{100, 100}, 0}},
		{"too many", strings.Repeat(hundred, 3) + ok, Limits{Interim: 2}, result{100, []int{100, 100}, TooManyInterim}},
		{"too large", strings.Repeat(hundred, 3) + ok, Limits{InterimBytes: 70}, result{100, []int{100, 100}, TooManyInterim}},
		{"upgrade", "HTTP/1.1 101 X\r\n\r\n", Limits{}, result{101, nil, UnexpectedUpgrade}},
		{"nothing after", hundred, Limits{}, result{100, []int{100}, HeadTruncated}},
		{"nothing", "", Limits{}, result{0, nil, NoResponse}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var h ResponseHead
			var got result
			err := NewReader(strings.NewReader(tt.raw)).ReadFinalHead(&h, &tt.lim, func(h *ResponseHead) error {
				got.Interim = append(got.Interim, h.Status)
				return nil
			})
			got.Status, got.Code = h.Status, codeOf(err)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestInterimErrorEndsReading(t *testing.T) {
	stop := errors.New("stop")
	var h ResponseHead
	src := strings.NewReader("HTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 OK\r\n\r\n")
	if err := NewReader(src).ReadFinalHead(&h, nil, func(*ResponseHead) error { return stop }); err != stop {
		t.Errorf("got %v, want %v", err, stop)
	}
}

// TestOtherProtocolNeedsNoLineEnd: a peer that speaks something else may wait for us, so its first bytes must do.
func TestOtherProtocolNeedsNoLineEnd(t *testing.T) {
	src := io.MultiReader(strings.NewReader("\x15\x03\x01\x00\x02"), iotest.ErrReader(errors.New("read on")))
	if got := readHead(src, nil).Code; got != BadStatusLine {
		t.Errorf("got %v, want %v", got, BadStatusLine)
	}
}

func TestSourceErrorIsReachable(t *testing.T) {
	cause := errors.New("reset by peer")
	for _, start := range []string{"", "HTTP/1.1 200 OK\r\n"} {
		src := io.MultiReader(strings.NewReader(start), iotest.ErrReader(cause))
		var h ResponseHead
		err := NewReader(src).ReadResponseHead(&h, nil)
		if !errors.Is(err, cause) || codeOf(err) != ReadFailed {
			t.Errorf("after %q: %v", start, err)
		}
	}
	var h ResponseHead
	if err := NewReader(strings.NewReader("HTTP")).ReadResponseHead(&h, nil); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("cut head: %v", err)
	}
}

func TestReadRequestHead(t *testing.T) {
	type result struct {
		Head RequestHead
		Code Code
	}
	tests := []struct {
		name, raw string
		want      result
	}{
		{"plain", "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", result{RequestHead{"GET", "/a", 1, Fields{{"Host", "x"}}}, 0}},
		{"empty line before", "\r\nGET /a HTTP/1.0\r\n\r\n", result{RequestHead{"GET", "/a", 0, nil}, 0}},
		{"nothing", "", result{Code: NoResponse}},
		{"cut", "GET / HTTP/1.1\r\n", result{Code: HeadTruncated}},
		{"empty lines", "\r\n\r\n", result{Code: BadRequestLine}},
		{"no version", "GET /\r\n\r\n", result{Code: BadRequestLine}},
		{"blank in target", "GET /a b HTTP/1.1\r\n\r\n", result{Code: BadRequestLine}},
		{"HTTP/2", "PRI * HTTP/2.0\r\n\r\n", result{Code: BadRequestLine}},
		{"bad field", "GET / HTTP/1.1\r\nX\r\n\r\n", result{Code: BadHeader}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got result
			err := NewReader(strings.NewReader(tt.raw)).ReadRequestHead(&got.Head, nil)
			if got.Code = codeOf(err); err != nil {
				got.Head = RequestHead{}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestHeadRoundTrip(t *testing.T) {
	want := RequestHead{"PUT", "/p?q=1", 1, Fields{{"Host", "h"}, {"x-Y", "\xff\t1"}, {"x-y", ""}}}
	raw, err := AppendRequestHead(nil, want.Method, want.Target, want.Fields)
	if err != nil {
		t.Fatal(err)
	}
	var got RequestHead
	if err := NewReader(iotest.HalfReader(strings.NewReader(string(raw)))).ReadRequestHead(&got, nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
