package charset

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mountable/requests/internal/wiretest"
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
			got := lines(Delimiter(tt.delimiter, tt.wide), cut(tt.text, size, tt.wide))
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%q by %q in chunks of %d (-want +got):\n%s", tt.text, tt.delimiter, size, diff)
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
	s, by := new(Scanner), LineEnds(true)
	for _, tt := range []struct {
		chunk string
		want  []string
	}{
		{"a\r", []string{"a"}}, {"\nb", nil}, {"", nil}, {"c\n", []string{"bc"}}, {"\nd\r\ne", []string{"", "d"}},
	} {
		s.Came(copy(s.Room(len(tt.chunk)), tt.chunk))
		if diff := cmp.Diff(tt.want, scanned(s, by)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.chunk, diff)
		}
	}
}

// TestScannerShares takes turns at one body: line by line, by a delimiter, decoded or
// not, byte by byte. Every byte is given once.
func TestScannerShares(t *testing.T) {
	turns := []func(s *Scanner) string{
		func(s *Scanner) string { return turn(s.Line(LineEnds(false), 0)) },
		func(s *Scanner) string { return turn(s.TextLine("utf-8", LineEnds(true), 0)) },
		func(s *Scanner) string { return turn(s.Line(Delimiter("|", false), 0)) },
		func(s *Scanner) string { return turn(s.TextLine("utf-8", Delimiter("é", true), 0)) },
		func(s *Scanner) string {
			p := s.Bytes()
			got := string(p[:min(1, len(p))])
			s.Discard(len(got))
			return got
		},
		func(s *Scanner) string { return turn(s.TextLine("latin-1", LineEnds(true), 0)) },
	}
	body := "one\r\ntwo\u2028three|fouréfive\x85six\nseven\r\neight"
	want := []string{"one", "two", "three", "four", "f", "ive", "six", "seven", "eight"}
	for size := 1; size <= len(body); size++ {
		s, got, rest := new(Scanner), []string{}, body
		for i := 0; len(got) < len(want); {
			part := turns[i%len(turns)](s)
			switch {
			case part != "":
				got = append(got, part)
				i++
			case rest == "" && s.Ended():
				t.Fatalf("in pieces of %d: ended after %q", size, got)
			case rest == "":
				s.End()
			default:
				n := copy(s.Room(min(size, len(rest))), rest)
				s.Came(n)
				rest = rest[n:]
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("in pieces of %d (-want +got):\n%s", size, diff)
		}
	}
}

func turn(line []byte, ok bool, err error) string {
	if !ok || err != nil {
		return ""
	}
	return string(line)
}

// TestTextLineCharsets splits text in each charset, whole and byte by byte.
func TestTextLineCharsets(t *testing.T) {
	for _, tt := range []struct {
		name, data string
		want       []string
	}{
		{"utf-16", "\xff\xfea\x00\r\x00\n\x00b\x00\x28\x20c\x00", []string{"a", "b", "c"}},
		{"utf-16-be", "\x00a\x00\n\x0a\x0a\x00\r\x00\r\x00b", []string{"a", "\u0a0a", "", "b"}},
		{"latin-1", "caf\xe9\x85b\r\nc\r", []string{"café", "b", "c"}},
		{"koi8-r", "\xc1\xc2\n\xc3\r\n\x85", []string{"аб", "ц", "┘"}},
		{"shift_jis", "\x83\x5c\n\x83\x65\x83", []string{"ソ", "テ\ufffd"}},
		{"gb18030", "\x81\x30\x81\x35a\n\x81\x0ab", []string{"", "a", "\ufffd", "b"}},
		{"iso2022_jp", "\x1b$B%=\x1b(B\na", []string{"ソ", "a"}},
		{"utf-7", "a+AAo-b+AAoACg-c", []string{"a", "b", "", "c"}},
		{"utf-8", "a\xe2\x80\nb\xe2", []string{"a\ufffd", "b\ufffd"}},
		{"cp500", "\x81\x25\x82\x15\x83", []string{"a", "b", "c"}},
		{"nonsense", "a\u2029b", []string{"a", "b"}},
	} {
		for size := 1; size <= len(tt.data); size++ {
			s, got, by := new(Scanner), []string{}, LineEnds(true)
			for _, c := range append(cut(tt.data, size, false), "") {
				if c == "" {
					s.End()
				}
				s.Came(copy(s.Room(len(c)), c))
				for line, ok, _ := s.TextLine(tt.name, by, 0); ok; line, ok, _ = s.TextLine(tt.name, by, 0) {
					got = append(got, string(line))
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s in pieces of %d (-want +got):\n%s", tt.name, size, diff)
			}
		}
	}
}

// TestLineLimit: a line of limit bytes passes, one more does not, wherever it is cut
// and whether its end comes or not.
func TestLineLimit(t *testing.T) {
	const limit = 5
	for _, by := range []*Separator{LineEnds(false), LineEnds(true), Delimiter("--", false), Delimiter("=======", true)} {
		for length, want := range map[int]error{limit: nil, limit + 1: ErrLineTooLong, 100: ErrLineTooLong} {
			for _, end := range []string{"", "\n--=======x"} {
				body := strings.Repeat("a", length)
				if end != "" && len(by.delimiter) > 0 {
					body += string(by.delimiter) + "x"
				} else {
					body += end
				}
				for size := 1; size <= len(body); size++ {
					if got := firstLine(by, cut(body, size, false), limit); got != want {
						t.Errorf("%q by %q, text %v, in pieces of %d: %v", body, by.delimiter, by.text, size, got)
					}
				}
			}
		}
	}
}

// firstLine is what the first line gives of an error.
func firstLine(by *Separator, chunks []string, limit int) error {
	s := new(Scanner)
	for _, c := range append(chunks, "") {
		if c == "" {
			s.End()
		}
		s.Came(copy(s.Room(len(c)), c))
		if _, ok, err := scanLine(s, by, limit); ok || err != nil {
			return err
		}
	}
	return nil
}

func TestLinesLinearTime(t *testing.T) {
	if took := wiretest.Spent(func() { manyChunks(t) }); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}

func manyChunks(t *testing.T) {
	for _, delimiter := range []string{"", "aaaaaaab"} {
		for _, text := range []bool{false, true} {
			by, s := Delimiter(delimiter, text), new(Scanner)
			for range 200_000 { // one line of many chunks
				s.Came(copy(s.Room(4), "aaaa"))
				if len(scanned(s, by)) > 0 {
					t.Fatal("no line is complete")
				}
			}
			s.Came(copy(s.Room(400_000), strings.Repeat("\r", 400_000))) // many lines of one chunk
			s.End()
			scanned(s, by)
		}
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
		whole := lines(Delimiter(delimiter, wide), []string{s})
		pieces := lines(Delimiter(delimiter, wide), cut(s, max(1, size), wide))
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
