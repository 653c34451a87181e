package h1

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/mountable/requests/internal/cases"
)

// stricter are the recorded cases in which http.client and urllib3 take what the rules of the corpora refuse, or
// give up where RFC 9112 goes on. Each stands for one rule.
var stricter = map[string]string{
	"urllib3_response_read-163": "HTTP/0.9: the version must be HTTP/1.x (rule 9)",
	"urllib3_response_read-181": "1xx are skipped, not only 100 (rule 8)",
	"urllib3_response_read-182": "1xx are skipped, not only 100 (rule 8)",
	"urllib3_response_read-183": "1xx are skipped, not only 100 (rule 8)",
	"urllib3_response_read-184": "1xx are skipped, not only 100 (rule 8)",
	"urllib3_response_read-189": "Content-Length must be digits (rule 2)",
	"urllib3_response_read-190": "Content-Length must be digits (rule 2)",
	"urllib3_response_read-192": "Content-Length must be digits (rule 2)",
	"urllib3_response_read-203": "Transfer-Encoding must be chunked (rule 4)",
	"urllib3_response_read-204": "Transfer-Encoding must be chunked (rule 4)",
	"urllib3_response_read-215": "a blank before the first field (rule 5)",
	"urllib3_response_read-216": "a blank before the first field (rule 5)",
	"urllib3_response_read-217": "a blank after a field name (rule 5)",
	"urllib3_response_read-223": "a head cut short (rule 1)",
	"urllib3_response_read-227": "lines are bounded by Limits.LineBytes where set (rule 11)",
	"urllib3_response_read-229": "Transfer-Encoding must be chunked (rule 4)",
	"urllib3_response_read-234": "Transfer-Encoding must be chunked (rule 4)",
	"urllib3_response_read-236": "Transfer-Encoding must be chunked (rule 4)",
	"urllib3_response_read-237": "Transfer-Encoding must be chunked (rule 4)",
	"urllib3_response_read-238": "Transfer-Encoding must be chunked (rule 4)",
	"urllib3_response_read-242": "101 which nobody asked for (rule 8)",
}

// text is a JSON string of ISO-8859-1 characters, or {"b64"}.
type text string

func (s *text) UnmarshalJSON(data []byte) error {
	var b struct{ B64 []byte }
	if err := json.Unmarshal(data, &b); err == nil {
		*s = text(b.B64)
		return nil
	}
	var plain string
	err := json.Unmarshal(data, &plain)
	*s = text(latin1(plain))
	return err
}

type parityCase struct {
	ID string
	In struct {
		Raw    text
		Method string
		Mode   string
		Decode *bool
	}
	Out struct {
		Status, Version int
		Reason          text
		Headers         [][2]text
		Body            text
		Chunks          []int
		ReadError       string `json:"read_error"`
	}
	Error string
}

// parityRead is what both sides are compared by: field names in lower case, as urllib3 gives repeats the case of the
// first. Bodies are compared before content decoding, where recorded so.
type parityRead struct {
	Status, Version int
	Reason          string
	Headers         Fields
	Body            string
	Chunks          []int
	Failed          bool
}

func TestParityWithRecordedReads(t *testing.T) {
	for _, c := range cases.Recorded[parityCase](t, "urllib3_response_read") {
		t.Run(c.ID, func(t *testing.T) {
			diff := gocmp.Diff(c.want(), c.got())
			rule := stricter[c.ID]
			switch {
			case rule == "" && diff != "":
				t.Errorf("%q (-want +got)\n%s", c.In.Raw, diff)
			case rule != "" && diff == "":
				t.Errorf("listed as different (%s), but it is not", rule)
			}
		})
	}
}

// oneLine is a recorded value without folds and blanks behind it (RFC 9112 sections 5.1 and 5.2).
func oneLine(value string) string {
	return strings.TrimRight(folds.ReplaceAllString(value, " "), " \t")
}

var folds = regexp.MustCompile(`[ \t]*\r?\n[ \t]+`)

func (c *parityCase) want() parityRead {
	if c.Error != "" {
		return parityRead{Failed: true}
	}
	want := parityRead{
		Status: c.Out.Status, Version: c.Out.Version, Reason: string(c.Out.Reason), Failed: c.Out.ReadError != "",
	}
	for _, f := range c.Out.Headers {
		want.Headers = append(want.Headers, [2]string{strings.ToLower(string(f[0])), oneLine(string(f[1]))})
	}
	if c.comparesBody() && !want.Failed {
		want.Body = string(c.Out.Body)
		if c.streamSize() > 0 {
			want.Chunks = c.Out.Chunks
		}
	} else if !c.comparesBody() {
		want.Failed = false // maybe content decoding failed
	}
	return want
}

func (c *parityCase) comparesBody() bool {
	return c.In.Decode != nil && !*c.In.Decode || !strings.Contains(string(c.In.Raw), "Content-Encoding")
}

// streamSize is N of the mode stream:N.
func (c *parityCase) streamSize() int {
	size, _ := strings.CutPrefix(c.In.Mode, "stream:")
	n, _ := strconv.Atoi(size)
	return n
}

func (c *parityCase) got() parityRead {
	r := NewReader(strings.NewReader(string(c.In.Raw)))
	var h ResponseHead
	if r.ReadFinalHead(&h, nil, nil) != nil {
		return parityRead{Failed: true}
	}
	f, n, err := ResponseFraming(c.In.Method, &h)
	if err != nil {
		return parityRead{Failed: true}
	}
	got := parityRead{Status: h.Status, Version: 10 + min(h.Minor, 1), Reason: h.Reason}
	for _, f := range h.Fields {
		got.Headers = append(got.Headers, [2]string{strings.ToLower(f[0]), f[1]})
	}
	if !c.comparesBody() {
		return got
	}
	var b Body
	b.Init(r, f, n, nil)
	var body bytes.Buffer
	if size := c.streamSize(); size > 0 {
		got.Chunks = []int{}
		for p := make([]byte, size); err == nil; {
			n, err = 0, nil
			var m int
			if m, err = b.ReadFull(p); m > 0 {
				got.Chunks = append(got.Chunks, m)
				body.Write(p[:m])
			}
		}
	} else {
		_, err = b.WriteTo(&body)
	}
	if got.Failed = err != nil && err != io.EOF; got.Failed {
		got.Chunks = nil
		return got
	}
	got.Body = body.String()
	return got
}
