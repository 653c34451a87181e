package cache_test

import (
	"context"
	"fmt"
	"net/http"
	"os"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/adapters/cache"
)

var api = adapters.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "max-age=60, stale-if-error=3600")
	fmt.Fprint(w, "served")
}))

// The second request is answered by the cache.
func Example() {
	s := requests.NewSession()
	defer s.Close()
	s.Mount("https://api.example.com/", cache.New(cache.Memory(64<<20))(api))
	for range 2 {
		r, err := s.Get(context.Background(), "https://api.example.com/users")
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(cache.StatusOf(r))
	}
	// Output:
	// miss
	// hit
}

// What one session has stored on disk another one finds, in another process too.
func ExampleDisk() {
	folder, err := os.MkdirTemp("", "cache")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	for range 2 {
		store, err := cache.Disk(folder, 1<<30)
		if err != nil {
			fmt.Println(err)
			return
		}
		s := requests.NewSession()
		s.Mount("https://", cache.New(store)(api))
		r, err := s.Get(context.Background(), "https://api.example.com/")
		fmt.Println(cache.StatusOf(r), err)
		s.Close()
	}
	// Output:
	// miss <nil>
	// hit <nil>
}
