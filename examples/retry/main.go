// Command retry sends a request to a server that is sometimes busy, waits as long as its Retry-After
// says, and prints every try.
//
//	retry https://api.example.com/report
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/mountable/requests"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: retry URL")
	}
	retry := requests.Retry{Total: 5, BackoffFactor: 200 * time.Millisecond, StatusForcelist: []int{429, 502, 503, 504}}
	adapter := requests.NewHTTPAdapter(requests.Retries(retry))
	s := requests.NewSession()
	s.Mount("https://", adapter)
	s.Mount("http://", adapter)
	r, err := s.Get(context.Background(), os.Args[1], requests.Timeouts{Total: time.Minute})
	if err != nil {
		log.Fatal(err)
	}
	for i, attempt := range r.Attempts {
		fmt.Printf("try %d: %d\n", i+1, attempt.StatusCode)
	}
	fmt.Println("then:", r.StatusCode)
}
