package requests_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/h1"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt"
)

// writers make coded data; "raw" is deflate without its zlib wrapper.
var writers = map[string]func(w io.Writer) io.WriteCloser{
	"gzip":    func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
	"deflate": func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) },
	"raw": func(w io.Writer) io.WriteCloser {
		f, _ := flate.NewWriter(w, flate.BestCompression)
		return f
	},
	"br": func(w io.Writer) io.WriteCloser { return brotli.NewWriter(w) },
	"zstd": func(w io.Writer) io.WriteCloser {
		z, _ := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
		return z
	},
}

// coded applies codings in order, and returns the value of Content-Encoding too.
func coded(codings, text string) (data, list string) {
	data = text
	for name := range strings.FieldsSeq(codings) {
		var b bytes.Buffer
		w := writers[name](&b)
		_, _ = io.WriteString(w, data)
		w.Close()
		data = b.String()
	}
	return data, strings.ReplaceAll(strings.ReplaceAll(codings, "raw", "deflate"), " ", ", ")
}

// framings are the ways to send a body.
var framings = map[string]func(head, body string) wiretest.Reply{
	"length": func(head, body string) wiretest.Reply {
		return wiretest.Send(head + "Content-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body)
	},
	"chunked": func(head, body string) wiretest.Reply {
		raw := []byte(head + "Transfer-Encoding: chunked\r\n\r\n")
		for part := range strings.SplitAfterSeq(body, body[len(body)/2:]) {
			if part != "" {
				raw = h1.AppendChunk(raw, []byte(part))
			}
		}
		return wiretest.Send(string(raw) + "0\r\n\r\n")
	},
	"close": func(head, body string) wiretest.Reply {
		return wiretest.Reply{Parts: []wiretest.Part{{Send: head + "\r\n" + body}}, Close: true}
	},
}

// TestCutContent cuts each coding at every offset, under each framing, and reads it in
// each way: what is missing is told, and a file of a part does not stay.
func TestCutContent(t *testing.T) {
	const text = "some text, some more text, and 0123456789"
	var body, head, framing string
	server := wiretest.Start(t, wiretest.Config{Handler: func(*wiretest.Request) wiretest.Reply { return framings[framing](head, body) }})
	s := newSession(t)
	client := &http.Client{Transport: s.RoundTripper()}
	dir := t.TempDir()
	ways := map[string]func() error{
		"Get": func() error { _, err := s.Get(t.Context(), server.URL("/")); return err },
		"Read": func() error {
			r, err := s.Get(t.Context(), server.URL("/"), requests.Stream(true))
			if err != nil {
				return err
			}
			_, err = io.Copy(io.Discard, onlyRead{r})
			return err
		},
		"Lines": func() error {
			r, err := s.Get(t.Context(), server.URL("/"), requests.Stream(true))
			if err != nil {
				return err
			}
			_, err = gather(r.Lines())
			return err
		},
		"http.Client": func() error {
			resp, err := client.Get(server.URL("/"))
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			_, err = io.Copy(io.Discard, resp.Body)
			return err
		},
		"Download": func() error {
			_, err := toolbelt.Download(t.Context(), s, server.URL("/"), filepath.Join(dir, "file"), toolbelt.Decoded())
			return err
		},
		"StreamResponseToFile": func() error {
			r, err := s.Get(t.Context(), server.URL("/"), requests.Stream(true))
			if err != nil {
				return err
			}
			_, err = toolbelt.StreamResponseToFile(r, filepath.Join(dir, "file"))
			return err
		},
	}
	for _, codings := range []string{"gzip", "deflate", "raw", "br", "zstd", "gzip gzip", "raw gzip", "br zstd", "gzip deflate br"} {
		whole, list := coded(codings, text)
		head = "HTTP/1.1 200 OK\r\nContent-Encoding: " + list + "\r\n"
		for framing = range framings {
			for cut := 1; cut < len(whole); cut++ {
				body = whole[:cut]
				for way, do := range ways {
					if err := do(); !errors.Is(err, requests.ErrContentDecoding) || !errors.Is(err, io.ErrUnexpectedEOF) {
						t.Errorf("%s, %s, cut at %d of %d, %s: %v", codings, framing, cut, len(whole), way, err)
					}
				}
			}
			if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
				t.Errorf("%s, %s: %v is left, %v", codings, framing, files, err)
			}
			body = whole
			for way, do := range ways {
				if err := do(); err != nil {
					t.Errorf("%s, %s, whole, %s: %v", codings, framing, way, err)
				}
				os.Remove(filepath.Join(dir, "file"))
			}
		}
	}
}

// TestGzipWithoutTrailer: what some devices send passes under Policy.GzipWithoutTrailer
// alone, and everything else that is cut does not.
func TestGzipWithoutTrailer(t *testing.T) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	fmt.Fprint(z, "measured: 7")
	z.Flush()
	flushed := b.String()
	z.Close()
	whole := b.String()
	for _, tt := range []struct {
		name, body   string
		safe, device bool
	}{
		{"whole", whole, true, true},
		{"flushed", flushed, false, true},
		{"without its trailer", whole[:len(whole)-8], false, true},
		{"inside the trailer", whole[:len(whole)-3], false, false},
		{"inside a block", flushed[:len(flushed)-6], false, false},
		{"inside the flush", flushed[:len(flushed)-1], false, false},
	} {
		server := wiretest.Start(t, wiretest.Config{Handler: func(*wiretest.Request) wiretest.Reply {
			return framings["close"]("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n", tt.body)
		}})
		for policy, want := range map[requests.Policy]bool{{}: tt.safe, {GzipWithoutTrailer: true}: tt.device, requests.PolicyRequests(): true} {
			s := newSession(t)
			s.Policy = policy
			r, err := s.Get(t.Context(), server.URL("/"))
			if (err == nil) != want || err != nil && !errors.Is(err, requests.ErrContentDecoding) {
				t.Errorf("%s, %+v: %v", tt.name, policy, err)
			}
			if content := []byte(nil); err == nil {
				if content, _ = r.Content(); !bytes.HasPrefix([]byte("measured: 7"), content) || want && policy != requests.PolicyRequests() && string(content) != "measured: 7" {
					t.Errorf("%s, %+v: %q", tt.name, policy, content)
				}
			}
		}
	}
}
