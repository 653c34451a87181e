package charset

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLines(t *testing.T) {
	tests := []struct {
		text, delimiter string
		wide            bool // text, not bytes
		want            []string
	}{
		{"", "", false, []string{}},
		{"a", "", false, []string{"a"}},
		{"a\n", "", false, []string{"a"}},
		{"\n\n", "", false, []string{"", ""}},
		{"a\r\nb\rc\nd\r", "", false, []string{"a", "b", "c", "d"}},
		{"a\r\r\nb\n\rc", "", false, []string{"a", "", "b", "", "c"}},
		{"a\vb\u0085c\u2028d", "", false, []string{"a\vb\u0085c\u2028d"}},
		{"a\vb\fc\x1cd\x1de\x1ef\u0085g\u2028h\u2029i\x1fj", "", true, []string{"a", "b", "c", "d", "e", "f", "g", "h", "i\x1fj"}},
		{"\u2027\u202a\u00a5\r\n\u2028\r", "", true, []string{"\u2027\u202a\u00a5", "", ""}},
		{"a|b|", "|", false, []string{"a", "b", ""}},
		{"||", "|", true, []string{"", "", ""}},
		{"", "|", false, []string{}},
		{"aXYZbXYXYZXYZc", "XYZ", false, []string{"a", "bXY", "", "c"}},
		{"aaaaa", "aa", false, []string{"", "", "a"}},
		{"ababab", "abab", false, []string{"", "ab"}},
		{"a\r\nb\r\n", "\r\n", false, []string{"a", "b", ""}},
		{"1€2€€", "€", true, []string{"1", "2", "", ""}},
	}
	for _, tt := range tests {
		for size := 1; size <= max(1, len(tt.text)); size++ {
			s := NewLineSplitter([]byte(tt.delimiter), tt.wide)
			for range 2 { // a flushed splitter is as new
				got := lines(s, cut(tt.text, size, tt.wide))
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Errorf("%q by %q in chunks of %d (-want +got):\n%s", tt.text, tt.delimiter, size, diff)
				}
			}
		}
	}
}

// cut makes chunks of size bytes, or of size characters.
func cut(s string, size int, wide bool) []string {
	var chunks []string
	if wide {
		runes := []rune(s)
		for len(runes) > 0 {
			n := min(size, len(runes))
			chunks, runes = append(chunks, string(runes[:n])), runes[n:]
		}
		return chunks
	}
	for len(s) > 0 {
		n := min(size, len(s))
		chunks, s = append(chunks, s[:n]), s[n:]
	}
	return chunks
}

// TestLineAtOnce: a line is there with its end, not with the chunk after it.
func TestLineAtOnce(t *testing.T) {
	s := NewLineSplitter(nil, true)
	for _, tt := range []struct {
		chunk string
		want  []string
	}{
		{"a\r", []string{"a"}}, {"\nb", nil}, {"", nil}, {"c\n", []string{"bc"}}, {"\nd\r\ne", []string{"", "d"}},
	} {
		var got []string
		for line := range s.Feed([]byte(tt.chunk)) {
			got = append(got, string(line))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.chunk, diff)
		}
	}
}

func TestLinesLeftEarly(t *testing.T) {
	for _, delimiter := range []string{"", "--"} {
		s := NewLineSplitter([]byte(delimiter), false)
		for range s.Feed([]byte("a-")) {
			t.Error("no line yet")
		}
		for range s.Feed([]byte("-b\n--c")) {
			break
		}
	}
}

func TestLinesLinearTime(t *testing.T) {
	start := time.Now()
	for _, delimiter := range []string{"", "aaaaaaab"} {
		for _, text := range []bool{false, true} {
			s := NewLineSplitter([]byte(delimiter), text)
			for range 200_000 { // one line of many chunks
				for range s.Feed([]byte("aaaa")) {
					t.Fatal("no line is complete")
				}
			}
			for range s.Feed(bytes.Repeat([]byte("\r"), 400_000)) { // many lines of one chunk
			}
			s.Flush()
		}
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}

func FuzzLines(f *testing.F) {
	f.Add("a\r\nb\rc\n", "", 1, true)
	f.Add("a--b-", "--", 2, false)
	f.Add("aXYXYZ", "XYZ", 3, false)
	f.Fuzz(func(t *testing.T, s, delimiter string, size int, wide bool) {
		if wide {
			s, delimiter = strings.ToValidUTF8(s, "?"), strings.ToValidUTF8(delimiter, "?")
		}
		whole := lines(NewLineSplitter([]byte(delimiter), wide), []string{s})
		pieces := lines(NewLineSplitter([]byte(delimiter), wide), cut(s, max(1, size), wide))
		if diff := cmp.Diff(whole, pieces); diff != "" {
			t.Errorf("whole and in chunks of %d differ (-want +got):\n%s", size, diff)
		}
		if delimiter != "" && s != "" {
			if diff := cmp.Diff(strings.Split(s, delimiter), whole); diff != "" {
				t.Errorf("strings.Split (-want +got):\n%s", diff)
			}
		}
	})
}
