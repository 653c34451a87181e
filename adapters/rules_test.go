package adapters_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/internal/wiretest"
)

const hidden = "hunter2"

// leaky is a reply that says the secret in every way there is.
func leaky(body, kind string) wiretest.Reply {
	return wiretest.Text(200, body,
		[2]string{"Content-Type", kind}, [2]string{"Set-Cookie", "sid=" + hidden + "; Path=/"}, [2]string{"set-COOKIE", "b=" + hidden},
		[2]string{"Location", "https://ada:" + hidden + "@h/?token=" + hidden + "#id_token=" + hidden}, [2]string{"Content-Location", "/?api_key=" + hidden},
		[2]string{"X-Vault-Token", hidden}, [2]string{"X-Shopify-Access-Token", hidden}, [2]string{"X-Goog-Api-Key", hidden},
		[2]string{"Authentication-Info", hidden}, [2]string{"Refresh", "1; url=http://ada:" + hidden + "@h/"})
}

// TestRule39Cassette: no secret is in the file of a cassette, wherever it went by, and in
// no log line; nor is one in it whose name the program has added.
func TestRule39Cassette(t *testing.T) {
	requests.AddSecretNames("X-Own")
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	fmt.Fprintf(z, `{"accessToken":%q}`, hidden)
	z.Close()
	multipart := requests.Files{{Field: "password", NoName: true, Content: strings.NewReader(hidden)}, {Field: "f", Content: strings.NewReader("content")}}
	calls := map[string]struct {
		reply   wiretest.Reply
		options []requests.Option
	}{
		"JSON":      {leaky(`{"access_token": "`+hidden+`", "Client_Secret":"`+hidden+`","a":{"dbPassword":"`+hidden+`"}}`, "application/json"), []requests.Option{requests.JSON(map[string]string{"password": hidden})}},
		"form":      {leaky("a=1&refresh_token="+hidden, "application/x-www-form-urlencoded"), []requests.Option{requests.Form{{"password", hidden}, {"client_secret", hidden}, {"x-api-key", hidden}}}},
		"multipart": {leaky("ok", "text/plain"), []requests.Option{multipart}},
		"basic":     {leaky("ok", "text/plain"), []requests.Option{requests.Authenticate(requests.BasicAuth("ada", hidden))}},
		"headers":   {leaky("ok", "text/plain"), []requests.Option{requests.Headers{{"authorization", "Bearer " + hidden}, {"X-API-KEY", hidden}, {"Cookie", "sid=" + hidden}, {"Ocp-Apim-Subscription-Key", hidden}, {"Referer", "http://h/?token=" + hidden}, {"X-Own", hidden}}}},
		"coded":     {wiretest.Text(200, zipped.String(), [2]string{"Content-Encoding", "gzip"}, [2]string{"Content-Type", "application/json"}), nil},
		"trailers":  {wiretest.Send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Auth-Token: " + hidden + "\r\n\r\n"), nil},
	}
	for name, c := range calls {
		server := wiretest.Origin(t, c.reply)
		var lines bytes.Buffer
		path := filepath.Join(t.TempDir(), "tape.json")
		tape, err := adapters.Cassette(path, adapters.RecordAll)
		if err != nil {
			t.Fatal(err)
		}
		s := requests.NewSession()
		s.TrustEnv = false
		s.Mount("http://", adapters.Chain(requests.NewHTTPAdapter(), adapters.Logging(slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{Level: slog.LevelDebug}))), tape))
		url := strings.Replace(server.URL("/?token="+hidden+"&sig="+hidden+"#access_token="+hidden), "//", "//ada:"+hidden+"@", 1)
		if _, err := s.Post(t.Context(), url, c.options...); err != nil {
			t.Fatal(name, err)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(name, err)
		}
		log := lines.String()
		if name == "headers" {
			log = strings.ReplaceAll(log, "request.x-own="+hidden, "") // only the cassette was told of it
		}
		for what, text := range map[string]string{"file": string(data), "log": log} {
			for _, form := range []string{hidden, "YWRhOmh1bnRlcjI", "OmxhbjpodW50ZXIy"} {
				if i := strings.Index(text, form); i >= 0 {
					t.Errorf("%s: the %s has the secret: …%s", name, what, text[max(0, i-60):i+len(form)])
				}
			}
		}
		s.Close()
	}
}

// TestRule39Mock: what a mock has to say of requests that do not fit has no secrets.
func TestRule39Mock(t *testing.T) {
	m := adapters.NewMock()
	m.On("GET", "http://ada:"+hidden+"@h.test/?token="+hidden+"1")
	m.On("GET", "http://h.test/a", adapters.Match{Headers: requests.Headers{{"Authorization", "Bearer " + hidden + "1"}}})
	m.On("POST", "http://h.test/b", adapters.Match{Form: requests.Form{{"password", hidden + "1"}}}, adapters.Match{Query: requests.Params{{"api_key", hidden + "1"}}})
	m.On("POST", "http://h.test/c", adapters.Match{Body: []byte("password=" + hidden + "1")})
	m.On("POST", "http://h.test/d", adapters.Match{JSON: map[string]string{"password": hidden + "1"}})
	s := requests.NewSession()
	defer s.Close()
	s.TrustEnv = false
	s.Mount("http://", m)
	var texts []string
	for _, call := range []struct {
		method, url string
		option      requests.Option
	}{
		{"GET", "http://h.test/?token=" + hidden, nil}, {"GET", "http://h.test/a", requests.Authenticate(requests.BearerAuth(hidden))},
		{"POST", "http://h.test/b?api_key=" + hidden, requests.Form{{"password", hidden}}}, {"POST", "http://h.test/c", requests.Form{{"password", hidden}}},
		{"POST", "http://h.test/d", requests.JSON(map[string]string{"password": hidden})},
	} {
		_, err := s.Request(t.Context(), call.method, call.url, call.option)
		if !errors.Is(err, requests.ErrConnection) {
			t.Fatal(err)
		}
		texts = append(texts, err.Error())
	}
	for _, text := range append(texts, m.Check().Error()) {
		if strings.Contains(text, hidden) {
			t.Errorf("the secret is in %s", text)
		}
	}
}

// TestRule38Cassette: a link instead of a cassette is replaced and not followed, and
// the file is its owner's alone.
func TestRule38Cassette(t *testing.T) {
	dir := t.TempDir()
	target, path := filepath.Join(dir, "target"), filepath.Join(dir, "tape.json")
	if err := os.WriteFile(target, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, path); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	server := wiretest.Origin(t)
	tape, err := adapters.Cassette(path, adapters.RecordAll)
	if err != nil {
		t.Fatal(err)
	}
	s := requests.NewSession()
	defer s.Close()
	s.TrustEnv = false
	s.Mount("http://", adapters.Chain(requests.NewHTTPAdapter(), tape))
	if _, err := s.Get(t.Context(), server.URL("/")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	precious, _ := os.ReadFile(target)
	entries, _ := os.ReadDir(dir)
	got := []any{string(precious), info.Mode().String(), len(entries)}
	if diff := cmp.Diff([]any{"precious", "-rw-------", 2}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
