package requests_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// bodies lists the bodies a server got.
func bodies(server *wiretest.Server) []string {
	var got []string
	for _, r := range server.Requests() {
		got = append(got, r.Body)
	}
	return got
}

// brokenSeeker knows where it stands, but cannot go back there.
type brokenSeeker struct{ io.Reader }

func (brokenSeeker) Seek(offset int64, whence int) (int64, error) {
	if whence == io.SeekCurrent {
		return 0, nil
	}
	return 0, errors.New("cannot seek")
}

func TestDigestSendsTheBodyAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("-file"), 0o600); err != nil {
		t.Fatal(err)
	}
	opened, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	if _, err := opened.Seek(1, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, qop string
		body      any
		want      []string
		err       error
	}{
		{"text", "auth", "text", []string{"text", "text"}, nil},
		{"a file from where it stands", "auth", opened, []string{"file", "file"}, nil},
		{"auth-int of text", "auth-int", "text", []string{"text", "text"}, nil},
		{"auth-int of a reader", "auth-int", strings.NewReader("reader"), []string{"reader", "reader"}, nil},
		{"an iterator", "auth", func(yield func([]byte) bool) { yield([]byte("seq")) }, []string{"seq"}, requests.ErrUnrewindableBody},
		{"a plain reader", "auth", io.MultiReader(strings.NewReader("once")), []string{"once"}, requests.ErrUnrewindableBody},
		{"auth-int of a plain reader", "auth-int", io.MultiReader(strings.NewReader("once")), []string{"once"}, requests.ErrUnrewindableBody},
		{"a seeker that cannot seek", "auth", brokenSeeker{strings.NewReader("stuck")}, []string{"stuck"}, requests.ErrUnrewindableBody},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := wiretest.Start(t, wiretest.Config{Handler: challenging(`Digest realm="r", nonce="n", qop="` + tt.qop + `"`)})
			r, err := newTestSession(t).Post(t.Context(), server.URL("/"), requests.Body(tt.body), requests.Authenticate(requests.DigestAuth("u", "p")))
			if !errors.Is(err, tt.err) {
				t.Fatalf("error %v, want %v", err, tt.err)
			}
			if e, ok := errors.AsType[*requests.Error](err); ok && (e.Response == nil || e.Response.StatusCode != 401) {
				t.Errorf("the error has the response %v", e.Response)
			}
			if diff := cmp.Diff(tt.want, bodies(server)); diff != "" {
				t.Errorf("bodies (-want +got):\n%s", diff)
			}
			if err == nil && (len(r.History) != 1 || r.History[0].StatusCode != 401) {
				t.Errorf("history %v", r.History)
			}
		})
	}
}

// The refused reply is read, so that its connection serves for the answer, and can
// be looked at in the history.
func TestDigestKeepsTheConnection(t *testing.T) {
	server := wiretest.Origin(t, wiretest.Text(401, "denied", [2]string{"WWW-Authenticate", digestChallenge}), ok)
	r, err := newTestSession(t).Get(t.Context(), server.URL("/"), requests.Authenticate(requests.DigestAuth("u", "p")), requests.Stream(true))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	refused, err := r.History[0].Text()
	if err != nil || refused != "denied" || server.Accepted() != 1 {
		t.Errorf("refused with %q, %v; %d connections", refused, err, server.Accepted())
	}
}

// A hook that answers a scheme of its own, with what Response offers for it.
func TestAnswerInAHook(t *testing.T) {
	server := wiretest.Start(t, wiretest.Config{Handler: challenging(`Custom key="k\"ey", Other abc==`)})
	s := newTestSession(t)
	var seen []requests.Challenge
	s.OnResponse(func(ctx context.Context, r *requests.Response) (*requests.Response, error) {
		if r.StatusCode != 401 || !r.Auth().MayAnswer() {
			return r, nil
		}
		seen = r.Auth().Challenges("WWW-Authenticate")
		return r.Auth().Answer(ctx, func(p *requests.PreparedRequest) error {
			key, _ := seen[0].Param("KEY")
			p.Headers.Set("Authorization", "Custom "+key)
			return nil
		})
	})
	if r, err := s.Get(t.Context(), server.URL("/")); err != nil || !r.OK() {
		t.Fatal(r, err)
	}
	want := []requests.Challenge{{Scheme: "Custom", Params: [][2]string{{"key", `k"ey`}}}, {Scheme: "Other", Token: "abc==", Params: [][2]string{}}}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("challenges (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"-", `Custom k"ey`}, values(server, "Authorization")); diff != "" {
		t.Errorf("Authorization (-want +got):\n%s", diff)
	}
}
