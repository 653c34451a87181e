package toolbelt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/bounded"
	"github.com/mountable/requests/internal/redirect"
	"github.com/mountable/requests/internal/secret"
	"github.com/mountable/requests/internal/uri"
)

// SessionFileOption says what [SaveSession] writes besides settings and cookies.
type SessionFileOption uint8

// The options.
const (
	SessionSecrets SessionFileOption = 1 << iota // secret headers and params, and the passwords of URLs
	SessionHSTS                                  // the hosts that want https only
)

// sessionFile is what is written. Lists of pairs are written as such: the types of package
// requests mask their secrets.
type sessionFile struct {
	Version      int                 `json:"version"`
	BaseURL      string              `json:"base_url,omitempty"`
	Headers      [][2]string         `json:"headers"`
	Params       [][2]string         `json:"params,omitempty"`
	Proxies      map[string]string   `json:"proxies,omitempty"`
	Verify       string              `json:"verify,omitempty"` // "on", "off", or "bundle" with its path
	Bundle       string              `json:"bundle,omitempty"`
	Cert         []string            `json:"cert,omitempty"` // the files of certificate and key
	NoCert       bool                `json:"no_cert,omitempty"`
	Stream       bool                `json:"stream,omitempty"`
	Raise        bool                `json:"raise_for_status,omitempty"`
	Timeouts     requests.Timeouts   `json:"timeouts"`
	Limits       requests.Limits     `json:"limits"`
	MaxRedirects int                 `json:"max_redirects"`
	TrustEnv     bool                `json:"trust_env"`
	Policy       requests.Policy     `json:"policy"`
	Cookies      *requests.CookieJar `json:"cookies,omitempty"`
	HSTS         string              `json:"hsts,omitempty"`
}

const (
	sessionVersion = 1
	maxSessionFile = 32 << 20 // more than any jar has
)

// SaveSession writes the settings of a session and its cookies to the named file, readable by
// its owner only; an older file, or a link, is replaced once the new one is complete.
//
// Secrets are left out, unless [SessionSecrets] is given: headers and params called after keys,
// tokens and passwords ([requests.AddSecretNames] adds names), the user info of URLs, and the
// query of a BaseURL that holds one. What is of one host only stays with it: headers that no
// redirect could carry to another host, secret params and a client certificate need a BaseURL,
// to whose origin the session that is loaded is bound, as this one is. The credentials of a
// proxy go to it alone, and cookies to their domain; those without one are left out.
//
// Auth, hooks, functions and mounts are code, and are not written; nor is the password of a
// certificate. What needs a BaseURL and has none, what is not UTF-8, a CA bundle or a
// certificate that is not in files, and a path in BaseURL that holds a secret which was not
// asked for, a header that cannot be sent, and a negative time limit are [requests.ErrInvalidArgument]; what the system says is [requests.ErrFile].
func SaveSession(s *requests.Session, path string, options ...SessionFileOption) error {
	var all SessionFileOption
	for _, o := range options {
		all |= o
	}
	if s == nil {
		return invalid("SaveSession: the session is nil")
	}
	file, err := sessionSettings(s, all&SessionSecrets != 0)
	if err != nil {
		return err
	}
	if all&SessionHSTS != 0 && s.HSTS != nil {
		text, err := s.HSTS.MarshalText()
		if err != nil {
			return err
		}
		file.HSTS = string(text)
	}
	text, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return err
	}
	if len(text) > maxSessionFile {
		return invalid("SaveSession: %d bytes are more than the %d that can be loaded", len(text), maxSessionFile)
	}
	return replaceFile(path, text)
}

// replaceFile writes a file that only its owner may read.
func replaceFile(path string, text []byte) error {
	f, err := createFile(path, &download{overwrite: true, mode: 0o600})
	if err != nil {
		return err
	}
	defer f.discardUncommitted()
	if _, err := f.Write(text); err != nil {
		return err
	}
	return f.commit()
}

func sessionSettings(s *requests.Session, secrets bool) (*sessionFile, error) {
	f := &sessionFile{
		Version: sessionVersion, BaseURL: s.BaseURL, Stream: s.Stream, Raise: s.RaiseForStatus, Timeouts: s.Timeouts, Limits: s.Limits,
		MaxRedirects: s.MaxRedirects, TrustEnv: s.TrustEnv, Policy: s.Policy, Cookies: s.Cookies,
		Headers: s.Headers.Clone(), Params: s.Params, Proxies: map[string]string{},
	}
	for key, proxy := range s.Proxies {
		f.Proxies[key] = proxy
	}
	if !secrets {
		if err := f.withoutSecrets(); err != nil {
			return nil, err
		}
	}
	if err := f.trust(s); err != nil {
		return nil, err
	}
	if err := f.bound(); err != nil {
		return nil, err
	}
	if err := f.sendable(); err != nil {
		return nil, invalid("SaveSession: %v", err)
	}
	return f, f.text()
}

// sendable makes sure that no request would fail for what the session has.
func (f *sessionFile) sendable() error {
	for _, h := range f.Headers {
		if !ascii.IsToken(h[0]) {
			return fmt.Errorf("the name of the header %.100q is not a token", h[0])
		}
		if strings.ContainsFunc(h[1], func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return fmt.Errorf("the value of the header %s has a line break or another control character", h[0])
		}
	}
	for _, d := range []struct {
		name string
		time.Duration
	}{{"Connect", f.Timeouts.Connect}, {"Read", f.Timeouts.Read}, {"Total", f.Timeouts.Total}, {"Pool", f.Timeouts.Pool}, {"Continue", f.Timeouts.Continue}} {
		if d.Duration < 0 {
			return fmt.Errorf("the %s of Timeouts is negative: %v", d.name, d.Duration)
		}
	}
	if f.MaxRedirects < 0 {
		return fmt.Errorf("MaxRedirects is negative: %d", f.MaxRedirects)
	}
	return nil
}

// withoutSecrets leaves out what is secret by its name or its place.
func (f *sessionFile) withoutSecrets() error {
	f.BaseURL = uri.StripUserinfo(f.BaseURL)
	if secret.Default().URL(f.BaseURL) != f.BaseURL { // only an empty URL would take the query along
		f.BaseURL = f.BaseURL[:strings.IndexAny(f.BaseURL+"?", "?#")]
	}
	if secret.Default().URL(f.BaseURL) != f.BaseURL {
		return invalid("SaveSession: the path of BaseURL holds a secret, and SessionSecrets is not given")
	}
	f.Headers = public(f.Headers, func(h [2]string) bool { return secret.Default().Field(h[0], h[1]) != h[1] })
	f.Params = public(f.Params, isSecretParam)
	for key, proxy := range f.Proxies {
		f.Proxies[key] = uri.StripUserinfo(proxy)
	}
	return nil
}

// isSecretParam reports whether a parameter is secret by its name, or is a URL with a secret.
func isSecretParam(p [2]string) bool {
	return secret.Is(p[0]) || strings.Contains(p[1], "://") && secret.Default().Text(p[1]) != p[1]
}

func public(pairs [][2]string, isSecret func([2]string) bool) (kept [][2]string) {
	for _, p := range pairs {
		if !isSecret(p) {
			kept = append(kept, p)
		}
	}
	return kept
}

// bound makes sure that nothing meant for one host is loaded for all.
func (f *sessionFile) bound() error {
	if f.BaseURL != "" && !f.Policy.SettingsBeyondBase {
		return nil
	}
	const bind = "would go to every host once it is loaded: give the session a BaseURL (and not Policy.SettingsBeyondBase)"
	for _, h := range f.Headers {
		if !redirect.MayCross(h[0]) || strings.EqualFold(h[0], "Authorization") {
			return invalid("SaveSession: the header %s "+bind, h[0])
		}
	}
	for _, p := range f.Params {
		if isSecretParam(p) {
			return invalid("SaveSession: the param %q, which is secret, "+bind, p[0])
		}
	}
	if len(f.Cert) > 0 {
		return invalid("SaveSession: the client certificate " + bind)
	}
	return nil
}

// text makes sure that all is text, as JSON would change the rest.
func (f *sessionFile) text() error {
	texts := [][2]string{{"BaseURL", f.BaseURL}, {"the path of the CA bundle", f.Bundle}}
	for _, path := range f.Cert {
		texts = append(texts, [2]string{"the path of the certificate", path})
	}
	for _, h := range f.Headers {
		texts = append(texts, [2]string{fmt.Sprintf("the header %q", h[0]), h[0] + h[1]})
	}
	for _, p := range f.Params {
		texts = append(texts, [2]string{fmt.Sprintf("the param %q", p[0]), p[0] + p[1]})
	}
	for key, proxy := range f.Proxies {
		texts = append(texts, [2]string{fmt.Sprintf("the proxy of %q", key), key + proxy})
	}
	for _, t := range texts {
		if !utf8.ValidString(t[1]) {
			return invalid("SaveSession: %s is not UTF-8", t[0])
		}
	}
	return nil
}

func (f *sessionFile) trust(s *requests.Session) error {
	switch v := s.Verify; {
	case v == requests.Verification{}:
	case !v.Enabled():
		f.Verify = "off"
	case v == requests.Verify(true):
		f.Verify = "on"
	case v.Bundle() != "":
		f.Verify, f.Bundle = "bundle", v.Bundle()
	default:
		return invalid("SaveSession: the CA bundle is not in a file")
	}
	cert, key := s.Cert.Files()
	switch {
	case cert != "":
		f.Cert = []string{cert, key}
	case s.Cert == requests.NoCert:
		f.NoCert = true
	case s.Cert != requests.Certificate{}:
		return invalid("SaveSession: the client certificate is not in files")
	}
	return nil
}

// LoadSession returns a new session with the settings and cookies of a file that [SaveSession]
// has written, and the adapters of [requests.NewSession]. On an error, which is
// [requests.ErrFile] and names what is wrong, there is none.
func LoadSession(path string) (*requests.Session, error) {
	f := &sessionFile{}
	err := f.read(path)
	if err == nil && f.Version != sessionVersion {
		err = fmt.Errorf("it has version %d, expected %d", f.Version, sessionVersion)
	}
	s := requests.NewSession()
	if err == nil {
		err = f.apply(s)
	}
	if err != nil {
		return nil, &requests.Error{Kind: requests.ErrFile, Err: err, Detail: "the session cannot be loaded"}
	}
	return s, nil
}

func (f *sessionFile) read(path string) error {
	text, err := bounded.ReadFile(path, maxSessionFile)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(f); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the session")
	}
	return nil
}

func (f *sessionFile) apply(s *requests.Session) error {
	if err := f.sendable(); err != nil {
		return err
	}
	if err := f.bound(); err != nil {
		return err
	}
	s.BaseURL, s.Headers, s.Params, s.Stream, s.Timeouts, s.Limits = f.BaseURL, f.Headers, f.Params, f.Stream, f.Timeouts, f.Limits
	s.MaxRedirects, s.TrustEnv, s.Policy, s.Cookies, s.RaiseForStatus = f.MaxRedirects, f.TrustEnv, f.Policy, f.Cookies, f.Raise
	if len(f.Proxies) > 0 {
		s.Proxies = f.Proxies
	}
	switch f.Verify {
	case "":
	case "on", "off":
		s.Verify = requests.Verify(f.Verify == "on")
	case "bundle":
		s.Verify = requests.CABundle(f.Bundle)
	default:
		return fmt.Errorf("verify is %q", f.Verify)
	}
	switch {
	case f.NoCert:
		s.Cert = requests.NoCert
	case len(f.Cert) == 2 && f.Cert[1] == "":
		s.Cert = requests.CertFile(f.Cert[0])
	case len(f.Cert) == 2:
		s.Cert = requests.CertFiles(f.Cert[0], f.Cert[1])
	case len(f.Cert) != 0:
		return fmt.Errorf("cert has %d files", len(f.Cert))
	}
	if f.HSTS == "" {
		return nil
	}
	s.HSTS = requests.NewHSTS()
	return s.HSTS.UnmarshalText([]byte(f.HSTS))
}
