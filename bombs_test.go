package requests_test

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// A bombStream is a coded stream of zeros: what it begins with, a piece that stands for pieceSize
// of them as often as it takes, and an end.
type bombStream struct {
	begin, piece, end string
	times             int64
	again             func(times int64) *bombStream // the same with another number of pieces
}

const pieceSize = 32 << 20

// of returns the bomb with at least size zeros.
func (b *bombStream) of(size int64) *bombStream { return b.again(max(2, (size+pieceSize-1)/pieceSize)) }

func (b *bombStream) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, b.begin)
	sum := int64(n)
	for i := int64(0); i < b.times && err == nil; i++ {
		n, err = io.WriteString(w, b.piece)
		sum += int64(n)
	}
	if err == nil {
		n, err = io.WriteString(w, b.end)
		sum += int64(n)
	}
	return sum, err
}

// pieceEncoder is an encoder that can end a piece.
type pieceEncoder interface {
	io.WriteCloser
	Flush() error
}

// members is a bomb of whole streams, one for each piece: what an encoder makes that puts a
// checksum at the end.
func members(encoder func(io.Writer) pieceEncoder) *bombStream {
	var b bytes.Buffer
	z := encoder(&b)
	_, _ = io.CopyN(z, zero{}, pieceSize)
	_ = z.Close()
	piece := b.String()
	var again func(times int64) *bombStream
	again = func(times int64) *bombStream { return &bombStream{piece: piece, times: times, again: again} }
	return again(2)
}

// repeated is a bomb of what an encoder makes of a piece: the second one, as the first may
// begin differently and all others are like it.
func repeated(encoder func(io.Writer) pieceEncoder) *bombStream {
	var b bytes.Buffer
	z := encoder(&b)
	next := func() string {
		defer b.Reset()
		_, _ = io.CopyN(z, zero{}, pieceSize)
		_ = z.Flush()
		return b.String()
	}
	begin, piece := next(), next()
	_ = z.Close()
	end := b.String()
	var again func(times int64) *bombStream
	again = func(times int64) *bombStream { return &bombStream{begin, piece, end, times - 1, again} }
	return again(2)
}

// inside is a bomb coded once more.
func inside(inner *bombStream, encoder func(io.Writer) pieceEncoder) *bombStream {
	var again func(times int64) *bombStream
	again = func(times int64) *bombStream {
		var b bytes.Buffer
		z := encoder(&b)
		_, _ = inner.again(times).WriteTo(z)
		_ = z.Close()
		return &bombStream{begin: b.String(), again: again}
	}
	return &bombStream{again: again}
}

var bombEncoders = map[string]func(io.Writer) pieceEncoder{
	"gzip": func(w io.Writer) pieceEncoder { z, _ := gzip.NewWriterLevel(w, gzip.DefaultCompression); return z },
	"deflate": func(w io.Writer) pieceEncoder {
		z, _ := flate.NewWriter(w, flate.DefaultCompression)
		return z
	},
	"br": func(w io.Writer) pieceEncoder {
		return brotli.NewWriterOptions(w, brotli.WriterOptions{Quality: 2, LGWin: 24})
	},
	"zstd": func(w io.Writer) pieceEncoder {
		z, _ := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(8<<20), zstd.WithEncoderCRC(false), zstd.WithEncoderLevel(zstd.SpeedFastest))
		return z
	},
}

// padding is what a coded stream can have in it that decodes to nothing, so that the coding
// around it has a whole window to keep.
const padding = 1<<24 - 16

// paddedEncoders begin with padding: a metadata block of brotli (RFC 7932, 9.2), a skippable
// frame of zstd (RFC 8878, 3.1.2).
var paddedEncoders = map[string]func(io.Writer) pieceEncoder{
	"br": func(w io.Writer) pieceEncoder {
		z := bombEncoders["br"](w)
		_ = z.Flush() // the window's size, and up to the border of a byte
		head := binary.LittleEndian.AppendUint64(nil, 0b0_11_0|0b11<<4|(padding-1)<<6)
		_, _ = w.Write(head[:4])
		_, _ = w.Write(make([]byte, padding))
		return z
	},
	"zstd": func(w io.Writer) pieceEncoder {
		head := binary.LittleEndian.AppendUint32(nil, 0x184d2a50)
		_, _ = w.Write(binary.LittleEndian.AppendUint32(head, padding))
		_, _ = w.Write(make([]byte, padding))
		return bombEncoders["zstd"](w)
	},
}

// bombs are ten gigabytes of zeros, in each coding and in chains; those of five times the same
// coding have every decoder keep as much as it ever does.
var bombs = sync.OnceValue(func() map[string]*bombStream {
	all := map[string]*bombStream{}
	for name, encoder := range bombEncoders {
		all[name] = repeated(encoder)
	}
	all["gzip"] = members(bombEncoders["gzip"])
	for _, chain := range []string{"gzip, gzip", "gzip, br", "br, zstd", "zstd, deflate", "deflate, gzip, br, zstd, gzip"} {
		codings := strings.Split(chain, ", ")
		all[chain] = all[codings[0]]
		for _, coding := range codings[1:] {
			all[chain] = inside(all[chain], bombEncoders[coding])
		}
	}
	for coding, encoder := range paddedEncoders {
		wide := repeated(encoder)
		for range 3 {
			wide = inside(wide, encoder)
		}
		wide = inside(wide, bombEncoders[coding])
		all[strings.Join(slices.Repeat([]string{coding}, 5), ", ")] = wide
	}
	for name, b := range all {
		all[name] = b.of(10 << 30)
	}
	return all
})

// TestBombs: they decode to what they should.
func TestBombs(t *testing.T) {
	for coding, b := range bombs() {
		server := bombSite(t, coding, b.of(pieceSize))
		s := bombSession(t, false)
		s.Policy.UnlimitedDecoding = true
		r, err := s.Get(t.Context(), server.URL)
		if err != nil {
			t.Fatalf("%s: %v", coding, err)
		}
		if content, err := r.Content(); err != nil || len(content) != 2*pieceSize || bytes.Count(content, []byte{0}) != 2*pieceSize {
			t.Errorf("%s: %d bytes, %v", coding, len(content), err)
		}
		server.Close()
	}
}

// zero is a reader without end.
type zero struct{}

func (zero) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}
