package toolbelt

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

func TestTeeCodings(t *testing.T) {
	coded := gzipped("body")
	reply := wiretest.Text(200, coded, [2]string{"Content-Encoding", "gzip"})
	tests := map[string]struct {
		options []DownloadOption
		request requests.Option
		want    string
	}{
		"as it came": {nil, nil, coded},
		"decoded":    {[]DownloadOption{Decoded()}, nil, "body"},
		"in memory":  {nil, requests.Stream(false), "body"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var stored bytes.Buffer
			var yielded []byte
			r := streamed(t, reply, test.request)
			for chunk, err := range Tee(r, &stored, test.options...) {
				if err != nil {
					t.Fatal(err)
				}
				yielded = append(yielded, chunk...)
				if !bytes.Equal(yielded, stored.Bytes()) {
					t.Error("a chunk is yielded before it is written")
				}
			}
			if diff := cmp.Diff(test.want, string(yielded)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestTeeChunks(t *testing.T) {
	tests := map[string]struct {
		reply wiretest.Reply
		want  []string
	}{
		"length":  {wiretest.Text(200, "abcdefg"), []string{"abc", "def", "g"}},
		"chunked": {wiretest.Chunks("abcd", "e", "fg"), []string{"abc", "d", "e", "fg"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			var stored []byte
			for chunk, err := range TeeToBytes(streamed(t, test.reply), &stored, ChunkSize(3)) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, string(chunk))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if string(stored) != "abcdefg" {
				t.Errorf("stored is %q", stored)
			}
		})
	}
}

func TestTeeToFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	seq := TeeToFile(streamed(t, wiretest.Text(200, "body")), path, ChunkSize(2))
	if got := entries(t, dir); len(got) != 0 {
		t.Errorf("there is %v before the loop", got)
	}
	n := 0
	for chunk, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		n += len(chunk)
		if got := entries(t, dir); len(got) != 1 || got[0] == "a" {
			t.Errorf("there is %v in the loop", got)
		}
	}
	if got := readFile(t, path); got != "body" || n != 4 {
		t.Errorf("saved %q, yielded %d bytes", got, n)
	}
}

func TestTeeToFileFails(t *testing.T) {
	cut := wiretest.Send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").ThenClose()
	tests := map[string]struct {
		reply wiretest.Reply
		name  string
		want  error
	}{
		"exists":    {wiretest.Text(200, "body"), "old", fs.ErrExist},
		"cut short": {cut, "new", requests.ErrChunkedEncoding},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			writeFile(t, filepath.Join(dir, "old"), "old")
			err := drained(TeeToFile(streamed(t, test.reply), filepath.Join(dir, test.name)))
			if !errors.Is(err, test.want) {
				t.Errorf("the error is %v, want %v", err, test.want)
			}
			if diff := cmp.Diff([]string{"old"}, entries(t, dir)); diff != "" {
				t.Errorf("the directory (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTeeLeftEarly(t *testing.T) {
	wiretest.NoLeak(t)
	dir := t.TempDir()
	origin := wiretest.Origin(t, wiretest.Text(200, strings.Repeat("body", 1<<18))) // more than Close reads
	s := requests.NewSession()
	defer s.Close()
	r, err := s.Get(t.Context(), origin.URL("/"), requests.Stream(true))
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range TeeToFile(r, filepath.Join(dir, "a"), ChunkSize(1)) {
		if err != nil {
			t.Error(err)
		}
		break
	}
	if got := entries(t, dir); len(got) != 0 {
		t.Errorf("left behind: %v", got)
	}
	if !origin.WaitOpen(0) {
		t.Error("the connection is still open")
	}
}

func TestTeeArguments(t *testing.T) {
	for name, seq := range map[string]func(func([]byte, error) bool){
		"no writer": Tee(respond(nil), nil),
		"no slice":  TeeToBytes(respond(nil), nil),
		"no chunk":  Tee(respond(nil), io.Discard, ChunkSize(-1)),
		"no sum":    TeeToFile(respond(nil), "x", Checksum("sha256", "")),
	} {
		if err := drained(seq); !errors.Is(err, requests.ErrInvalidArgument) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
