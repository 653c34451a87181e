package toolbelt

import (
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// TestPanicLeavesNoFile: whatever a progress callback does, no temporary file is left, nor
// a connection in use.
func TestPanicLeavesNoFile(t *testing.T) {
	server := wiretest.Origin(t, wiretest.Text(200, "0123456789"))
	s := requests.NewSession()
	s.Mount("http://", requests.NewHTTPAdapter(requests.PoolMaxSize(1), requests.PoolBlock(true)))
	defer s.Close()
	dir := t.TempDir()
	boom := OnProgress(func(done, total int64) { panic("boom") })
	path := filepath.Join(dir, "f")
	get := func() *requests.Response {
		r, err := s.Get(t.Context(), server.URL("/"), requests.Stream(true), requests.Timeouts{Pool: time.Second})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	ways := map[string]func(){
		"Download": func() {
			Download(t.Context(), s, server.URL("/"), path, boom, RequestOptions(requests.Timeouts{Pool: time.Second}))
		},
		"StreamResponseToFile":   func() { StreamResponseToFile(get(), path, boom) },
		"StreamResponseToWriter": func() { StreamResponseToWriter(get(), io.Discard, boom) },
		"Tee": func() {
			for range Tee(get(), io.Discard, boom) {
			}
		},
		"TeeToFile": func() {
			for range TeeToFile(get(), path, boom) {
			}
		},
		"the loop": func() {
			for range TeeToFile(get(), path) {
				panic("boom")
			}
		},
	}
	for name, way := range ways {
		func() {
			defer func() {
				if v := recover(); v != "boom" {
					t.Errorf("%s: the panic that came on is %v", name, v)
				}
			}()
			way()
		}()
		if left := entries(t, dir); len(left) > 0 {
			t.Errorf("%s left %v", name, left)
		}
	}
	get().Close()
}
