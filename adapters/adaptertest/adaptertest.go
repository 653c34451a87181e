// Package adaptertest is the contract of a [requests.Adapter] as tests, to be run on
// one's own:
//
//	func TestMine(t *testing.T) {
//		adaptertest.Run(t, func(t *testing.T, h http.Handler) (requests.Adapter, string) {
//			server := httptest.NewServer(h)
//			t.Cleanup(server.Close)
//			return mine.New(), server.URL
//		})
//	}
//
// An adapter that reaches no server of one's choice, because it reads files say, is
// tested by [RunBasics]. Every test names the sentence of the contract it is about; what
// an adapter cannot do by its nature is left out with [Without].
package adaptertest

import (
	"net/http"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/mountable/requests"
)

// Start makes an adapter and lets h answer what is sent to the URLs below base, which
// has no slash at its end. It uses t.Cleanup for what has to be ended.
type Start func(t *testing.T, h http.Handler) (a requests.Adapter, base string)

// Feature is something an adapter may be unable to do.
type Feature string

// The features that [Without] can leave out.
const (
	Methods   Feature = "methods"   // methods besides GET, HEAD, POST, PUT, PATCH and DELETE
	Streaming Feature = "streaming" // the body comes while the server still writes it
	Trailers  Feature = "trailers"  // Response.Trailers
	Interim   Feature = "interim"   // SendOptions.Interim
	Aborts    Feature = "aborts"    // a server that gives up in the middle of the body is noticed
	Host      Feature = "host"      // a Host header of the request reaches the server
	Resending Feature = "resending" // the same request can be sent twice
)

// Option configures a run.
type Option func(*suite)

// Without leaves out the tests of features.
func Without(features ...Feature) Option {
	return func(s *suite) { s.without = append(s.without, features...) }
}

// patience is how long anything may take that ought to happen at once.
const patience = 5 * time.Second

type suite struct {
	start   Start
	without []Feature
}

// Run tests an adapter that carries HTTP.
func Run(t *testing.T, start Start, options ...Option) {
	s := &suite{start: start}
	for _, o := range options {
		o(s)
	}
	for _, c := range contract {
		t.Run(c.name, func(t *testing.T) {
			if s.lacks(c.needs) {
				t.Skipf("the caller of Run says that the adapter lacks it: %s", c.needs)
			}
			before := runtime.NumGoroutine()
			t.Cleanup(func() { noLeak(t, before) }) // after what the test itself cleans up
			c.test(t, s)
		})
	}
}

// contract is the tests, each named after the sentence it is about.
var contract = []struct {
	name  string
	needs Feature
	test  func(t *testing.T, s *suite)
}{
	{"the method and the target arrive as they are", "", testTarget},
	{"header fields arrive, repeated ones too", "", testHeaders},
	{"a Host header of the request counts", Host, testHost},
	{"every kind of body arrives", "", testBodies},
	{"a long body arrives whole, both ways", "", testLongBodies},
	{"any status is a response", "", testStatuses},
	{"redirects and cookies are left to the session", "", testLeftToSession},
	{"the body stays in its content coding", "", testCoding},
	{"a request is not changed", "", testUnchanged},
	{"a request can be sent again", Resending, testAgain},
	{"requests at the same time do not meet", "", testConcurrent},
	{"the body comes as it is written", Streaming, testStreaming},
	{"a response can be closed early", Streaming, testEarlyClose},
	{"a closed response gives an error, not an end", Streaming, testReadAfterClose},
	{"trailers come after the body", Trailers, testTrailers},
	{"interim responses are passed on", Interim, testInterim},
	{"an error about an interim response ends the request", Interim, testInterimError},
	{"a request is sent once", "", testOnce},
	{"a canceled context sends nothing", "", testCanceledBefore},
	{"a canceled context ends the wait for the head", "", testCanceledWaiting},
	{"a canceled context ends the reading of the body", Streaming, testCanceledReading},
	{"the deadline ends a send", "", testDeadline},
	{"Timeouts.Read bounds the wait for the head", "", testReadTimeout},
	{"Timeouts.Read bounds each wait in the body", Streaming, testBodyTimeout},
	{"a server that gives up is an error", "", testAbort},
	{"a body cut short is an error", Aborts, testCutBody},
	{"a failing body is an error", "", testFailingBody},
	{"a closed adapter can be used again", "", testClose},
	{"CloseIdle closes what is idle and nothing else", Streaming, testCloseIdle},
	{"Stats tells what is in use and what is idle", Streaming, testStats},
}

// lacks reports whether a feature is left out.
func (s *suite) lacks(f Feature) bool { return slices.Contains(s.without, f) }

// noLeak waits for goroutines to end.
func noLeak(t *testing.T, before int) {
	for end := time.Now().Add(patience); runtime.NumGoroutine() > before; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("%d goroutines are left over", runtime.NumGoroutine()-before)
			return
		}
	}
}

// open starts an adapter that is closed when the test ends.
func (s *suite) open(t *testing.T, h http.HandlerFunc) (requests.Adapter, string) {
	t.Helper()
	a, base := s.start(t, h)
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return a, base
}

// prepare makes a request of a URL and more.
func prepare(t *testing.T, method, url string, options ...requests.Option) *requests.PreparedRequest {
	t.Helper()
	r := &requests.Request{Method: method, URL: url}
	if err := requests.JoinOptions(options...).Apply(r); err != nil {
		t.Fatal(err)
	}
	p, err := r.Prepare()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// fetch sends p and reads the response.
func fetch(t *testing.T, a requests.Adapter, p *requests.PreparedRequest) (*requests.Response, string) {
	t.Helper()
	r, err := a.Send(t.Context(), p, requests.SendOptions{})
	if err != nil {
		t.Fatalf("%v: %v", p, err)
	}
	return r, contentOf(t, r)
}

func contentOf(t *testing.T, r *requests.Response) string {
	t.Helper()
	defer r.Close()
	content, err := r.Content()
	if err != nil {
		t.Fatalf("reading the body: %v", err)
	}
	return string(content)
}
