package fleet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// origin counts what arrives, by method, path and body.
type origin struct {
	*httptest.Server

	// mu protects the field below.
	mu      sync.Mutex
	arrived map[string]int
}

func newOrigin(t testing.TB, handle func(w http.ResponseWriter, r *http.Request)) *origin {
	t.Helper()
	o := &origin{arrived: map[string]int{}}
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		o.mu.Lock()
		o.arrived[fmt.Sprintf("%s %s %d", r.Method, r.URL.Path, len(body))]++
		o.mu.Unlock()
		if handle != nil {
			handle(w, r)
			return
		}
		w.Header().Set("Set-Cookie", "sid=1")
		fmt.Fprintf(w, "%s of %d", r.URL.Path, len(body))
	}))
	t.Cleanup(o.Close)
	return o
}

func (o *origin) counts() map[string]int {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := map[string]int{}
	for k, n := range o.arrived {
		all[k] = n
	}
	return all
}

func open(t testing.TB, where Server, options ...Option) *Fleet {
	t.Helper()
	f, err := Open(t.Context(), where, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	})
	return f
}

func session(t testing.TB) *requests.Session {
	t.Helper()
	s := requests.NewSession()
	t.Cleanup(func() { s.Close() })
	s.TrustEnv = false
	s.Mount("http://", requests.NewHTTPAdapter(requests.PoolMaxSize(64)))
	return s
}

func gets(base string, n int) iter.Seq[*requests.Request] {
	return func(yield func(*requests.Request) bool) {
		for i := range n {
			if !yield(&requests.Request{URL: fmt.Sprintf("%s/%d", base, i)}) {
				return
			}
		}
	}
}

func enqueue(t testing.TB, f *Fleet, jobs iter.Seq[*requests.Request], want int, options ...JobOption) {
	t.Helper()
	n, err := f.Enqueue(t.Context(), jobs, options...)
	if err != nil || n != want {
		t.Fatalf("Enqueue stored %d, %v; want %d", n, err, want)
	}
}

func run(t testing.TB, f *Fleet, s *requests.Session, options ...RunOption) {
	t.Helper()
	if err := f.Run(t.Context(), s, append(options, UntilEmpty)...); err != nil {
		t.Fatal(err)
	}
}

func results(t testing.TB, f *Fleet, options ...ResultOption) (all []*Result) {
	t.Helper()
	for r, err := range f.Results(t.Context(), append(options, UntilEmpty)...) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

func TestJobs(t *testing.T) {
	wiretest.NoLeak(t)
	o := newOrigin(t, nil)
	f := open(t, Embedded(t.TempDir()))
	long := strings.Repeat("x", 3<<20)
	jobs := []*requests.Request{
		{URL: o.URL + "/get", Params: requests.Params{{"a", "1"}}},
		{URL: o.URL + "/get", Params: requests.Params{{"a", "1"}}}, // the same job
		{Method: "PUT", URL: o.URL + "/put", Body: long},
		{Method: "POST", URL: o.URL + "/post", JSON: map[string]int{"n": 1}},
		{Method: "POST", URL: o.URL + "/reader", Body: io.LimitReader(strings.NewReader("streamed"), 100)},
	}
	enqueue(t, f, slices.Values(jobs), 4, Tags("first"))
	enqueue(t, f, slices.Values(jobs[:1]), 0)
	before, err := f.Status(t.Context())
	if err != nil || before != (Status{Waiting: 4}) {
		t.Errorf("before: %+v, %v", before, err)
	}
	run(t, f, session(t), Workers(3))
	got := map[string]string{}
	for _, r := range results(t, f) {
		got[r.URL] = fmt.Sprint(r.Method, " ", r.StatusCode, " ", string(r.Body), " ", r.Headers.Get("Set-Cookie"), " ", r.Tags, r.Tries, r.Deliveries, r.Unknown, r.Err)
	}
	want := map[string]string{
		o.URL + "/get?a=1": "GET 200 /get of 0 *** [first] 1 1 false <nil>",
		o.URL + "/put":     "PUT 200 /put of 3145728 *** [first] 1 1 false <nil>",
		o.URL + "/post":    "POST 200 /post of 7 *** [first] 1 1 false <nil>",
		o.URL + "/reader":  "POST 200 /reader of 8 *** [first] 1 1 false <nil>",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	arrived := map[string]int{"GET /get 0": 1, "PUT /put 3145728": 1, "POST /post 7": 1, "POST /reader 8": 1}
	if diff := cmp.Diff(arrived, o.counts()); diff != "" {
		t.Errorf("arrived (-want +got):\n%s", diff)
	}
	if after, err := f.Status(t.Context()); err != nil || after != (Status{Done: 4}) {
		t.Errorf("after: %+v, %v", after, err)
	}
	hosts, err := f.Hosts(t.Context())
	if diff := cmp.Diff(map[string]Status{strings.TrimPrefix(o.URL, "http://"): {Done: 4}}, hosts); diff != "" || err != nil {
		t.Errorf("hosts: %v (-want +got):\n%s", err, diff)
	}
}

// TestResume: a loop over results goes on behind the one it was left at.
func TestResume(t *testing.T) {
	o := newOrigin(t, nil)
	f := open(t, Embedded(t.TempDir()))
	enqueue(t, f, gets(o.URL, 30), 30)
	run(t, f, session(t), Workers(4))
	seen, last := map[string]bool{}, uint64(0)
	for range 3 {
		n := 0
		for r, err := range f.Results(t.Context(), After(last), UntilEmpty) {
			if err != nil || seen[r.ID] || r.Sequence <= last {
				t.Fatalf("%v, %+v after %d", err, r, last)
			}
			seen[r.ID], last = true, r.Sequence
			if n++; n == 10 {
				break
			}
		}
	}
	if rest := results(t, f, After(last)); len(seen) != 30 || len(rest) != 0 {
		t.Errorf("%d were seen, %d are left", len(seen), len(rest))
	}
}

// TestLongBodies: what is long goes through the object store, sealed if there is a key.
func TestLongBodies(t *testing.T) {
	long := strings.Repeat("0123456789", 200_000)
	o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Set-Cookie", "sid=1")
		io.WriteString(w, long)
	})
	for name, key := range map[string][]byte{"open": nil, "sealed": []byte("0123456789abcdef")} {
		t.Run(name, func(t *testing.T) {
			f := open(t, Embedded(t.TempDir()), SealWith(key))
			enqueue(t, f, slices.Values([]*requests.Request{{Method: "PUT", URL: o.URL, Body: long}}), 1)
			run(t, f, session(t))
			all := results(t, f)
			if len(all) != 1 || !all[0].Object || all[0].Body != nil {
				t.Fatalf("%d results, the first %+v", len(all), all)
			}
			body, err := f.Body(t.Context(), all[0])
			if err != nil || string(body) != long {
				t.Errorf("a body of %d bytes, %v", len(body), err)
			}
			if cookie := all[0].Headers.Get("Set-Cookie"); (cookie == "sid=1") != (key != nil) {
				t.Errorf("the cookie is %q", cookie)
			}
			if left, _ := f.bodies.List(t.Context()); len(left) != 1 {
				t.Errorf("%d bodies are left, want that of the result", len(left))
			}
		})
	}
}

func TestSecrets(t *testing.T) {
	dir := t.TempDir()
	o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, r.Header.Get("Authorization")) })
	job := func() iter.Seq[*requests.Request] {
		return slices.Values([]*requests.Request{{URL: o.URL + "/private", Headers: requests.Headers{{"Authorization", "Bearer hidden"}}}})
	}
	plain := open(t, Embedded(dir), Name("plain"))
	for _, r := range []*requests.Request{
		{URL: o.URL, Headers: requests.Headers{{"X-Api-Key", "hidden"}}},
		{URL: o.URL, Auth: requests.BasicAuth("u", "hidden")},
		{URL: o.URL, Cookies: requests.Cookies{{"sid", "hidden"}}},
		{URL: strings.Replace(o.URL, "//", "//u:hidden@", 1)},
	} {
		n, err := plain.Enqueue(t.Context(), slices.Values([]*requests.Request{r}))
		if !errors.Is(err, requests.ErrInvalidArgument) || n != 0 || strings.Contains(fmt.Sprint(err), "hidden") {
			t.Errorf("%d, %v", n, err)
		}
	}
	key := []byte("0123456789abcdef0123456789abcdef")
	f := open(t, Connect(plain.URL()), Name("sealed"), SealWith(key))
	if text := fmt.Sprintf("%v %+v %#v %s %v %+v %#v %s", f, f, f, f, *f, *f, *f, *f); strings.Contains(text, string(key[:8])) || strings.Contains(text, "48 49 50 51") || strings.Contains(text, "0x30, 0x31") {
		t.Errorf("it shows %s", text)
	}
	enqueue(t, f, job(), 1)
	message, err := f.jobs.GetMsg(t.Context(), 1)
	if err != nil || strings.Contains(string(message.Data), "hidden") || strings.Contains(string(message.Data), "private") {
		t.Errorf("on the stream: %q, %v", message.Data, err)
	}
	run(t, f, session(t))
	if all := results(t, f); len(all) != 1 || string(all[0].Body) != "Bearer hidden" {
		t.Errorf("results: %+v", all)
	}
	for name, other := range map[string][]byte{"none": nil, "another": []byte("0123456789abcdef")} {
		if _, err := Open(t.Context(), Connect(plain.URL()), Name("sealed"), SealWith(other)); !errors.Is(err, requests.ErrInvalidArgument) {
			t.Errorf("with the key %s: %v", name, err)
		}
	}
}

// TestFailures: what fails is a result with its Kind, and a dead letter.
func TestFailures(t *testing.T) {
	o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(503) })
	f := open(t, Embedded(t.TempDir()))
	refused := "http://" + wiretest.Closed(t) + "/"
	jobs := []*requests.Request{{URL: refused}, {Method: "POST", URL: refused}, {URL: o.URL}, {URL: "other://h/"}}
	enqueue(t, f, slices.Values(jobs), 4)
	run(t, f, session(t), Tries(2))
	got := map[string]string{}
	for _, r := range results(t, f) {
		got[r.Method+" "+r.URL] = fmt.Sprint(r.StatusCode, " ", r.Tries, " ", errors.Is(r.Err, requests.ErrConnect), errors.Is(r.Err, requests.ErrInvalidSchema))
	}
	want := map[string]string{"GET " + refused: "0 2 true false", "POST " + refused: "0 2 true false", "GET " + o.URL + "/": "503 1 false false", "GET other://h/": "0 1 false true"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	dead := 0
	for r, err := range f.Dead(t.Context(), UntilEmpty) {
		if dead++; err != nil || r.Err == nil {
			t.Errorf("a dead letter: %+v, %v", r, err)
		}
	}
	if s, err := f.Status(t.Context()); dead != 3 || err != nil || s != (Status{Done: 4, Failed: 3}) {
		t.Errorf("%d dead letters, %+v, %v", dead, s, err)
	}
}

// TestStopped: a run that ends leaves what may be sent again to others, and says of the rest that
// nobody knows.
func TestStopped(t *testing.T) {
	wiretest.NoLeak(t)
	begun, hang := make(chan string, 10), make(chan struct{})
	var once sync.Once
	free := func() { once.Do(func() { close(hang) }) }
	t.Cleanup(free)
	o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		begun <- r.Method
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	})
	f := open(t, Embedded(t.TempDir()))
	enqueue(t, f, slices.Values([]*requests.Request{{URL: o.URL + "/again"}, {Method: "POST", URL: o.URL + "/once"}}), 2)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx, session(t), Workers(2)) }()
	<-begun
	<-begun
	cancel()
	if err := <-ended; !errors.Is(err, requests.ErrCanceled) {
		t.Errorf("the run ended with %v", err)
	}
	free()
	run(t, f, session(t))
	got := map[string]string{}
	for _, r := range results(t, f) {
		got[r.Method] = fmt.Sprint(r.StatusCode, r.Unknown, r.Err != nil)
	}
	if diff := cmp.Diff(map[string]string{"GET": "200 false false", "POST": "0 true true"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"GET /again 0": 2, "POST /once 0": 1}, o.counts()); diff != "" {
		t.Errorf("arrived (-want +got):\n%s", diff)
	}
}

// TestClaimed: a worker that has crashed between its claim and its result leaves a job unknown.
func TestClaimed(t *testing.T) {
	o := newOrigin(t, nil)
	f := open(t, Embedded(t.TempDir()), Lease(200*time.Millisecond))
	enqueue(t, f, slices.Values([]*requests.Request{{Method: "POST", URL: o.URL}}), 1, JobID(func(*requests.Request) string { return "the-one" }))
	crashed := &delivery{running: &running{f: f, name: "crashed"}, ctx: t.Context(), id: "the-one", host: hostToken(o.URL)}
	if mine, err := crashed.claim(); !mine || err != nil {
		t.Fatal(mine, err)
	}
	run(t, f, session(t))
	if all := results(t, f); len(all) != 1 || !all[0].Unknown || all[0].Err == nil || len(o.counts()) != 0 {
		t.Errorf("results %+v, arrived %v", all, o.counts())
	}
}

func TestCancelAndPause(t *testing.T) {
	wiretest.NoLeak(t)
	begun := make(chan struct{}, 10)
	o := newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hangs" {
			begun <- struct{}{}
			<-r.Context().Done()
		}
	})
	f := open(t, Embedded(t.TempDir()))
	enqueue(t, f, slices.Values([]*requests.Request{{URL: o.URL + "/hangs"}}), 1, Tags("old"))
	ended := make(chan error, 1)
	go func() { ended <- f.Run(t.Context(), session(t), Workers(1), UntilEmpty) }()
	<-begun
	enqueue(t, f, slices.Values([]*requests.Request{{URL: o.URL + "/waits"}}), 1, Tags("old"))
	if err := f.Pause(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s, err := f.Status(t.Context()); err != nil || !s.Paused {
		t.Errorf("%+v, %v", s, err)
	}
	if err := f.Cancel(t.Context(), "old"); err != nil {
		t.Fatal(err)
	}
	enqueue(t, f, slices.Values([]*requests.Request{{URL: o.URL + "/new"}}), 1, Tags("old"))
	if err := f.Resume(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, r := range results(t, f) {
		got[strings.TrimPrefix(r.URL, o.URL)] = errors.Is(r.Err, requests.ErrCanceled)
	}
	if diff := cmp.Diff(map[string]bool{"/hangs": true, "/waits": true, "/new": false}, got); diff != "" {
		t.Errorf("canceled (-want +got):\n%s", diff)
	}
	if err := f.Purge(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s, err := f.Status(t.Context()); err != nil || s != (Status{}) {
		t.Errorf("after the purge: %+v, %v", s, err)
	}
	enqueue(t, f, slices.Values([]*requests.Request{{URL: o.URL + "/new"}}), 1)
}
