package cache

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
)

// step is one request of a story, and what has to come of it.
type step struct {
	after  time.Duration // to wait before it
	method string        // GET if empty
	path   string        // of origin.test, or a URL
	send   requests.Headers
	origin reply  // what the server would say
	want   string // status of the cache, status code and body
	asked  string // what the server saw: "" for nothing, else the method and the conditions
}

// reply is what a server says. Its Date is now, unless it has one.
type reply struct {
	status  int // 200 if 0
	headers requests.Headers
	body    string
	err     error
}

// says is a 200 with a body and a Cache-Control.
func says(body, control string, more ...[2]string) reply {
	h := requests.Headers(more)
	if control != "" {
		h = append(requests.Headers{{"Cache-Control", control}}, h...)
	}
	return reply{headers: h, body: body}
}

// story is a server, and a cache in front of it.
type story struct {
	t       *testing.T
	adapter requests.Adapter
	now     reply
	asked   []string
}

func newStory(t *testing.T, options ...Option) *story {
	s := &story{t: t}
	s.adapter = New(Memory(1<<20), options...)(requests.AdapterFunc(s.serve))
	t.Cleanup(func() { _ = s.adapter.Close() })
	return s
}

func (s *story) serve(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
	seen := p.Method
	for _, name := range []string{"If-None-Match", "If-Modified-Since", "Range"} {
		if v := p.Headers.Get(name); v != "" {
			seen += " " + name + ": " + v
		}
	}
	s.asked = append(s.asked, seen)
	if s.now.err != nil {
		return nil, s.now.err
	}
	headers := s.now.headers.Clone()
	if !headers.Has("Date") {
		headers.Add("Date", date(0))
	}
	return requests.NewResponse(p, max(200, s.now.status), headers, io.NopCloser(strings.NewReader(s.now.body))), nil
}

// date is now and so much as HTTP writes it.
func date(offset time.Duration) string { return time.Now().Add(offset).UTC().Format(http.TimeFormat) }

func (s *story) request(st step) *requests.PreparedRequest {
	s.t.Helper()
	method := st.method
	if method == "" {
		method = "GET"
	}
	url := "http://origin.test/" + st.path
	if strings.Contains(st.path, "://") {
		url = st.path
	}
	p, err := (&requests.Request{Method: method, URL: url, Headers: st.send}).Prepare()
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// play makes the request of a step, and compares.
func (s *story) play(st step) *requests.Response {
	s.t.Helper()
	time.Sleep(st.after)
	synctest.Wait()
	s.now, s.asked = st.origin, nil
	r, err := s.adapter.Send(s.t.Context(), s.request(st), requests.SendOptions{})
	synctest.Wait()
	got := "error"
	if err == nil {
		body, err := r.Content()
		if err != nil {
			s.t.Fatal(err)
		}
		got = strings.TrimSpace(fmt.Sprintf("%v %d %s", StatusOf(r), r.StatusCode, body))
	}
	if diff := cmp.Diff([]string{st.want, st.asked}, []string{got, strings.Join(s.asked, ", ")}); diff != "" {
		s.t.Errorf("%+v: response, and what the server saw (-want +got)\n%s", st, diff)
	}
	return r
}

// tell plays a story with a clock of its own.
func tell(t *testing.T, options []Option, steps ...step) {
	synctest.Test(t, func(t *testing.T) {
		s := newStory(t, options...)
		for _, st := range steps {
			s.play(st)
		}
		_ = s.adapter.Close()
	})
}
