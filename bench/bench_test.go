//go:build unix

package bench

import (
	"context"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
)

const (
	small = 200
	mid   = 1 << 20
	large = 100 << 20
)

// client does one kind of work once.
type client struct {
	name string
	do   func() error
}

// work is what is measured.
type work struct {
	name     string
	parallel int
	clients  func(b testing.TB, a addresses) []client
}

var works = []work{
	{"get1", 1, gets(func(a addresses) string { return a.Raw }, small)},
	{"get64", 64, gets(func(a addresses) string { return a.Raw }, small)},
	{"get256", 256, gets(func(a addresses) string { return a.Raw }, small)},
	{"tls", 1, gets(func(a addresses) string { return a.Secure }, small)},
	{"post", 1, posts},
	{"http2", 1, second},
	{"http2x64", 64, second},
	{"roundtripper", 1, under},
	{"1MiB", 1, gets(func(a addresses) string { return a.Raw }, mid)},
	{"100MiB", 1, gets(func(a addresses) string { return a.Raw }, large)},
	{"file", 1, files},
	{"chunked", 1, uploads},
	{"multipart", 1, multiparts},
}

func check(want int) func(n int, err error) error {
	return func(n int, err error) error {
		if err == nil && n != want {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
}

// gets are all clients, for a page of one size.
func gets(at func(addresses) string, size int) func(testing.TB, addresses) []client {
	return func(_ testing.TB, a addresses) (clients []client) {
		url := at(a) + "/" + strconv.Itoa(size)
		whole := check(size)
		for _, g := range getters {
			one := g.make(a.CA)
			clients = append(clients, client{g.name, func() error { return whole(one(url)) }})
		}
		return clients
	}
}

var document = `{"name":"alpha-beta-gamma","active":true,"score":98.25,"tags":["one","two","three"]}`

func posts(_ testing.TB, a addresses) []client {
	s, c, whole := session(a.CA), standard(a.CA, false), check(small)
	with := []requests.Option{requests.Body(document), requests.Headers{{"Content-Type", "application/json"}}} // values, for all requests
	return []client{
		{"requests", func() error {
			r, err := s.Post(context.Background(), a.Sink, with...)
			if err != nil {
				return err
			}
			content, err := r.Content()
			return whole(len(content), err)
		}},
		{"net/http", func() error {
			return whole(length(c.Post(a.Sink, "application/json", strings.NewReader(document))))
		}},
	}
}

// second is HTTP/2.
func second(_ testing.TB, a addresses) []client {
	one, other, whole := ours(session(a.CA, requests.HTTP2(true))), theirs(standard(a.CA, true)), check(small)
	return []client{
		{"requests", func() error { return whole(one(a.Second)) }},
		{"net/http", func() error { return whole(other(a.Second)) }},
	}
}

// under is this library below an http.Client.
func under(_ testing.TB, a addresses) []client {
	one, other, whole := theirs(&http.Client{Transport: session(a.CA).RoundTripper()}), theirs(standard(a.CA, false)), check(small)
	return []client{
		{"requests", func() error { return whole(one(a.Raw + "/" + strconv.Itoa(small))) }},
		{"net/http", func() error { return whole(other(a.Raw + "/" + strconv.Itoa(small))) }},
	}
}

// files are downloads into a file.
func files(b testing.TB, a addresses) []client {
	s, c, whole, dir := session(a.CA), standard(a.CA, false), check(large), b.TempDir()
	url := a.Raw + "/" + strconv.Itoa(large)
	save := func(body io.ReadCloser) error {
		defer body.Close()
		f, err := os.Create(filepath.Join(dir, "copy"))
		if err != nil {
			return err
		}
		defer f.Close()
		n, err := io.Copy(f, body)
		return whole(int(n), err)
	}
	return []client{
		{"requests", func() error {
			r, err := s.Get(context.Background(), url, requests.Stream(true))
			if err != nil {
				return err
			}
			return save(r)
		}},
		{"net/http", func() error {
			r, err := c.Get(url)
			if err != nil {
				return err
			}
			return save(r.Body)
		}},
		{"toolbelt.Download", func() error {
			path := filepath.Join(dir, "downloaded")
			defer os.Remove(path)
			_, err := toolbelt.Download(context.Background(), s, url, path)
			return err
		}},
	}
}

// uploads are of a body whose length is not known.
func uploads(_ testing.TB, a addresses) []client {
	s, c, whole := session(a.CA), standard(a.CA, false), check(small)
	content := func() io.Reader { return io.LimitReader(zeros{}, large) }
	return []client{
		{"requests", func() error {
			r, err := s.Post(context.Background(), a.Sink, requests.Body(content()))
			if err != nil {
				return err
			}
			content, err := r.Content()
			return whole(len(content), err)
		}},
		{"net/http", func() error {
			return whole(length(c.Post(a.Sink, "application/octet-stream", content())))
		}},
	}
}

// zeros is read without an end.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

// multiparts are uploads of one file.
func multiparts(b testing.TB, a addresses) []client {
	name := filepath.Join(b.TempDir(), "large")
	if err := os.WriteFile(name, make([]byte, large), 0o600); err != nil {
		b.Fatal(err)
	}
	s, c, whole := session(a.CA), standard(a.CA, false), check(small)
	return []client{
		{"requests", func() error {
			f, err := os.Open(name)
			if err != nil {
				return err
			}
			defer f.Close()
			r, err := s.Post(context.Background(), a.Sink, requests.Files{{Field: "file", Content: f}})
			if err != nil {
				return err
			}
			content, err := r.Content()
			return whole(len(content), err)
		}},
		{"net/http", func() error {
			f, err := os.Open(name)
			if err != nil {
				return err
			}
			defer f.Close()
			out, in := io.Pipe()
			m := multipart.NewWriter(in)
			go func() {
				part, err := m.CreateFormFile("file", "large")
				if err == nil {
					_, err = io.Copy(part, f)
				}
				if err == nil {
					err = m.Close()
				}
				in.CloseWithError(err)
			}()
			return whole(length(c.Post(a.Sink, m.FormDataContentType(), out)))
		}},
	}
}

// TestClients: every client does its work, so that the benchmarks compare like with like.
func TestClients(t *testing.T) {
	a, err := servers()
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range works {
		for _, c := range w.clients(t, a) {
			if err := c.do(); err != nil {
				t.Errorf("%s, %s: %v", w.name, c.name, err)
			}
		}
	}
}

func BenchmarkCompare(b *testing.B) {
	a, err := servers()
	if err != nil {
		b.Fatal(err)
	}
	for _, w := range works {
		b.Run(w.name, func(b *testing.B) {
			for _, c := range turned(w.clients(b, a)) {
				b.Run(strings.NewReplacer("/", "-", " ", "_").Replace(c.name), func(b *testing.B) { measure(b, c, w.parallel) })
			}
		})
	}
}

// turned lets another client begin in each round: the first finds a heap that is still
// small.
func turned(clients []client) []client {
	round, _ := strconv.Atoi(os.Getenv("BENCH_ROUND"))
	n := round % len(clients)
	return append(clients[n:len(clients):len(clients)], clients[:n]...)
}

// measure does the work b.N times, on some goroutines.
func measure(b *testing.B, c client, parallel int) {
	var group sync.WaitGroup
	var failed sync.Once
	loop := func(times int) {
		defer group.Done()
		for range times {
			if err := c.do(); err != nil {
				failed.Do(func() { b.Error(err) })
				return
			}
		}
	}
	share := func(n int) {
		for i := range parallel {
			group.Add(1)
			go loop((n + i) / parallel)
		}
		group.Wait()
	}
	share(max(parallel, b.N/10)) // opens the connections
	debug.FreeOSMemory()         // or who comes later finds the pages of who came before
	b.ReportAllocs()
	b.ResetTimer()
	before := processorTime()
	share(b.N)
	b.ReportMetric(float64(processorTime()-before)/float64(b.N), "cpu-ns/op")
}

// processorTime is what this process has used, the servers' share not included: on a
// machine that others use too it says more than the clock on the wall.
func processorTime() int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
