package multipart

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
)

// dribble delivers data n bytes at a time.
type dribble struct {
	data []byte
	n    int
}

func (d *dribble) Read(b []byte) (int, error) {
	if len(d.data) == 0 {
		return 0, io.EOF
	}
	n := copy(b, d.data[:min(d.n, len(d.data))])
	d.data = d.data[n:]
	return n, nil
}

// limited reads at most n bytes at a time.
type limited struct {
	r io.Reader
	n int
}

func (l *limited) Read(b []byte) (int, error) { return l.r.Read(b[:min(l.n, len(b))]) }

func sampleParts() []Part {
	return []Part{
		{Name: "a", Content: []byte("1")},
		{Name: "é\"\n", Filename: "x\ry", HasFilename: true, ContentType: "t/p", Body: strings.NewReader("body and more"), Size: 4,
			Header: [][2]string{{"X-B", "1"}, {"Content-Location", "/l"}, {"content-type", "low"}, {"X-A", ""}, {"X-B", "2"}}},
		{Name: "", HasFilename: true},
	}
}

const sampleBody = "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n" +
	"--B\r\nContent-Disposition: form-data; name=\"é%22%0A\"; filename=\"x%0Dy\"\r\nContent-Type: t/p\r\n" +
	"X-B: 1\r\ncontent-type: low\r\nX-B: 2\r\n\r\nbody\r\n" +
	"--B\r\nContent-Disposition: form-data; name=\"\"; filename=\"\"\r\n\r\n\r\n--B--\r\n"

func TestEncode(t *testing.T) {
	got, err := Encode("B", sampleParts())
	if diff := cmp.Diff(sampleBody, string(got)); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}

func TestReaderInAnySteps(t *testing.T) {
	for n := 1; n <= len(sampleBody)+1; n++ {
		r, err := NewReader("B", sampleParts())
		if err != nil {
			t.Fatal(err)
		}
		size := r.Len()
		got, err := io.ReadAll(&limited{r, n})
		if diff := cmp.Diff(sampleBody, string(got)); diff != "" || err != nil || size != int64(len(sampleBody)) || r.Len() != size {
			t.Fatalf("steps of %d: length %d, %v (-want +got)\n%s", n, size, err, diff)
		}
	}
}

func TestReaderSizes(t *testing.T) {
	broken, wrong := errors.New("broken"), errors.New("another length")
	tests := []struct {
		name string
		part Part
		len  int64
		err  error
		body string
	}{
		{"unknown", Part{Body: strings.NewReader("xyz"), Size: -1}, -1, nil, "xyz"},
		{"empty", Part{Body: strings.NewReader(""), Size: 0}, 57, nil, ""},
		{"longer than said", Part{Body: strings.NewReader("xyz"), Size: 2}, 59, nil, "xy"},
		{"longer, and asked", Part{Body: strings.NewReader("xyz"), Size: 2, Ends: true}, 59, wrong, ""},
		{"as said, and asked", Part{Body: strings.NewReader("xyz"), Size: 3, Ends: true}, 60, nil, "xyz"},
		{"shorter than said", Part{Body: strings.NewReader("xyz"), Size: 4}, 61, wrong, ""},
		{"data with the end", Part{Body: iotest.DataErrReader(strings.NewReader("xyz")), Size: 3}, 60, nil, "xyz"},
		{"failing", Part{Body: iotest.ErrReader(broken), Size: 1}, 58, broken, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r, err := NewReader("B", []Part{tt.part})
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			if _, length := errors.AsType[*LengthError](err); length && tt.err == wrong {
				err = tt.err
			}
			if !errors.Is(err, tt.err) || r.Len() != tt.len {
				t.Fatalf("%v, length %d; want %v, %d", err, r.Len(), tt.err, tt.len)
			}
			want := "--B\r\nContent-Disposition: form-data; name=\"\"\r\n\r\n" + tt.body + "\r\n--B--\r\n"
			if diff := cmp.Diff(want, string(got)); diff != "" && tt.err == nil {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestRule22NoLineBreaksInPartHeaders(t *testing.T) {
	tests := []struct {
		name     string
		boundary string
		part     Part
	}{
		{"content type", "B", Part{ContentType: "a\r\nb"}},
		{"header name", "B", Part{Header: [][2]string{{"X\n", "v"}}}},
		{"header value", "B", Part{Header: [][2]string{{"X", "v"}, {"Y", "v\r"}}}},
		{"NUL in value", "B", Part{Header: [][2]string{{"X", "\x00"}}}},
		{"NUL in name", "B", Part{Name: "a\x00"}},
		{"NUL in file name", "B", Part{Filename: "a\x00", HasFilename: true}},
		{"name not UTF-8", "B", Part{Name: "\xff"}},
		{"boundary", "B\r\n", Part{}},
	}
	for _, tt := range tests {
		if _, err := Encode(tt.boundary, []Part{tt.part}); !errors.Is(err, ErrPart) {
			t.Errorf("%s: got %v, want ErrPart", tt.name, err)
		}
	}
}

// TestRule40BoundaryEntropy looks at every hex digit of many boundaries: all but the same ones should take every value.
func TestRule40BoundaryEntropy(t *testing.T) {
	shape := regexp.MustCompile(`^[0-9a-f]{32}$`)
	var seen [32]map[byte]bool
	all := map[string]bool{}
	for range 1000 {
		b := NewBoundary()
		if !shape.MatchString(b) || all[b] {
			t.Fatalf("boundary %q", b)
		}
		all[b] = true
		for i := range seen {
			if seen[i] == nil {
				seen[i] = map[byte]bool{}
			}
			seen[i][b[i]] = true
		}
	}
	for i, digits := range seen {
		if len(digits) != 16 {
			t.Errorf("digit %d takes only %d values", i, len(digits))
		}
	}
}

func TestSplitParts(t *testing.T) {
	tests := []struct{ name, content, boundary, want string }{
		{"longer boundary splits too", "--b\r\n\r\nx\r\n--bb\r\n\r\ny\r\n--b--", "b", `[] "x" | [] "y"`},
		{"part after the end", "--b\r\n\r\nx\r\n--b--\r\nepi\r\n--b\r\n\r\ny", "b", `[] "x" | [] "y"`},
		{"white space before the head", "--b\r\n \v\fA: 1\r\n\r\n", "b", `[["A" "1"]] ""`},
		{"line ends of all kinds", "--b\r\nA: 1\nB: 2\rC: 3\r\n\tx\n \r\n\r\n", "b", "[[\"A\" \"1\"] [\"B\" \"2\"] [\"C\" \"3\\r\\n\\tx\\n \"]] \"\""},
		{"mail envelope", "--b\r\nFrom x\r\n y\r\nA: 1\r\n\r\n", "b", `[["A" "1"]] ""`},
		{"no name", "--b\r\n: x\r\n y\r\nA: 1\r\n\r\n", "b", `[["A" "1"]] ""`},
		{"no colon", "--b\r\nA: 1\r\njunk\r\nB: 2\r\n\r\n", "b", `[["A" "1"]] ""`},
		{"name not ASCII", "--b\r\nA: 1\r\né: 2\r\nB: 2\r\n\r\n", "b", `[["A" "1"]] ""`},
		{"delimiter within the blank line", "--b\r\nA: 1\r\n\r\n--b--", "b", "error"},
		{"nothing", "", "b", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, strings.Join(splitWhole(tt.content, tt.boundary), " | ")); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			for n := 1; n <= len(tt.content)+1; n++ {
				got := splitStreamed(tt.content, tt.boundary, n)
				if diff := cmp.Diff(tt.want, strings.Join(got, " | ")); diff != "" {
					t.Fatalf("streamed by %d (-want +got)\n%s", n, diff)
				}
			}
		})
	}
}

func TestPartReaderSkipsUnreadContent(t *testing.T) {
	big := strings.Repeat("x\r\n--y", 10_000)
	r := NewPartReader(strings.NewReader("--b\r\nA: 1\r\n\r\n"+big+"\r\n--b\r\nA: 2\r\n\r\n"+big+"\r\n--b--\r\n"), "b")
	first, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	second, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	if n, err := first.Read(make([]byte, 9)); n != 0 || err != io.EOF {
		t.Errorf("a part left behind gave %d bytes, %v", n, err)
	}
	got, err := io.ReadAll(second)
	if err != nil || string(got) != big {
		t.Errorf("second part: %d bytes, %v", len(got), err)
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

func TestPartReaderErrors(t *testing.T) {
	broken := errors.New("broken")
	after := func(s string) io.Reader { return io.MultiReader(strings.NewReader(s), iotest.ErrReader(broken)) }
	tests := []struct {
		name string
		body io.Reader
		want error
	}{
		{"at once", after(""), broken},
		{"in a head", after("--b\r\nA: 1\r\n"), broken},
		{"in a content", after("--b\r\nA: 1\r\n\r\nxyz"), broken},
		{"head without end", io.MultiReader(strings.NewReader("--b\r\n"), endless{}), ErrNoBlankLine},
	}
	for _, tt := range tests {
		r := NewPartReader(tt.body, "b")
		p, err := r.Next()
		if err == nil {
			_, err = io.Copy(io.Discard, p)
		}
		if _, again := r.Next(); !errors.Is(err, tt.want) || !errors.Is(again, tt.want) {
			t.Errorf("%s: got %v, then %v; want %v", tt.name, err, again, tt.want)
		}
	}
}

// TestPartHeadBound: a head of a part has 64 KiB at most, however it is read.
func TestPartHeadBound(t *testing.T) {
	for _, n := range []int{maxHead - 1, maxHead, maxHead + 1, maxHead + 1000} {
		head := "A: " + strings.Repeat("y", n-len("A: "))
		for _, cut := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.OneByteReader} {
			r := NewPartReader(cut(strings.NewReader("--b\r\n"+head+"\r\n\r\nx\r\n--b--\r\n")), "b")
			if _, err := r.Next(); (err == nil) != (n <= maxHead) {
				t.Errorf("%d bytes: %v", n, err)
			}
		}
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return copy(b, bytes.Repeat([]byte("x"), len(b))), nil }

// FuzzSplit holds the streamed splitter against the whole one.
func FuzzSplit(f *testing.F) {
	f.Add("--b\r\nA: 1\r\n f\r\n\r\nx\r\n--b--\r\n", "b", 3)
	f.Add("pre\r\n\r\nx\r\n--\r\n\r\n--", "", 1)
	f.Add("\r\n\r\n--b\r\n\r\nx\r\n--b\r\n--b--\r\n", "b", 2)
	f.Fuzz(func(t *testing.T, content, boundary string, n int) {
		n = 1 + max(n, -n, 0)%64
		if len(content) > maxHead {
			return
		}
		whole, streamed := splitWhole(content, boundary), splitStreamed(content, boundary, n)
		if diff := cmp.Diff(whole, streamed); diff != "" {
			t.Errorf("by %d (-whole +streamed)\n%s", n, diff)
		}
	})
}

// FuzzEncode checks that what was put in comes out of the splitter, and nothing else.
func FuzzEncode(f *testing.F) {
	f.Add("a", "f.txt", "t/p", "X-A", "v", []byte("content"))
	f.Add("a\r\nB: c", "\r\n\r\n--B", "", "", "", []byte("\r\n--"))
	f.Fuzz(func(t *testing.T, name, filename, contentType, field, fieldValue string, content []byte) {
		boundary := NewBoundary()
		part := Part{Name: name, Filename: filename, HasFilename: true, ContentType: contentType,
			Header: [][2]string{{field, fieldValue}}, Content: content}
		body, err := Encode(boundary, []Part{part})
		if err != nil {
			return
		}
		parts, err := SplitParts(body, boundary)
		if err != nil || len(parts) != 1 || !bytes.Equal(parts[0].Content, content) {
			t.Fatalf("%q became %q, %v", content, parts, err)
		}
		if lines := bytes.Count(parts[0].Head, []byte("\n")); lines > 2 || bytes.Count(parts[0].Head, []byte("\r")) != lines {
			t.Fatalf("head %q", parts[0].Head)
		}
	})
}

func TestGuessContentType(t *testing.T) {
	tests := map[string]string{
		"a.JSON": "application/json", "a.svgz": "image/svg+xml", "a.csv.gz": "text/csv", "a.csv.GZ": "application/octet-stream",
		"dir.txt/file": "application/octet-stream", "..a.css": "text/css", "data:x": "application/octet-stream", "data:a/b;c=d,": "a/b",
		"c:a.gif": "image/gif", ":a.gif": "image/gif", "a.docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	}
	for name, want := range tests {
		if diff := cmp.Diff(want, GuessContentType(name)); diff != "" {
			t.Errorf("%q (-want +got)\n%s", name, diff)
		}
	}
}

// readerFrom takes files and the like by itself, as a connection does.
type readerFrom struct {
	bytes.Buffer
	taken []string
}

func (r *readerFrom) ReadFrom(src io.Reader) (int64, error) {
	r.taken = append(r.taken, fmt.Sprintf("%T", src.(*io.LimitedReader).R))
	return r.Buffer.ReadFrom(src)
}

// TestWriteTo: a body is written as it is read, and what can move content is given it.
func TestWriteTo(t *testing.T) {
	parts := sampleParts()
	parts[0].Body, parts[0].Size, parts[0].Content = bytes.NewReader(parts[0].Content), int64(len(parts[0].Content)), nil
	r, err := NewReader("B", parts)
	if err != nil {
		t.Fatal(err)
	}
	var w readerFrom
	n, err := r.WriteTo(&w)
	if diff := cmp.Diff(sampleBody, w.String()); diff != "" || err != nil || n != int64(len(sampleBody)) || len(w.taken) == 0 {
		t.Errorf("%d bytes, %v, %v (-want +got)\n%s", n, err, w.taken, diff)
	}
	for size, want := range map[int64]string{2: `part "f" is longer than the 2 bytes announced`, 4: `part "f" ended after 3 bytes of 4`} {
		r, err := NewReader("B", []Part{{Name: "f", Body: strings.NewReader("xyz"), Size: size, Ends: true}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.WriteTo(io.Discard); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
