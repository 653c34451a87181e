package adaptertest_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters/adaptertest"
)

// failing notes what a test would be failed with.
type failing struct {
	testing.TB
	said     []string
	cleanups []func()
}

func (f *failing) Helper()             {}
func (f *failing) Cleanup(done func()) { f.cleanups = append(f.cleanups, done) }
func (f *failing) Errorf(format string, args ...any) {
	f.said = append(f.said, fmt.Sprintf(format, args...))
}

func (f *failing) Fatal(args ...any) {
	f.said = append(f.said, fmt.Sprint(args...))
	panic(f)
}

// TestCheckClosedOfNil: a nil session fails the test, and is not a panic of the library's.
func TestCheckClosedOfNil(t *testing.T) {
	f := &failing{TB: t}
	defer func() {
		if recover() != f || len(f.said) != 1 {
			t.Errorf("said %q", f.said)
		}
	}()
	adaptertest.CheckClosed(f, nil)
}

// TestCheckClosed: a response that is left open fails the test, and names its request and line.
func TestCheckClosed(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/from" {
			http.Redirect(w, r, "/to", http.StatusFound)
			return
		}
		if r.URL.Path == "/chunks" {
			w.(http.Flusher).Flush()
		}
		io.WriteString(w, "0123456789")
	}))
	t.Cleanup(server.Close)
	stream := requests.Stream(true)
	for name, test := range map[string]struct {
		path string
		use  func(r *requests.Response)
		open bool
	}{
		"buffered":    {"/", nil, false},
		"redirected":  {"/from", nil, false},
		"closed":      {"/", func(r *requests.Response) { r.Close() }, false},
		"read":        {"/", func(r *requests.Response) { io.Copy(io.Discard, r) }, false},
		"chunks read": {"/chunks", func(r *requests.Response) { r.Content() }, false},
		"loop left": {"/", func(r *requests.Response) {
			for range r.Chunks(3) {
				break
			}
		}, false},
		"untouched":   {"/?token=s3cret", func(*requests.Response) {}, true},
		"partly read": {"/chunks?token=s3cret", func(r *requests.Response) { r.Read(make([]byte, 3)) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := &failing{TB: t}
			s := requests.NewSession()
			s.TrustEnv = false
			adaptertest.CheckClosed(f, s)
			options := []requests.Option{}
			if test.use != nil {
				options = append(options, stream)
			}
			r, err := s.Get(t.Context(), server.URL+test.path, options...)
			if err != nil {
				t.Fatal(err)
			}
			if test.use != nil {
				test.use(r)
			}
			for _, done := range f.cleanups {
				done()
			}
			r.Close()
			s.Close()
			if !test.open {
				if diff := cmp.Diff([]string(nil), f.said); diff != "" {
					t.Error(diff)
				}
				return
			}
			if len(f.said) != 1 || !strings.Contains(f.said[0], "GET "+server.URL) || !strings.Contains(f.said[0], "open_test.go:") || strings.Contains(f.said[0], "s3cret") {
				t.Errorf("said %q", f.said)
			}
		})
	}
}
