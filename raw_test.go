package requests_test

import (
	"errors"
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
)

// TestRawErrors: what is read of Response.Raw fails as Content does, with Kind, method and URL, over both protocols.
func TestRawErrors(t *testing.T) {
	cut := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", "8")
		_, _ = io.WriteString(w, "some")
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	content := func(r *requests.Response) error { return errorOf(r.Content()) }
	for _, h2 := range []bool{false, true} {
		server := newCountedServer(t, cut)
		s := requests.NewSession()
		defer s.Close()
		s.Verify = requests.Verify(false)
		s.Mount("https://", requests.NewHTTPAdapter(requests.HTTP2(h2)))
		for way, tt := range map[string]struct {
			read, as func(r *requests.Response) error
			cause    error
		}{
			"Read":    {func(r *requests.Response) error { return errorOf(io.ReadAll(r.Raw)) }, content, nil},
			"WriteTo": {func(r *requests.Response) error { return errorOf(r.Raw.(io.WriterTo).WriteTo(io.Discard)) }, content, nil},
			"again": {func(r *requests.Response) error {
				_, _ = io.ReadAll(r.Raw)
				return errorOf(r.Raw.Read(make([]byte, 1)))
			}, content, nil},
			"closed": {
				func(r *requests.Response) error { _ = r.Close(); return errorOf(io.ReadAll(r.Raw)) },
				func(r *requests.Response) error { _ = r.Close(); return content(r) },
				http.ErrBodyReadAfterClose,
			},
		} {
			want, got := failureOf(t, s, server.URL, tt.as), failureOf(t, s, server.URL, tt.read)
			if diff := cmp.Diff(want.Error(), got.Error()); diff != "" || want.Kind != got.Kind {
				t.Errorf("HTTP/2 %v, %s: %v instead of %v (-want +got):\n%s", h2, way, got.Kind, want.Kind, diff)
			}
			if tt.cause != nil && !errors.Is(got, tt.cause) {
				t.Errorf("HTTP/2 %v, %s: %v is not %v", h2, way, got, tt.cause)
			}
		}
	}
}

// failureOf is the error of reading a streamed response, which has to be one of this package.
func failureOf(t *testing.T, s *requests.Session, url string, read func(r *requests.Response) error) *requests.Error {
	t.Helper()
	r, err := s.Get(t.Context(), url, requests.Stream(true))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	e, ok := errors.AsType[*requests.Error](read(r))
	if !ok {
		t.Fatalf("%T", err)
	}
	return e
}
