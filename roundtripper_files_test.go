package requests_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// fileRequests are requests whose body is a file, large enough for the kernel to move it.
var fileRequests = map[string]struct {
	begin, announced, changed int64 // where the file stands, what is said of it, its size when it is sent
	path                      string
	want                      error
}{
	"whole":           {0, fileSize, fileSize, "/", nil},
	"from the middle": {fileSize / 2, fileSize / 2, fileSize, "/", nil},
	"sent again":      {0, fileSize, fileSize, "/again", nil},
	"grows":           {0, fileSize, fileSize + 1, "/", requests.ErrBodyLength},
	"shrinks":         {0, fileSize, fileSize - 1, "/", requests.ErrBodyLength},
	"shrinks much":    {0, fileSize, 10, "/", requests.ErrBodyLength},
	"announced short": {0, fileSize - 1, fileSize, "/", requests.ErrBodyLength},
	"announced long":  {1, fileSize, fileSize, "/", requests.ErrBodyLength},
}

const fileSize = 3<<20 + 124

// TestFilesUnderClient: a file that is the body of an http.Request arrives whole or not at
// all, and is closed.
func TestFilesUnderClient(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789abc\n"), fileSize/14+1)[:fileSize]
	taken := make(chan string, 2)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/again" {
			_, _ = io.Copy(io.Discard, r.Body)
			http.Redirect(w, r, "/", http.StatusTemporaryRedirect)
			return
		}
		got, err := io.ReadAll(r.Body)
		taken <- fmt.Sprint(err == nil && bytes.HasSuffix(content, got))
	})
	for name, server := range fileServers(t, handler) {
		a := requests.NewHTTPAdapter(requests.HTTP2(name == "HTTP/2"))
		s := newTestSession(t)
		s.Mount("https://", a)
		s.Verify = requests.CABundlePEM(wiretest.TestCA().PEM())
		for what, c := range fileRequests {
			req, f := fileRequest(t, server+c.path, content, c.begin)
			req.ContentLength = c.announced
			if err := os.Truncate(f.Name(), c.changed); err != nil {
				t.Fatal(err)
			}
			resp, err := (&http.Client{Transport: s.RoundTripper()}).Do(req)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("%s, %s: %v, want %v", name, what, err, c.want)
			}
			if err == nil {
				resp.Body.Close()
			}
			if diff := cmp.Diff(fmt.Sprint(c.want == nil), <-taken); diff != "" {
				t.Errorf("%s, %s: the server has it whole (-want +got)\n%s", name, what, diff)
			}
			if _, err := f.Stat(); !errors.Is(err, os.ErrClosed) {
				t.Errorf("%s, %s: the file is not closed: %v", name, what, err)
			}
		}
	}
}

func fileServers(t *testing.T, handler http.Handler) map[string]string {
	urls := map[string]string{}
	for _, name := range []string{"HTTP/1.1", "TLS", "HTTP/2"} {
		server := httptest.NewUnstartedServer(handler)
		server.TLS, server.EnableHTTP2 = wiretest.TestCA().Server(), name == "HTTP/2"
		if name == "HTTP/1.1" {
			server.Start()
		} else {
			server.StartTLS()
		}
		t.Cleanup(server.Close)
		urls[name] = server.URL
	}
	return urls
}

func fileRequest(t *testing.T, url string, content []byte, begin int64) (*http.Request, *os.File) {
	name := filepath.Join(t.TempDir(), "content")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	f := open(t, name)
	if _, err := f.Seek(begin, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), "PUT", url, f)
	if err != nil {
		t.Fatal(err)
	}
	req.GetBody = func() (io.ReadCloser, error) { return os.Open(name) }
	return req, f
}
