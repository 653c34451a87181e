package requests_test

import (
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// TestSetBody: a body takes the framing of the one it replaces along, whatever that was.
func TestSetBody(t *testing.T) {
	type set = func(p *requests.PreparedRequest) error
	bytes := func(text string) set {
		return func(p *requests.PreparedRequest) error { p.SetBody([]byte(text)); return nil }
	}
	reader := func(r io.Reader) set {
		return func(p *requests.PreparedRequest) error { return p.SetBodyReader(r) }
	}
	unknown := func(text string) io.Reader { return io.MultiReader(strings.NewReader(text)) }
	for _, before := range []func() any{
		func() any { return nil }, func() any { return "text" }, func() any { return strings.NewReader("known") }, func() any { return unknown("x") },
	} {
		for _, c := range []struct {
			name, want string
			set        set
		}{
			{"no bytes", "0  ", bytes("")},
			{"bytes", "5  bytes", bytes("bytes")},
			{"a stream of known length", "5  known", reader(strings.NewReader("known"))},
			{"a stream", " chunked stream", reader(unknown("stream"))},
			{"an empty stream", " chunked ", reader(unknown(""))},
		} {
			server := wiretest.Origin(t)
			s := newTestSession(t)
			p, err := s.Prepare(&requests.Request{Method: "POST", URL: server.URL("/"), Body: before()})
			if err != nil {
				t.Fatal(err)
			}
			if err = c.set(p); err == nil {
				_, err = s.Send(t.Context(), p, requests.SendOptions{})
			}
			if err != nil {
				t.Errorf("%s instead of %T: %v", c.name, before(), err)
				continue
			}
			r := server.Requests()[0]
			got := r.Get("Content-Length") + " " + r.Get("Transfer-Encoding") + " " + r.Body
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s instead of %T (-want +got)\n%s", c.name, before(), diff)
			}
		}
	}
}
