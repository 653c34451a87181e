package toolbelt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// numbered yields n URLs below a base.
func numbered(base string, n int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range n {
			if !yield(fmt.Sprintf("%s/%d", base, i)) {
				return
			}
		}
	}
}

// testServer counts requests; it keeps nothing of them.
func testServer(t testing.TB, handle http.HandlerFunc) (url string, served *atomic.Int64) {
	t.Helper()
	served = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served.Add(1)
		if handle != nil {
			handle(w, r)
			return
		}
		w.Write([]byte("ok"))
	}))
	t.Cleanup(server.Close)
	return server.URL, served
}

func mustPool(t testing.TB) func(p *Pool, err error) *Pool {
	return func(p *Pool, err error) *Pool {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
}

func TestPoolResults(t *testing.T) {
	wiretest.NoLeak(t)
	url, served := testServer(t, nil)
	for _, workers := range []int{1, 3, 40} {
		served.Store(0)
		pool := mustPool(t)(FromURLs(numbered(url, 30), Workers(workers)))
		var got []string
		for result := range pool.Results(t.Context()) {
			if result.Err != nil {
				t.Fatal(result.Err)
			}
			if result.Response.URL != result.Job.URL {
				t.Errorf("the response of %s comes with the job %s", result.Response.URL, result.Job.URL)
			}
			got = append(got, result.Job.URL)
		}
		slices.Sort(got)
		want := slices.Sorted(numbered(url, 30))
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%d workers (-want +got):\n%s", workers, diff)
		}
		if n := served.Load(); n != 30 {
			t.Errorf("%d workers sent %d requests", workers, n)
		}
		again := slices.Collect(pool.Results(t.Context()))
		if len(again) != 1 || !errors.Is(again[0].Err, requests.ErrInvalidArgument) || !errors.Is(pool.Join(t.Context()), requests.ErrInvalidArgument) {
			t.Errorf("a pool that is used up gives %v", again)
		}
	}
}

func TestPoolExceptions(t *testing.T) {
	wiretest.NoLeak(t)
	url, _ := testServer(t, nil)
	urls := []string{url + "/a", "nonsense", url + "/b", "http://" + wiretest.Closed(t), "ftp://h/x"}
	pool := mustPool(t)(FromURLs(slices.Values(urls), Workers(2)))
	if err := pool.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]error{urls[1]: requests.ErrMissingSchema, urls[3]: requests.ErrConnection, urls[4]: requests.ErrInvalidSchema}
	failed := slices.Collect(pool.Exceptions())
	if n := len(slices.Collect(pool.Responses())); len(failed) != 3 || n != 2 {
		t.Errorf("%d exceptions, %d responses", len(failed), n)
	}
	for _, f := range failed {
		if want := kinds[f.Job.URL]; want == nil || !errors.Is(f.Err, want) || f.Response != nil {
			t.Errorf("%s: %v, want %v", f.Job.URL, f.Err, want)
		}
	}
	if n := len(slices.Collect(pool.Exceptions())); n != 0 {
		t.Errorf("%d exceptions are given twice", n)
	}
	again := mustPool(t)(FromExceptions(slices.Values(append(failed, PoolResult{Job: &requests.Request{URL: "fine"}}))))
	if err := again.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := len(slices.Collect(again.Exceptions())); n != 3 {
		t.Errorf("%d exceptions in the second pool", n)
	}
}

func TestPoolFromChannel(t *testing.T) {
	wiretest.NoLeak(t)
	url, _ := testServer(t, nil)
	jobs := make(chan *requests.Request)
	go func() {
		defer close(jobs)
		for u := range numbered(url, 5) {
			jobs <- &requests.Request{URL: u}
		}
		jobs <- nil
	}()
	ok, failed := 0, 0
	for result := range mustPool(t)(FromChannel(jobs, Workers(2))).Results(t.Context()) {
		if result.Err == nil {
			ok++
		} else if failed++; !errors.Is(result.Err, requests.ErrInvalidArgument) {
			t.Error(result.Err)
		}
	}
	if ok != 5 || failed != 1 {
		t.Errorf("%d fine, %d failed", ok, failed)
	}
}

func TestPoolCancelledOnIdleChannel(t *testing.T) {
	wiretest.NoLeak(t)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	err := mustPool(t)(FromChannel(make(chan *requests.Request), Workers(3))).Join(ctx)
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, requests.ErrTimeout) {
		t.Errorf("the error is %v", err)
	}
}

// hanging serves until its clients go away.
func hanging(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func TestPoolCancel(t *testing.T) {
	wiretest.NoLeak(t)
	url, served := testServer(t, hanging)
	ctx, cancel := context.WithCancel(t.Context())
	pool := mustPool(t)(FromURLs(numbered(url, 1000), Workers(4)))
	go func() {
		for served.Load() < 4 {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	err := pool.Join(ctx)
	if !errors.Is(err, context.Canceled) || !errors.Is(err, requests.ErrCanceled) {
		t.Errorf("the error is %v", err)
	}
	failed := slices.Collect(pool.Exceptions())
	if len(failed) != 4 || served.Load() != 4 {
		t.Errorf("%d exceptions, %d requests", len(failed), served.Load())
	}
	for _, f := range failed {
		if !errors.Is(f.Err, context.Canceled) {
			t.Error(f.Err)
		}
	}
}

func TestPoolLeftEarly(t *testing.T) {
	wiretest.NoLeak(t)
	url, served := testServer(t, func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/0") {
			hanging(w, r)
		}
	})
	pool := mustPool(t)(FromURLs(numbered(url, 1000), Workers(4), EachRequest(requests.Stream(true))))
	for result := range pool.Results(t.Context()) {
		if result.Err != nil {
			t.Fatal(result.Err)
		}
		defer result.Response.Close()
		break
	}
	if n := served.Load(); n > 5 {
		t.Errorf("%d requests for one result", n)
	}
}

func TestPoolStreamsAfterJoin(t *testing.T) {
	wiretest.NoLeak(t)
	url, _ := testServer(t, nil)
	pool := mustPool(t)(FromURLs(numbered(url, 5), Workers(2), EachRequest(requests.Stream(true))))
	if err := pool.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	for result := range pool.Responses() {
		if text, err := result.Response.Text(); err != nil || text != "ok" {
			t.Errorf("got %q, %v", text, err)
		}
	}
}

func TestPoolPanicInLoop(t *testing.T) {
	wiretest.NoLeak(t)
	url, _ := testServer(t, nil)
	defer func() {
		if recover() == nil {
			t.Error("the panic is gone")
		}
	}()
	for range mustPool(t)(FromURLs(numbered(url, 100), Workers(4))).Results(t.Context()) {
		panic("in the loop")
	}
}

// TestPoolPanicInJob: what panics on a worker goes on where the results are taken, once
// nothing runs any more.
func TestPoolPanicInJob(t *testing.T) {
	wiretest.NoLeak(t)
	url, _ := testServer(t, nil)
	boom := func() { panic("boom") }
	hook := func(context.Context, *requests.Response) (*requests.Response, error) { boom(); return nil, nil }
	jobs := func(last *requests.Request) iter.Seq[*requests.Request] {
		return func(yield func(*requests.Request) bool) {
			for range 3 {
				if !yield(&requests.Request{Method: "GET", URL: url}) {
					return
				}
			}
			if last == nil {
				boom()
			}
			for yield(last) {
			}
		}
	}
	body := iter.Seq[[]byte](func(func([]byte) bool) { boom() })
	for name, job := range map[string]*requests.Request{
		"jobs": nil,
		"hook": {Method: "GET", URL: url, Hooks: []requests.Hook{hook}},
		"body": {Method: "POST", URL: url, Body: body},
	} {
		for way, run := range map[string]func(p *Pool){
			"Results": func(p *Pool) {
				for range p.Results(t.Context()) {
				}
			},
			"Join": func(p *Pool) { p.Join(t.Context()) },
		} {
			func() {
				defer func() {
					if v := recover(); v != "boom" {
						t.Errorf("%s, %s: what came on is %v", name, way, v)
					}
				}()
				run(mustPool(t)(NewPool(jobs(job), Workers(3))))
			}()
		}
	}
}

func TestPoolBackPressure(t *testing.T) {
	url, served := testServer(t, nil)
	const workers = 3
	pool := mustPool(t)(FromURLs(numbered(url, 200), Workers(workers)))
	taken := int64(0)
	for range pool.Results(t.Context()) {
		taken++
		if taken%50 == 0 {
			time.Sleep(20 * time.Millisecond) // what can run ahead does
		}
		if ahead := served.Load() - taken; ahead > 2*workers {
			t.Fatalf("%d requests are ahead of result %d", ahead, taken)
		}
	}
}

func TestPoolMemory(t *testing.T) {
	n := 8_000
	if testing.Short() {
		n = 2_000
	}
	url, _ := testServer(t, nil)
	pool := mustPool(t)(FromURLs(numbered(url, n), Workers(8)))
	var first, last uint64
	seen := 0
	for range pool.Results(t.Context()) {
		switch seen++; seen {
		case n / 10:
			first = heap()
		case n:
			last = heap()
		}
	}
	if grown := int64(last) - int64(first); grown > 2<<20 {
		t.Errorf("the heap has grown by %d bytes over %d requests", grown, n)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestPoolSessions(t *testing.T) {
	url, _ := testServer(t, func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Header.Get("X-Team"), r.Header.Get("Authorization"), r.Header.Get("X-Each"), r.Header.Get("X-Own"))
	})
	var calls []string
	note := func(name string, f func(*requests.Session)) func(*requests.Session) error {
		return func(s *requests.Session) error {
			calls = append(calls, name)
			f(s)
			return nil
		}
	}
	initializer := Initializer(note("init", func(s *requests.Session) { s.Headers.Set("X-Team", "a,") }))
	auth := AuthGenerator(note("auth", func(s *requests.Session) { s.Auth = requests.BearerAuth("t,") }))
	shared := requests.NewSession()
	defer shared.Close()
	tests := map[string]struct {
		session PoolOption
		want    []string
	}{
		"a worker": {nil, []string{"init", "auth", "init", "auth"}},
		"made": {SessionFunc(func() *requests.Session { calls = append(calls, "new"); return requests.NewSession() }),
			[]string{"new", "init", "auth", "new", "init", "auth"}},
		"shared": {SharedSession(shared), []string{"init", "auth"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			calls = nil
			job := &requests.Request{URL: url, Headers: requests.Headers{{"X-Own", "o"}}}
			each := EachRequest(requests.Headers{{"X-Each", "e,"}}, nil)
			responses, exceptions, err := Map(t.Context(), []*requests.Request{job, job, job}, auth, initializer, test.session, each, Workers(2))
			if err != nil {
				t.Fatal(err)
			}
			for result := range exceptions {
				t.Error(result.Err)
			}
			n := 0
			for result := range responses {
				n++
				if text, err := result.Response.Text(); err != nil || text != "a,Bearer t,e,o" || result.Job != job {
					t.Errorf("got %q, %v", text, err)
				}
			}
			if diff := gocmp.Diff(test.want, calls); diff != "" || n != 3 || len(job.Headers) != 1 {
				t.Errorf("%d responses, job %v, calls (-want +got):\n%s", n, job, diff)
			}
		})
	}
}

func TestPoolArguments(t *testing.T) {
	refused := errors.New("refused")
	urls := slices.Values([]string{"http://h"})
	pools := map[string]func() (*Pool, error){
		"no workers":        func() (*Pool, error) { return FromURLs(urls, Workers(0)) },
		"less":              func() (*Pool, error) { return FromURLs(urls, Workers(-1)) },
		"no jobs":           func() (*Pool, error) { return NewPool(nil) },
		"no channel":        func() (*Pool, error) { return FromChannel(nil) },
		"no URLs":           func() (*Pool, error) { return FromURLs(nil) },
		"no results":        func() (*Pool, error) { return FromExceptions(nil) },
		"no session":        func() (*Pool, error) { return FromURLs(urls, SessionFunc(func() *requests.Session { return nil })) },
		"no function":       func() (*Pool, error) { return FromURLs(urls, SessionFunc(nil)) },
		"no initializer":    func() (*Pool, error) { return FromURLs(urls, Initializer(nil)) },
		"no auth generator": func() (*Pool, error) { return FromURLs(urls, AuthGenerator(nil)) },
		"no map":            func() (*Pool, error) { _, _, err := Map(t.Context(), nil); return nil, err },
		"refused": func() (*Pool, error) {
			return FromURLs(urls, Initializer(func(*requests.Session) error { return refused }))
		},
	}
	for name, make := range pools {
		want := cmp.Or(map[string]error{"refused": refused}[name], error(requests.ErrInvalidArgument))
		if p, err := make(); !errors.Is(err, want) || p != nil {
			t.Errorf("%s: %v, %v", name, p, err)
		}
	}
}

func TestPoolOptionFails(t *testing.T) {
	url, served := testServer(t, nil)
	refused := errors.New("refused")
	pool := mustPool(t)(FromURLs(numbered(url, 3), EachRequest(requests.OptionFunc(func(r *requests.Request) error {
		if strings.HasSuffix(r.URL, "/1") {
			return refused
		}
		return nil
	}))))
	failed := 0
	for result := range pool.Results(t.Context()) {
		if result.Err != nil {
			failed++
			if result.Err != refused {
				t.Error(result.Err)
			}
		}
	}
	if failed != 1 || served.Load() != 2 {
		t.Errorf("%d failed, %d were sent", failed, served.Load())
	}
}

func TestPoolOnDone(t *testing.T) {
	url, _ := testServer(t, nil)
	var got [][2]int
	pool := mustPool(t)(FromURLs(slices.Values([]string{url, "nonsense", url}), Workers(1),
		OnDone(func(done, failed int) { got = append(got, [2]int{done, failed}) })))
	if err := pool.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff([][2]int{{1, 0}, {2, 1}, {3, 1}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
