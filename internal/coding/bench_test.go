package coding

import (
	"bytes"
	"compress/gzip"
	"io"
	"strconv"
	"testing"
)

// BenchmarkReader decodes small and large bodies; "gzip std" is compress/gzip
// with a new reader for each body, as a baseline.
func BenchmarkReader(b *testing.B) {
	for _, size := range []int{1000, 1_000_000} {
		data := text(size)
		for _, name := range []string{"gzip", "deflate", "br", "zstd"} {
			coded := encode(b, name, data)
			b.Run(name+"/"+strconv.Itoa(size), func(b *testing.B) {
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					r, err := NewReader(bytes.NewReader(coded), []string{name}, Limits{})
					if err != nil {
						b.Fatal(err)
					}
					if n, err := io.Copy(io.Discard, r); n != int64(size) || err != nil {
						b.Fatal(n, err)
					}
					r.Close()
				}
			})
		}
		coded := encode(b, "gzip", data)
		b.Run("gzip std/"+strconv.Itoa(size), func(b *testing.B) {
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				r, err := gzip.NewReader(bytes.NewReader(coded))
				if err != nil {
					b.Fatal(err)
				}
				if n, err := io.Copy(io.Discard, r); n != int64(size) || err != nil {
					b.Fatal(n, err)
				}
			}
		})
	}
}
