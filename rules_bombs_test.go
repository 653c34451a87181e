package requests_test

import (
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt"
)

// Ten gigabytes of zeros, in each coding: a hundred times a piece of a hundred megabytes.
const bombPiece, bombPieces = 100 << 20, 100

var bombs = map[string]func() string{
	"gzip": sync.OnceValue(func() string {
		var b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
		return strings.Repeat(zeroBytes(z, &b), bombPieces) // members of one stream
	}),
	"deflate": sync.OnceValue(func() string {
		var b bytes.Buffer
		z, _ := flate.NewWriter(&b, flate.BestSpeed)
		z.Flush()
		b.Reset()
		_, _ = z.Write(make([]byte, bombPiece))
		z.Flush()
		return strings.Repeat(b.String(), bombPieces) // blocks of one stream
	}),
	"zstd": sync.OnceValue(func() string {
		var b bytes.Buffer
		z, _ := zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
		return strings.Repeat(zeroBytes(z, &b), bombPieces) // frames of one stream
	}),
	"br": sync.OnceValue(func() string {
		var b bytes.Buffer
		return zeroBytes(brotli.NewWriterLevel(&b, 1), &b)
	}),
	"gzip, gzip": sync.OnceValue(func() string {
		var inner, b bytes.Buffer
		z, _ := gzip.NewWriterLevel(&inner, gzip.BestSpeed)
		text := zeroBytes(z, &inner)
		outer, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
		for range bombPieces {
			_, _ = outer.Write([]byte(text))
		}
		outer.Close()
		return b.String()
	}),
}

// zeroBytes writes one piece of a bomb.
func zeroBytes(z io.WriteCloser, b *bytes.Buffer) string {
	block := make([]byte, 1<<20)
	for range bombPiece >> 20 {
		_, _ = z.Write(block)
	}
	z.Close()
	return b.String()
}

// readings are the ways to meet the body of a reply. want is the error that it must be: a
// bomb of zeros has no line in it.
var readings = map[string]struct {
	read func(r *requests.Response, dir string) error
	want error
}{
	"Content": {func(r *requests.Response, _ string) error { _, err := r.Content(); return err }, requests.ErrContentDecoding},
	"Text":    {func(r *requests.Response, _ string) error { _, err := r.Text(); return err }, requests.ErrContentDecoding},
	"JSON":    {func(r *requests.Response, _ string) error { return r.JSON(new(any)) }, requests.ErrContentDecoding},
	"Read":    {func(r *requests.Response, _ string) error { _, err := io.ReadAll(onlyRead{r}); return err }, requests.ErrContentDecoding},
	"WriteTo": {func(r *requests.Response, _ string) error { _, err := io.Copy(io.Discard, r); return err }, requests.ErrContentDecoding},
	"Chunks": {func(r *requests.Response, _ string) (last error) {
		for _, last = range r.Chunks(64 << 10) {
		}
		return last
	}, requests.ErrContentDecoding},
	"Chunks of any size": {func(r *requests.Response, _ string) (last error) {
		for _, last = range r.Chunks(-1) {
		}
		return last
	}, requests.ErrContentDecoding},
	"Lines": {func(r *requests.Response, _ string) (last error) {
		for _, last = range r.Lines() {
		}
		return last
	}, requests.ErrLineTooLong},
	"TextLines": {func(r *requests.Response, _ string) (last error) {
		for _, last = range r.TextLines() {
		}
		return last
	}, requests.ErrLineTooLong},
	"Split": {func(r *requests.Response, _ string) (last error) {
		for _, last = range r.Split("--end--") {
		}
		return last
	}, requests.ErrLineTooLong},
	"Close":       {func(r *requests.Response, _ string) error { return r.Close() }, nil},
	"Close later": {func(r *requests.Response, _ string) error { _, _ = r.Read(make([]byte, 10)); return r.Close() }, nil},
	"to a file": {func(r *requests.Response, dir string) error {
		_, err := toolbelt.StreamResponseToFile(r, filepath.Join(dir, "bomb"))
		return err
	}, requests.ErrContentDecoding},
	"to a writer": {func(r *requests.Response, _ string) error {
		_, err := toolbelt.StreamResponseToWriter(r, io.Discard)
		return err
	}, requests.ErrContentDecoding},
	"drained by an answer": {func(r *requests.Response, _ string) error {
		_, err := r.Auth().Answer(context.Background(), func(p *requests.PreparedRequest) error { p.URL += "ok"; return nil })
		return err
	}, nil},
}

type onlyRead struct{ io.Reader }

// TestRule27TenGigabytes: however a bomb is met, memory and time stay what they are.
func TestRule27TenGigabytes(t *testing.T) {
	for coding, bomb := range bombs {
		body := bomb()
		head := fmt.Sprintf("HTTP/1.1 %%s\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n%%s\r\n", coding, len(body))
		server := wiretest.Start(t, wiretest.Config{Handler: func(r *wiretest.Request) wiretest.Reply {
			switch {
			case strings.HasSuffix(r.Target, "ok"):
				return ok
			case r.Target == "/redirect":
				return wiretest.Send(fmt.Sprintf(head, "302 Found", "Location: /ok\r\n") + body)
			case r.Target == "/busy" && r.Get("Second") == "":
				return wiretest.Send(fmt.Sprintf(head, "503 Busy", "") + body)
			}
			return wiretest.Send(fmt.Sprintf(head, "200 OK", "") + body)
		}})
		s := newSession(t)
		for name, reading := range readings {
			flat(t, coding+", "+name, func() {
				r, err := s.Get(t.Context(), server.URL("/"), requests.Stream(true))
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				if err := reading.read(r, t.TempDir()); reading.want != nil && !errors.Is(err, reading.want) {
					t.Errorf("%s, %s: %v", coding, name, err)
				}
			})
		}
		flat(t, coding+", redirect", func() {
			if r, err := s.Get(t.Context(), server.URL("/redirect")); err != nil || !r.OK() {
				t.Errorf("%s, redirect: %v, %v", coding, r, err)
			}
		})
		flat(t, coding+", retries", func() {
			own := newSession(t)
			own.Mount("http://", requests.NewHTTPAdapter(requests.Retries(requests.Retry{Total: requests.RetryTimes(2), StatusForcelist: []int{503}})))
			if _, err := own.Get(t.Context(), server.URL("/busy")); err == nil {
				t.Errorf("%s, retries: no error", coding)
			}
		})
		flat(t, coding+", http.Client", func() {
			resp, err := (&http.Client{Transport: s.RoundTripper()}).Get(server.URL("/"))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if _, err := io.Copy(io.Discard, resp.Body); !errors.Is(err, requests.ErrContentDecoding) {
				t.Errorf("%s, http.Client: %v", coding, err)
			}
		})
		server.Close()
	}
}

// flat runs f and fails the test if the process grows or if it takes long.
func flat(t *testing.T, name string, f func()) {
	t.Helper()
	done := make(chan struct{})
	most := make(chan int64)
	debug.FreeOSMemory()
	before, start := processMemory(), time.Now()
	go func() {
		var peak int64
		for {
			peak = max(peak, processMemory())
			select {
			case <-done:
				most <- peak
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	f()
	close(done)
	if grown := <-most - before; grown > flatBound {
		t.Errorf("%s: %d MiB more", name, grown>>20)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("%s took %v", name, took)
	}
}

// flatBound is what a body that decodes without end may cost: what comes before the
// ratio is looked at, twice where it is put together in one piece, and garbage.
const flatBound = 200 << 20

// processMemory is the memory that the system says the process has, where it says so in
// a file and the race detector does not keep books of its own in it. Elsewhere it is
// what the heap has from the system.
func processMemory() int64 {
	if statm, err := os.ReadFile("/proc/self/statm"); err == nil && !raceDetector {
		var size, resident int64
		if _, err := fmt.Sscan(string(statm), &size, &resident); err == nil {
			return resident * int64(os.Getpagesize())
		}
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapSys - m.HeapReleased)
}

// TestRule28Codings: six codings are too many, however they are listed.
func TestRule28Public(t *testing.T) {
	for _, list := range [][]string{
		{"gzip, gzip, gzip, gzip, gzip, gzip"}, {"gzip", "gzip", "gzip", "gzip", "gzip", "gzip"}, {"gzip, gzip, gzip", "gzip,gzip,gzip"},
		{"gzip,identity,identity,identity,identity,identity"}, {strings.Repeat("br,", 1000) + "br"}, {"GZIP,x-gzip,Deflate,BR,zstd,gzip"},
	} {
		var fields string
		for _, l := range list {
			fields += "Content-Encoding: " + l + "\r\n"
		}
		server := wiretest.Origin(t, wiretest.Send("HTTP/1.1 200 OK\r\n"+fields+"Content-Length: 4\r\n\r\nbody"))
		s := newSession(t)
		if _, err := s.Get(t.Context(), server.URL("/")); !errors.Is(err, requests.ErrContentDecoding) {
			t.Errorf("%q: %v", list, err)
		}
	}
}
