//go:build realworld

package realworld

import (
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/mountable/requests"
)

// bulk sends a large file and gets it back.
func bulk(t *testing.T, r route, s *requests.Session, file string) {
	f, err := os.Open(file)
	if err != nil {
		t.Error(err)
		return
	}
	defer f.Close()
	resp, err := s.Put(t.Context(), r.url+"/x", requests.Body(f))
	if err != nil {
		t.Error("upload:", err)
		return
	}
	text, err := resp.Text()
	if diff := cmp.Diff(summary("PUT", bulkContent()), text); diff != "" || err != nil {
		t.Errorf("upload: %v (-want +got)\n%s", err, diff)
	}
	resp, err = s.Get(t.Context(), r.url+"/bulk", requests.Stream(true))
	if err != nil {
		t.Error("download:", err)
		return
	}
	sum := sha256.New()
	for chunk, err := range resp.Chunks(64 << 10) {
		if err != nil {
			t.Error("download:", err)
		}
		sum.Write(chunk)
	}
	if sha256.Sum256(bulkContent()) != [sha256.Size]byte(sum.Sum(nil)) {
		t.Error("download: other bytes")
	}
}

// crowdSize is how many requests of a crowd are under way at a time.
const crowdSize = 20

// crowd sends many requests at once, each with a body of its own.
func crowd(t *testing.T, r route, s *requests.Session) {
	var all sync.WaitGroup
	for i := range crowdSize {
		all.Go(func() {
			body := strings.Repeat(fmt.Sprint(i), 1000)
			resp, err := s.Post(t.Context(), r.url+"/x", requests.Body(body))
			if err != nil {
				t.Errorf("request %d of a crowd: %v", i, err)
				return
			}
			text, err := resp.Text()
			if diff := cmp.Diff(summary("POST", []byte(body)), text); diff != "" || err != nil {
				t.Errorf("request %d of a crowd: %v (-want +got)\n%s", i, err, diff)
			}
		})
	}
	all.Wait()
}
