package toolbelt_test

import (
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
)

const threeParts = "--b\r\nContent-Type: text/plain\r\nA: 1\r\na: 2\r\n\r\none\r\n--b\r\n\r\n\r\n--b\r\nC: d\r\n\r\nthree\r\n\r\n3\r\n--b--\r\n"

// reply is a multipart response; its body counts how often it is closed.
func reply(body io.Reader) (*requests.Response, *closings) {
	c := &closings{Reader: body}
	headers := requests.Headers{{"Content-Type", `multipart/mixed; boundary="b"`}}
	return requests.NewResponse(nil, 200, headers, c), c
}

type closings struct {
	io.Reader
	n int
}

func (c *closings) Close() error {
	c.n++
	return nil
}

type shownParts [][]string

func streamedParts(t *testing.T, body io.Reader) (got shownParts, failure error) {
	t.Helper()
	r, closed := reply(body)
	for p, err := range toolbelt.Parts(r) {
		if err != nil {
			failure = err
			continue
		}
		content, err := io.ReadAll(p)
		if err != nil {
			failure = err
		}
		headers, _ := json.Marshal(p.Headers)
		got = append(got, []string{string(headers), string(content)})
	}
	if closed.n == 0 {
		t.Error("the reply was not closed")
	}
	return got, failure
}

func TestParts(t *testing.T) {
	want := shownParts{
		{`[["Content-Type","text/plain"],["a","2"]]`, "one"},
		{`null`, ""},
		{`[["C","d"]]`, "three\r\n\r\n3"},
	}
	for name, body := range map[string]io.Reader{
		"whole":        strings.NewReader(threeParts),
		"byte by byte": iotest.OneByteReader(strings.NewReader(threeParts)),
		"EOF at once":  iotest.DataErrReader(strings.NewReader(threeParts)),
	} {
		got, err := streamedParts(t, body)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got)\n%s", name, err, diff)
		}
	}
}

// TestPartsCut cuts the body at every offset: what comes out is the beginning of the
// parts, or an error of the toolbelt.
func TestPartsCut(t *testing.T) {
	for i := range len(threeParts) {
		_, err := streamedParts(t, strings.NewReader(threeParts[:i]))
		if err != nil && !isKind(err, toolbelt.ErrImproperBodyPartContent) {
			t.Errorf("cut at %d: %v", i, err)
		}
		_, err = streamedParts(t, io.MultiReader(strings.NewReader(threeParts[:i]), iotest.ErrReader(os.ErrDeadlineExceeded)))
		if !isKind(err, os.ErrDeadlineExceeded) {
			t.Errorf("broken at %d: %v", i, err)
		}
	}
}

func TestPartsLeftEarly(t *testing.T) {
	r, closed := reply(strings.NewReader(threeParts))
	for p, err := range toolbelt.Parts(r) {
		if err != nil || p.Headers.Get("A") != "2" {
			t.Errorf("first part %v, %v", p, err)
		}
		break
	}
	if closed.n == 0 {
		t.Error("the reply was not closed")
	}
}

func TestPartsSkipped(t *testing.T) {
	r, _ := reply(strings.NewReader(threeParts))
	n := 0
	for _, err := range toolbelt.Parts(r) {
		if err != nil {
			t.Error(err)
		}
		n++
	}
	if n != 3 {
		t.Errorf("%d parts, want 3", n)
	}
}

func TestDecodeResponse(t *testing.T) {
	r, _ := reply(strings.NewReader(threeParts))
	d, err := toolbelt.DecodeResponse(r, "")
	if err != nil {
		t.Fatal(err)
	}
	text, err := d.Parts[2].Text()
	if diff := cmp.Diff([]any{3, "b", "three\r\n\r\n3"}, []any{len(d.Parts), d.Boundary, text}); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}

func TestDecoderKinds(t *testing.T) {
	tests := map[string]struct {
		content, contentType, encoding string
		want                           error
	}{
		"not multipart":      {"", "text/plain; boundary=b", "", toolbelt.ErrNonMultipartContentType},
		"no content type":    {"", "", "", toolbelt.ErrNonMultipartContentType},
		"no boundary":        {"", "multipart/mixed", "", toolbelt.ErrNonMultipartContentType},
		"blank before equal": {"", "multipart/mixed; boundary = b", "", toolbelt.ErrNonMultipartContentType},
		"no empty line":      {"--b\r\nA: b\r\n--b--", "multipart/mixed; boundary=b", "", toolbelt.ErrImproperBodyPartContent},
		"unknown encoding":   {"--b\r\n\r\n\r\n--b--", "multipart/mixed; boundary=b", "bogus", requests.ErrInvalidArgument},
		"header not of it":   {"--b\r\nA: \xff\r\n\r\n\r\n--b--", "multipart/mixed; boundary=b", "", requests.ErrInvalidArgument},
	}
	for name, test := range tests {
		_, err := toolbelt.NewMultipartDecoder([]byte(test.content), test.contentType, test.encoding)
		if !isKind(err, test.want) {
			t.Errorf("%s: got %v, want %v", name, err, test.want)
		}
	}
}

// TestVectorsBodyPart runs recorded single parts where they are to be had.
func TestVectorsBodyPart(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "body_parts.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []vector
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	for _, v := range cases {
		p, err := toolbelt.NewBodyPart([]byte(text(v.In["content"])), text(v.In["encoding"]))
		if v.Error != "" {
			if !isKind(err, toolbelt.ErrImproperBodyPartContent) {
				t.Errorf("%s: got %v", v.ID, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", v.ID, err)
			continue
		}
		if diff := cmp.Diff(v.Out, shownPart(p)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", v.ID, diff)
		}
	}
}

// FuzzParts: the streaming decoder agrees with the other one.
func FuzzParts(f *testing.F) {
	f.Add([]byte(threeParts), 1)
	f.Add([]byte("pre\r\n\r\namble\r\n--b\r\n\r\nx\r\n--bb\r\n\r\ny\r\n--b--\r\nepilogue"), 3)
	f.Fuzz(func(t *testing.T, body []byte, n int) {
		d, err := toolbelt.NewMultipartDecoder(body, "multipart/mixed; boundary=b", "")
		got, streamedErr := streamedParts(t, strings.NewReader(string(body)))
		if (err != nil) != (streamedErr != nil) {
			t.Fatalf("whole: %v, streamed: %v", err, streamedErr)
		}
		if err != nil {
			return
		}
		var want shownParts
		for _, p := range d.Parts {
			headers, _ := json.Marshal(p.Headers)
			want = append(want, []string{string(headers), string(p.Content)})
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}
