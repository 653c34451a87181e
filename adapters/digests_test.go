package adapters_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

func sha256Field(body string) string {
	sum := sha256.Sum256([]byte(body))
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
}

// TestDigestsSent: every body arrives with its digest, in front of it where it can be read twice.
func TestDigestsSent(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %v %d %s|%s|%s", body, err, r.ContentLength, r.Header.Get("Content-Digest"), r.Trailer.Get("Content-Digest"), r.Header.Get("Want-Content-Digest"))
	}))
	defer server.Close()
	s := requests.NewSession()
	defer s.Close()
	s.Mount("http://", adapters.Digests()(requests.NewHTTPAdapter()))
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	ahead, behind := "hello <nil> 5 "+sha256Field("hello")+"||sha-256=10, sha-512=5", "hello <nil> -1 |"+sha256Field("hello")+"|sha-256=10, sha-512=5"
	got, want := map[string]string{}, map[string]string{}
	for what, row := range map[string]struct {
		body requests.Option
		want string
	}{
		"text":     {requests.Body("hello"), ahead},
		"file":     {requests.Body(file), ahead},
		"iterator": {requests.Body(iter.Seq[string](func(yield func(string) bool) { _ = yield("hel") && yield("lo") })), behind},
		"reader":   {requests.Body(io.MultiReader(strings.NewReader("hello"))), behind},
		"none":     {nil, " <nil> 0 ||sha-256=10, sha-512=5"},
		"its own":  {requests.JoinOptions(requests.Body("hello"), requests.Headers{{"Content-Digest", "x=1"}, {"Want-Content-Digest", "y=1"}}), "hello <nil> 5 x=1||y=1"},
	} {
		r, err := s.Post(t.Context(), server.URL, row.body)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		got[what], _ = r.Text()
		want[what] = row.want
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// TestDigestsChecked: a body that differs from what the server says of it is an error at its end, and no other is.
func TestDigestsChecked(t *testing.T) {
	var coded bytes.Buffer
	z := gzip.NewWriter(&coded)
	io.WriteString(z, "hello")
	z.Close()
	right, wrong := sha256Field("hello"), sha256Field("other")
	for name, row := range map[string]struct {
		status         int
		header         http.Header
		body, trailer  string
		want           string
		differs, flush bool
	}{
		"right":                     {200, http.Header{"Content-Digest": {right}}, "hello", "", "hello", false, false},
		"wrong":                     {200, http.Header{"Content-Digest": {wrong}}, "hello", "", "", true, false},
		"wrong, of an error":        {500, http.Header{"Content-Digest": {wrong}}, "hello", "", "", true, false},
		"empty":                     {200, http.Header{"Content-Digest": {wrong}}, "", "", "", true, false},
		"one of two is wrong":       {200, http.Header{"Content-Digest": {right, "sha-512=:" + strings.Repeat("A", 86) + "==:"}}, "hello", "", "", true, false},
		"of another algorithm":      {200, http.Header{"Content-Digest": {"md5=:AA==:"}}, "hello", "", "hello", false, false},
		"of the representation":     {200, http.Header{"Repr-Digest": {wrong}}, "hello", "", "", true, false},
		"of the whole, for a part":  {206, http.Header{"Repr-Digest": {wrong}}, "hello", "", "hello", false, false},
		"under its coding":          {200, http.Header{"Content-Digest": {sha256Field(coded.String())}, "Content-Encoding": {"gzip"}}, coded.String(), "", "hello", false, false},
		"not under its coding":      {200, http.Header{"Content-Digest": {right}, "Content-Encoding": {"gzip"}}, coded.String(), "", "", true, false},
		"right, in chunks":          {200, http.Header{"Content-Digest": {right}}, "hello", "", "hello", false, true},
		"wrong, in chunks":          {200, http.Header{"Content-Digest": {wrong}}, "hello", "", "", true, true},
		"of another length":         {200, http.Header{"Content-Digest": {"sha-256=:c2hvcnQ=:"}}, "hello", "", "", true, false},
		"of no length":              {200, http.Header{"Repr-Digest": {"sha-512=::"}}, "hello", "", "", true, false},
		"short, behind":             {200, nil, "hello", "sha-256=:c2hvcnQ=:", "", true, true},
		"right, behind":             {200, nil, "hello", right, "hello", false, true},
		"wrong, behind":             {200, nil, "hello", wrong, "", true, true},
		"no content":                {204, http.Header{"Content-Digest": {wrong}}, "", "", "", false, false},
		"neither here nor anywhere": {200, nil, "hello", "", "hello", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				for k, v := range row.header {
					w.Header()[k] = v
				}
				w.WriteHeader(row.status)
				io.WriteString(w, row.body)
				if row.flush {
					w.(http.Flusher).Flush()
				}
				if row.trailer != "" {
					w.Header().Set(http.TrailerPrefix+"Content-Digest", row.trailer)
				}
			}))
			defer server.Close()
			s := requests.NewSession()
			defer s.Close()
			s.Mount("http://", adapters.Digests()(requests.NewHTTPAdapter()))
			got := ""
			r, err := s.Get(t.Context(), server.URL)
			if err == nil {
				got, err = r.Text()
			}
			if got != row.want || errors.Is(err, requests.ErrDigest) != row.differs || err != nil && !row.differs {
				t.Errorf("%q, %v; want %q, differs %v", got, err, row.want, row.differs)
			}
			if r, err := s.Head(t.Context(), server.URL); err != nil {
				t.Errorf("HEAD: %v, %v", r, err)
			}
			streamed, err := s.Get(t.Context(), server.URL, requests.Stream(true))
			if err == nil {
				_, err = io.Copy(io.Discard, streamed)
			}
			if errors.Is(err, requests.ErrDigest) != row.differs {
				t.Errorf("streamed: %v", err)
			}
		})
	}
}

// TestDigestsLetGo: the iterator of a body that is not sent to its end is ended, whoever ends it.
func TestDigestsLetGo(t *testing.T) {
	for name, send := range map[string]requests.AdapterFunc{
		"fails": func(context.Context, *requests.PreparedRequest, requests.SendOptions) (*requests.Response, error) {
			return nil, errors.New("no")
		},
		"responds early": func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
			body := p.OpenBody()
			defer body.Close()
			if _, err := body.Read(make([]byte, 1)); err != nil {
				return nil, err
			}
			return requests.NewResponse(p, 413, nil, io.NopCloser(strings.NewReader("enough"))), nil
		},
		"has no body": func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
			_, err := p.OpenBody().Read(make([]byte, 1))
			return requests.NewResponse(p, 413, nil, nil), err
		},
	} {
		ended := true
		s := requests.NewSession()
		s.Mount("http://", adapters.Digests()(send))
		r, err := s.Post(t.Context(), "http://h.test/", requests.Body(iter.Seq[string](func(yield func(string) bool) {
			ended = false
			defer func() { ended = true }()
			for yield("x") {
			}
		})))
		if err == nil {
			r.Close()
		}
		if !ended {
			t.Errorf("%s: the iterator goes on (%v)", name, err)
		}
	}
}

// TestDigestsBehindKnownLength: over HTTP/2, trailers follow a body of known length, too.
func TestDigestsBehindKnownLength(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := strings.TrimPrefix(r.URL.Path, "/wrong/")
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		io.WriteString(w, body)
		w.Header().Set(http.TrailerPrefix+"Content-Digest", sha256Field("hello"))
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	s := requests.NewSession()
	defer s.Close()
	s.Verify = requests.Verify(false)
	s.Mount("https://", adapters.Digests()(requests.NewHTTPAdapter(requests.HTTP2(true))))
	for path, differs := range map[string]bool{"/wrong/hello": false, "/wrong/other": true, "/wrong/": true} {
		r, err := s.Get(t.Context(), server.URL+path)
		if errors.Is(err, requests.ErrDigest) != differs || err == nil && r.Proto != "HTTP/2.0" {
			t.Errorf("%s: %v, %v", path, r, err)
		}
	}
}
