package toolbelt_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
)

// ranges serves a body in parts, and counts.
type ranges struct {
	mu      sync.Mutex
	body    []byte
	etag    string
	served  []string // the Range of each request
	before  func(n int, w http.ResponseWriter, r *http.Request) bool
	noParts bool
}

func (s *ranges) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.served = append(s.served, r.Header.Get("Range"))
	n, body, etag, before := len(s.served), s.body, s.etag, s.before
	s.mu.Unlock()
	if before != nil && before(n, w, r) {
		return
	}
	w.Header().Set("ETag", etag)
	w.Header().Set("Content-Type", "application/octet-stream")
	if s.noParts {
		w.Write(body)
		return
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

func (s *ranges) asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.served
}

func randomBody(n int) []byte {
	body := make([]byte, n)
	source := rand.New(rand.NewPCG(1, 2))
	for i := range body {
		body[i] = byte(source.Uint32())
	}
	return body
}

// serveRanges starts the server and returns a session, its URL and the path to save at.
func serveRanges(t *testing.T, s *ranges) (*requests.Session, string, string) {
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	session := requests.NewSession()
	session.TrustEnv = false
	session.Mount("http://", requests.NewHTTPAdapter())
	t.Cleanup(func() { session.Close() })
	return session, server.URL + "/f", filepath.Join(t.TempDir(), "f")
}

const partsLen = 9<<20 + 123

// TestParallel: the file is whole and right, whatever a server does with its ranges.
func TestParallel(t *testing.T) {
	body := randomBody(partsLen)
	other := randomBody(partsLen + 1)[1:]
	sum := sha256.Sum256(body)
	status := func(code int) func(int, http.ResponseWriter, *http.Request) bool {
		return func(n int, w http.ResponseWriter, r *http.Request) bool {
			if field := r.Header.Get("Range"); field == "" || strings.HasSuffix(field, "-") {
				return false // one connection
			}
			w.WriteHeader(code)
			return true
		}
	}
	tests := map[string]struct {
		server *ranges
		ranged bool // a request with a Range
	}{
		"parts":    {&ranges{}, true},
		"no parts": {&ranges{noParts: true}, false},
		"busy":     {&ranges{before: status(503)}, true},
		"416":      {&ranges{before: status(416)}, true},
		"200 to a part": {&ranges{before: func(n int, w http.ResponseWriter, r *http.Request) bool {
			if n > 1 {
				r.Header.Del("Range")
			}
			return false
		}}, true},
		"another part": {&ranges{before: func(n int, w http.ResponseWriter, r *http.Request) bool {
			if n == 2 {
				r.Header.Set("Range", "bytes=0-9")
				r.Header.Del("If-Range")
			}
			return false
		}}, true},
		"breaks off": {&ranges{before: func(n int, w http.ResponseWriter, r *http.Request) bool {
			if n%3 != 2 || n > 9 {
				return false
			}
			panic(http.ErrAbortHandler)
		}}, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.server.body, test.server.etag = body, `"v1"`
			s, url, path := serveRanges(t, test.server)
			last, total := int64(0), int64(0)
			got, err := toolbelt.Download(t.Context(), s, url, path, toolbelt.Parallel(4), toolbelt.Checksum("sha256", hex.EncodeToString(sum[:])),
				toolbelt.OnProgress(func(done, all int64) { last, total = done, all }))
			if err != nil {
				t.Fatalf("%v after %q", err, test.server.asked())
			}
			content, err := os.ReadFile(got)
			if err != nil || !bytes.Equal(content, body) || last != partsLen || total != partsLen {
				t.Errorf("%v; %d bytes, progress %d of %d", err, len(content), last, total)
			}
			ranged := 0
			for _, r := range test.server.asked() {
				if r != "" {
					ranged++
				}
			}
			if test.ranged != (ranged > 0) {
				t.Errorf("asked for %q", test.server.asked())
			}
			onlyFile(t, path)
		})
	}
	t.Run("changes", func(t *testing.T) {
		server := &ranges{body: other, etag: `"v0"`}
		server.before = func(n int, w http.ResponseWriter, r *http.Request) bool {
			if n == 3 {
				server.mu.Lock()
				server.body, server.etag = body, `"v1"`
				server.mu.Unlock()
			}
			return false
		}
		s, url, path := serveRanges(t, server)
		if _, err := toolbelt.Download(t.Context(), s, url, path, toolbelt.Parallel(3), toolbelt.Checksum("sha256", hex.EncodeToString(sum[:]))); err != nil {
			t.Fatal(err)
		}
	})
}

// onlyFile makes sure that nothing else is in the file's directory.
func onlyFile(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 || entries[0].Name() != filepath.Base(path) {
		t.Errorf("%v, %v", entries, err)
	}
}

// noFile makes sure that a failure leaves nothing.
func noFile(t *testing.T, path string) {
	t.Helper()
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 0 {
		t.Errorf("%v, %v", entries, err)
	}
}

// TestParallelFailures: no file outlives a failure, and none takes longer than its attempts.
func TestParallelFailures(t *testing.T) {
	body := randomBody(partsLen)
	down := func(n int, w http.ResponseWriter, r *http.Request) bool {
		if n > 1 {
			panic(http.ErrAbortHandler)
		}
		return false
	}
	t.Run("down", func(t *testing.T) {
		server := &ranges{body: body, etag: `"v1"`, before: down}
		s, url, path := serveRanges(t, server)
		if _, err := toolbelt.Download(t.Context(), s, url, path, toolbelt.Parallel(4), toolbelt.Attempts(2)); !errors.Is(err, requests.ErrConnection) {
			t.Errorf("got %v", err)
		}
		noFile(t, path)
	})
	t.Run("checksum", func(t *testing.T) {
		s, url, path := serveRanges(t, &ranges{body: body, etag: `"v1"`})
		if _, err := toolbelt.Download(t.Context(), s, url, path, toolbelt.Parallel(4), toolbelt.Checksum("md5", strings.Repeat("0", 32))); !errors.Is(err, toolbelt.ErrChecksum) {
			t.Errorf("got %v", err)
		}
		noFile(t, path)
	})
	t.Run("canceled", func(t *testing.T) {
		s, url, path := serveRanges(t, &ranges{body: body, etag: `"v1"`})
		ctx, cancel := context.WithCancel(t.Context())
		_, err := toolbelt.Download(ctx, s, url, path, toolbelt.Parallel(4), toolbelt.OnProgress(func(done, total int64) { cancel() }))
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		noFile(t, path)
	})
	t.Run("panic", func(t *testing.T) {
		s, url, path := serveRanges(t, &ranges{body: body, etag: `"v1"`})
		defer func() {
			if recover() != "mine" {
				t.Error("the panic of the caller's code did not go on")
			}
			noFile(t, path)
		}()
		calls := 0
		toolbelt.Download(t.Context(), s, url, path, toolbelt.Parallel(4), toolbelt.OnProgress(func(done, total int64) {
			if calls++; calls == 5 {
				panic("mine")
			}
		}))
	})
	t.Run("constructor", func(t *testing.T) {
		s, url, path := serveRanges(t, &ranges{})
		if _, err := toolbelt.Download(t.Context(), s, url, path, toolbelt.Parallel(0)); !errors.Is(err, requests.ErrInvalidArgument) {
			t.Errorf("got %v", err)
		}
		noFile(t, path)
	})
}

// TestParallelLies: no length that a server makes up takes more than what comes, and a part that
// is longer than it says is not one.
func TestParallelLies(t *testing.T) {
	for _, total := range []string{"9223372036854775807", "9223372036854775806", "4611686018427387904"} {
		s := requests.NewSession()
		s.Mount("http://", requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
			fields := requests.Headers{{"Content-Length", total}, {"Accept-Ranges", "bytes"}, {"ETag", `"v1"`}}
			return requests.NewResponse(p, 200, fields, io.NopCloser(strings.NewReader("abc"))), nil
		}))
		path := filepath.Join(t.TempDir(), "f")
		for _, n := range []int{2, 3, 16} {
			if _, err := toolbelt.Download(t.Context(), s, "http://h.test/", path, toolbelt.Parallel(n), toolbelt.Attempts(1)); !errors.Is(err, requests.ErrChunkedEncoding) {
				t.Errorf("%s bytes, %d at once: %v", total, n, err)
			}
			noFile(t, path)
		}
	}
	body := randomBody(partsLen)
	zeros := make([]byte, partsLen)
	for name, lie := range map[string]lie{
		"longer":         {etag: `"v1"`, body: body, more: "more"},
		"of another":     {etag: `"v2"`, body: zeros},
		"another length": {etag: `"v1"`, body: zeros, longer: 1},
		"another part":   {etag: `"v1"`, body: zeros, shift: 1},
	} {
		t.Run(name, func(t *testing.T) { lie.download(t, body) })
	}
}

// lie is what a server says of the parts that it is asked for.
type lie struct {
	etag   string
	body   []byte // that the parts are of
	more   string // behind each part
	longer int    // than the whole is
	shift  int    // of the part, to the left
}

// download downloads body from a server that lies about its parts.
func (l lie) download(t *testing.T, body []byte) {
	server := &ranges{body: body, etag: `"v1"`, before: func(n int, w http.ResponseWriter, r *http.Request) bool {
		var first, last int
		if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &first, &last); err != nil {
			return false
		}
		w.Header().Set("ETag", l.etag)
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first-l.shift, last-l.shift, len(body)+l.longer))
		w.WriteHeader(206)
		w.Write(l.body[first : last+1])
		w.(http.Flusher).Flush() // in chunks, which say no length
		w.Write([]byte(l.more))
		return true
	}}
	s, url, path := serveRanges(t, server)
	if _, err := toolbelt.Download(t.Context(), s, url, path, toolbelt.Parallel(4)); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, body) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	// The one connection that goes on may not be the last to be seen.
	asked := server.asked()[1:]
	if !slices.ContainsFunc(asked, func(span string) bool { return span == "" || strings.HasSuffix(span, "-") }) {
		t.Errorf("the parts were believed: %q", asked)
	}
}

// TestParallelResumes: what came stays, gaps and all, and only the rest is asked for; also by
// one connection.
func TestParallelResumes(t *testing.T) {
	body := randomBody(partsLen)
	for _, again := range []int{4, 1} {
		t.Run(fmt.Sprint(again), func(t *testing.T) {
			server := &ranges{body: body, etag: `"v1"`}
			s, url, path := serveRanges(t, server)
			ctx, cancel := context.WithCancel(t.Context())
			_, err := toolbelt.Download(ctx, s, url, path, toolbelt.Parallel(4), toolbelt.KeepPartial(), toolbelt.OnProgress(func(done, total int64) {
				if done > 5<<20 {
					cancel()
				}
			}))
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			if _, err := os.Stat(path + ".part"); err != nil {
				t.Fatal(err)
			}
			before := len(server.asked())
			least := int64(partsLen)
			_, err = toolbelt.Download(t.Context(), s, url, path, toolbelt.Parallel(again), toolbelt.KeepPartial(), toolbelt.OnProgress(func(done, total int64) { least = min(least, done) }))
			if err != nil {
				t.Fatal(err)
			}
			content, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(content, body) {
				t.Errorf("%v; %d bytes", err, len(content))
			}
			if again > 1 && least < 5<<20 {
				t.Errorf("it began at %d", least)
			}
			for _, r := range server.asked()[before:] {
				if r == "" {
					t.Errorf("all was asked for again: %q", server.asked())
				}
			}
			onlyFile(t, path)
		})
	}
}

// TestParallelNotes: a note that does not fit the file starts over.
func TestParallelNotes(t *testing.T) {
	body := randomBody(partsLen)
	for _, missing := range []string{`[{"Pos":-1,"End":5}]`, `[{"Pos":5,"End":1}]`, `[{"Pos":0,"End":99999999}]`, `[{"Pos":5,"End":9},{"Pos":7,"End":8}]`, `[{"Pos":0,"End":5}]`, `[null]`} {
		server := &ranges{body: body, etag: `"v1"`}
		s, url, path := serveRanges(t, server)
		note := fmt.Sprintf(`{"url_sha256":"%x","validator":"\"v1\"","total":%d,"missing":%s}`, sha256.Sum256([]byte(url)), partsLen, missing)
		if err := errors.Join(os.WriteFile(path+".part", []byte("short"), 0o600), os.WriteFile(path+".part.json", []byte(note), 0o600)); err != nil {
			t.Fatal(err)
		}
		if _, err := toolbelt.Download(t.Context(), s, url, path, toolbelt.Parallel(2), toolbelt.KeepPartial()); err != nil {
			t.Errorf("%s: %v", missing, err)
			continue
		}
		if content, err := os.ReadFile(path); err != nil || !bytes.Equal(content, body) {
			t.Errorf("%s: %v; %d bytes", missing, err, len(content))
		}
	}
}
