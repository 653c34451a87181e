package requests_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// TestVerbs: every function of the package, and every method of a session, sends its method; redirects are followed
// by all but HEAD.
func TestVerbs(t *testing.T) {
	type call func(ctx context.Context, url string, options ...requests.Option) (*requests.Response, error)
	s := newTestSession(t)
	custom := func(ctx context.Context, url string, options ...requests.Option) (*requests.Response, error) {
		r := &requests.Request{Method: "purge", URL: url}
		if err := requests.JoinOptions(options...).Apply(r); err != nil {
			return nil, err
		}
		return requests.Do(ctx, r)
	}
	for method, calls := range map[string][]call{
		"GET": {requests.Get, s.Get}, "OPTIONS": {requests.Options, s.Options}, "HEAD": {requests.Head, s.Head},
		"POST": {requests.Post, s.Post}, "PUT": {requests.Put, s.Put}, "PATCH": {requests.Patch, s.Patch},
		"DELETE": {requests.Delete, s.Delete}, "PURGE": {custom},
	} {
		for i, call := range calls {
			t.Run(fmt.Sprint(method, i), func(t *testing.T) {
				server := wiretest.Origin(t, wiretest.Text(307, "", [2]string{"Location", "/there"}), wiretest.Text(200, ""))
				want := []string{method + " /here", method + " /there"}
				if method == "HEAD" {
					want = want[:1]
				}
				_, err := call(t.Context(), server.URL("/here"), requests.NoProxy)
				got := []string{}
				for _, r := range server.Requests() {
					got = append(got, r.Method+" "+r.Target)
				}
				if diff := cmp.Diff(want, got); diff != "" || err != nil {
					t.Errorf("%v (-want +got)\n%s", err, diff)
				}
			})
		}
	}
}

// TestJSONHelpers: what is sent, what is decoded, and that a bad status or body is an error with its reply.
func TestJSONHelpers(t *testing.T) {
	server := wiretest.Start(t, wiretest.Config{Handler: func(r *wiretest.Request) wiretest.Reply {
		if r.Target == "/refused" {
			return wiretest.Text(422, `{"name": "no"}`)
		}
		return wiretest.Text(200, fmt.Sprintf(`{"name": %q}`, r.Method+" "+r.Get("Content-Type")+" "+r.Body))
	}})
	s := newTestSession(t)
	ada := User{Name: "Ada"}
	posted, err := requests.PostJSON[User](t.Context(), s, server.URL("/"), ada)
	if err != nil {
		t.Fatal(err)
	}
	want := `POST application/json {"name":"Ada"}`
	if diff := cmp.Diff(want, posted.Name); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	_, err = requests.PostJSON[User](t.Context(), s, server.URL("/refused"), ada)
	e, ok := errors.AsType[*requests.Error](err)
	if !ok || e.Kind != requests.ErrHTTP || e.Response.StatusCode != 422 {
		t.Errorf("%v is no 422", err)
	}
}
