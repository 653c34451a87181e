package appengine

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters/adaptertest"
)

// TestContract: through the service, an adapter is still one.
func TestContract(t *testing.T) {
	adaptertest.Run(t, func(t *testing.T, h http.Handler) (requests.Adapter, string) {
		server := httptest.NewServer(h)
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		t.Cleanup(server.Close)
		transport := &http.Transport{DisableCompression: true}
		t.Cleanup(transport.CloseIdleConnections)
		startHost(t, &http.Client{Transport: transport})
		return Adapter(), server.URL
	}, adaptertest.Without(adaptertest.Methods, adaptertest.Streaming, adaptertest.Trailers, adaptertest.Interim, adaptertest.Aborts, adaptertest.Host))
}

// secured is a server whose certificate nobody trusts but the client it comes with.
func secured(t *testing.T) (url string, trusting *http.Client) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "secret") }))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(server.Close)
	return server.URL, server.Client()
}

// TestCertificates: who checks them, and what the service is told.
func TestCertificates(t *testing.T) {
	url, trusting := secured(t)
	strict := trusting.Transport.(*http.Transport).Clone()
	strict.TLSClientConfig.RootCAs = nil
	t.Cleanup(strict.CloseIdleConnections)
	host := startHost(t, &http.Client{Transport: strict})
	insecure, err := InsecureAdapter()
	if err != nil {
		t.Error(err)
	}
	warned, err := InsecureAdapter(ValidateCertificate(true))
	if !errors.Is(err, ErrIgnoringCertificateValidation) {
		t.Errorf("no warning: %v", err)
	}
	for name, c := range map[string]struct {
		adapter requests.Adapter
		verify  requests.Verification
		checked bool
	}{
		"default":                  {Adapter(), requests.Verification{}, true},
		"validating":               {Adapter(ValidateCertificate(true)), requests.Verify(true), true},
		"not validating":           {Adapter(ValidateCertificate(false)), requests.Verify(true), false},
		"verify off":               {Adapter(), requests.Verify(false), false},
		"insecure":                 {insecure, requests.Verify(true), false},
		"insecure, despite asking": {warned, requests.Verify(true), false},
	} {
		s := requests.NewSession()
		s.TrustEnv = false
		s.Mount("https://", c.adapter)
		r, err := s.Get(t.Context(), url, c.verify)
		if c.checked != errors.Is(err, requests.ErrSSL) || !c.checked && (err != nil || r.StatusCode != 200) {
			t.Errorf("%s: %v, %v", name, r, err)
		}
		seen := host.requests()
		if diff := cmp.Diff(c.checked, seen[len(seen)-1].validate); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}

// TestInstall: every URL of a session goes through the service, redirects and cookies included.
func TestInstall(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.SetCookie(w, &http.Cookie{Name: "a", Value: "1", Path: "/"})
			http.Redirect(w, r, "/next", http.StatusSeeOther)
			return
		}
		io.WriteString(w, r.Header.Get("Cookie")+" "+r.Header.Get("X-Team"))
	}))
	t.Cleanup(server.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	host := startHost(t, &http.Client{Transport: transport})
	s := requests.NewSession()
	Install(s)
	s.Headers.Set("X-Team", "search")
	r, err := s.Post(t.Context(), server.URL, requests.Form{{"a", "b"}}, requests.Timeouts{Total: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	text, _ := r.Text()
	seen := host.requests()
	got := []any{text, len(seen), string(seen[0].payload), methods[seen[0].method], methods[seen[1].method], seen[0].deadline}
	if diff := cmp.Diff([]any{"a=1 search", 2, "a=b", "POST", "GET", true}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if _, err := s.Request(t.Context(), "PROPFIND", server.URL); !errors.Is(err, requests.ErrInvalidMethod) {
		t.Error(err)
	}
	if _, err := s.Get(t.Context(), "http://127.0.0.1:1/"); !errors.Is(err, requests.ErrConnection) || !strings.Contains(err.Error(), "FETCH_ERROR") {
		t.Error(err)
	}
}
