package h1

import (
	"bytes"
	"io"
	"testing"
)

const benchHead = "HTTP/1.1 200 OK\r\nDate: Tue, 01 Jul 2025 12:00:00 GMT\r\nServer: nginx/1.27.0\r\n" +
	"Content-Type: application/json; charset=utf-8\r\nContent-Length: 200\r\nCache-Control: max-age=60, public\r\n" +
	"Connection: keep-alive\r\n\r\n"

// loop serves the same bytes again and again, one whole piece a read.
type loop struct{ data []byte }

func (l loop) Read(p []byte) (int, error) { return copy(p, l.data), nil }

func BenchmarkResponseHead(b *testing.B) {
	r := NewReader(loop{[]byte(benchHead)})
	h := ResponseHead{Fields: make(Fields, 0, 8)}
	b.ReportAllocs()
	for b.Loop() {
		if err := r.ReadFinalHead(&h, nil, nil); err != nil {
			b.Fatal(err)
		}
		if f, n, err := ResponseFraming("GET", &h); f != Length || n != 200 || err != nil {
			b.Fatal(f, n, err)
		}
	}
}

func BenchmarkExchange(b *testing.B) {
	r := NewReader(loop{append([]byte(benchHead), make([]byte, 200)...)})
	h := ResponseHead{Fields: make(Fields, 0, 8)}
	request := Fields{{"Host", "example.com"}, {"User-Agent", "x/1"}, {"Accept-Encoding", "gzip, deflate"}, {"Accept", "*/*"}}
	var out []byte
	p := make([]byte, 256)
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if out, err = AppendRequestHead(out[:0], "GET", "/path?query=1", request); err != nil {
			b.Fatal(err)
		}
		if err := r.ReadFinalHead(&h, nil, nil); err != nil {
			b.Fatal(err)
		}
		f, n, _ := ResponseFraming("GET", &h)
		var body Body
		body.Init(r, f, n, nil)
		if _, err := body.ReadFull(p); err != nil {
			b.Fatal(err)
		}
		x := Exchange{Method: "GET", Head: &h, Framing: f, Body: &body, Reader: r}
		if v := x.Verdict(); v != Keep {
			b.Fatal(v)
		}
	}
}

func benchmarkBody(b *testing.B, raw []byte, f Framing, n int64, read func(*Body) error) {
	r := NewReader(nil)
	src := bytes.NewReader(nil)
	b.SetBytes(n)
	b.ReportAllocs()
	for b.Loop() {
		src.Reset(raw)
		r.Reset(src)
		var body Body
		body.Init(r, f, n, nil)
		if err := read(&body); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBody(b *testing.B) {
	const size = 1 << 20
	data := make([]byte, size)
	var chunked []byte
	for i := 0; i < size; i += 1 << 14 {
		chunked = AppendChunk(chunked, data[i:i+1<<14])
	}
	chunked = append(chunked, LastChunk...)
	into := make([]byte, 128<<10)
	readAll := func(body *Body) error {
		for {
			if _, err := body.Read(into); err == io.EOF {
				return nil
			} else if err != nil {
				return err
			}
		}
	}
	writeTo := func(body *Body) error {
		_, err := body.WriteTo(io.Discard)
		return err
	}
	b.Run("length/Read", func(b *testing.B) { benchmarkBody(b, data, Length, size, readAll) })
	b.Run("length/WriteTo", func(b *testing.B) { benchmarkBody(b, data, Length, size, writeTo) })
	b.Run("chunked/Read", func(b *testing.B) { benchmarkBody(b, chunked, Chunked, size, readAll) })
	b.Run("chunked/WriteTo", func(b *testing.B) { benchmarkBody(b, chunked, Chunked, size, writeTo) })
}
