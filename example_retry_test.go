package requests_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/mountable/requests"
)

// flaky answers 503 twice, and then 200.
func flaky() *httptest.Server {
	n := 0
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n++; n < 3 {
			w.WriteHeader(503)
		}
	}))
}

func ExampleRetries() {
	server := flaky()
	defer server.Close()
	s := requests.NewSession()
	defer s.Close()
	s.Mount(server.URL, requests.NewHTTPAdapter(requests.Retries(requests.Retry{
		Total: 3, BackoffFactor: 10 * time.Millisecond, StatusForcelist: []int{502, 503, 504},
	})))
	r, err := s.Get(context.Background(), server.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, try := range r.Attempts {
		fmt.Println("put aside:", try.StatusCode)
	}
	fmt.Println(r.StatusCode)
	// Output:
	// put aside: 503
	// put aside: 503
	// 200
}

func ExampleMaxRetries() {
	s := requests.NewSession()
	defer s.Close()
	s.Mount("http://", requests.NewHTTPAdapter(requests.MaxRetries(3)))
	_, err := s.Get(context.Background(), "http://127.0.0.1:1/") // nobody listens there
	var gaveUp *requests.MaxRetryError
	fmt.Println(errors.Is(err, requests.ErrConnect), errors.As(err, &gaveUp))
	// Output: true true
}

func ExampleRetryBudget() {
	server := flaky()
	defer server.Close()
	s := requests.NewSession()
	defer s.Close()
	s.Mount(server.URL, requests.NewHTTPAdapter(
		requests.Retries(requests.Retry{Total: 3, StatusForcelist: []int{503}}),
		requests.RetryBudget(1, 0.1), // one repeat, and one more for ten answers
	))
	r, err := s.Get(context.Background(), server.URL)
	fmt.Println(r.StatusCode, len(r.Attempts), err)
	// Output: 503 1 <nil>
}

func ExampleRetry_State() {
	tries := requests.Retry{Total: 2, BackoffFactor: time.Second}.State()
	var err error
	for err == nil {
		fmt.Println(tries.Left.Total, "left, pause", tries.Delay(nil, time.Now()))
		tries, err = tries.Increment("GET", "/", nil, &requests.Error{Kind: requests.ErrReadTimeout})
	}
	fmt.Println(err)
	// Output:
	// 2 left, pause 0s
	// 1 left, pause 0s
	// 0 left, pause 2s
	// gave up after 3 tries: read timeout
}

func ExampleRetryTimes() {
	for _, n := range []int{0, 3} {
		fmt.Println(requests.Retry{Total: requests.RetryTimes(n)}.State().IsRetry("GET", 503, true))
	}
	// Output:
	// false
	// true
}

func ExampleTimeouts() {
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		<-r.Context().Done()
	}))
	defer server.Close()
	_, err := requests.Get(context.Background(), server.URL, requests.Timeouts{Connect: 3 * time.Second, Read: 50 * time.Millisecond})
	fmt.Println(errors.Is(err, requests.ErrReadTimeout), errors.Is(err, requests.ErrTimeout), errors.Is(err, requests.ErrConnection))
	// Output: true true false
}

func ExampleResolveTo() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Host)
	}))
	defer server.Close()
	s := requests.NewSession()
	defer s.Close()
	s.Mount("http://", requests.NewHTTPAdapter(requests.ResolveTo(map[string]string{
		"staging.example.com": server.Listener.Addr().String(),
	})))
	r, err := s.Get(context.Background(), "http://staging.example.com/")
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := r.Text()
	fmt.Println(text, err)
	// Output: staging.example.com <nil>
}

func ExampleResolveWith() {
	resolver := &net.Resolver{PreferGo: true}
	s := requests.NewSession()
	defer s.Close()
	s.Mount("https://", requests.NewHTTPAdapter(requests.ResolveWith(resolver)))
}

func ExampleHTTPAdapter_Stats() {
	server := httptest.NewServer(http.NotFoundHandler())
	defer server.Close()
	adapter := requests.NewHTTPAdapter()
	s := requests.NewSession()
	defer s.Close()
	s.Mount("http://", adapter)
	for range 3 {
		if _, err := s.Get(context.Background(), server.URL); err != nil {
			fmt.Println(err)
		}
	}
	stats := adapter.Stats()
	fmt.Println(stats.Requests, stats.Opened, stats.Reused, stats.Idle)
	// Output: 3 1 2 1
}
