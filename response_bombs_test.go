package requests_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"

	"github.com/mountable/requests"
)

// endless writes until the client is gone.
func endless(w io.Writer) {
	block := make([]byte, 64<<10)
	for {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

// bomb is 48 MiB of zeros in gzip.
var bomb = sync.OnceValue(func() []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	for range 48 {
		z.Write(make([]byte, 1<<20))
	}
	z.Close()
	return b.Bytes()
})

func sendBomb(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Encoding", "gzip")
	w.WriteHeader(status)
	w.Write(bomb())
}

// TestRule27Bombs: a body that decodes without end is an error after a bounded
// amount, however it is read.
func TestRule27Bombs(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { sendBomb(w, 200) }))
	defer server.Close()
	s := requests.NewSession()
	defer s.Close()
	reads := map[string]func(*requests.Response) error{
		"content": func(r *requests.Response) error { _, err := r.Content(); return err },
		"copy":    func(r *requests.Response) error { _, err := io.Copy(io.Discard, r); return err },
		"chunks": func(r *requests.Response) (last error) {
			for _, err := range r.Chunks(1 << 20) {
				last = err
			}
			return last
		},
		"lines": func(r *requests.Response) (last error) {
			for _, err := range r.Lines() {
				last = err
			}
			return last
		},
		"close": func(r *requests.Response) error { r.Close(); return requests.ErrContentDecoding },
	}
	for name, read := range reads {
		r, err := s.Get(t.Context(), server.URL, requests.Stream(true))
		if err != nil {
			t.Fatal(err)
		}
		want := requests.ErrContentDecoding
		if name == "lines" { // the zeros are one line
			want = requests.ErrLineTooLong
		}
		if err := read(r); !errors.Is(err, want) {
			t.Errorf("%s: error %v", name, err)
		}
		r.Close()
	}
}

// TestRule27Redirects: neither a bomb nor an endless body of a redirect keeps
// the client from following, or fills its memory.
func TestRule27Redirects(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("/bomb", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "/plain")
		sendBomb(w, 302)
	})
	mux.HandleFunc("/plain", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", "/end")
		w.WriteHeader(302)
		endless(w)
	})
	mux.HandleFunc("/end", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "here") })
	server := httptest.NewServer(mux)
	defer server.Close()
	s := requests.NewSession()
	defer s.Close()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, err := s.Get(t.Context(), server.URL+"/bomb")
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if content, err := r.Content(); err != nil || !bytes.Equal(content, []byte("here")) {
		t.Errorf("%q, %v", content, err)
	}
	if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 64<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
	for _, hop := range r.History {
		if _, err := hop.Content(); err == nil {
			t.Errorf("%s: content of a body that was given up", hop.URL)
		}
	}
}
