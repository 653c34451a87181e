package h1

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/cases"
)

// reading is all that one way of feeding a stream gave.
type reading struct {
	Outcome outcome
	Verdict Verdict
	Code    Code
}

func readStream(src io.Reader, method string) reading {
	o, v, err := exchange(src, method)
	if v == BytesLeft || v == SourceEnded {
		v = Keep // what is there beyond the response depends on how it comes
	}
	if err != nil {
		o.BytesLeft = 0 // and how far a bad one was read
	}
	return reading{o, v, codeOf(err)}
}

var streams = []string{
	"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
	"HTTP/1.1 200 OK\nA: b\n c\nTransfer-Encoding: chunked\n\n2;x\r\nok\r\n1\r\n!\r\n0\r\nT: 1\r\n\r\n",
	"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 404 Not Found\r\nX: 1\r\n\r\nuntil close",
	"HTTP/1.1 304 Not Modified\r\nConnection: close\r\nContent-Length: 9\r\n\r\n",
	"HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nok",
	"HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
	"HTTP/1.1 101 Switching Protocols\r\n\r\n",
}

// TestFeeding reads each stream whole, byte by byte and in two pieces cut at every offset: all must agree.
func TestFeeding(t *testing.T) {
	for _, s := range streams {
		want := readStream(strings.NewReader(s), "GET")
		if diff := cmp.Diff(want, readStream(iotest.OneByteReader(strings.NewReader(s)), "GET")); diff != "" {
			t.Errorf("%q byte by byte (-whole +got)\n%s", s, diff)
		}
		for cut := range len(s) {
			src := io.MultiReader(strings.NewReader(s[:cut]), strings.NewReader(s[cut:]))
			if diff := cmp.Diff(want, readStream(src, "GET")); diff != "" {
				t.Errorf("%q in two at %d (-whole +got)\n%s", s, cut, diff)
			}
		}
	}
}

// TestCutEverywhere: a delimited response cut anywhere is an error.
func TestCutEverywhere(t *testing.T) {
	for _, s := range streams[:2] {
		for cut := range len(s) {
			if got := readStream(strings.NewReader(s[:cut]), "GET"); got.Code == 0 {
				t.Errorf("%q cut at %d: accepted as %+v", s, cut, got)
			}
		}
	}
}

func FuzzResponse(f *testing.F) {
	for _, s := range streams {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	for _, seed := range append(cases.Seeds("responses.json", "cases", "raw_b64"), cases.Seeds("curlcmd.json", "cases", "raw_b64")...) {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	f.Fuzz(func(t *testing.T, raw []byte, get bool) {
		method := map[bool]string{true: "GET", false: "HEAD"}[get]
		want := readStream(bytes.NewReader(raw), method)
		if diff := cmp.Diff(want, readStream(iotest.OneByteReader(bytes.NewReader(raw)), method)); diff != "" {
			t.Errorf("byte by byte (-whole +got)\n%s", diff)
		}
		for name, values := range want.Outcome.Headers {
			if !ascii.IsToken(name) || slices.ContainsFunc(values, hasControl) {
				t.Errorf("field %q: %q", name, values)
			}
		}
	})
}

func FuzzChunked(f *testing.F) {
	for _, tt := range bodyCases {
		if tt.framing == Chunked {
			f.Add([]byte(tt.raw))
		}
	}
	for _, seed := range cases.Seeds("responses.json", "cases", "raw_b64") {
		if _, chunks, ok := strings.Cut(seed, "\r\n\r\n"); ok && strings.Contains(seed, "chunked") {
			f.Add([]byte(chunks))
		}
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		chunked := bodyCase{framing: Chunked}
		_, b := newBody(bytes.NewReader(raw), chunked, nil)
		data, err := io.ReadAll(b)
		want := resultOf(b, data, err)
		_, b = newBody(iotest.OneByteReader(bytes.NewReader(raw)), chunked, nil)
		var buf bytes.Buffer
		_, err = b.WriteTo(&buf)
		if diff := cmp.Diff(want, resultOf(b, buf.Bytes(), err)); diff != "" {
			t.Errorf("(-ReadAll +WriteTo)\n%s", diff)
		}
		_, b = newBody(strings.NewReader(string(AppendChunk(nil, data))+LastChunk), chunked, nil)
		if again, err := io.ReadAll(b); err != nil || !bytes.Equal(data, again) {
			t.Errorf("written and read again: %q, %v; want %q", again, err, data)
		}
	})
}

// FuzzRequestHead: what the writer accepts is one request, and the same one when read.
func FuzzRequestHead(f *testing.F) {
	f.Add("GET", "/", "Host", "example.com")
	f.Add("GET", "/\r\n", "A\n", "b\r\nC: d")
	f.Add("G\x00", " ", "", "\x00")
	f.Add("PUT", "http://h/", "x", " v ")
	f.Fuzz(func(t *testing.T, method, target, name, value string) {
		raw, err := AppendRequestHead(nil, method, target, Fields{{name, value}})
		if err != nil {
			return
		}
		if lines := strings.Count(string(raw), "\n"); lines != 3 || strings.ContainsRune(string(raw), 0) {
			t.Fatalf("%d lines: %q", lines, raw)
		}
		var h RequestHead
		if err := NewReader(bytes.NewReader(raw)).ReadRequestHead(&h, nil); codeOf(err) == BadHeader && hasControl(value) {
			return // the reader is stricter
		} else if err != nil {
			t.Fatal(err)
		}
		want := RequestHead{method, target, 1, Fields{{name, strings.Trim(value, " \t")}}}
		if diff := cmp.Diff(want, h); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}
