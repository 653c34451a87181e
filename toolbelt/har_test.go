package toolbelt_test

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/toolbelt"
)

// harServer redirects, sets a cookie, and compresses.
func harServer(t *testing.T) *httptest.Server {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		switch r.URL.Path {
		case "/from":
			http.Redirect(w, r, "/to?token=s3cret", http.StatusFound)
		case "/to":
			w.Header().Set("Set-Cookie", "sid=s3cret; Path=/")
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			io.WriteString(z, `{"name":"größe","password":"s3cret"}`)
			z.Close()
		case "/binary":
			w.Write([]byte{0, 0xff, 0xfe})
		default:
			io.WriteString(w, "0123456789")
		}
	}))
	t.Cleanup(server.Close)
	return server
}

// recording is a session whose http goes into har.
func recording(t *testing.T, har *toolbelt.HAR) *requests.Session {
	s := requests.NewSession()
	s.TrustEnv = false
	s.Mount("http://", har.Wrap(requests.NewHTTPAdapter()))
	t.Cleanup(func() { s.Close() })
	return s
}

type harShape struct {
	Log struct {
		Version string
		Creator struct{ Name, Version string }
		Entries []struct {
			StartedDateTime string
			Time            float64
			Request         struct {
				Method, URL, HTTPVersion string
				BodySize                 int64
				PostData                 *struct{ MimeType, Text, Comment string }
				QueryString, Cookies     []struct{ Name, Value string }
			}
			Response struct {
				Status      int
				RedirectURL string
				BodySize    int64
				Content     struct {
					Text, Encoding, MimeType string
					Size                     int64
					Incomplete               bool `json:"_incomplete"`
				}
				Cookies []struct{ Name, Value string }
				Error   string `json:"_error"`
			}
			Timings         map[string]float64
			ServerIPAddress string
			Connection      string
		}
	}
}

func readHAR(t *testing.T, har *toolbelt.HAR) (string, harShape) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "session.har")
	if err := har.Save(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	var shape harShape
	if err := json.Unmarshal(text, &shape); err != nil {
		t.Fatal(err)
	}
	return string(text), shape
}

// TestHAR: the archive has each hop with what came and how long it took, and no secret.
func TestHAR(t *testing.T) {
	server := harServer(t)
	var har toolbelt.HAR
	s := recording(t, &har)
	if _, err := s.Post(t.Context(), server.URL+"/from?api_key=s3cret&page=2", requests.Form{{"user", "ada"}, {"password", "s3cret"}}, requests.Authenticate(requests.BearerAuth("s3cret"))); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), server.URL+"/binary"); err != nil {
		t.Fatal(err)
	}
	r, err := s.Get(t.Context(), server.URL+"/left", requests.Stream(true))
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	if _, err := s.Get(t.Context(), "http://127.0.0.1:1/"); !errors.Is(err, requests.ErrConnection) {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), server.URL+"/up", requests.Body(io.MultiReader(strings.NewReader("abc")))); err != nil {
		t.Fatal(err)
	}
	text, got := readHAR(t, &har)
	if strings.Contains(text, "s3cret") {
		t.Errorf("a secret is in the archive:\n%s", text)
	}
	var lines [][]any
	for _, e := range got.Log.Entries {
		post := ""
		if e.Request.PostData != nil {
			post = e.Request.PostData.Text + e.Request.PostData.Comment
		}
		url, _ := strings.CutPrefix(e.Request.URL, server.URL)
		c := e.Response.Content
		lines = append(lines, []any{e.Request.Method, url, post, e.Response.Status, c.Text, c.Encoding, c.Incomplete, e.Response.Error != ""})
	}
	want := [][]any{
		{"POST", "/from?api_key=***&page=2", "user=ada&password=***", 302, "", "", false, false},
		{"GET", "/to?token=***", "", 200, `{"name":"größe","password":"***"}`, "", false, false},
		{"GET", "/binary", "", 200, "AP/+", "base64", false, false},
		{"GET", "/left", "", 200, "", "", true, false},
		{"GET", "http://127.0.0.1:1/", "", 0, "", "", false, true},
		{"PUT", "/up", "a stream, which is not recorded", 200, "0123456789", "", false, false},
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	first, second := got.Log.Entries[0], got.Log.Entries[1]
	if first.Timings["connect"] <= 0 || second.Timings["connect"] != -1 || first.Time <= 0 || first.ServerIPAddress != "127.0.0.1" || first.Connection == "" || second.Response.BodySize <= 0 {
		t.Errorf("timings: %+v %+v", first, second)
	}
	if cookies := second.Response.Cookies; len(cookies) != 1 || cookies[0].Name != "sid" || cookies[0].Value != "***" || first.Response.RedirectURL != "/to?token=***" {
		t.Errorf("cookies %v, redirect %q", cookies, first.Response.RedirectURL)
	}
}

// TestHARReplayed: a Cassette gives back what was recorded, with its secrets if they were kept.
func TestHARReplayed(t *testing.T) {
	server := harServer(t)
	for _, keep := range []bool{false, true} {
		har := toolbelt.HAR{KeepSecrets: keep}
		s := recording(t, &har)
		calls := func(s *requests.Session) (all []string) {
			for _, path := range []string{"/from", "/binary", "/from", "/plain?token=t"} {
				r, err := s.Get(t.Context(), server.URL+path)
				if err != nil {
					t.Fatal(err)
				}
				content, _ := r.Content()
				all = append(all, r.URL+" "+r.Proto+" "+string(content))
			}
			return all
		}
		want := calls(s)
		path := filepath.Join(t.TempDir(), "session.har")
		if err := har.Save(path); err != nil {
			t.Fatal(err)
		}
		var options []adapters.CassetteOption
		if keep {
			options = append(options, adapters.CassetteKeepsSecrets)
		}
		tape, err := adapters.Cassette(path, adapters.RecordNone, options...)
		if err != nil {
			t.Fatal(err)
		}
		again := requests.NewSession()
		again.Mount("http://", tape(requests.AdapterFunc(nil)))
		if !keep {
			for i := range want {
				want[i] = strings.ReplaceAll(want[i], "s3cret", "***")
			}
		}
		if diff := cmp.Diff(want, calls(again)); diff != "" {
			t.Errorf("secrets kept: %v (-want +got)\n%s", keep, diff)
		}
		if _, err := again.Get(t.Context(), server.URL+"/plain?token=t"); !errors.Is(err, requests.ErrConnection) {
			t.Errorf("played twice: %v", err)
		}
		if _, err := adapters.Cassette(path, adapters.RecordNew); !errors.Is(err, requests.ErrFile) {
			t.Errorf("recorded into: %v", err)
		}
	}
}

// TestHARFiles: what cannot be written is ErrFile and leaves nothing.
func TestHARFiles(t *testing.T) {
	dir := t.TempDir()
	var har toolbelt.HAR
	if err := har.Save(filepath.Join(dir, "no", "such.har")); !errors.Is(err, requests.ErrFile) {
		t.Errorf("got %v", err)
	}
	if err := har.Save(dir); err == nil {
		t.Error("a directory was replaced")
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestHARTogether: recording and saving from several goroutines.
func TestHARTogether(t *testing.T) {
	server := harServer(t)
	var har toolbelt.HAR
	s := recording(t, &har)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := s.Get(t.Context(), server.URL+"/to"); err != nil {
				t.Error(err)
			}
			if err := har.Save(filepath.Join(t.TempDir(), "a.har")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if _, got := readHAR(t, &har); len(got.Log.Entries) != 8 {
		t.Errorf("%d entries", len(got.Log.Entries))
	}
}
