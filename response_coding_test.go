package requests_test

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

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

// cutText is what is coded: a body of one part.
const (
	partsType = `multipart/mixed; boundary="b"`
	cutText   = "--b\r\nX-A: 1\r\n\r\nsome text, some more text, and 0123456789\r\n--b--\r\n"
)

// cuts is a server of coded bodies, and the ways to read them.
type cuts struct {
	*testing.T
	session          *requests.Session
	client           *http.Client
	dir              string
	url              string
	codings, framing string // Content-Encoding, and how the body is framed
	body             string
}

func newCuts(t *testing.T) (c *cuts, urls map[string]string) {
	c = &cuts{T: t, session: newSession(t), dir: t.TempDir()}
	c.client = &http.Client{Transport: c.session.RoundTripper()}
	plain := wiretest.Start(t, wiretest.Config{Handler: func(*wiretest.Request) wiretest.Reply {
		return framings[c.framing]("HTTP/1.1 200 OK\r\nContent-Type: "+partsType+"\r\nContent-Encoding: "+c.codings+"\r\n", c.body)
	}})
	second := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", partsType)
		w.Header().Set("Content-Encoding", c.codings)
		if c.framing == "HTTP/2, length" {
			w.Header().Set("Content-Length", strconv.Itoa(len(c.body)))
		}
		for part := range slices.Chunk([]byte(c.body), len(c.body)/2+1) {
			_, _ = w.Write(part)
			w.(http.Flusher).Flush()
		}
	}))
	second.Config.Protocols = new(http.Protocols)
	second.Config.Protocols.SetUnencryptedHTTP2(true)
	second.Start()
	t.Cleanup(second.Close)
	c.session.Mount(second.URL, requests.NewHTTPAdapter(requests.HTTP2PriorKnowledge()))
	urls = map[string]string{"HTTP/2": second.URL, "HTTP/2, length": second.URL}
	for framing := range framings {
		urls[framing] = plain.URL("/")
	}
	return c, urls
}

// streamed gets the response without its body.
func (c *cuts) streamed(read func(r *requests.Response) error) error {
	r, err := c.session.Get(c.Context(), c.url, requests.Stream(true))
	if err != nil {
		return err
	}
	return errors.Join(read(r), r.Close())
}

// file is where the ways that make a file make it.
func (c *cuts) file() string { return filepath.Join(c.dir, "file") }

func lastError[T ~string | ~[]byte](seq iter.Seq2[T, error]) error { return errorOf(gather(seq)) }

// cutWays are the ways to read a body.
var cutWays = map[string]func(c *cuts) error{
	"Get": func(c *cuts) error { return errorOf(c.session.Get(c.Context(), c.url)) },
	"Content": func(c *cuts) error {
		return c.streamed(func(r *requests.Response) error { return errorOf(r.Content()) })
	},
	"Text": func(c *cuts) error {
		return c.streamed(func(r *requests.Response) error { return errorOf(r.Text()) })
	},
	"Read": func(c *cuts) error {
		return c.streamed(func(r *requests.Response) error { return errorOf(io.Copy(io.Discard, onlyRead{r})) })
	},
	"one byte at a time": func(c *cuts) error {
		return c.streamed(func(r *requests.Response) error { return errorOf(io.ReadAll(iotest.OneByteReader(r))) })
	},
	"WriteTo": func(c *cuts) error {
		return c.streamed(func(r *requests.Response) error { return errorOf(r.WriteTo(io.Discard)) })
	},
	"Chunks": func(c *cuts) error {
		return c.streamed(func(r *requests.Response) error { return lastError(r.Chunks(5)) })
	},
	"Lines": func(c *cuts) error {
		return c.streamed(func(r *requests.Response) error { return lastError(r.Lines()) })
	},
	"TextLines": func(c *cuts) error {
		return c.streamed(func(r *requests.Response) error { return lastError(r.TextLines()) })
	},
	"http.Client": func(c *cuts) error {
		resp, err := c.client.Get(c.url)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		return errorOf(io.Copy(io.Discard, resp.Body))
	},
	"Tee": func(c *cuts) error {
		return c.streamed(func(r *requests.Response) error { return lastError(toolbelt.Tee(r, io.Discard, toolbelt.Decoded())) })
	},
	"TeeToFile": func(c *cuts) error {
		return c.streamed(func(r *requests.Response) error {
			return lastError(toolbelt.TeeToFile(r, c.file(), toolbelt.Decoded()))
		})
	},
	"Download": func(c *cuts) error {
		return errorOf(toolbelt.Download(c.Context(), c.session, c.url, c.file(), toolbelt.Decoded()))
	},
	"StreamResponseToFile": func(c *cuts) error {
		return c.streamed(func(r *requests.Response) error { return errorOf(toolbelt.StreamResponseToFile(r, c.file())) })
	},
	"Split": func(c *cuts) error {
		return c.streamed(func(r *requests.Response) error { return lastError(r.Split(",")) })
	},
	"TextSplit": func(c *cuts) error {
		return c.streamed(func(r *requests.Response) error { return lastError(r.TextSplit(",")) })
	},
	"TextChunks": func(c *cuts) error {
		return c.streamed(func(r *requests.Response) error { return lastError(r.TextChunks(7)) })
	},
	"Parts": func(c *cuts) error {
		return c.streamed(func(r *requests.Response) error {
			for part, err := range toolbelt.Parts(r) {
				if err != nil {
					return err
				}
				if _, err = io.Copy(io.Discard, part); err != nil {
					return err
				}
			}
			return nil
		})
	},
	"DecodeResponse": func(c *cuts) error {
		return c.streamed(func(r *requests.Response) error { return errorOf(toolbelt.DecodeResponse(r, "")) })
	},
	"DumpAll": func(c *cuts) error {
		return c.streamed(func(r *requests.Response) error { return errorOf(toolbelt.DumpAll(r)) })
	},
	"UnicodeFromResponse": func(c *cuts) error {
		return c.streamed(func(r *requests.Response) error { return errorOf(toolbelt.UnicodeFromResponse(r)) })
	},
	"StreamResponseToWriter": func(c *cuts) error {
		return c.streamed(func(r *requests.Response) error { return errorOf(toolbelt.StreamResponseToWriter(r, io.Discard)) })
	},
}

// TestCutContent cuts each coding at every offset, under each framing, and reads it in
// each way: what is missing is told, and a file of a part does not stay. Under the framings
// whose own end says least every way reads every cut; under the others they take turns.
func TestCutContent(t *testing.T) {
	c, urls := newCuts(t)
	ways := slices.Sorted(maps.Keys(cutWays))
	for _, codings := range []string{"gzip", "deflate", "raw", "br", "zstd", "gzip gzip", "raw gzip", "br zstd", "gzip deflate br"} {
		var whole string
		whole, c.codings = coded(codings, cutText)
		for c.framing, c.url = range urls {
			all := (c.framing == "close" || c.framing == "HTTP/2") && !strings.Contains(codings, " ")
			for cut := 1; cut < len(whole); cut++ {
				c.body = whole[:cut]
				for i, way := range ways {
					if !all && i%11 != cut%11 {
						continue
					}
					if err := cutWays[way](c); !errors.Is(err, requests.ErrContentDecoding) || !errors.Is(err, io.ErrUnexpectedEOF) {
						t.Errorf("%s, %s, cut at %d of %d, %s: %v", codings, c.framing, cut, len(whole), way, err)
					}
				}
			}
			if files, err := os.ReadDir(c.dir); err != nil || len(files) > 0 {
				t.Errorf("%s, %s: %v is left, %v", codings, c.framing, files, err)
			}
			c.body = whole
			for way, read := range cutWays {
				if err := read(c); err != nil {
					t.Errorf("%s, %s, whole, %s: %v", codings, c.framing, way, err)
				}
				os.Remove(c.file())
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
