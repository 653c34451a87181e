package coding

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/andybalholm/brotli"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
)

// encoders make test data; each flushes when asked.
type flusher interface {
	io.WriteCloser
	Flush() error
}

var encoders = map[string]func(io.Writer) flusher{
	"gzip":    func(w io.Writer) flusher { return gzip.NewWriter(w) },
	"x-gzip":  func(w io.Writer) flusher { return gzip.NewWriter(w) },
	"deflate": func(w io.Writer) flusher { return zlib.NewWriter(w) },
	"raw": func(w io.Writer) flusher {
		f, _ := flate.NewWriter(w, flate.BestCompression)
		return f
	},
	"br": func(w io.Writer) flusher { return brotli.NewWriter(w) },
	"zstd": func(w io.Writer) flusher {
		z, _ := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
		return z
	},
}

// header is the Content-Encoding of an encoder's output.
func header(name string) string {
	if name == "raw" {
		return "deflate"
	}
	return name
}

func encode(tb testing.TB, name string, data []byte) []byte {
	tb.Helper()
	var b bytes.Buffer
	w := encoders[name](&b)
	if _, err := w.Write(data); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func text(n int) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "line %d of some text, %x\n", i, i*i*2654435761)
	}
	return b.Bytes()[:n]
}

func decode(src io.Reader, lim Limits, values ...string) ([]byte, error) {
	r, err := NewReader(src, values, lim)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func TestParse(t *testing.T) {
	tests := []struct {
		values []string
		want   []string
		err    error
	}{
		{nil, nil, nil},
		{[]string{""}, nil, nil},
		{[]string{"identity"}, nil, nil},
		{[]string{"GZip"}, []string{"gzip"}, nil},
		{[]string{"foo"}, nil, nil},
		{[]string{"foo, bar, a, b, c, d"}, nil, nil},
		{[]string{"deflate, gzip"}, []string{"deflate", "gzip"}, nil},
		{[]string{"br", " x-gzip\t,,identity "}, []string{"br", "x-gzip"}, nil},
		{[]string{"foo, gzip"}, []string{"foo", "gzip"}, nil},
		{[]string{"gzip, gzip", "gzip,gzip,gzip"}, []string{"gzip", "gzip", "gzip", "gzip", "gzip"}, nil},
		{[]string{"gzip, gzip", "gzip,gzip,gzip,gzip"}, nil, ErrTooManyCodings},
		{[]string{strings.Repeat("identity,", 5) + "gzip"}, nil, ErrTooManyCodings},
	}
	for _, tt := range tests {
		got, err := Parse(tt.values)
		if diff := cmp.Diff(tt.want, got); diff != "" || !errors.Is(err, tt.err) {
			t.Errorf("Parse(%q): error %v, (-want +got):\n%s", tt.values, err, diff)
		}
	}
}

// TestRule28Codings: more than five codings are an error before any decoding.
func TestRule28Codings(t *testing.T) {
	_, err := NewReader(strings.NewReader("x"), []string{"br, br, br, br, br, br"}, Limits{})
	if coding := new(Error); !errors.As(err, &coding) || !errors.Is(err, ErrTooManyCodings) {
		t.Errorf("six codings: %v", err)
	}
}

var sizes = []int{0, 1, 100, 5000, 200_000}

func TestRoundTrip(t *testing.T) {
	sources := map[string]func(io.Reader) io.Reader{
		"whole":    func(r io.Reader) io.Reader { return r },
		"bytewise": iotest.OneByteReader,
		"half":     iotest.HalfReader,
		"data+err": iotest.DataErrReader,
		"stutter":  func(r io.Reader) io.Reader { return &stutter{r: r} },
	}
	for name := range encoders {
		for _, size := range sizes {
			want := text(size)
			coded := encode(t, name, want)
			for how, wrap := range sources {
				got, err := decode(wrap(bytes.NewReader(coded)), Limits{}, header(name))
				if err != nil || !bytes.Equal(want, got) {
					t.Errorf("%s, %d bytes, %s: %d bytes, %v", name, size, how, len(got), err)
				}
			}
		}
	}
}

// stutter returns 0, nil before every piece of data.
type stutter struct {
	r  io.Reader
	on bool
}

func (s *stutter) Read(p []byte) (int, error) {
	if s.on = !s.on; s.on {
		return 0, nil
	}
	return s.r.Read(p)
}

func TestReadSizes(t *testing.T) {
	want := text(3000)
	for name := range encoders {
		r, err := NewReader(bytes.NewReader(encode(t, name, want)), []string{header(name)}, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if err := iotest.TestReader(r, want); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestChains(t *testing.T) {
	want := text(10_000)
	for _, chain := range [][]string{
		{"deflate", "gzip"}, {"gzip", "br"}, {"zstd", "raw", "gzip"}, {"gzip", "gzip", "gzip", "gzip", "gzip"},
		{"identity", "br", "zstd"}, {"br", "br"}, {"zstd", "zstd"},
	} {
		coded, names := want, []string{}
		for _, name := range chain {
			if name != "identity" {
				coded = encode(t, name, coded)
			}
			names = append(names, header(name))
		}
		got, err := decode(iotest.HalfReader(bytes.NewReader(coded)), Limits{}, strings.Join(names, ", "))
		if err != nil || !bytes.Equal(want, got) {
			t.Errorf("%v: %d bytes, %v", chain, len(got), err)
		}
	}
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func TestEnds(t *testing.T) {
	gz, zl, br, zs := encode(t, "gzip", []byte("one")), encode(t, "deflate", []byte("one")),
		encode(t, "br", []byte("one")), encode(t, "zstd", []byte("one"))
	badSum := bytes.Clone(gz)
	badSum[len(badSum)-6] ^= 1
	badAdler := bytes.Clone(zl)
	badAdler[len(badAdler)-1] ^= 1
	tests := []struct {
		name, coding string
		coded        []byte
		want         string
		bad          bool
	}{
		{"two members", "gzip", join(gz, gz), "oneone", false},
		{"garbage after a member", "gzip", join(gz, []byte("garbage!")), "one", false},
		{"padding after a member", "gzip", join(gz, make([]byte, 100_000)), "one", false},
		{"one byte after a member", "gzip", join(gz, []byte{0x1f}), "one", true},
		{"members, garbage, member", "gzip", join(gz, gz, []byte("x"), gz), "oneone", false},
		{"damaged second member", "gzip", join(gz, badSum), "oneone", true},
		{"bad checksum", "gzip", badSum, "one", true},
		{"no gzip", "gzip", []byte("not gzip"), "", true},
		{"one wrong byte", "gzip", []byte("x"), "", true},
		{"reserved flag", "gzip", []byte("\x1f\x8b\x08\x80\x00\x00\x00\x00\x00\x00\x03\x00"), "", true},
		{"other method", "gzip", []byte("\x1f\x8b\x07\x00\x00\x00\x00\x00\x00\x00\x03\x00"), "", true},
		{"bad adler", "deflate", badAdler, "one", true},
		{"garbage after zlib", "deflate", join(zl, []byte("garbage")), "one", false},
		{"no deflate", "deflate", []byte("\xff\xffbad"), "", true},
		{"one byte of deflate", "deflate", []byte("x"), "", true},
		{"cut second member", "gzip", join(gz, gz[:len(gz)-1]), "oneone", true},
		{"cut head of a second member", "gzip", join(gz, gz[:5]), "one", true},
		{"cut second frame", "zstd", join(zs, zs[:5]), "one", true},
		{"garbage after br", "br", join(br, []byte("garbage")), "one", true},
		{"no br", "br", []byte("hello world, hello again"), "", true},
		{"two frames", "zstd", join(zs, zs), "oneone", false},
		{"garbage after zstd", "zstd", join(zs, []byte("garbage")), "one", true},
		{"no zstd", "zstd", []byte("hello world, hello again"), "", true},
		{"unknown in a list", "foo, gzip", gz, "", true},
		{"unknown in a list, empty", "gzip, foo", nil, "", false},
		{"unknown", "foo", []byte("as it is"), "as it is", false},
		{"identity", "identity", gz, string(gz), false},
	}
	for _, tt := range tests {
		for _, wrap := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.DataErrReader} {
			got, err := decode(wrap(bytes.NewReader(tt.coded)), Limits{}, tt.coding)
			if coding := new(Error); tt.bad != (err != nil) || err != nil && !errors.As(err, &coding) {
				t.Errorf("%s: error %v", tt.name, err)
			}
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.name, diff)
			}
		}
	}
}

// gzipFields is a member with every optional header field; crc says whether
// its header checksum is right.
func gzipFields(t *testing.T, right bool) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	w.Extra, w.Name, w.Comment = []byte("extra field"), "name", "comment"
	fmt.Fprint(w, "body")
	w.Close()
	head, rest := bytes.Clone(b.Bytes()[:10+2+11+5+8]), b.Bytes()[10+2+11+5+8:]
	head[3] |= flagHeaderCRC
	sum := crc16(head)
	if !right {
		sum++
	}
	return join(head, []byte{byte(sum), byte(sum >> 8)}, rest)
}

func TestGzipHeaderFields(t *testing.T) {
	member := gzipFields(t, true)
	if got, err := decode(bytes.NewReader(member), Limits{}, "gzip"); err != nil || string(got) != "body" {
		t.Errorf("all fields: %q, %v", got, err)
	}
	if _, err := decode(bytes.NewReader(gzipFields(t, false)), Limits{}, "gzip"); err == nil {
		t.Error("wrong header checksum: no error")
	}
	for cut := range len(member) {
		if _, err := decode(bytes.NewReader(member[:cut]), Limits{}, "gzip"); (err == nil) != (cut == 0) {
			t.Errorf("cut at %d: %v", cut, err)
		}
		if _, err := decode(bytes.NewReader(member[:cut]), Limits{Leniency: Truncated}, "gzip"); err != nil {
			t.Errorf("cut at %d, lenient: %v", cut, err)
		}
	}
}

// TestCut cuts each coding, and each coding in another, at every offset: data is
// missing, and that is an error, unless Requests' leniency is asked for.
func TestCut(t *testing.T) {
	want := text(400)
	for name := range encoders {
		for outer := range encoders {
			coded, list := encode(t, name, want), header(name)
			if outer != name {
				coded, list = encode(t, outer, coded), list+", "+header(outer)
			}
			lenient := outer == name && name != "br" && name != "zstd"
			for cut := 1; cut < len(coded); cut++ {
				for _, wrap := range []func(io.Reader) io.Reader{iotest.DataErrReader, iotest.HalfReader} {
					got, err := decode(wrap(bytes.NewReader(coded[:cut])), Limits{}, list)
					if !bytes.HasPrefix(want, got) {
						t.Fatalf("%s cut at %d: wrong data %q", list, cut, got)
					}
					if coding := new(Error); !errors.As(err, &coding) || !errors.Is(err, io.ErrUnexpectedEOF) {
						t.Errorf("%s cut at %d: error %v", list, cut, err)
					}
				}
				_, err := decode(bytes.NewReader(coded[:cut]), Limits{Leniency: Truncated}, list)
				if coding := new(Error); lenient && err != nil || err != nil && !errors.As(err, &coding) {
					t.Errorf("%s cut at %d, lenient: error %v", list, cut, err)
				}
			}
		}
	}
}

// TestWithoutTrailer cuts gzip that is flushed now and then at every offset. With
// WithoutTrailer what ends in a flush passes, and what ends before the trailer.
func TestWithoutTrailer(t *testing.T) {
	for _, level := range []int{gzip.NoCompression, gzip.BestSpeed, gzip.BestCompression, gzip.HuffmanOnly} {
		var b bytes.Buffer
		w, err := gzip.NewWriterLevel(&b, level)
		if err != nil {
			t.Fatal(err)
		}
		borders, want := map[int]int{0: 0}, []byte(nil)
		for i := range 4 {
			piece := join(text(i*50), []byte("\x00\x00\xff\xff\x00\x00\xff\xff"))
			want = append(want, piece...)
			w.Write(piece)
			w.Flush()
			borders[b.Len()] = len(want)
		}
		w.Close()
		coded := b.Bytes()
		borders[len(coded)-8], borders[len(coded)] = len(want), len(want)
		for cut := range len(coded) + 1 {
			whole, isBorder := borders[cut]
			for _, wrap := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.DataErrReader} {
				got, err := decode(wrap(bytes.NewReader(coded[:cut])), Limits{Leniency: WithoutTrailer}, "gzip")
				if (err == nil) != isBorder || isBorder && !bytes.Equal(want[:whole], got) || !bytes.HasPrefix(want, got) {
					t.Errorf("level %d cut at %d of %d: %q, %v", level, cut, len(coded), got, err)
				}
			}
		}
	}
}

// TestSourceError: an error of the source is not taken for a short or corrupt
// body, at whatever offset it comes and whatever error it is.
func TestSourceError(t *testing.T) {
	broken := errors.New("connection lost")
	for name := range encoders {
		coded := encode(t, name, text(300))
		for cut := range len(coded) + 1 {
			for _, want := range []error{broken, io.ErrUnexpectedEOF} {
				src := io.MultiReader(bytes.NewReader(coded[:cut]), iotest.ErrReader(want))
				if _, err := decode(src, Limits{}, header(name)); err != want {
					t.Fatalf("%s, source broken at %d: %v, want %v", name, cut, err, want)
				}
			}
		}
	}
}
