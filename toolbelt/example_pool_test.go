package toolbelt_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
)

// echoServer answers with the path and two headers.
func echoServer() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.URL.Path, " ", r.Header.Get("X-Team"), r.Header.Get("X-Batch"))
	}))
}

func ExampleFromURLs() {
	server := echoServer()
	defer server.Close()
	urls := []string{server.URL + "/a", "no URL", server.URL + "/b"}
	pool, err := toolbelt.FromURLs(slices.Values(urls), toolbelt.Workers(1),
		toolbelt.EachRequest(requests.Headers{{"X-Batch", "7"}}),
		toolbelt.OnDone(func(done, failed int) { fmt.Println(done, "done,", failed, "failed") }))
	if err != nil {
		fmt.Println(err)
		return
	}
	for result := range pool.Results(context.Background()) {
		if result.Err != nil {
			fmt.Println(result.Job.URL, "fails")
			continue
		}
		text, err := result.Response.Text()
		fmt.Println(text, err)
	}
	// Output:
	// 1 done, 0 failed
	// /a 7 <nil>
	// 2 done, 1 failed
	// no URL fails
	// 3 done, 1 failed
	// /b 7 <nil>
}

func ExampleNewPool() {
	server := echoServer()
	defer server.Close()
	jobs := func(yield func(*requests.Request) bool) {
		for i := range 3 {
			if !yield(&requests.Request{Method: "PUT", URL: fmt.Sprintf("%s/%d", server.URL, i)}) {
				return
			}
		}
	}
	pool, err := toolbelt.NewPool(jobs, toolbelt.Workers(1),
		toolbelt.Initializer(func(s *requests.Session) error {
			s.Headers.Set("X-Team", "search")
			return nil
		}),
		toolbelt.AuthGenerator(func(s *requests.Session) error {
			s.Auth = requests.BasicAuth("ada", "secret")
			return nil
		}),
		toolbelt.SessionFunc(requests.NewSession))
	if err != nil {
		fmt.Println(err)
		return
	}
	for result := range pool.Results(context.Background()) {
		text, err := result.Response.Text()
		fmt.Println(text, err)
	}
	// Output:
	// /0 search <nil>
	// /1 search <nil>
	// /2 search <nil>
}

func ExampleFromChannel() {
	server := echoServer()
	defer server.Close()
	s := requests.NewSession()
	defer s.Close()
	jobs := make(chan *requests.Request)
	var sender sync.WaitGroup
	sender.Go(func() {
		defer close(jobs)
		jobs <- &requests.Request{URL: server.URL + "/first"}
		jobs <- &requests.Request{URL: server.URL + "/second"}
	})
	pool, err := toolbelt.FromChannel(jobs, toolbelt.SharedSession(s), toolbelt.Workers(1))
	if err != nil {
		fmt.Println(err)
		return
	}
	for result := range pool.Results(context.Background()) {
		text, err := result.Response.Text()
		fmt.Println(text, err)
	}
	sender.Wait()
	// Output:
	// /first  <nil>
	// /second  <nil>
}

func ExampleFromExceptions() {
	ctx := context.Background()
	pool, err := toolbelt.FromURLs(slices.Values([]string{"no URL"}))
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := pool.Join(ctx); err != nil {
		fmt.Println(err)
	}
	again, err := toolbelt.FromExceptions(pool.Exceptions())
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := again.Join(ctx); err != nil {
		fmt.Println(err)
	}
	fmt.Println(len(slices.Collect(again.Responses())), len(slices.Collect(again.Exceptions())))
	// Output: 0 1
}

func ExampleMap() {
	server := echoServer()
	defer server.Close()
	responses, exceptions, err := toolbelt.Map(context.Background(), []*requests.Request{
		{URL: server.URL + "/get"},
		{Method: "POST", URL: server.URL + "/post", JSON: []int{1, 2}},
		{URL: "ftp://h.example/"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(slices.Collect(responses)), len(slices.Collect(exceptions)))
	// Output: 2 1
}
