package requests_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/mountable/requests"
)

// TestEndlessBodies: neither a line without end nor a body without end fills the memory,
// and each ends in an error of its own Kind.
func TestEndlessBodies(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { endless(w) }))
	defer server.Close()
	s := newSession(t)
	for name, tt := range map[string]struct {
		read func(r *requests.Response) error
		want error
	}{
		"Content":   {func(r *requests.Response) error { _, err := r.Content(); return err }, requests.ErrBodyTooLarge},
		"Text":      {func(r *requests.Response) error { _, err := r.Text(); return err }, requests.ErrBodyTooLarge},
		"JSON":      {func(r *requests.Response) error { return r.JSON(new(any)) }, requests.ErrBodyTooLarge},
		"Lines":     {func(r *requests.Response) error { _, err := gather(r.Lines()); return err }, requests.ErrLineTooLong},
		"TextLines": {func(r *requests.Response) error { _, err := gather(r.TextLines()); return err }, requests.ErrLineTooLong},
		"Split":     {func(r *requests.Response) error { _, err := gather(r.Split("--")); return err }, requests.ErrLineTooLong},
		"TextSplit": {func(r *requests.Response) error { _, err := gather(r.TextSplit("é")); return err }, requests.ErrLineTooLong},
	} {
		r, err := s.Get(t.Context(), server.URL, requests.Stream(true))
		if err != nil {
			t.Fatal(err)
		}
		if err := tt.read(r); !errors.Is(err, tt.want) || !errors.Is(err, requests.ErrLimit) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := r.Read(make([]byte, 1)); !errors.Is(err, tt.want) {
			t.Errorf("%s, then Read: %v", name, err)
		}
	}
	if _, err := s.Get(t.Context(), server.URL); !errors.Is(err, requests.ErrBodyTooLarge) {
		t.Errorf("Get: %v", err)
	}
}

// TestMaxBody: a bound of the session or the call holds however the body comes and is
// read, to the byte.
func TestMaxBody(t *testing.T) {
	const size = 1000
	mux := http.NewServeMux()
	mux.HandleFunc("/length", func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, strings.Repeat("x\n", size/2)) })
	mux.HandleFunc("/chunked", func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		io.WriteString(w, strings.Repeat("x\n", size/2))
	})
	mux.HandleFunc("/gzip", func(w http.ResponseWriter, r *http.Request) {
		data, _ := coded("gzip", strings.Repeat("x\n", size/2))
		w.Header().Set("Content-Encoding", "gzip")
		io.WriteString(w, data)
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	for _, path := range []string{"/length", "/chunked", "/gzip"} {
		for _, tt := range []struct {
			session, call int64
			want          error
		}{
			{0, 0, nil}, {size, 0, nil}, {size - 1, 0, requests.ErrBodyTooLarge}, {0, size, nil}, {0, size - 1, requests.ErrBodyTooLarge},
			{1, size, nil}, {1, -1, nil}, {-1, size - 1, requests.ErrBodyTooLarge},
		} {
			s := newSession(t)
			s.Limits.MaxBody = tt.session
			for operation, do := range operations {
				r, err := s.Get(t.Context(), server.URL+path, requests.Stream(true), requests.Limits{MaxBody: tt.call})
				if err != nil {
					t.Fatal(err)
				}
				for operation == "Read" || operation == "ReadChunk" {
					if _, err = do(r); err != nil {
						break
					}
				}
				if err == nil {
					_, err = do(r)
				}
				if err == io.EOF {
					err = nil
				}
				if !errors.Is(err, tt.want) {
					t.Errorf("%s, session %d, call %d, %s: %v", path, tt.session, tt.call, operation, err)
				}
			}
			if _, err := s.Get(t.Context(), server.URL+path, requests.Limits{MaxBody: tt.call}); !errors.Is(err, tt.want) {
				t.Errorf("%s, session %d, call %d, Get: %v", path, tt.session, tt.call, err)
			}
		}
	}
}

// TestMaxLine: a line of so many bytes passes, one more does not, streamed or in memory.
func TestMaxLine(t *testing.T) {
	var line int
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, strings.Repeat("x", line)+"\nend")
	}))
	defer server.Close()
	for _, tt := range []struct {
		line, session, call int
		want                error
	}{
		{1 << 20, 0, 0, nil}, {1<<20 + 1, 0, 0, requests.ErrLineTooLong}, {1<<20 + 1, 2 << 20, 0, nil}, {3 << 20, 0, -1, nil},
		{100, 99, 0, requests.ErrLineTooLong}, {100, 99, 100, nil}, {100, 0, 99, requests.ErrLineTooLong},
	} {
		line = tt.line
		s := newSession(t)
		s.Limits.MaxLine = tt.session
		for _, stream := range []bool{false, true} {
			for _, operation := range []string{"Lines", "TextLines", "Split"} {
				r, err := s.Get(t.Context(), server.URL, requests.Stream(stream), requests.Limits{MaxLine: tt.call})
				if err != nil {
					t.Fatal(err)
				}
				if operation == "Split" {
					_, err = gather(r.Split("\nend"))
				} else {
					_, err = operations[operation](r)
				}
				if !errors.Is(err, tt.want) || err != nil && !strings.Contains(err.Error(), "Limits.MaxLine") {
					t.Errorf("%d bytes, session %d, call %d, streamed %v, %s: %v", tt.line, tt.session, tt.call, stream, operation, err)
				}
			}
		}
	}
}

// TestLimitsOfRequests: Requests' way has no bounds but those that are set.
func TestLimitsOfRequests(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, strings.Repeat("x", 2<<20))
	}))
	defer server.Close()
	s := newSession(t)
	s.Policy = requests.PolicyRequests()
	r, err := s.Get(t.Context(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := gather(r.Lines()); err != nil {
		t.Error(err)
	}
	if _, err := s.Get(t.Context(), server.URL, requests.Limits{MaxBody: 1 << 20}); !errors.Is(err, requests.ErrBodyTooLarge) {
		t.Error(err)
	}
}
