package coding

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mountable/requests/internal/cases"
)

// recorded is what urllib3 made of a raw response.
type recorded struct {
	ID string
	In struct {
		Raw    struct{ B64 []byte }
		Decode *bool
	}
	Out struct {
		Body      struct{ B64 []byte }
		ReadError string `json:"read_error"`
	}
}

// differs names the recorded cases with another outcome here: urllib3 ran without
// br and zstd, and took blanks after a field value for a part of it.
func differs(encoding string) bool {
	return encoding == "br" || encoding == "zstd" || encoding == " gzip "
}

// TestVectors decodes the bodies of the recorded responses whose length is
// stated, wherever the recording decoded them.
func TestVectors(t *testing.T) {
	ran := 0
	for _, c := range cases.Recorded[recorded](t, "urllib3_response_read") {
		head, body, _ := bytes.Cut(c.In.Raw.B64, []byte("\r\n\r\n"))
		lines := strings.Split(string(head), "\r\n")
		at := slices.IndexFunc(lines, func(s string) bool { return strings.HasPrefix(s, "Content-Encoding: ") })
		if at < 0 || c.In.Decode != nil && !*c.In.Decode || bytes.Contains(head, []byte("chunked")) {
			continue
		}
		encoding := strings.TrimPrefix(lines[at], "Content-Encoding: ")
		if differs(encoding) {
			continue
		}
		ran++
		got, err := decode(bytes.NewReader(body), Limits{Leniency: Truncated}, encoding)
		if (err != nil) != (c.Out.ReadError != "") {
			t.Errorf("%s: %s: error %v, want %q", c.ID, encoding, err, c.Out.ReadError)
		}
		if diff := cmp.Diff(string(c.Out.Body.B64), string(got)); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", c.ID, encoding, diff)
		}
	}
	if ran == 0 {
		t.Error("no case was run")
	}
}
