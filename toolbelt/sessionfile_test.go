package toolbelt_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
)

// fullSession has something of everything that can be saved.
func fullSession() *requests.Session {
	s := requests.NewSession()
	s.BaseURL = "https://ada:s3cret@api.test/v1/"
	s.Headers = requests.Headers{{"User-Agent", "me"}, {"X-Team", "search"}, {"X-Api-Key", "s3cret"}, {"Authorization", "Bearer s3cret"}}
	s.Params = requests.Params{{"page", "1"}, {"token", "s3cret"}}
	s.Proxies = requests.Proxies{"https": "http://u:s3cret@proxy.test:3128"}
	s.Verify, s.Cert = requests.CABundle("/ca.pem"), requests.CertFiles("/c.pem", "/k.pem")
	s.Timeouts, s.Limits = requests.Timeouts{Total: time.Minute}, requests.Limits{MaxBody: 5}
	s.MaxRedirects, s.TrustEnv, s.Stream = 3, false, true
	s.RaiseForStatus = true
	s.Policy = requests.Policy{MethodsAsRequests: true}
	_ = s.Cookies.Set(requests.Cookie{Name: "sid", Value: "c00kie", Domain: "api.test", HostOnly: true})
	s.HSTS = requests.NewHSTS()
	_ = s.HSTS.UnmarshalText([]byte(`api.test "20990101 00:00:00"` + "\n"))
	return s
}

// TestSaveSession: what is saved is loaded, secrets only where asked for.
func TestSaveSession(t *testing.T) {
	path := filepath.Join(t.TempDir(), "session.json")
	s := fullSession()
	defer s.Close()
	for _, secrets := range []bool{false, true} {
		options := []toolbelt.SessionFileOption{toolbelt.SessionHSTS}
		if secrets {
			options = append(options, toolbelt.SessionSecrets)
		}
		if err := toolbelt.SaveSession(s, path, options...); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err != nil || strings.Contains(string(text), "s3cret") != secrets {
			t.Errorf("%v, secrets: %v\n%s", err, secrets, text)
		}
		if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
		got, err := toolbelt.LoadSession(path)
		if err != nil {
			t.Fatal(err)
		}
		want := fullSession()
		if !secrets {
			want.BaseURL, want.Headers, want.Params = "https://api.test/v1/", want.Headers[:2], want.Params[:1]
			want.Proxies = requests.Proxies{"https": "http://proxy.test:3128"}
		}
		if diff := cmp.Diff(plainly(t, want), plainly(t, got)); diff != "" {
			t.Errorf("secrets: %v (-want +got)\n%s", secrets, diff)
		}
		if got.Verify != want.Verify || got.Cert != want.Cert {
			t.Errorf("trust: %v %v", got.Verify, got.Cert)
		}
		got.Close()
		want.Close()
	}
}

// plainly shows a session with its secrets.
func plainly(t *testing.T, s *requests.Session) []string {
	t.Helper()
	hsts, err := s.HSTS.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	cookies, err := s.Cookies.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	return []string{s.BaseURL, fmt.Sprint([][2]string(s.Headers), [][2]string(s.Params), map[string]string(s.Proxies)), fmt.Sprint(s.Timeouts, s.Limits, s.MaxRedirects, s.TrustEnv, s.Stream, s.Policy, s.RaiseForStatus), string(hsts), string(cookies)}
}

// TestSavedSessionIsBound: what was meant for one host goes to that one only.
func TestSavedSessionIsBound(t *testing.T) {
	path := filepath.Join(t.TempDir(), "session.json")
	s := fullSession()
	s.Verify, s.Cert, s.Proxies = requests.Verification{}, requests.Certificate{}, nil
	if err := toolbelt.SaveSession(s, path, toolbelt.SessionSecrets); err != nil {
		t.Fatal(err)
	}
	loaded, err := toolbelt.LoadSession(path)
	if err != nil {
		t.Fatal(err)
	}
	var sent []string
	loaded.Mount("https://", requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		sent = append(sent, p.URL+" "+p.Headers.Get("X-Api-Key")+p.Headers.Get("Authorization")+p.Headers.Get("Cookie"))
		if strings.HasSuffix(p.URL, "away?page=1&token=s3cret") {
			return requests.NewResponse(p, 302, requests.Headers{{"Location", "https://other.test/to"}}, nil), nil
		}
		return requests.NewResponse(p, 200, nil, nil), nil
	}))
	for _, url := range []string{"away", "https://other.test/direct"} {
		if _, err := loaded.Get(t.Context(), url); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"https://ada:s3cret@api.test/v1/away?page=1&token=s3cret s3cretBearer s3cretsid=c00kie", "https://other.test/to ", "https://other.test/direct "}
	if diff := cmp.Diff(want, sent); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	s.BaseURL = ""
	if err := toolbelt.SaveSession(s, path); !errors.Is(err, requests.ErrInvalidArgument) || !strings.Contains(err.Error(), "X-Team") {
		t.Errorf("a header for one host, without one: %v", err)
	}
}

// TestSaveSessionErrors: what cannot be saved or loaded says so, and leaves what was there.
func TestSaveSessionErrors(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "session.json")
	for name, change := range map[string]func(*requests.Session){
		"bundle":      func(s *requests.Session) { s.Verify = requests.CABundlePEM([]byte("x")) },
		"certificate": func(s *requests.Session) { s.Cert = requests.CertPEM([]byte("x"), []byte("y")) },
	} {
		s := requests.NewSession()
		change(s)
		if err := toolbelt.SaveSession(s, path); !errors.Is(err, requests.ErrInvalidArgument) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := toolbelt.SaveSession(nil, path); !errors.Is(err, requests.ErrInvalidArgument) {
		t.Errorf("nil: %v", err)
	}
	if err := toolbelt.SaveSession(requests.NewSession(), filepath.Join(dir, "no", "such")); !errors.Is(err, requests.ErrFile) {
		t.Errorf("no directory: %v", err)
	}
	for _, text := range []string{"", "{", `{"version": 2}`, `{"version": 1, "surprise": 1}`, `{"version": 1, "verify": "perhaps"}`, `{"version": 1, "cert": ["a"]}`, `{"version": 1, "cookies": 1}`, `{"version": 1, "hsts": "nonsense"}`, `{"version": 1, "headers": [["X-Team", "a"]]}`, `{"version": 1, "params": [["token", "a"]]}`, `{"version": 1, "cert": ["a", "b"]}`, `{"version": 1} {}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err := toolbelt.LoadSession(path); !errors.Is(err, requests.ErrFile) || s != nil {
			t.Errorf("%s: %v, %v", text, s, err)
		}
	}
	if _, err := toolbelt.LoadSession(filepath.Join(dir, "missing")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
}

// TestSessionFileHasAll: a new setting of Session is saved, or here is why not.
func TestSessionFileHasAll(t *testing.T) {
	saved := strings.Fields("BaseURL Headers Params Cookies HSTS Proxies Verify Cert Stream RaiseForStatus Timeouts Limits MaxRedirects TrustEnv Policy")
	code := strings.Fields("Auth ProxyFunc Hooks Codecs OnRedirect")
	for f := range reflect.TypeFor[requests.Session]().Fields() {
		if f.IsExported() && !slices.Contains(saved, f.Name) && !slices.Contains(code, f.Name) {
			t.Errorf("%s is not saved", f.Name)
		}
	}
}

// TestLoadSessionRefuses: a file with what no request could have is refused, by name and whole.
func TestLoadSessionRefuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "session.json")
	s := requests.NewSession()
	defer s.Close()
	if err := toolbelt.SaveSession(s, path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for part, c := range map[string][2]string{
		`"headers": [`:         {`"headers": [["X-A", "a\r\nB: s3cret"], `, "X-A"},
		`"headers": [ `:        {`"headers": [["X A", "s3cret"], `, "X A"},
		`"headers": [  `:       {`"headers": [["X-N", "s3cret\u0000"], `, "X-N"},
		`"Total": 0`:           {`"Total": -1`, "the Total of Timeouts"},
		`"Continue": 0`:        {`"Continue": -1`, "the Continue of Timeouts"},
		`"max_redirects": 30,`: {`"max_redirects": -1,`, "MaxRedirects"},
	} {
		broken := strings.Replace(string(text), strings.TrimRight(part, " "), c[0], 1)
		if broken == string(text) {
			t.Fatalf("%s is not in %s", part, text)
		}
		if err := os.WriteFile(path, []byte(broken), 0o600); err != nil {
			t.Fatal(err)
		}
		loaded, err := toolbelt.LoadSession(path)
		if loaded != nil || !errors.Is(err, requests.ErrFile) || !strings.Contains(err.Error(), c[1]) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", c[0], err)
		}
	}
	s.Headers.Set("X-A", "a\nB: c")
	if err := toolbelt.SaveSession(s, path); !errors.Is(err, requests.ErrInvalidArgument) || !strings.Contains(err.Error(), "X-A") {
		t.Errorf("saved: %v", err)
	}
}
