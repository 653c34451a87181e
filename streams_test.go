package requests_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
)

// collected is what a loop has given, and how it ended.
func collected[T any](seq iter.Seq2[T, error]) (all []T, err error) {
	for v, err := range seq {
		if err != nil {
			return all, err
		}
		all = append(all, v)
	}
	return all, nil
}

// serveText serves what a function writes, and returns a session and the URL.
func serveText(t *testing.T, handle http.HandlerFunc) (*requests.Session, string) {
	server := httptest.NewServer(handle)
	t.Cleanup(server.Close)
	s := requests.NewSession()
	t.Cleanup(func() { s.Close() })
	return s, server.URL
}

// TestEvents: each event is given before the next one is sent, over both framings, and leaving
// the loop closes the response.
func TestEvents(t *testing.T) {
	for _, framing := range []string{"chunked", "until the end"} {
		seen, gone := make(chan bool), make(chan bool, 1)
		s, url := serveText(t, func(w http.ResponseWriter, r *http.Request) {
			if framing != "chunked" {
				w.Header().Set("Connection", "close")
				w.Header().Set("Transfer-Encoding", "identity")
			}
			for n := range 3 {
				fmt.Fprintf(w, "id: %d\ndata: event %d\n\n", n, n)
				w.(http.Flusher).Flush()
				select {
				case <-seen:
				case <-r.Context().Done():
				}
			}
			<-r.Context().Done()
			gone <- true
		})
		r, err := s.Get(t.Context(), url, requests.Stream(true))
		if err != nil {
			t.Fatal(err)
		}
		var got []requests.Event
		for e, err := range r.Events() {
			if err != nil {
				t.Fatal(err)
			}
			if got = append(got, e); len(got) == 3 {
				break
			}
			seen <- true
		}
		want := []requests.Event{{"message", "event 0", "0"}, {"message", "event 1", "1"}, {"message", "event 2", "2"}}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", framing, diff)
		}
		close(seen)
		<-gone // leaving the loop has closed the connection
		if _, err := r.Content(); !errors.Is(err, requests.ErrStreamConsumed) {
			t.Errorf("%s: after the loop: %v", framing, err)
		}
	}
}

// TestEventsEnd: how a loop ends that is not left.
func TestEventsEnd(t *testing.T) {
	for _, c := range []struct {
		path   string
		stream bool
		want   []requests.Event
		ends   requests.Kind
	}{
		{"/whole", true, []requests.Event{{"message", "a", ""}}, 0},
		{"/whole", false, []requests.Event{{"message", "a", ""}}, 0},
		{"/cut", true, []requests.Event{{"message", "a", ""}}, requests.ErrChunkedEncoding},
		{"/long", true, []requests.Event{{"message", "a", ""}}, requests.ErrLineTooLong},
		{"/many", true, []requests.Event{{"message", "a", ""}}, requests.ErrLineTooLong},
	} {
		s, url := serveText(t, func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, "data: a\n\ndata: b\n")
			w.(http.Flusher).Flush()
			switch r.URL.Path {
			case "/cut":
				panic(http.ErrAbortHandler)
			case "/long":
				fmt.Fprint(w, "data: ", strings.Repeat("x", 100))
			case "/many":
				fmt.Fprint(w, strings.Repeat("data: x\n", 100))
			}
		})
		r, err := s.Get(t.Context(), url+c.path, requests.Stream(c.stream), requests.Limits{MaxLine: 64})
		if err != nil {
			t.Fatal(err)
		}
		got, err := collected(r.Events())
		if diff := cmp.Diff(c.want, got); diff != "" || c.ends == 0 && err != nil || c.ends != 0 && !errors.Is(err, c.ends) {
			t.Errorf("%s: %v, want %v (-want +got)\n%s", c.path, err, c.ends, diff)
		}
	}
}

// TestEventSource: a stream that ends and one that breaks are connected again with the last
// ID, and 204 ends the loop.
func TestEventSource(t *testing.T) {
	var asked []string
	s, url := serveText(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("Accept")+" "+r.Header.Get("Last-Event-ID"))
		w.Header().Set("Content-Type", "Text/Event-Stream; charset=utf-8")
		switch len(asked) {
		case 1:
			fmt.Fprint(w, "retry: 1\nid: 1\ndata: a\n\ndata: lost")
		case 2:
			fmt.Fprint(w, "data: b\n\nid: 2\n\n")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		case 3:
			fmt.Fprint(w, "data: c\n\n")
		default:
			w.WriteHeader(http.StatusNoContent)
		}
	})
	got, err := collected(requests.EventSource(t.Context(), s, url, requests.Headers{{"Last-Event-ID", "0"}}))
	want := []requests.Event{{"message", "a", "1"}, {"message", "b", "1"}, {"message", "c", "2"}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
	const accept = "text/event-stream "
	if diff := cmp.Diff([]string{accept + "0", accept + "1", accept + "2", accept + "2"}, asked); diff != "" {
		t.Errorf("asked (-want +got)\n%s", diff)
	}
}

// TestEventSourceEnds: what connecting again would not mend ends the loop.
func TestEventSourceEnds(t *testing.T) {
	n := 0
	s, url := serveText(t, func(w http.ResponseWriter, r *http.Request) {
		n++
		switch {
		case r.URL.Path == "/html":
			w.Header().Set("Content-Type", "text/html")
		case r.URL.Path == "/later" && n == 1:
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprint(w, "retry: 0\n\n")
		default:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	for path, want := range map[string]error{"/html": requests.ErrInvalidHeader, "/later": requests.ErrHTTP, "/no": requests.ErrHTTP} {
		n = 0
		if _, err := collected(requests.EventSource(t.Context(), s, url+path)); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
	}
	if _, err := collected(requests.EventSource(t.Context(), s, "http://127.0.0.1:1/")); !errors.Is(err, requests.ErrConnection) {
		t.Errorf("nobody listens: %v", err)
	}
	if _, err := collected(requests.EventSource(t.Context(), s, url, requests.Headers{{"a b", "c"}})); !errors.Is(err, requests.ErrInvalidHeader) {
		t.Errorf("a bad header: %v", err)
	}
}

// TestEventSourceBounds: a line that is too long ends the loop, as it does in Events.
func TestEventSourceBounds(t *testing.T) {
	s, url := serveText(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "retry: 3600000\ndata: a\n\ndata: "+strings.Repeat("b", 100)+"\n\n")
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	got, err := collected(requests.EventSource(ctx, s, url, requests.Limits{MaxLine: 20}))
	if diff := cmp.Diff([]requests.Event{{"message", "a", ""}}, got); diff != "" || !errors.Is(err, requests.ErrLineTooLong) {
		t.Errorf("%v (-want +got)\n%s", err, diff)
	}
}

// TestEventSourceCanceled: the context ends the loop between two connections too.
func TestEventSourceCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s, url := serveText(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(w, "retry: 3600000\ndata: a\n\n")
	})
	events := 0
	for _, err := range requests.EventSource(ctx, s, url) {
		if err != nil {
			if !errors.Is(err, context.Canceled) || events != 1 {
				t.Errorf("after %d events: %v", events, err)
			}
			return
		}
		events++
		cancel()
	}
	t.Error("the loop ended without an error")
}

type point struct{ X, Y int }

func TestJSONLines(t *testing.T) {
	for _, c := range []struct {
		body string
		want []point
		ends requests.Kind
	}{
		{"", nil, 0},
		{"{\"X\":1}\n{\"Y\":2}\n", []point{{1, 0}, {0, 2}}, 0},
		{"\ufeff{\"X\":1}\r\n\r\n \n{\r\"Y\":2}", []point{{1, 0}, {0, 2}}, 0},
		{"{\"X\":1}\nnope\n{\"X\":2}", []point{{1, 0}}, requests.ErrJSONDecode},
		{"{\"X\":1}\n{\"X\":", []point{{1, 0}}, requests.ErrJSONDecode},
		{"{\"X\":1}\n{\"X\":\"a\"}", []point{{1, 0}}, requests.ErrJSONDecode},
		{"{\"X\":1}\n" + strings.Repeat(" ", 100), []point{{1, 0}}, requests.ErrLineTooLong},
	} {
		checkPoints(t, c.body, c.want, c.ends, requests.JSONLines[point])
	}
}

func TestJSONArray(t *testing.T) {
	for _, c := range []struct {
		body string
		want []point
		ends requests.Kind
	}{
		{"[]", nil, 0},
		{"[{\"X\":1},\n{\"Y\":2}]\n", []point{{1, 0}, {0, 2}}, 0},
		{"\ufeff[{\"X\":1}]", []point{{1, 0}}, 0},
		{"\xfe\xff\x00[\x00{\x00}\x00]", []point{{}}, 0},
		{"", nil, requests.ErrJSONDecode},
		{"{}", nil, requests.ErrJSONDecode},
		{"[{\"X\":1},", []point{{1, 0}}, requests.ErrJSONDecode},
		{"[{\"X\":1}, nope]", []point{{1, 0}}, requests.ErrJSONDecode},
		{"[{\"X\":1}, \"a\"]", []point{{1, 0}}, requests.ErrJSONDecode},
		{"[{\"X\":1}] 2", []point{{1, 0}}, requests.ErrJSONDecode},
		{"[{\"X\":1}," + strings.Repeat(" ", 2000) + "]", []point{{1, 0}}, requests.ErrLineTooLong},
	} {
		checkPoints(t, c.body, c.want, c.ends, requests.JSONArray[point])
	}
}

// checkPoints reads a body that is streamed, one in memory, and one that is cut short.
func checkPoints(t *testing.T, body string, want []point, ends requests.Kind, read func(*requests.Response) iter.Seq2[point, error]) {
	t.Helper()
	cut := false
	s, url := serveText(t, func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush()
		fmt.Fprint(w, body)
		if cut {
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
	})
	for _, stream := range []bool{true, false} {
		r, err := s.Get(t.Context(), url, requests.Stream(stream), requests.Limits{MaxLine: 64})
		if err != nil {
			t.Fatal(err)
		}
		got, err := collected(read(r))
		if diff := cmp.Diff(want, got); diff != "" || ends == 0 && err != nil || ends != 0 && !errors.Is(err, ends) {
			t.Errorf("%.40q: %v, want %v (-want +got)\n%s", body, err, ends, diff)
		}
	}
	if cut = true; ends != 0 {
		return
	}
	r, err := s.Get(t.Context(), url, requests.Stream(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := collected(read(r)); !errors.Is(err, requests.ErrChunkedEncoding) {
		t.Errorf("%.40q, cut short: %v", body, err)
	}
}

// TestLoopsLeft: leaving a loop closes the response, and so does a second loop find it.
func TestLoopsLeft(t *testing.T) {
	s, url := serveText(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, map[string]string{"/lines": "1\n2\n", "/array": "[1,2"}[r.URL.Path])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	for path, read := range map[string]func(*requests.Response) iter.Seq2[int, error]{"/lines": requests.JSONLines[int], "/array": requests.JSONArray[int]} {
		r, err := s.Get(t.Context(), url+path, requests.Stream(true))
		if err != nil {
			t.Fatal(err)
		}
		for n, err := range read(r) {
			if n != 1 || err != nil {
				t.Errorf("%s: %d, %v", path, n, err)
			}
			break
		}
		if _, err := collected(read(r)); !errors.Is(err, requests.ErrStreamConsumed) {
			t.Errorf("%s, again: %v", path, err)
		}
	}
}
