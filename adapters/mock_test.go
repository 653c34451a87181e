package adapters_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/adapters/adaptertest"
)

// mocked is a session on a mock.
func mocked(m *adapters.Mock) *requests.Session {
	s := requests.NewSession()
	s.Mount("", m)
	s.TrustEnv = false
	s.Mount("https://", m)
	s.Mount("http://", m)
	return s
}

func TestMockContract(t *testing.T) {
	m := adapters.NewMock()
	m.On("", "").Reply(adapters.Reply{Text: "content"})
	adaptertest.RunBasics(t, m, "http://h.test/")
}

func TestMockReplies(t *testing.T) {
	m := adapters.NewMock()
	m.On("GET", "https://api.test/users/*").Reply(adapters.Reply{JSON: map[string]int{"id": 1}}, adapters.Reply{Status: 404, Text: "gone"})
	m.On("POST", "https://api.test/**", adapters.Match{JSON: map[string]any{"a": 1, "b": []int{2}}}).Reply(adapters.Reply{Status: 201, Trailers: requests.Headers{{"X-Sum", "1"}}})
	m.On("PUT", "").ReplyFunc(func(s *adapters.Sent) adapters.Reply { return adapters.Reply{Text: s.URL + " " + string(s.Body)} })
	m.On("PATCH", "", adapters.Match{Form: requests.Form{{"a", "1"}}, Headers: requests.Headers{{"x-h", "v"}}}).Reply(adapters.Reply{Err: requests.ErrSSL})
	m.On("DELETE", "").Reply(adapters.Reply{Err: context.Canceled})
	m.On("HEAD", "https://api.test/x?b=2&a=1").Times(1).Reply(adapters.Reply{Text: "12345"})
	s := mocked(m)
	var got []string
	show := func(r *requests.Response, err error) {
		if err != nil {
			got = append(got, "error "+err.Error())
			return
		}
		text, _ := r.Text()
		got = append(got, fmt.Sprintf("%d %s %s %q %v", r.StatusCode, r.Reason, r.Headers, text, r.Trailers()))
	}
	for range 3 {
		show(s.Get(t.Context(), "https://api.test/users/7?x=1"))
	}
	show(s.Post(t.Context(), "https://api.test/a/b", requests.Body(`{"b": [2], "a":1}`)))
	show(s.Put(t.Context(), "http://h.test", requests.Body(strings.NewReader("stream"))))
	show(s.Patch(t.Context(), "http://h.test", requests.Form{{"a", "0"}, {"a", "1"}}, requests.Headers{{"X-H", "v"}}))
	show(s.Delete(t.Context(), "http://h.test"))
	show(s.Head(t.Context(), "https://api.test/x?a=1&b=2"))
	want := []string{
		`200 OK [[Content-Type application/json] [Content-Length 8]] "{\"id\":1}" []`,
		`404 Not Found [[Content-Length 4]] "gone" []`,
		`404 Not Found [[Content-Length 4]] "gone" []`,
		`201 Created [[Content-Length 0]] "" [[X-Sum 1]]`,
		`200 OK [[Content-Length 21]] "http://h.test/ stream" []`,
		`error PATCH http://h.test/: TLS error`,
		`error DELETE http://h.test/: connection error: context canceled`,
		`200 OK [[Content-Length 5]] "" []`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if err := m.Check(); err != nil || len(m.Sent()) != 8 {
		t.Errorf("%v, %d sent", err, len(m.Sent()))
	}
}

// TestMockMisses: what has no reply says what came closest, and Check what was not met.
func TestMockMisses(t *testing.T) {
	m := adapters.NewMock()
	m.On("GET", "https://api.test/a", adapters.Match{Query: requests.Params{{"page", "2"}}})
	m.On("POST", "https://api.test/b?x=1", adapters.Match{Body: []byte("yes")}).Times(2)
	once := m.On("GET", "https://api.test/once").Times(1)
	m.On("GET", "https://api.test/f", adapters.Match{Func: func(*adapters.Sent) bool { return false }})
	s := mocked(m)
	miss := func(method, url, says string, options ...requests.Option) {
		t.Helper()
		_, err := s.Request(t.Context(), method, url, options...)
		if !errors.Is(err, requests.ErrConnection) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s %s: %v, expected %q", method, url, err, says)
		}
	}
	miss("GET", "https://api.test/a", "closest is GET https://api.test/a with the parameter page=2, but the parameter page is missing")
	miss("GET", "https://api.test/a?page=1", `the parameter page is "1", expected "2"`)
	miss("POST", "https://api.test/a?page=2", "the method is POST")
	miss("POST", "https://api.test/b?x=1", `the body is "no", expected "yes"`, requests.Body("no"))
	miss("POST", "https://api.test/b?x=2", `the query is "x=2"`, requests.Body("yes"))
	miss("GET", "https://api.test/f", "GET https://api.test/f that Func takes, but Func does not take it")
	if _, err := s.Get(t.Context(), "https://api.test/once"); err != nil || len(once.Sent()) != 1 {
		t.Error(err)
	}
	miss("GET", "https://api.test/once", "it has had its 1 requests")
	err := m.Check()
	for _, says := range []string{"GET https://api.test/a with the parameter page=2: never sent", "sent 0 times, expected 2", "the mock has no response"} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("Check: %v, expected %q", err, says)
		}
	}
	_, err = mocked(adapters.NewMock()).Get(t.Context(), "http://u:secret@h.test/?token=secret")
	if err == nil || !strings.Contains(err.Error(), "nothing is expected") || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
}

func TestMockWrongArguments(t *testing.T) {
	for name, set := range map[string]func(m *adapters.Mock){
		"matcher": func(m *adapters.Mock) { m.On("", "", adapters.Match{JSON: math.NaN()}) },
		"reply":   func(m *adapters.Mock) { m.On("", "").Reply(adapters.Reply{JSON: func() {}}) },
		"times":   func(m *adapters.Mock) { m.On("", "").Times(0) },
	} {
		m := adapters.NewMock()
		set(m)
		if _, err := mocked(m).Get(t.Context(), "http://h.test/"); err == nil || m.Check() == nil {
			t.Errorf("%s: %v, %v", name, err, m.Check())
		}
	}
}

// TestMockDelays: contexts and time limits count while a reply is held back.
func TestMockDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := adapters.NewMock()
		m.On("", "").Reply(adapters.Reply{Delay: time.Minute})
		s := mocked(m)
		start := time.Now()
		if _, err := s.Get(t.Context(), "http://h.test/"); err != nil || time.Since(start) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		for kind, timeouts := range map[requests.Kind]requests.Timeouts{
			requests.ErrReadTimeout: {Read: time.Second}, requests.ErrTotalTimeout: {Total: time.Second},
		} {
			start := time.Now()
			if _, err := s.Get(t.Context(), "http://h.test/", timeouts); !errors.Is(err, kind) || time.Since(start) != time.Second {
				t.Errorf("%v: %v after %v", kind, err, time.Since(start))
			}
		}
	})
}

func TestMockPatterns(t *testing.T) {
	for pattern, urls := range map[string][2]string{ // one that fits, one that does not
		"http://h.test/":         {"http://h.test/", "http://h.test/a"},
		"http://h.test":          {"http://h.test/", "http://h.test/a"},
		"http://h.test/*":        {"http://h.test/a?q", "http://h.test/a/b"},
		"http://h.test/*/c":      {"http://h.test/b/c", "http://h.test/b/d/c"},
		"http://h.test/**":       {"http://h.test/a/b/c", "https://h.test/a"},
		"http://*/a":             {"http://any.test:80/a", "http://any.test/b/a"},
		"**/a":                   {"https://x.test/b/a", "https://x.test/a/b"},
		"http://h.test/a?b=1&c=": {"http://h.test/a?c=&b=1", "http://h.test/a?b=1"},
		"http://h.test/a?":       {"http://h.test/a", "http://h.test/a?b"},
	} {
		m := adapters.NewMock()
		m.On("", pattern)
		for i, url := range urls {
			if _, err := m.Send(t.Context(), get(url), requests.SendOptions{}); (err == nil) != (i == 0) {
				t.Errorf("%s with %s: %v", pattern, url, err)
			}
		}
	}
}
