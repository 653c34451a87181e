package requests_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// TestManyFieldsAreLinear: 64,000 fields are sent in seconds; at the quadratic pace of 0.9 s for 8,000 it would be a minute.
func TestManyFieldsAreLinear(t *testing.T) {
	const count = 64_000
	s := newTestSession(t)
	server := wiretest.Start(t, wiretest.Config{Conn: func(c net.Conn) {
		lines := bufio.NewScanner(c)
		for n := 0; lines.Scan(); n++ {
			if lines.Text() == "" {
				fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nX-Lines: %d\r\nContent-Length: 0\r\n\r\n", n)
				n = -1
			}
		}
	}})
	fields, header := make(requests.Headers, 0, count), make(http.Header, count)
	for i := range count {
		name := fmt.Sprint("X-", i)
		fields, header[name] = append(fields, [2]string{name, "1"}), []string{"1"}
	}
	start := time.Now()
	r, err := s.Get(t.Context(), server.URL("/"), fields)
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := strconv.Atoi(r.Headers.Get("X-Lines")); n <= count {
		t.Errorf("%d lines arrived", n)
	}
	req, err := http.NewRequestWithContext(t.Context(), "GET", server.URL("/"), nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	resp, err := s.RoundTripper().RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if n, _ := strconv.Atoi(resp.Header.Get("X-Lines")); n <= count {
		t.Errorf("%d lines arrived under net/http", n)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("took %v", took)
	}
}

// TestOverlay: many fields are laid over a session's as few are.
func TestOverlay(t *testing.T) {
	s := newTestSession(t)
	s.Headers = requests.Headers{{"A", "0"}, {"Keep", "0"}, {"a", "1"}, {"B", "0"}}
	over := requests.Headers{{"X", "1"}, {"b", "1"}, {"A", "2"}, {"a", "3"}, {"x", "2"}, {"C", "1"}}
	want := requests.Headers{{"A", "2"}, {"Keep", "0"}, {"b", "1"}, {"X", "1"}, {"a", "3"}, {"x", "2"}, {"C", "1"}}
	for _, more := range []int{0, 100} {
		for i := range more {
			f := [2]string{fmt.Sprint("More-", i), "1"}
			over, want = append(over, f), append(want, f)
		}
		p, err := s.Prepare(&requests.Request{Method: "GET", URL: "http://a.test/", Headers: over})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, p.Headers); diff != "" {
			t.Errorf("with %d more (-want +got)\n%s", more, diff)
		}
	}
}
