package requests_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// TestRedirectLeftAlone: a redirect that is not followed is a response as any other. Its body is all there, however long,
// and stays on the connection where it is streamed.
func TestRedirectLeftAlone(t *testing.T) {
	body := strings.Repeat("x", 3<<20)
	ways := map[string]func(s *requests.Session, url string, stream bool) (*requests.Response, error){
		"AllowRedirects": func(s *requests.Session, url string, stream bool) (*requests.Response, error) {
			return s.Get(t.Context(), url, requests.AllowRedirects(false), requests.Stream(stream))
		},
		"OnRedirect": func(s *requests.Session, url string, stream bool) (*requests.Response, error) {
			s.OnRedirect = func(context.Context, *requests.Response, *requests.PreparedRequest) error {
				return http.ErrUseLastResponse
			}
			return s.Get(t.Context(), url, requests.Stream(stream))
		},
		"Send": func(s *requests.Session, url string, stream bool) (*requests.Response, error) {
			p, err := s.Prepare(&requests.Request{URL: url})
			if err != nil {
				return nil, err
			}
			opts := requests.SendOptions{Redirects: requests.Off}
			if stream {
				opts.Stream = requests.On
			}
			return s.Send(t.Context(), p, opts)
		},
	}
	for _, status := range []int{301, 302, 303, 307, 308} {
		server := wiretest.Origin(t, wiretest.Text(status, body, [2]string{"Location", "/next"}))
		for name, send := range ways {
			for _, stream := range []bool{false, true} {
				t.Run(fmt.Sprint(status, "/", name, "/", stream), func(t *testing.T) {
					s := newSession(t)
					a := requests.NewHTTPAdapter()
					s.Mount("http://", a)
					r, err := send(s, server.URL("/"), stream)
					if err != nil {
						t.Fatal(err)
					}
					defer r.Close()
					if used := a.Stats().InUse; stream != (used == 1) {
						t.Errorf("streamed %t: %d connections in use", stream, used)
					}
					content, err := r.Content()
					got := []any{len(content), err, r.StatusCode, r.Next != nil && r.Next.URL == server.URL("/next")}
					if diff := cmp.Diff([]any{len(body), nil, status, true}, got); diff != "" {
						t.Errorf("(-want +got)\n%s", diff)
					}
				})
			}
		}
	}
}

// TestRedirectInHook: whoever decides about a redirect can read it first, and a redirect that is followed gives its
// connection back, read or not.
func TestRedirectInHook(t *testing.T) {
	server := wiretest.Origin(t, wiretest.Text(302, "moved", [2]string{"Location", "/next"}), wiretest.Text(200, "here"))
	s := newSession(t)
	var seen string
	s.OnRedirect = func(_ context.Context, r *requests.Response, _ *requests.PreparedRequest) (err error) {
		seen, err = r.Text()
		return err
	}
	r, err := s.Get(t.Context(), server.URL("/"))
	if err != nil {
		t.Fatal(err)
	}
	text, _ := r.Text()
	before, _ := r.History[0].Text()
	got := []any{seen, before, text, server.Accepted()}
	if diff := cmp.Diff([]any{"moved", "moved", "here", 1}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
