package adapters_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

// TestCassetteOfABrowser: the archives that browsers write are replayed: versions in their
// words, the pseudo fields of HTTP/2, several fields as one in lines, failures.
func TestCassetteOfABrowser(t *testing.T) {
	path := filepath.Join(t.TempDir(), "browser.har")
	const archive = `{"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": [
		{"request": {"method": "GET", "url": "https://h.test/?token=s3cret", "headers": [{"name": ":method", "value": "GET"}]},
		 "response": {"status": 0, "headers": [], "content": {"size": 0}}},
		{"request": {"method": "GET", "url": "https://h.test/?token=s3cret", "headers": []},
		 "response": {"status": 200, "statusText": "", "httpVersion": "h2", "headers": [{"name": ":status", "value": "200"},
		   {"name": "set-cookie", "value": "a=1\nb=2"}, {"name": "content-encoding", "value": "br"}, {"name": "content-length", "value": "7"}],
		  "content": {"size": 5, "text": "aGVsbG8=", "encoding": "base64"}}}]}}`
	if err := os.WriteFile(path, []byte(archive), 0o600); err != nil {
		t.Fatal(err)
	}
	tape, err := adapters.Cassette(path, adapters.RecordOnce)
	if err != nil {
		t.Fatal(err)
	}
	s := requests.NewSession()
	s.Mount("https://", tape(requests.AdapterFunc(nil)))
	r, err := s.Get(t.Context(), "https://h.test/?token=other")
	if err != nil {
		t.Fatal(err)
	}
	text, err := r.Text()
	got := []any{r.Proto, text, err, r.Headers.Get("Content-Length"), len(r.Headers.Values("Set-Cookie"))}
	if diff := cmp.Diff([]any{"HTTP/2.0", "hello", nil, "5", 2}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestCassetteBrokenArchive: what is not an archive is ErrFile, and nothing panics.
func TestCassetteBrokenArchive(t *testing.T) {
	for _, text := range []string{
		`{"log": {"entries": [{"response": {"status": 42}}]}}`, `{"log": {"entries": 1}}`, `{"log": {"entries": [{"response": {"status": 200, "content": {"encoding": "base64", "text": "%"}}}]}}`,
		`{"log": {"entries": [{"response": {"status": 200, "headers": [1]}}]}}`, `{"log": []}`, `{"log": {`,
	} {
		path := filepath.Join(t.TempDir(), "broken.har")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := adapters.Cassette(path, adapters.RecordNone); !errors.Is(err, requests.ErrFile) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
