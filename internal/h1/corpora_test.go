package h1

import (
	"bytes"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/mountable/requests/internal/cases"
)

// corpusCase is a case of responses.json: text is ISO-8859-1, one character a byte.
type corpusCase struct {
	ID            string
	RequestMethod string `json:"request_method"`
	RawB64        []byte `json:"raw_b64"`
	RawParts      []struct {
		B64    []byte
		Repeat int
	} `json:"raw_parts"`
	Accept         *corpusAccept
	Reject         bool
	Allowed        []struct{ Accept *corpusAccept }
	Recommended    string
	Tags           []string
	SourceConflict string `json:"source_conflict"`
}

type corpusAccept struct {
	Status      int
	Reason      *string
	Headers     Fields // nil for long ones: then only their number is given
	HeaderCount int    `json:"headers_count"`
	Trailers    Fields
	BodyB64     []byte `json:"body_b64"`
	Body        string // "any"
	KeepAlive   *bool  `json:"keep_alive"`
	DelimitedBy string `json:"delimited_by"`
	BytesLeft   int    `json:"bytes_left_over"`
	Interim     int    `json:"interim_responses_skipped"`
}

func (c *corpusCase) raw() []byte {
	raw := c.RawB64
	for _, p := range c.RawParts {
		raw = append(raw, bytes.Repeat(p.B64, p.Repeat)...)
	}
	return raw
}

// outcome is what was read from a stream, in the form the corpus compares.
type outcome struct {
	Status      int
	Reason      string
	Headers     map[string][]string
	Body        string
	DelimitedBy string
	BytesLeft   int
	Trailers    Fields
	Interim     int
}

// framingFields are left out of the comparison.
var framingFields = []string{"transfer-encoding", "trailer", "connection", "content-length", "keep-alive", "proxy-connection"}

func comparable(fields Fields) map[string][]string {
	m := map[string][]string{}
	for _, f := range fields {
		name := strings.ToLower(f[0])
		m[name] = append(m[name], strings.Join(strings.Fields(f[1]), " "))
	}
	maps.DeleteFunc(m, func(name string, _ []string) bool { return slices.Contains(framingFields, name) })
	return m
}

func (a *corpusAccept) outcome() outcome {
	o := outcome{
		Status: a.Status, Headers: comparable(latin1Fields(a.Headers)), Body: string(a.BodyB64),
		DelimitedBy: a.DelimitedBy, BytesLeft: a.BytesLeft, Trailers: latin1Fields(a.Trailers), Interim: a.Interim,
	}
	if a.Reason != nil {
		o.Reason = latin1(*a.Reason)
	}
	return o
}

// latin1 gives back the bytes of text that was decoded as ISO-8859-1.
func latin1(s string) string {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		b = append(b, byte(r))
	}
	return string(b)
}

func latin1Fields(fields Fields) Fields {
	var out Fields
	for _, f := range fields {
		out = append(out, [2]string{latin1(f[0]), latin1(f[1])})
	}
	return out
}

// exchange reads one response from src to its end.
func exchange(src io.Reader, method string) (o outcome, v Verdict, err error) {
	r := NewReader(src)
	var h ResponseHead
	err = r.ReadFinalHead(&h, nil, func(*ResponseHead) error { o.Interim++; return nil })
	if err != nil {
		return o, NoHead, err
	}
	o.Status, o.Reason, o.Headers = h.Status, h.Reason, comparable(h.Fields)
	framing, n, err := ResponseFraming(method, &h)
	if err != nil {
		return o, NoHead, err
	}
	var b Body
	b.Init(r, framing, n, nil)
	body, err := io.ReadAll(&b)
	x := Exchange{Method: method, Head: &h, Framing: framing, Body: &b, Reader: r}
	v = x.Verdict()
	left, _ := io.Copy(io.Discard, r.src)
	o.Body, o.DelimitedBy, o.Trailers = string(body), framing.String(), b.Trailers()
	o.BytesLeft = r.Buffered() + int(left)
	return o, v, err
}

func openCorpus(t *testing.T, name string) []corpusCase {
	t.Helper()
	var file struct{ Cases []corpusCase }
	cases.Corpus(t, name, &file)
	return file.Cases
}

// TestResponses runs the public suites' response streams: every firm case must be met, and the others by the
// recommended outcome. Cases whose source says otherwise for a stated reason are left out.
func TestResponses(t *testing.T) {
	for _, c := range openCorpus(t, "responses.json") {
		if c.SourceConflict != "" {
			continue
		}
		t.Run(c.ID, func(t *testing.T) {
			got, verdict, err := exchange(bytes.NewReader(c.raw()), c.RequestMethod)
			if problem := c.judge(got, verdict, err); problem != "" {
				t.Errorf("%s\nstream: %.300q", problem, c.raw())
			}
		})
	}
}

// judge returns what is wrong with the outcome, "" where it is expected, or one of those allowed.
func (c *corpusCase) judge(got outcome, v Verdict, err error) string {
	if c.Accept != nil {
		if err != nil {
			return "refused: " + err.Error()
		}
		return c.Accept.judge(got, v)
	}
	if err != nil {
		return c.judgeError()
	}
	problem := "accepted"
	if c.Recommended != "accept" && !slices.Contains(c.Tags, "obs-fold in framing header") { // a fold is a blank, there too
		return problem
	}
	for _, a := range c.Allowed {
		if a.Accept == nil {
			continue
		}
		if problem = a.Accept.judge(got, v); problem == "" {
			return ""
		}
	}
	return problem
}

// judgeError says whether an error was due: always with reject, elsewhere where that is recommended, and, by rule 5
// of the corpora, for control characters in a value, which the cases themselves would rather keep.
func (c *corpusCase) judgeError() string {
	if c.Reject || c.Recommended == "reject" || slices.Contains(c.Tags, "other CTL in header value") {
		return ""
	}
	return "refused"
}

func (a *corpusAccept) judge(got outcome, v Verdict) string {
	want := a.outcome()
	if a.Reason == nil {
		want.Reason = got.Reason
	}
	if a.Headers == nil && a.HeaderCount > 0 {
		want.Headers = got.Headers
	}
	if a.Body == "any" {
		want.Body = got.Body
	}
	if a.Trailers == nil {
		want.Trailers = got.Trailers
	}
	if a.Interim == 0 {
		want.Interim = got.Interim
	}
	diff := gocmp.Diff(want, got)
	if a.KeepAlive != nil {
		// At the end of the stream nothing can be kept: what the bytes say decides.
		diff += gocmp.Diff(*a.KeepAlive, v == Keep || v == SourceEnded)
	}
	return diff
}
