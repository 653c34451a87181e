package requests_test

import (
	"io"
	"iter"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
)

// TestLoopsShare reads on in a loop's body, in every way: nothing is lost, no line is cut.
func TestLoopsShare(t *testing.T) {
	const body = "one\r\ntwo\nthree|3\r\nfour\nfive\r\n"
	want := map[string]string{
		"Read": "one,tw,o,three|3,four,five", "WriteTo": "one,two\nthree|3\r\nfour\nfive\r\n", "ReadChunk": "one,two,,three|3,four,five",
		"Content": "one,two\nthree|3\r\nfour\nfive\r\n", "Chunks": "one,two,\nth,ree,|3\r,\nfo,ur\n,fiv,e\r\n", "Lines": "one,two,three|3,four,five",
		"TextLines": "one,two,three|3,four,five", "Split": "one,two\nthree,3\r\nfour\nfive\r\n", "TextSplit": "one,two\nthree,3\r\nfour\nfive\r\n",
		"TextChunks": "one,two,\nth,ree,|3\r,\nfo,ur\n,fiv,e\r\n",
	}
	loops := map[string]func(r *requests.Response) iter.Seq2[string, error]{"Lines": (*requests.Response).Lines, "TextLines": (*requests.Response).TextLines}
	for _, source := range []func(io.Reader) io.Reader{asItComes, iotest.OneByteReader, iotest.HalfReader, iotest.DataErrReader} {
		for name, loop := range loops {
			for operation, do := range operations {
				r := requests.NewResponse(nil, 200, nil, io.NopCloser(source(strings.NewReader(body))))
				r.Encoding = "utf-8"
				var got []string
				for line, err := range loop(r) {
					if err != nil {
						t.Fatal(err)
					}
					if got = append(got, line); len(got) == 1 {
						more, err := do(r)
						if err != nil {
							t.Errorf("%s in %s: %v", operation, name, err)
						}
						got = append(got, more)
					}
				}
				joined := strings.Join(got, ",")
				if strings.HasPrefix(operation, "Chunks") || operation == "TextChunks" || operation == "ReadChunk" {
					joined, want[operation] = strings.ReplaceAll(joined, ",", ""), strings.ReplaceAll(want[operation], ",", "")
				}
				if diff := cmp.Diff(want[operation], joined); diff != "" {
					t.Errorf("%s in %s (-want +got):\n%s", operation, name, diff)
				}
			}
		}
	}
}

func asItComes(r io.Reader) io.Reader { return onlyRead{r} }

// TestLoopsOverMemory: a loop inside a loop over a body in memory is one of its own.
func TestLoopsOverMemory(t *testing.T) {
	r := replyWith("a\nb\n")
	if _, err := r.Content(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for line, err := range r.Lines() {
		if err != nil || len(got) > 10 {
			t.Fatal(err, got)
		}
		all, _ := gather(r.Lines())
		pieces, _ := gather(r.Chunks(2))
		got = append(got, line, all, pieces)
	}
	if diff := cmp.Diff([]string{"a", "a,b", "a\n,b\n", "b", "a,b", "a\n,b\n"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestTwoLoops pulls lines from two loops in turn.
func TestTwoLoops(t *testing.T) {
	r := requests.NewResponse(nil, 200, nil, io.NopCloser(iotest.HalfReader(strings.NewReader("1\n2\n3\n4\n5"))))
	next1, stop1 := iter.Pull2(r.Lines())
	defer stop1()
	next2, stop2 := iter.Pull2(r.TextLines())
	defer stop2()
	var got []string
	for i := range 8 {
		next := next1
		if i%2 == 1 {
			next = next2
		}
		line, err, ok := next()
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			got = append(got, line)
		}
	}
	if diff := cmp.Diff([]string{"1", "2", "3", "4", "5"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestEventsShare: loops over events and over lines of one response share what was read ahead.
func TestEventsShare(t *testing.T) {
	const body = "data: 1\r\n\r\ndata: 2\n\nline\ndata: 3\n\nlast"
	for _, source := range []func(io.Reader) io.Reader{asItComes, iotest.OneByteReader, iotest.HalfReader, iotest.DataErrReader} {
		r := requests.NewResponse(nil, 200, nil, io.NopCloser(source(strings.NewReader(body))))
		var got []string
		events := func() {
			next, stop := iter.Pull2(r.Events())
			t.Cleanup(stop) // which closes the response
			e, err, _ := next()
			if got = append(got, e.Data); err != nil {
				t.Error(err)
			}
		}
		events()
		events()
		next, stop := iter.Pull2(r.Lines())
		t.Cleanup(stop)
		line, _, _ := next()
		got = append(got, line)
		events()
		rest, err := r.Text()
		if diff := cmp.Diff([]string{"1", "2", "line", "3", "last"}, append(got, rest)); diff != "" || err != nil {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
}
