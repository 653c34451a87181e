package coding

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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
	dir := os.Getenv("PARITY_DIR")
	if dir == "" {
		dir = filepath.Join("..", "..", "testdata", "parity")
	}
	data, err := os.ReadFile(filepath.Join(dir, "vectors", "urllib3_response_read.json"))
	if os.IsNotExist(err) {
		t.Skipf("no recorded cases: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []recorded }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, c := range file.Cases {
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
