package toolbelt_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
)

const hidden = "s3cret"

// secretSettings are the settings of a session that may hold a secret.
var secretSettings = map[string]func(*requests.Session){
	"nothing":                func(*requests.Session) {},
	"param":                  func(s *requests.Session) { s.Params = requests.Params{{"access_token", hidden}} },
	"param that is a URL":    func(s *requests.Session) { s.Params = requests.Params{{"to", "https://u:" + hidden + "@h.test/"}} },
	"header":                 func(s *requests.Session) { s.Headers.Set("X-Api-Key", hidden) },
	"authorization":          func(s *requests.Session) { s.Headers.Set("Authorization", "Bearer "+hidden) },
	"proxy":                  func(s *requests.Session) { s.Proxies = requests.Proxies{"all": "http://u:" + hidden + "@proxy.test"} },
	"proxy without a scheme": func(s *requests.Session) { s.Proxies = requests.Proxies{"all": "u:" + hidden + "@proxy.test"} },
	"certificate":            func(s *requests.Session) { s.Cert = requests.CertFiles("/c.pem", "/k.pem").WithPassword(hidden) },
	"auth":                   func(s *requests.Session) { s.Auth = &requests.Basic{Username: "u", Password: hidden} },
	"cookie": func(s *requests.Session) {
		_ = s.Cookies.Set(requests.Cookie{Name: "sid", Value: "kept", Domain: "api.test"})
	},
	"cookie without a domain":      func(s *requests.Session) { _ = s.Cookies.Set(requests.Cookie{Name: "sid", Value: hidden}) },
	"user info of the base":        func(s *requests.Session) { s.BaseURL = strings.Replace(s.BaseURL, "://", "://u:"+hidden+"@", 1) },
	"query of the base":            func(s *requests.Session) { s.BaseURL = strings.Replace(s.BaseURL, "/v1/", "/v1/?token="+hidden, 1) },
	"path of the base":             func(s *requests.Session) { s.BaseURL = strings.Replace(s.BaseURL, "/v1/", "/v1;token="+hidden+"/", 1) },
	"fragment of the base":         func(s *requests.Session) { s.BaseURL = strings.Replace(s.BaseURL, "/v1/", "/v1/#?token="+hidden, 1) },
	"param of another name":        func(s *requests.Session) { s.Params = requests.Params{{"page", "1"}} },
	"header that may go elsewhere": func(s *requests.Session) { s.Headers.Set("Accept-Language", "cy") },
}

// TestSavedSecretsAreBound: whatever a session has, a file has it only if it was asked for, and
// a loaded session takes it to no other origin than that of BaseURL. What has none is refused.
func TestSavedSecretsAreBound(t *testing.T) {
	got, want := map[string]string{}, map[string]string{}
	for name, set := range secretSettings {
		for _, base := range []string{"with a base", "without", "beyond"} {
			for _, option := range []toolbelt.SessionFileOption{0, toolbelt.SessionSecrets} {
				at := fmt.Sprint(name, ", ", base, ", ", option)
				got[at], want[at] = savedAndSent(t, base, set, option), "ok"
				bound := base == "with a base"
				switch {
				case name == "path of the base" && base != "without" && option == 0:
					want[at] = "refused"
				case name == "certificate" && !bound:
					want[at] = "refused"
				case (strings.HasPrefix(name, "param") && name != "param of another name" || name == "header" || name == "authorization") && option != 0 && !bound:
					want[at] = "refused"
				}
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// savedAndSent saves and loads a session with a setting, and says what of it came to another origin.
func savedAndSent(t *testing.T, base string, set func(*requests.Session), option toolbelt.SessionFileOption) string {
	s := requests.NewSession()
	defer s.Close()
	if base != "without" {
		s.BaseURL = "https://api.test/v1/"
	}
	s.Policy.SettingsBeyondBase = base == "beyond"
	s.TrustEnv = false
	set(s)
	path := filepath.Join(t.TempDir(), "session.json")
	if err := toolbelt.SaveSession(s, path, option); err != nil {
		if text := fmt.Sprintf("%v %+v", err, err); !errors.Is(err, requests.ErrInvalidArgument) || strings.Contains(text, hidden) {
			return text
		}
		if _, err := os.Stat(path); err == nil {
			return "refused, but written"
		}
		return "refused"
	}
	if text, err := os.ReadFile(path); err != nil || option == 0 && strings.Contains(string(text), hidden) {
		return fmt.Sprintf("%v %s", err, text)
	}
	loaded, err := toolbelt.LoadSession(path)
	if err != nil {
		return err.Error()
	}
	return elsewhere(t, loaded)
}

// elsewhere sends to another origin, directly and by a redirect, and says what secrets came there.
func elsewhere(t *testing.T, s *requests.Session) string {
	defer s.Close()
	leaked := "ok"
	s.Mount("https://", requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
		if strings.HasPrefix(p.URL, "https://other.test/") {
			cert, _ := opts.Cert.Files()
			if all := fmt.Sprint(p.URL, [][2]string(p.Headers), cert); strings.Contains(all, hidden) || p.Headers.Has("Cookie") || cert != "" {
				leaked = all
			}
			return requests.NewResponse(p, 200, nil, nil), nil
		}
		return requests.NewResponse(p, 302, requests.Headers{{"Location", "https://other.test/moved"}}, nil), nil
	}))
	for _, url := range []string{"https://api.test/v1/", "https://other.test/direct"} {
		if _, err := s.Get(t.Context(), url); err != nil {
			return err.Error()
		}
	}
	return leaked
}

// TestSaveSessionKeepsText: what JSON would change is refused, and names what it is.
func TestSaveSessionKeepsText(t *testing.T) {
	const bad = "caf\xe9"
	got := map[string]string{}
	for name, set := range map[string]func(*requests.Session){
		"header":      func(s *requests.Session) { s.Headers.Set("X-Name", bad) },
		"param":       func(s *requests.Session) { s.Params = requests.Params{{"name", bad}} },
		"base":        func(s *requests.Session) { s.BaseURL += bad },
		"proxy":       func(s *requests.Session) { s.Proxies = requests.Proxies{"all": "http://" + bad} },
		"bundle":      func(s *requests.Session) { s.Verify = requests.CABundle("/" + bad) },
		"certificate": func(s *requests.Session) { s.Cert = requests.CertFile("/" + bad) },
	} {
		s := requests.NewSession()
		s.BaseURL = "https://api.test/"
		set(s)
		err := toolbelt.SaveSession(s, filepath.Join(t.TempDir(), "session.json"))
		if !errors.Is(err, requests.ErrInvalidArgument) {
			t.Errorf("%s: %v", name, err)
		}
		_, got[name], _ = strings.Cut(fmt.Sprint(err), "SaveSession: ")
	}
	want := map[string]string{
		"header": `the header "X-Name" is not UTF-8`, "param": `the param "name" is not UTF-8`, "base": "BaseURL is not UTF-8", "proxy": `the proxy of "all" is not UTF-8`,
		"bundle": "the path of the CA bundle is not UTF-8", "certificate": "the path of the certificate is not UTF-8",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
