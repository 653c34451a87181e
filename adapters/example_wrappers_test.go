package adapters_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

// Credentials for one part of an API, whatever the scheme needs to be asked.
func ExampleAuthenticate() {
	api := adapters.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			w.Header().Set("WWW-Authenticate", `Digest realm="api", nonce="7ypf", qop="auth"`)
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	s := requests.NewSession()
	defer s.Close()
	s.Mount("https://api.example.com/", api)
	s.Mount("https://api.example.com/v1/", adapters.Authenticate(requests.DigestAuth("ada", "secret"))(api))
	for _, url := range []string{"https://api.example.com/v1/users", "https://api.example.com/health"} {
		fmt.Println(s.Get(context.Background(), url))
	}
	// Output:
	// <Response [200]> <nil>
	// <Response [401]> <nil>
}

// Two requests at a time, however many there are to send.
func ExampleLimit() {
	var now, most atomic.Int32
	slow := adapters.Handler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		most.Store(max(most.Load(), now.Add(1)))
		time.Sleep(time.Millisecond)
		now.Add(-1)
	}))
	s := requests.NewSession()
	defer s.Close()
	s.Mount("https://small.example.com/", adapters.Limit(2)(slow))
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			if _, err := s.Get(context.Background(), "https://small.example.com/"); err != nil {
				fmt.Println(err)
			}
		})
	}
	wg.Wait()
	fmt.Println(most.Load() <= 2)
	// Output: true
}

// The first request hangs; the second, sent ten milliseconds later, is answered.
func ExampleHedge() {
	var sent atomic.Int32
	moody := adapters.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if sent.Add(1) == 1 {
			<-r.Context().Done()
		}
	}))
	s := requests.NewSession()
	defer s.Close()
	s.Mount("https://moody.example.com/", adapters.Hedge(10*time.Millisecond)(moody))
	fmt.Println(s.Get(context.Background(), "https://moody.example.com/"))
	// Output: <Response [200]> <nil>
}

// After two failures nothing is sent for half a minute.
func ExampleBreaker() {
	broken := adapters.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	s := requests.NewSession()
	defer s.Close()
	s.Mount("https://api.example.com/", adapters.Breaker(2, 30*time.Second)(broken))
	for range 3 {
		r, err := s.Get(context.Background(), "https://api.example.com/")
		fmt.Println(r, errors.Is(err, adapters.ErrBreakerOpen))
	}
	// Output:
	// <Response [503]> false
	// <Response [503]> false
	// <nil> true
}

// Callers that ask for the same at the same time share one response, and each has a copy.
func ExampleSingleFlight() {
	origin := adapters.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "config") }))
	s := requests.NewSession()
	defer s.Close()
	s.Mount("https://config.example.com/", adapters.SingleFlight()(origin))
	texts := make([]string, 3)
	var wg sync.WaitGroup
	for i := range texts {
		wg.Go(func() {
			r, err := s.Get(context.Background(), "https://config.example.com/")
			if err != nil {
				fmt.Println(err)
				return
			}
			texts[i], _ = r.Text()
		})
	}
	wg.Wait()
	fmt.Println(texts)
	// Output: [config config config]
}

// A coding that the library does not know is undone by the program.
func ExampleContentDecoder() {
	origin := adapters.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "base64")
		fmt.Fprint(w, "aGVsbG8=")
	}))
	decode := func(r io.Reader) (io.Reader, error) { return base64.NewDecoder(base64.StdEncoding, r), nil }
	s := requests.NewSession()
	defer s.Close()
	s.Mount("https://odd.example.com/", adapters.ContentDecoder("base64", decode)(origin))
	r, err := s.Get(context.Background(), "https://odd.example.com/")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Text())
	// Output: hello <nil>
}

// What is sent says what its digest is.
func ExampleDigests() {
	origin := adapters.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Header.Get("Content-Digest")) }))
	s := requests.NewSession()
	defer s.Close()
	s.Mount("https://files.example.com/", adapters.Digests()(origin))
	r, err := s.Post(context.Background(), "https://files.example.com/", requests.Body(`{"hello": "world"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Text())
	// Output: sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=: <nil>
}

func ExampleMinThroughput() {
	wrapper, err := adapters.MinThroughput(1000, 30*time.Second)
	if err != nil {
		fmt.Println(err)
		return
	}
	s := requests.NewSession()
	s.Mount("https://", adapters.Chain(requests.NewHTTPAdapter(), wrapper))
	_, err = adapters.MinThroughput(0, time.Second)
	fmt.Println(err)
	// Output: MinThroughput: the rate is 0: expected 1 byte a second or more
}
