package toolbelt_test

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
)

// TestHARSavedMeanwhile: an archive may be written while others send, over any adapter, and
// measures nothing that is theirs.
func TestHARSavedMeanwhile(t *testing.T) {
	var har toolbelt.HAR
	s := requests.NewSession()
	defer s.Close()
	s.TrustEnv = false
	s.Mount("http://", har.Wrap(requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		return requests.NewResponse(p, 200, nil, io.NopCloser(strings.NewReader("body"))), nil
	})))
	path := filepath.Join(t.TempDir(), "a.har")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 20 {
				if r, err := s.Get(t.Context(), "http://h.test/"); err != nil || r.StatusCode != 200 {
					t.Error(r, err)
				}
			}
		})
		wg.Go(func() {
			for range 5 {
				if err := har.Save(path); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// TestHARKeepsSoMuch: of a body that is longer than the call allows, or than is kept at all, the
// beginning is in the archive, and marked.
func TestHARKeepsSoMuch(t *testing.T) {
	type entry struct {
		Text string
		Cut  bool `json:"_incomplete"`
	}
	var got []entry
	for _, limit := range []int64{9, 10, 11} {
		var har toolbelt.HAR
		s := recording(t, &har)
		r, err := s.Get(t.Context(), harServer(t).URL+"/", requests.Stream(true), requests.Limits{MaxBody: limit})
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, r)
		r.Close()
		path := filepath.Join(t.TempDir(), "a.har")
		if err := har.Save(path); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var shape struct {
			Log struct {
				Entries []struct{ Response struct{ Content entry } }
			}
		}
		if err := json.Unmarshal(text, &shape); err != nil {
			t.Fatal(err)
		}
		got = append(got, shape.Log.Entries[0].Response.Content)
	}
	want := []entry{{"012345678", true}, {"0123456789", false}, {"0123456789", false}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
