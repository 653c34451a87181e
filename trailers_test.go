package requests_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
)

// TestTrailersFollow: trailers that a caller gives arrive behind every kind of body, and without a body they are refused.
func TestTrailersFollow(t *testing.T) {
	site := newSite(t)
	site.answering(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.ContentLength, r.Trailer["X-Sum"]) })
	for _, h2 := range []bool{false, true} {
		s := lane{site, "direct", "http", h2, "Session"}.session(t)
		for name, c := range map[string]struct {
			request requests.Request
			want    string
		}{
			"text":   {requests.Request{Body: "known"}, "[1]"},
			"JSON":   {requests.Request{JSON: 5}, "[1]"},
			"form":   {requests.Request{Form: requests.Form{{"a", "b"}}}, "[1]"},
			"length": {requests.Request{Body: strings.NewReader("known")}, "[1]"},
			"none":   {requests.Request{}, ""},
			"reader": {requests.Request{Body: io.MultiReader(strings.NewReader("some"))}, "[1]"},
		} {
			r := c.request
			r.Method, r.URL, r.Headers = "POST", "http://example.com/", requests.Headers{{"Trailer", "X-Sum"}}
			r.Trailers = func() requests.Headers { return requests.Headers{{"X-Sum", "1"}} }
			got := ""
			resp, err := s.Do(t.Context(), &r)
			if err == nil {
				got, err = resp.Text()
			}
			if want := errors.Is(err, requests.ErrInvalidBody); want != (c.want == "") {
				t.Errorf("%s, HTTP/2 %v: %v", name, h2, err)
			}
			if diff := cmp.Diff(c.want, strings.TrimLeft(got, " -0123456789")); diff != "" {
				t.Errorf("%s, HTTP/2 %v (-want +got)\n%s", name, h2, diff)
			}
		}
	}
}

// TestTrailersUnderClient: as in net/http, an http.Request's trailers are announced and sent where
// they can follow, and else not at all.
func TestTrailersUnderClient(t *testing.T) {
	site := newSite(t)
	site.answering(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, r.Header["Trailer"], r.Trailer["X-Sum"], r.ContentLength)
	})
	for _, h2 := range []bool{false, true} {
		s := lane{site, "direct", "http", h2, "Session"}.session(t)
		for name, c := range map[string]struct {
			body    io.Reader
			http1   string
			http2   string
			without bool
		}{
			"none":   {nil, "[] [] 0", "[] [1] 0", false},
			"length": {strings.NewReader("known"), "[] [] 5", "[] [1] 5", false},
			"reader": {io.MultiReader(strings.NewReader("some")), "[] [1] -1", "[] [1] -1", false},
			"plain":  {nil, "[] [] 0", "[] [] 0", true},
		} {
			req, err := http.NewRequestWithContext(t.Context(), "POST", "http://example.com/", c.body)
			if err != nil {
				t.Fatal(err)
			}
			if !c.without {
				req.Trailer = http.Header{"X-Sum": {"1"}}
			}
			resp, err := (&http.Client{Transport: s.RoundTripper()}).Do(req)
			if err != nil {
				t.Fatalf("%s, HTTP/2 %v: %v", name, h2, err)
			}
			got, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			want := c.http1
			if h2 {
				want = c.http2
			}
			if diff := cmp.Diff(want, string(got)); diff != "" {
				t.Errorf("%s, HTTP/2 %v (-want +got)\n%s", name, h2, diff)
			}
		}
	}
}
