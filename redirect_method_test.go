package requests_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// TestRedirectMethods: what a redirect makes of a request (RFC 9110 sections 15.4.2 to
// 15.4.9), and what Requests makes of it.
func TestRedirectMethods(t *testing.T) {
	for status, want := range map[int]string{
		301: "POST GET - PUT PUT body PATCH PATCH body DELETE DELETE body QUERY QUERY body HEAD HEAD body",
		302: "POST GET - PUT PUT body PATCH PATCH body DELETE DELETE body QUERY QUERY body HEAD HEAD body",
		303: "POST GET - PUT GET - PATCH GET - DELETE GET - QUERY GET - HEAD HEAD -",
		307: "POST POST body PUT PUT body PATCH PATCH body DELETE DELETE body QUERY QUERY body HEAD HEAD body",
		308: "POST POST body PUT PUT body PATCH PATCH body DELETE DELETE body QUERY QUERY body HEAD HEAD body",
	} {
		testRedirectMethods(t, requests.Policy{}, status, want)
	}
	testRedirectMethods(t, requests.PolicyRequests(), 301, "POST GET - PUT PUT - PATCH PATCH - DELETE DELETE - QUERY QUERY - HEAD HEAD -")
	testRedirectMethods(t, requests.Policy{MethodsAsRequests: true}, 302, "POST GET - PUT GET - PATCH GET - DELETE GET - QUERY GET - HEAD HEAD -")
}

func testRedirectMethods(t *testing.T, policy requests.Policy, status int, want string) {
	t.Helper()
	var got []string
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "QUERY", "HEAD"} {
		server := wiretest.Start(t, wiretest.Config{Handler: func(r *wiretest.Request) wiretest.Reply {
			if r.Target == "/n" {
				return wiretest.Send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			}
			return wiretest.Send(fmt.Sprintf("HTTP/1.1 %d Moved\r\nLocation: /n\r\nContent-Length: 0\r\n\r\n", status))
		}})
		s := newTestSession(t)
		s.Policy = policy
		r, err := s.Request(t.Context(), method, server.URL("/"), requests.Body("body"))
		if err != nil {
			t.Fatal(method, err)
		}
		sent := server.Requests()[1]
		got = append(got, method, sent.Method, or(sent.Body, "-"))
		if sent.Body == "" && sent.Get("Content-Type") != "" || r.Request.Method != sent.Method {
			t.Errorf("%d: sent %q for %v", status, sent.Raw, r.Request)
		}
	}
	if diff := cmp.Diff(want, strings.Join(got, " ")); diff != "" {
		t.Errorf("%d (-want +got)\n%s", status, diff)
	}
}

// TestLocations: what counts as the target of a redirect.
func TestLocations(t *testing.T) {
	for name, c := range map[string]struct {
		fields string
		want   string // the next target, or the Kind of the error
	}{
		"one":              {"Location: /b\r\n", "/b"},
		"twice the same":   {"Location: /b\r\nlocation: /b\r\n", "/b"},
		"the same, blanks": {"Location: /b\r\nLocation:  /b \t\r\n", "/b"},
		"two":              {"Location: /b\r\nLocation: /c\r\n", "invalid header"},
		"two of three":     {"Location: /b\r\nLocation: /b\r\nLocation: /c\r\n", "invalid header"},
		"one empty":        {"Location: /b\r\nLocation:\r\n", "invalid header"},
		"blanks around":    {"Location: \t /b \t \r\n", "/b"},
		"blank inside":     {"Location: /b c\r\n", "/b%20c"},
		"latin-1":          {"Location: /caf\xe9\r\n", "/caf%E9"},
		"GBK":              {"Location: /\xd6\xd0\r\n", "/%D6%D0"},
		"latin-1 in query": {"Location: /x?q=caf\xe9#\xe9\r\n", "/x?q=caf%E9"},
		"UTF-8":            {"Location: /caf\xc3\xa9\r\n", "/caf%C3%A9"},
		"mixed":            {"Location: /\xe9/\xc3\xa9%E9\r\n", "/%E9/%C3%A9%E9"},
		"host of bytes":    {"Location: http://caf\xe9.test/\r\n", "invalid URL"},
		"wildcard":         {"Location: http://*/\r\n", "invalid URL"},
		"wildcard label":   {"Location: http://*.a.test/\r\n", "invalid URL"},
		"wildcard inside":  {"Location: http://a*b.test/\r\n", "invalid URL"},
		"leading dot":      {"Location: //.a.test/\r\n", "invalid URL"},
		"large address":    {"Location: http://256.256.256.256/\r\n", "invalid URL"},
		"five numbers":     {"Location: http://1.2.3.4.5/\r\n", "invalid URL"},
		"number at end":    {"Location: http://a.test.09/\r\n", "invalid URL"},
		"hex at end":       {"Location: http://a.0x1g.0xf/\r\n", "invalid URL"},
		"number and dot":   {"Location: http://1.2.3.4.5./\r\n", "invalid URL"},
	} {
		t.Run(name, func(t *testing.T) {
			server := wiretest.Origin(t, wiretest.Send("HTTP/1.1 302 Found\r\n"+c.fields+"Content-Length: 0\r\n\r\n"), ok)
			_, err := newTestSession(t).Get(t.Context(), server.URL("/a"))
			got := ""
			if e, ok := errors.AsType[*requests.Error](err); ok {
				got = e.Kind.Error()
			} else if sent := server.Requests(); len(sent) > 1 {
				got = sent[1].Target
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%v (-want +got)\n%s", err, diff)
			}
		})
	}
}

// TestUnfollowed: a redirect that could not be followed is not a failure where nobody wanted to.
func TestUnfollowed(t *testing.T) {
	for _, fields := range []string{"Location: /b\r\nLocation: /c\r\n", "Location: ftp://a.test/\r\n", "Location: /b\r\n"} {
		server := wiretest.Origin(t, wiretest.Send("HTTP/1.1 307 Moved\r\n"+fields+"Content-Length: 0\r\n\r\n"))
		body := io.MultiReader(strings.NewReader("once"))
		r, err := newTestSession(t).Put(t.Context(), server.URL("/"), requests.Body(body), requests.AllowRedirects(false))
		if err != nil || r.StatusCode != 307 {
			t.Errorf("%q: %v, %v", fields, r, err)
		}
	}
}
