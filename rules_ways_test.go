package requests_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/internal/wiretest"
)

// TestRule13Ways: nothing leads from https to http, however redirects are followed; if
// Policy allows it, credentials stay behind.
func TestRule13Ways(t *testing.T) {
	for way, walk := range walkers {
		w := newWorld(t)
		s := w.session(t)
		headers := requests.Headers{{"Authorization", "secret"}, {"Cookie", "k=v"}}
		for _, places := range [][]string{
			{"https://example.com/", "http://example.com/away"},
			{"https://example.com/", "https://other.test/away", "http://other.test/away"},
			{"http://example.com/", "https://example.com/", "http://example.com/away"},
			{"https://example.com/", "HTTP://example.com/away"},
		} {
			err := walk(t.Context(), s, "POST", chain(307, places...), headers)
			if way != "Next by hand" && !errors.Is(err, requests.ErrRedirectDowngrade) {
				t.Errorf("%s along %v: %v", way, places, err)
			}
			for _, c := range w.took() {
				if strings.HasPrefix(c.at, "http://") && strings.HasSuffix(c.at, "/away") {
					t.Errorf("%s was led to %s", way, c.at)
				}
			}
		}
		s.Policy.AllowDowngrade = true
		if err := walk(t.Context(), s, "GET", chain(307, "https://example.com/", "http://example.com/away"), headers); err != nil {
			t.Fatal(way, err)
		}
		calls := w.took()
		last := calls[len(calls)-1]
		if diff := cmp.Diff([]string{"http://example.com/away", "-", "-"}, []string{last.at, last.get("Authorization"), last.get("Cookie")}); diff != "" {
			t.Errorf("%s, allowed (-want +got)\n%s", way, diff)
		}
	}
}

// TestRule42Ways: no way of following redirects leads to an adapter for something else
// than http and https.
func TestRule42Ways(t *testing.T) {
	for way, walk := range walkers {
		for _, target := range []string{"file:///etc/passwd", "FILE:///etc/passwd", "file:/etc/passwd", " file:///etc/passwd", "data:text/plain,x", "http+unix://%2Ftmp%2Fx/", "unix:///tmp/x", "httpx://example.com/"} {
			w := newWorld(t)
			s := w.session(t)
			reached := false
			s.Mount("", requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
				reached = true
				return requests.NewResponse(p, 200, nil, nil), nil
			}))
			err := walk(t.Context(), s, "GET", chain(302, "http://example.com/", target), nil)
			if reached || err == nil && way != "Next by hand" {
				t.Errorf("%s to %q: %v, reached: %v", way, target, err, reached)
			}
		}
	}
}

// TestRule42AdapterTransport: nor does an http.Client over a single adapter.
func TestRule42AdapterTransport(t *testing.T) {
	var seen []string
	a := requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		seen = append(seen, p.URL)
		return requests.NewResponse(p, 302, requests.Headers{{"Location", "file:///etc/passwd"}}, nil), nil
	})
	_, err := (&http.Client{Transport: requests.AdapterTransport(a)}).Get("http://example.com/")
	if diff := cmp.Diff([]string{"http://example.com/"}, seen); diff != "" || !errors.Is(err, requests.ErrRedirectScheme) {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}

// TestRule42UnixSocket: a Unix socket that is mounted for a host name is not a target of
// other servers' redirects; its own lead back to it.
func TestRule42UnixSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Skip("this system has no Unix sockets to listen on: ", err)
	}
	var seen []string
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.URL.Path)
		if r.URL.Path == "/own" {
			http.Redirect(w, r, "/followed", http.StatusFound)
		}
	})}
	go server.Serve(listener)
	defer server.Close()
	for way, walk := range walkers {
		w := newWorld(t)
		s := w.session(t)
		unix, err := adapters.Unix(path)
		if err != nil {
			t.Fatal(err)
		}
		s.Mount("http://docker/", unix)
		s.Mount("http+unix://", adapters.UnixURLs())
		for _, to := range []string{"http://docker/secret", "http://docker:80/secret", "http+unix://" + strings.ReplaceAll(path, "/", "%2F") + "/secret"} {
			if err := walk(t.Context(), s, "GET", chain(302, "http://example.com/", to), nil); err == nil && way != "Next by hand" {
				t.Errorf("%s to %s: %v", way, to, err)
			}
		}
		if err := walk(t.Context(), s, "GET", "http://docker/own", nil); err != nil {
			t.Errorf("%s: %v", way, err)
		}
		s.Close()
	}
	for _, path := range seen {
		if path == "/secret" {
			t.Errorf("the socket was reached: %q", seen)
		}
	}
}

// TestRule42FileAdapter: a directory mounted for an http URL serves nothing.
func TestRule42FileAdapter(t *testing.T) {
	file := wiretest.File(t, "f.txt", []byte("content"))
	a, err := adapters.File(filepath.Dir(file))
	if err != nil {
		t.Fatal(err)
	}
	s := newSession(t)
	s.Mount("http://localhost/", a)
	s.Mount("file://", a)
	if r, err := s.Get(t.Context(), "http://localhost/f.txt"); err == nil {
		t.Errorf("served over http: %v", r)
	}
	if r, err := s.Get(t.Context(), "file:///f.txt"); err != nil || !r.OK() {
		t.Errorf("file: %v, %v", r, err)
	}
}
