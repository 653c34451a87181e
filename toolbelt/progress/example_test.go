package progress_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/mountable/requests"
	"github.com/mountable/requests/toolbelt"
	"github.com/mountable/requests/toolbelt/progress"
)

// The examples write to standard output, which is no terminal here: where it is one,
// a bar is drawn.

func counting() *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprintf(w, "%d bytes", n)
	}))
}

func ExampleBar_Upload() {
	server := counting()
	defer server.Close()
	e, err := toolbelt.NewMultipartEncoder(toolbelt.Fields{
		{Name: "user", Value: "ada"},
		{Name: "report", Filename: "report.txt", Value: strings.Repeat("text ", 100_000)},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	bar := progress.New("report.txt", progress.To(os.Stdout))
	defer bar.Close()
	r, err := requests.Post(context.Background(), server.URL, bar.Upload(e))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Text())
	// Output: 500236 bytes <nil>
}

func ExampleBar_Reader() {
	server := counting()
	defer server.Close()
	f, err := os.Open("example_test.go")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer f.Close()
	bar := progress.New("standard input", progress.To(os.Stdout))
	defer bar.Close()
	first := io.LimitReader(f, 1000)
	r, err := requests.Put(context.Background(), server.URL, requests.Body(bar.Reader(first, 1000)))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Text())
	// Output: 1000 bytes <nil>
}

func ExampleBar_Download() {
	server := counting()
	defer server.Close()
	dir, err := os.MkdirTemp("", "progress")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	s := requests.NewSession()
	defer s.Close()
	bar := progress.New("count.txt", progress.To(os.Stdout), progress.Clear())
	defer bar.Close()
	name, err := toolbelt.Download(context.Background(), s, server.URL, filepath.Join(dir, "count.txt"), bar.Download())
	if err != nil {
		fmt.Println(err)
		return
	}
	content, err := os.ReadFile(name)
	fmt.Println(string(content), err)
	// Output: 0 bytes <nil>
}

func ExampleBar_Pool() {
	server := counting()
	defer server.Close()
	urls := slices.Repeat([]string{server.URL}, 20)
	bar := progress.New("pages", progress.To(os.Stdout))
	defer bar.Close()
	pool, err := toolbelt.FromURLs(slices.Values(urls), toolbelt.Workers(4), bar.Pool(len(urls)))
	if err != nil {
		fmt.Println(err)
		return
	}
	n := 0
	for result := range pool.Results(context.Background()) {
		if result.Err == nil {
			n++
		}
	}
	fmt.Println(n, "pages")
	// Output: 20 pages
}

// Several bars at once, one below the other.
func ExampleGroup() {
	server := counting()
	defer server.Close()
	s := requests.NewSession()
	defer s.Close()
	group := progress.NewGroup(progress.To(os.Stdout))
	defer group.Close()
	var wait sync.WaitGroup
	for _, name := range []string{"a.txt", "b.txt"} {
		wait.Go(func() {
			bar := group.Bar(name)
			defer bar.Close()
			if _, err := s.Put(context.Background(), server.URL, requests.Body(bar.Reader(strings.NewReader("text"), 4))); err != nil {
				fmt.Println(err)
			}
		})
	}
	wait.Wait()
	fmt.Println("done")
	// Output: done
}

// Always draws where there is no terminal too, for a program that knows better.
func ExampleAlways() {
	var log strings.Builder
	bar := progress.New("four", progress.To(&log), progress.Always())
	_, err := io.Copy(io.Discard, bar.Reader(strings.NewReader("text"), 4))
	bar.Close()
	fmt.Println(strings.Contains(log.String(), "100%"), err)
	// Output: true <nil>
}
