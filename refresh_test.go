package requests_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/internal/wiretest"
)

// oauthToken has the methods of golang.org/x/oauth2's Token.
type oauthToken struct {
	AccessToken string
	Expiry      time.Time
}

func (t *oauthToken) Valid() bool {
	return t != nil && t.AccessToken != "" && (t.Expiry.IsZero() || time.Now().Before(t.Expiry))
}

func (t *oauthToken) SetAuthHeader(r *http.Request) {
	r.Header.Set("Authorization", "Bearer "+t.AccessToken)
}

// rotating is an authorization server and its client: each refresh token is good for one
// use, and each refresh revokes the token before.
type rotating struct {
	mu      sync.Mutex
	serial  int           // of the current refresh token and access token
	expires time.Duration // of access tokens, 0 for never
	refresh int           // the client's
	asked   int
	misused bool
	fail    error
}

// Token is not safe for concurrent use, and need not be.
func (s *rotating) Token() (*oauthToken, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.fail != nil {
		return nil, s.fail
	}
	s.misused = s.misused || s.refresh != s.serial
	s.serial++
	s.refresh = s.serial
	token := &oauthToken{AccessToken: fmt.Sprint("t", s.serial)}
	if s.expires != 0 {
		token.Expiry = time.Now().Add(s.expires)
	}
	return token, nil
}

// protected is a server that takes the current token alone.
func (s *rotating) protected(t *testing.T) *wiretest.Server {
	return wiretest.Start(t, wiretest.Config{Handler: func(r *wiretest.Request) wiretest.Reply {
		s.mu.Lock()
		defer s.mu.Unlock()
		if r.Get("Authorization") != fmt.Sprint("Bearer t", s.serial) {
			return wiretest.Text(401, "", [2]string{"WWW-Authenticate", `Bearer error="invalid_token"`})
		}
		return ok
	}})
}

func (s *rotating) revoke() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.serial += 1000
	s.refresh = s.serial // the refresh token stays good
}

// A token is fetched when it is needed, kept, and fetched anew once it is refused.
func TestRefreshAuth(t *testing.T) {
	source := &rotating{}
	server := source.protected(t)
	s := newTestSession(t)
	s.Auth = requests.RefreshAuth(source)
	get := func() *requests.Response {
		t.Helper()
		r, err := s.Post(t.Context(), server.URL("/"), requests.Body("body"))
		if err != nil || !r.OK() {
			t.Fatal(r, err)
		}
		return r
	}
	get()
	get()
	source.revoke()
	r := get()
	get()
	want := []string{"Bearer t1", "Bearer t1", "Bearer t1", "Bearer t1002", "Bearer t1002"}
	if diff := cmp.Diff(want, values(server, "Authorization")); diff != "" || source.asked != 2 || len(r.History) != 1 {
		t.Errorf("asked %d times, history %v (-want +got):\n%s", source.asked, r.History, diff)
	}
	for _, got := range bodies(server) {
		if got != "body" {
			t.Errorf("sent %q", bodies(server))
		}
	}
}

// Sixty-four requests whose token is refused at once share one refresh, or a rotating
// refresh token would be used twice.
func TestRefreshAuthConcurrently(t *testing.T) {
	source := &rotating{}
	server := source.protected(t)
	s := newTestSession(t)
	s.Auth = requests.RefreshAuth(source)
	for range 3 {
		var wg sync.WaitGroup
		for range 64 {
			wg.Go(func() {
				if r, err := s.Get(t.Context(), server.URL("/")); err != nil || !r.OK() {
					t.Error(r, err)
				}
			})
		}
		wg.Wait()
		source.revoke()
	}
	if source.misused || source.asked != 3 {
		t.Errorf("asked %d times, want 3; misused: %t", source.asked, source.misused)
	}
}

// An expired token is not sent.
func TestRefreshAuthExpiry(t *testing.T) {
	source := &rotating{expires: time.Nanosecond}
	server := source.protected(t)
	var token *oauthToken
	a := requests.RefreshAuth(requests.TokenFunc[*oauthToken](func() (_ *oauthToken, err error) {
		token, err = source.Token()
		token.Expiry = time.Now().Add(time.Hour)
		return token, err
	}))
	for range 2 {
		if r, err := newTestSession(t).Get(t.Context(), server.URL("/"), requests.Authenticate(a)); err != nil || !r.OK() {
			t.Fatal(r, err)
		}
		token.Expiry = time.Now()
	}
	if diff := cmp.Diff([]string{"Bearer t1", "Bearer t2"}, values(server, "Authorization")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What a source does wrong comes back, to everybody who waits, and nothing hangs.
func TestRefreshAuthSourceFails(t *testing.T) {
	source := &rotating{fail: errors.New("no network")}
	server := source.protected(t)
	s := newTestSession(t)
	s.Auth = requests.RefreshAuth(source)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := s.Get(t.Context(), server.URL("/")); !errors.Is(err, source.fail) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := len(server.Requests()); got != 0 {
		t.Errorf("%d requests", got)
	}
	var first atomic.Bool
	first.Store(true)
	panics := requests.RefreshAuth(requests.TokenFunc[*requests.Bearer](func() (*requests.Bearer, error) {
		if first.Swap(false) {
			panic("source")
		}
		return requests.BearerAuth("t0"), nil
	}))
	caught := func() (got any) {
		defer func() { got = recover() }()
		_, _ = s.Get(t.Context(), server.URL("/"), requests.Authenticate(panics))
		return nil
	}()
	if _, err := s.Get(t.Context(), server.URL("/"), requests.Authenticate(panics)); caught != "source" || err != nil {
		t.Errorf("panic %v, then %v", caught, err)
	}
	for name, bad := range map[string]requests.Auth{
		"nil":     requests.RefreshAuth[*oauthToken](nil),
		"invalid": requests.RefreshAuth(requests.TokenFunc[*oauthToken](func() (*oauthToken, error) { return nil, nil })),
		"empty":   requests.RefreshAuth(requests.TokenFunc[*requests.Bearer](func() (*requests.Bearer, error) { return &requests.Bearer{}, nil })),
	} {
		if _, err := s.Get(t.Context(), server.URL("/"), requests.Authenticate(bad)); !errors.Is(err, requests.ErrInvalidArgument) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A source that has nothing better leaves the 401 as it is; so does a foreign origin.
func TestRefreshAuthLeaves401(t *testing.T) {
	refusing := wiretest.Origin(t, wiretest.Text(401, ""))
	fixed := requests.RefreshAuth(requests.TokenFunc[*requests.Bearer](func() (*requests.Bearer, error) { return requests.BearerAuth("same"), nil }))
	s := newTestSession(t)
	if r, err := s.Get(t.Context(), refusing.URL("/"), requests.Authenticate(fixed)); err != nil || r.StatusCode != 401 || len(refusing.Requests()) != 1 {
		t.Errorf("%v, %v after %d requests", r, err, len(refusing.Requests()))
	}
	source := &rotating{}
	foreign := source.protected(t)
	home := wiretest.Origin(t, redirect(foreign.URL("/")))
	if r, err := s.Get(t.Context(), home.URL("/"), requests.Authenticate(requests.RefreshAuth(source))); err != nil || r.StatusCode != 401 || source.asked != 1 {
		t.Errorf("%v, %v, asked %d times", r, err, source.asked)
	}
	if diff := cmp.Diff([]string{"-"}, values(foreign, "Authorization")); diff != "" {
		t.Errorf("the foreign origin (-want +got):\n%s", diff)
	}
}

// TestRefreshAuthWaits: a caller waits for the source within its own context and Timeouts.Total,
// on a session, a call and a mount; the source is asked once, and its token is kept.
func TestRefreshAuthWaits(t *testing.T) {
	for way, mount := range map[string]func(*requests.Session, requests.Auth) []requests.Option{
		"session": func(s *requests.Session, a requests.Auth) []requests.Option { s.Auth = a; return nil },
		"call": func(_ *requests.Session, a requests.Auth) []requests.Option {
			return []requests.Option{requests.Authenticate(a)}
		},
		"in a function": func(s *requests.Session, a requests.Auth) []requests.Option {
			s.Auth = requests.AuthFunc(a.Authenticate)
			return nil
		},
		"mount": func(s *requests.Session, a requests.Auth) []requests.Option {
			s.Mount("http://", adapters.Authenticate(a)(requests.NewHTTPAdapter()))
			return nil
		},
	} {
		asked, release := 0, make(chan struct{})
		a := requests.RefreshAuth(requests.TokenFunc[*oauthToken](func() (*oauthToken, error) {
			asked++
			<-release
			return &oauthToken{AccessToken: "t"}, nil
		}))
		server := wiretest.Start(t, wiretest.Config{Handler: func(*wiretest.Request) wiretest.Reply { return ok }})
		s := newTestSession(t)
		options := mount(s, a)
		canceled, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		_, total := s.Get(t.Context(), server.URL("/"), append(options, requests.Timeouts{Total: 10 * time.Millisecond})...)
		_, ended := s.Get(canceled, server.URL("/"), options...)
		if !errors.Is(total, requests.ErrTotalTimeout) || !errors.Is(ended, context.DeadlineExceeded) {
			t.Errorf("%s: %v, %v", way, total, ended)
		}
		close(release)
		if r, err := s.Get(t.Context(), server.URL("/"), options...); err != nil || r.Request.Headers.Get("Authorization") != "Bearer t" && way != "mount" || asked != 1 {
			t.Errorf("%s: %v; asked %d times", way, err, asked)
		}
		if diff := cmp.Diff([]string{"Bearer t"}, values(server, "Authorization")); diff != "" {
			t.Errorf("%s (-want +got)\n%s", way, diff)
		}
	}
}
