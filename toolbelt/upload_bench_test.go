package toolbelt_test

import (
	"bytes"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
)

const uploadSize = 100 << 20

func uploadFile(b *testing.B) string {
	name := filepath.Join(b.TempDir(), "upload.bin")
	if err := os.WriteFile(name, bytes.Repeat([]byte("0123456789abcdef"), uploadSize/16), 0o600); err != nil {
		b.Fatal(err)
	}
	return name
}

// sink is a raw server that throws bodies away as fast as it can: one of net/http
// would be the bottleneck. It understands Content-Length and, for the standard
// library's side, chunks only as far as finding their end.
func sink(b *testing.B) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	var serving sync.WaitGroup
	b.Cleanup(serving.Wait)
	b.Cleanup(func() { ln.Close() })
	serving.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { drain(c) })
		}
	})
	return "http://" + ln.Addr().String()
}

func drain(c net.Conn) {
	defer c.Close()
	block := make([]byte, 256<<10)
	for {
		if !drainRequest(c, block) {
			return
		}
		if _, err := io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"); err != nil {
			return
		}
	}
}

func drainRequest(c net.Conn, block []byte) bool {
	n := 0
	for !bytes.Contains(block[:n], []byte("\r\n\r\n")) {
		m, err := c.Read(block[n:])
		if err != nil {
			return false
		}
		n += m
	}
	head, rest, _ := bytes.Cut(block[:n], []byte("\r\n\r\n"))
	if _, length, ok := bytes.Cut(head, []byte("Content-Length: ")); ok {
		text, _, _ := bytes.Cut(length, []byte("\r\n"))
		left, err := strconv.Atoi(string(text))
		for left -= len(rest); left > 0 && err == nil; left -= n {
			n, err = c.Read(block)
		}
		return err == nil
	}
	tail := bytes.Clone(rest)
	for !bytes.HasSuffix(tail, []byte("\r\n0\r\n\r\n")) {
		n, err := c.Read(block)
		if err != nil {
			return false
		}
		tail = append(tail, block[max(0, n-16):n]...)
		tail = tail[max(0, len(tail)-16):]
	}
	return true
}

// BenchmarkUpload compares the multipart upload of a file of 100 MiB with the usual
// way of the standard library. peak-MiB is the growth of what the process holds.
func BenchmarkUpload(b *testing.B) {
	name, url := uploadFile(b), sink(b)
	s := requests.NewSession()
	defer s.Close()
	std := &http.Client{Transport: &http.Transport{}}
	defer std.CloseIdleConnections()
	monitor := func(m *toolbelt.Monitor) {}
	uploads := map[string]func(f *os.File) error{
		"net-http": func(f *os.File) error { return pipeUpload(std, url, f) },
		"encoder": func(f *os.File) error {
			_, err := s.Post(b.Context(), url, toolbelt.Fields{{Name: "f", Filename: "upload.bin", Value: f}})
			return err
		},
		"path": func(*os.File) error {
			_, err := s.Post(b.Context(), url, toolbelt.Fields{{Name: "f", Value: toolbelt.Path(name)}})
			return err
		},
		"monitor": func(f *os.File) error {
			m, err := toolbelt.MonitorFields(toolbelt.Fields{{Name: "f", Filename: "upload.bin", Value: f}}, monitor)
			if err != nil {
				return err
			}
			_, err = s.Post(b.Context(), url, m)
			return err
		},
	}
	for _, kind := range []string{"net-http", "encoder", "path", "monitor"} {
		b.Run(kind, func(b *testing.B) {
			b.SetBytes(uploadSize)
			b.ReportAllocs()
			var peak uint64
			for b.Loop() {
				f, err := os.Open(name)
				if err != nil {
					b.Fatal(err)
				}
				if err := uploads[kind](f); err != nil {
					b.Fatal(err)
				}
				f.Close()
				peak = max(peak, held())
			}
			b.ReportMetric(float64(peak)/(1<<20), "held-MiB")
		})
	}
}

// held is the memory of the heap that the process has in use.
func held() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

func pipeUpload(client *http.Client, url string, f *os.File) error {
	pr, pw := io.Pipe()
	w := multipart.NewWriter(pw)
	go func() {
		part, err := w.CreateFormFile("f", "upload.bin")
		if err == nil {
			_, err = io.Copy(part, f)
		}
		if err == nil {
			err = w.Close()
		}
		pw.CloseWithError(err)
	}()
	r, err := client.Post(url, w.FormDataContentType(), pr)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	_, err = io.Copy(io.Discard, r.Body)
	return err
}

// BenchmarkEncoderRead reads an encoder in the blocks of http.client, and next to it
// the same bytes without one.
func BenchmarkEncoderRead(b *testing.B) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 2<<20)
	block := make([]byte, 8<<10)
	e, err := toolbelt.NewMultipartEncoder([]toolbelt.Field{{Name: "a", Value: "1"}, {Name: "f", Value: bytes.NewReader(data)}})
	if err != nil {
		b.Fatal(err)
	}
	whole, err := e.Bytes()
	if err != nil {
		b.Fatal(err)
	}
	plain := bytes.NewReader(whole)
	b.Run("plain", func(b *testing.B) {
		b.SetBytes(int64(len(whole)))
		for b.Loop() {
			plain.Seek(0, io.SeekStart)
			readBlocks(plain, block)
		}
	})
	b.Run("encoder", func(b *testing.B) {
		b.SetBytes(int64(len(whole)))
		for b.Loop() {
			if err := e.Rewind(); err != nil {
				b.Fatal(err)
			}
			readBlocks(e, block)
		}
	})
}

func readBlocks(r io.Reader, block []byte) {
	for {
		if _, err := r.Read(block); err != nil {
			return
		}
	}
}
