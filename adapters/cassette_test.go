package adapters_test

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/adapters/adaptertest"
	"github.com/mountable/requests/internal/wiretest"
)

// TestCassetteContract: recording, an adapter is still one.
func TestCassetteContract(t *testing.T) {
	adaptertest.Run(t, func(t *testing.T, h http.Handler) (requests.Adapter, string) {
		tape := must[requests.Wrapper](t)(adapters.Cassette(filepath.Join(t.TempDir(), "tape.json"), adapters.RecordAll))
		return adapters.Chain(requests.NewHTTPAdapter(), tape), served(t, h).URL
	})
}

// counting answers with how often it was asked.
func counting(asked *atomic.Int32) requests.Adapter {
	return adapters.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Add("Set-Cookie", "id=s3cret; Path=/")
		var out io.Writer = w
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			defer z.Close()
			out = z
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(out, `{"n": %d, "access_token": "s3cret", "code": "E7", "sent": %d}`, asked.Add(1), len(body))
	}))
}

// tapedSession is a session over a cassette over an adapter.
func tapedSession(t *testing.T, path string, mode adapters.CassetteMode, base requests.Adapter, options ...adapters.CassetteOption) *requests.Session {
	t.Helper()
	s := requests.NewSession()
	s.TrustEnv, s.Cookies = false, nil
	s.Mount("http://", adapters.Chain(base, must[requests.Wrapper](t)(adapters.Cassette(path, mode, options...))))
	return s
}

type count struct{ N int }

// number asks for the count.
func number(t *testing.T, s *requests.Session, url string, options ...requests.Option) (int, error) {
	r, err := s.Post(t.Context(), url, options...)
	if err != nil {
		return 0, err
	}
	var c count
	return c.N, r.JSON(&c)
}

func TestCassetteModes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "tape.json")
	var asked atomic.Int32
	base := counting(&asked)
	none := 0
	steps := []struct {
		mode adapters.CassetteMode
		urls string
		want []int // 0 for an error
	}{
		{adapters.RecordOnce, "a a b", []int{1, 2, 3}},
		{adapters.RecordOnce, "a b a a c", []int{1, 3, 2, none, none}},
		{adapters.RecordNone, "b a", []int{3, 1}},
		{adapters.RecordNew, "a a a d", []int{1, 2, 4, 5}},
		{adapters.RecordNone, "d a a a a", []int{5, 1, 2, 4, none}},
		{adapters.RecordAll, "a a", []int{6, 7}},
		{adapters.RecordNone, "a a a", []int{6, 7, none}},
	}
	for i, step := range steps {
		s := tapedSession(t, path, step.mode, base)
		var got []int
		for _, u := range strings.Fields(step.urls) {
			n, err := number(t, s, "http://h.test/"+u)
			if err != nil && !errors.Is(err, requests.ErrConnection) {
				t.Error(err)
			}
			got = append(got, n)
		}
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Errorf("step %d (-want +got)\n%s", i, diff)
		}
	}
}

func TestCassetteBodies(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tape.json")
	var asked atomic.Int32
	base := counting(&asked)
	record := tapedSession(t, path, adapters.RecordOnce, base)
	for _, body := range []any{"one", io.MultiReader(strings.NewReader("two"))} {
		if _, err := number(t, record, "http://h.test/", requests.Body(body)); err != nil {
			t.Fatal(err)
		}
	}
	replay := tapedSession(t, path, adapters.RecordNone, base, adapters.CassetteBodies)
	for body, want := range map[string]int{"two": 2, "one": 1} {
		if n, err := number(t, replay, "http://h.test/", requests.Body(body)); err != nil || n != want {
			t.Errorf("%s: %d, %v", body, n, err)
		}
	}
	if _, err := number(t, replay, "http://h.test/", requests.Body("three")); !errors.Is(err, requests.ErrConnection) || !strings.Contains(err.Error(), "another body") {
		t.Error(err)
	}
}

// TestCassetteSecrets: the file holds no secret and can be read; what is replayed is what was recorded.
func TestCassetteSecrets(t *testing.T) {
	requests.AddSecretNames("X-Mine")
	path := filepath.Join(t.TempDir(), "tape.json")
	var asked atomic.Int32
	s := tapedSession(t, path, adapters.RecordOnce, counting(&asked))
	send := func(s *requests.Session) (string, error) {
		r, err := s.Post(t.Context(), "http://ada:s3cret@h.test/?api_key=s3cret&x=1", requests.Form{{"password", "s3cret"}, {"user", "ada"}},
			requests.Headers{{"Authorization", "Bearer s3cret"}, {"Cookie", "a=s3cret"}, {"x-mine", "s3cret"}, {"X-Note", "note"}})
		if err != nil {
			return "", err
		}
		return r.Text()
	}
	if text, err := send(s); err != nil || !strings.Contains(text, "s3cret") {
		t.Fatalf("recording changed the reply: %s, %v", text, err)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, has := range []string{"user=ada", `\"code\": \"E7\"`, "X-Note: note", "id=***; Path=/", "x=1"} {
		if !strings.Contains(string(file), has) {
			t.Errorf("the file lacks %s", has)
		}
	}
	if strings.Contains(string(file), "s3cret") || strings.Contains(string(file), "base64") || strings.Contains(string(file), "YWRh") {
		t.Errorf("the file holds a secret, or cannot be read:\n%s", file)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	text, err := send(tapedSession(t, path, adapters.RecordNone, counting(&asked)))
	if want := `{"n": 1, "access_token": "***", "code": "E7", "sent": 24}`; err != nil || text != want {
		t.Errorf("replayed %s, %v", text, err)
	}
	open := filepath.Join(t.TempDir(), "open.json")
	if _, err := send(tapedSession(t, open, adapters.RecordOnce, counting(&asked), adapters.CassetteKeepsSecrets)); err != nil {
		t.Fatal(err)
	}
	if file, _ := os.ReadFile(open); strings.Contains(string(file), "***") {
		t.Errorf("redacted though everything was to be kept:\n%s", file)
	}
}

// TestCassetteBinary: bytes that are not text, and trailers, come back as they were.
func TestCassetteBinary(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tape.json")
	base := adapters.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Write([]byte{0xff, 0, 0xfe})
		w.Header().Set("X-Sum", "7")
	}))
	for _, mode := range []adapters.CassetteMode{adapters.RecordOnce, adapters.RecordNone} {
		r, err := tapedSession(t, path, mode, base).Get(t.Context(), "http://h.test/")
		if err != nil {
			t.Fatal(err)
		}
		content, _ := r.Content()
		if diff := cmp.Diff([]any{[]byte{0xff, 0, 0xfe}, "7"}, []any{content, r.Trailers().Get("X-Sum")}); diff != "" {
			t.Errorf("%v (-want +got)\n%s", mode, diff)
		}
	}
}

// TestCassetteBytes: header fields, reasons and trailers in another encoding than UTF-8
// come back as they were.
func TestCassetteBytes(t *testing.T) {
	server := wiretest.Origin(t, wiretest.Send("HTTP/1.1 200 \xc4rger\r\nX-Latin: caf\xe9\r\nX-Text: café\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Sum: \xff\r\n\r\n"))
	path := filepath.Join(t.TempDir(), "tape.json")
	var got [2][4]string
	for i, mode := range []adapters.CassetteMode{adapters.RecordOnce, adapters.RecordNone} {
		s := tapedSession(t, path, mode, requests.NewHTTPAdapter())
		defer s.Close()
		r, err := s.Get(t.Context(), server.URL("/"))
		if err != nil {
			t.Fatal(err)
		}
		got[i] = [4]string{r.Reason, r.Headers.Get("X-Latin"), r.Headers.Get("X-Text"), r.Trailers().Get("X-Sum")}
	}
	if diff := cmp.Diff(got[0], got[1]); diff != "" || got[0][1] != "caf\xe9" || got[0][3] != "\xff" {
		t.Errorf("recorded %q, replayed (-recorded +replayed)\n%s", got[0], diff)
	}
	if file, _ := os.ReadFile(path); !strings.Contains(string(file), "X-Text: café") {
		t.Errorf("what is text is not readable:\n%s", file)
	}
}

// TestCassetteCutBodies: what failed while it was recorded does not succeed when it is
// replayed: it fails alike, or it was not recorded.
func TestCassetteCutBodies(t *testing.T) {
	var zipped strings.Builder
	z := gzip.NewWriter(&zipped)
	io.WriteString(z, strings.Repeat("content", 100))
	z.Close()
	for name, reply := range map[string]string{
		"length":  "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nx",
		"nothing": "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
		"chunks":  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nx",
		"gzip":    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n" + zipped.String()[:20],
		"no gzip": "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\ntext",
	} {
		server := wiretest.Start(t, wiretest.Config{Replies: []wiretest.Reply{wiretest.Send(reply).ThenClose()}})
		carriers := map[string]requests.Adapter{"HTTPAdapter": requests.NewHTTPAdapter(), "RoundTripper": adapters.RoundTripper(&http.Transport{DisableKeepAlives: true})}
		for carrier, base := range carriers {
			path := filepath.Join(t.TempDir(), "tape.json")
			for _, mode := range []adapters.CassetteMode{adapters.RecordAll, adapters.RecordNone} {
				if _, err := os.Stat(path); err != nil && mode == adapters.RecordNone {
					continue // nothing was recorded
				}
				s := tapedSession(t, path, mode, base)
				if r, err := s.Get(t.Context(), server.URL("/")); err == nil {
					t.Errorf("%s over %s, mode %d: %v", name, carrier, mode, r)
				}
				s.Close()
			}
		}
	}
}

func TestCassetteWrongArguments(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"text": "x", "version": `{"version": 9}`, "status": `{"version":1,"exchanges":[{"response":{"status":7}}]}`, "header": `{"version":1,"exchanges":[{"request":{"headers":["x"]},"response":{"status":200}}]}`} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := adapters.Cassette(filepath.Join(dir, name), adapters.RecordOnce); !errors.Is(err, requests.ErrFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := adapters.Cassette(filepath.Join(dir, "none"), adapters.RecordNone); !errors.Is(err, os.ErrNotExist) || !errors.Is(err, requests.ErrFile) {
		t.Error(err)
	}
	if _, err := adapters.Cassette("", adapters.RecordOnce); !errors.Is(err, requests.ErrInvalidArgument) {
		t.Error(err)
	}
	if _, err := adapters.Cassette("x", 9); !errors.Is(err, requests.ErrInvalidArgument) {
		t.Error(err)
	}
}

// FuzzCassette reads files that anybody may have written.
func FuzzCassette(f *testing.F) {
	f.Add([]byte(`{"version":1,"exchanges":[{"request":{"method":"GET","url":"http://h/","headers":["A: b"],"body":{"base64":"AA=="}},"response":{"status":200,"headers":["B: c"],"body":"x"}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "tape")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		tape, err := adapters.Cassette(path, adapters.RecordNone)
		if err != nil {
			return
		}
		r, err := tape(adapters.NewMock()).Send(t.Context(), get("http://h/"), requests.SendOptions{})
		if err == nil {
			_, _ = r.Content()
		}
	})
}
