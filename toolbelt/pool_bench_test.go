package toolbelt

import (
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/mountable/requests"
)

// benchWorkers and the URLs of one iteration; run with -benchtime 100000x for the
// hundred thousand of the goal: a Pool has 0.9 of net/http's throughput or more.
const benchWorkers = 16

func BenchmarkPool(b *testing.B) {
	url, _ := testServer(b, nil)
	b.ReportAllocs()
	b.ResetTimer()
	pool := mustPool(b)(FromURLs(numbered(url, b.N), Workers(benchWorkers)))
	for result := range pool.Results(b.Context()) {
		if result.Err != nil {
			b.Fatal(result.Err)
		}
	}
}

func BenchmarkPoolShared(b *testing.B) {
	url, _ := testServer(b, nil)
	s := requests.NewSession()
	defer s.Close()
	s.Mount("http://", requests.NewHTTPAdapter(requests.PoolMaxSize(benchWorkers)))
	b.ReportAllocs()
	b.ResetTimer()
	pool := mustPool(b)(FromURLs(numbered(url, b.N), Workers(benchWorkers), SharedSession(s)))
	for result := range pool.Results(b.Context()) {
		if result.Err != nil {
			b.Fatal(result.Err)
		}
	}
}

// BenchmarkNetHTTP is what BenchmarkPool is measured against: as many goroutines on
// one client, which take their URLs from a channel.
func BenchmarkNetHTTP(b *testing.B) {
	url, _ := testServer(b, nil)
	transport := &http.Transport{MaxIdleConnsPerHost: benchWorkers}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	b.ReportAllocs()
	b.ResetTimer()
	urls := make(chan string)
	var workers sync.WaitGroup
	for range benchWorkers {
		workers.Go(func() {
			for u := range urls {
				if err := fetch(client, u); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for u := range numbered(url, b.N) {
		urls <- u
	}
	close(urls)
	workers.Wait()
}

func fetch(client *http.Client, url string) error {
	r, err := client.Get(url)
	if err != nil {
		return err
	}
	defer r.Body.Close()
	_, err = io.ReadAll(r.Body)
	return err
}
