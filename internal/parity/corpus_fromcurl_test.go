package parity

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/cases"
)

// TestFromCurl plays curl's own tests as commands: what FromCurl reads must send what curl sends.
func TestFromCurl(t *testing.T) {
	var file struct {
		Cases []json.RawMessage `json:"cases"`
	}
	cases.Corpus(t, "curlcmd.json", &file)
	tl := newTally(t)
	for _, raw := range file.Cases {
		runCase(t, tl, "curlcmd", caseID(t, raw), raw, func(t *testing.T, c curlCase) string {
			if why := c.Action.curlOnly() + c.notInOneCommand(); why != "" {
				t.Skip(why)
			}
			t.Parallel()
			return c.runCommand(t)
		})
	}
}

// notInOneCommand tells what is about the session, about adapters, or about several requests.
func (c *curlCase) notInOneCommand() string {
	a := &c.Action
	switch {
	case len(a.expandedURLs()) > 1:
		return "several requests"
	case a.Auth != nil && a.Auth.Kind != "basic" && a.Auth.Kind != "digest" && a.Auth.Kind != "bearer", a.Proxy != nil && (a.Proxy.AuthKind != "" || a.Proxy.Tunnel):
		return "toolbelt.GuessAuth, or a setting of the proxy"
	case a.Cookies != nil && len(a.Cookies.Load) > 0 && strings.HasPrefix(string(c.Files[a.Cookies.Load[0]]), "HTTP/"):
		return "cookies of a file of heads"
	}
	if slices.ContainsFunc(a.Multipart, func(p curlPart) bool { return p.File+p.ValueFromFile == "-" }) {
		return "standard input"
	}
	for _, name := range []string{"resume_from", "upload_stdin", "send_credentials_to_other_hosts", "resolve", "proxy_headers"} {
		if a.Options[name] != nil {
			return name + " is of no request"
		}
	}
	return ""
}

// runCommand writes the command and sends what it asks for.
func (c *curlCase) runCommand(t *testing.T) string {
	c.dropWithheld()
	srv := c.serve(t)
	s := requests.NewSession()
	defer s.Close()
	s.TrustEnv = false
	if n, ok := c.Action.option("max_redirects"); ok {
		fmt.Sscan(n, &s.MaxRedirects)
	}
	r, err := requests.FromCurl(c.command(t, srv))
	if err != nil {
		return err.Error()
	}
	ctx, cancel := context.WithTimeout(t.Context(), callLimit)
	defer cancel()
	if resp, err := s.Do(ctx, r); err == nil {
		resp.Close()
	}
	srv.mu.Lock()
	defer srv.mu.Unlock()
	return c.compare(srv.sent)
}

// command writes what the action stands for.
func (c *curlCase) command(t *testing.T, srv *curlServer) string {
	a := &c.Action
	words := []string{"curl", srv.here(a.URLs[0])}
	flag := func(values ...string) { words = append(words, values...) }
	if a.Follow {
		flag("-L")
	}
	for _, h := range a.Headers {
		flag("-H", h)
	}
	for _, d := range a.Data {
		flag("--data-raw", d.Raw)
	}
	for _, p := range a.Multipart {
		flag("-F", p.Name+"="+c.here(t, p.Spec, p.File+p.ValueFromFile))
	}
	if name, ok := a.option("upload_file"); ok {
		flag("-T", c.write(t, name))
	}
	if a.Options["data_in_query"] != nil {
		flag("-G")
	}
	if bytes, ok := a.option("range"); ok {
		flag("-r", bytes)
	}
	a.methodFlag(flag)
	c.trustFlags(t, srv, flag)
	return shell(words)
}

// methodFlag names a method that does not follow from the other flags.
func (a *curlAction) methodFlag(flag func(...string)) {
	body := len(a.Data) > 0 && a.Options["data_in_query"] == nil || a.Multipart != nil
	switch {
	case a.Method == "HEAD":
		flag("-I")
	case a.Method == "POST" && body, a.Method == "GET" && !body, a.Method == "PUT" && a.Options["upload_file"] != nil:
	default:
		flag("-X", a.Method)
	}
}

// trustFlags are those about cookies, credentials and the proxy.
func (c *curlCase) trustFlags(t *testing.T, srv *curlServer, flag func(...string)) {
	a := &c.Action
	if a.Cookies != nil {
		for _, send := range a.Cookies.Send {
			flag("-b", send)
		}
		for _, name := range a.Cookies.Load {
			c.Files[name] = []byte(srv.here(string(c.Files[name])))
			flag("-b", c.write(t, name))
		}
	}
	if a.Proxy != nil {
		flag("-x", srv.here(a.Proxy.URL))
		if a.Proxy.Credentials != "" {
			flag("--proxy-user", a.Proxy.Credentials)
		}
	}
	switch {
	case a.Auth == nil:
	case a.Auth.Kind == "bearer":
		flag("--oauth2-bearer", a.Auth.Token)
	default:
		flag("-u", a.Auth.Credentials, "--"+a.Auth.Kind)
	}
}

// here names a file of the case by where it has been written.
func (c *curlCase) here(t *testing.T, spec, name string) string {
	if name == "" || name == "-" {
		return spec
	}
	return strings.Replace(spec, name, c.write(t, name), 1)
}

func (c *curlCase) write(t *testing.T, name string) string {
	path := filepath.Join(t.TempDir(), filepath.Base(name))
	if err := os.WriteFile(path, c.Files[name], 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// shell quotes words.
func shell(words []string) string {
	for i, w := range words {
		words[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
	}
	return strings.Join(words, " ")
}
