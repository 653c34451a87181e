package adapters_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

// A session talks to a daemon that listens on a Unix socket.
func ExampleUnix() {
	dir, err := os.MkdirTemp("", "unix")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	listener, err := net.Listen("unix", filepath.Join(dir, "daemon.sock"))
	if err != nil {
		fmt.Println(err)
		return
	}
	daemon := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Host, r.URL.Path) })}
	go daemon.Serve(listener)
	defer daemon.Close()

	adapter, err := adapters.Unix(filepath.Join(dir, "daemon.sock"))
	if err != nil {
		fmt.Println(err)
		return
	}
	s := requests.NewSession()
	defer s.Close()
	s.Mount("http://docker/", adapter)
	r, err := s.Get(context.Background(), "http://docker/v1.47/info")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Text())
	// Output: docker/v1.47/info <nil>
}

// The first run of a test records, and later runs replay without a network.
func ExampleCassette() {
	dir, err := os.MkdirTemp("", "cassette")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	served := 0
	server := adapters.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		served++
		fmt.Fprint(w, "ada")
	}))
	for range 2 {
		tape, err := adapters.Cassette(filepath.Join(dir, "user.json"), adapters.RecordOnce)
		if err != nil {
			fmt.Println(err)
			return
		}
		s := requests.NewSession()
		s.Mount("https://api.example.com/", adapters.Chain(server, tape))
		r, err := s.Get(context.Background(), "https://api.example.com/users/1")
		if err != nil {
			fmt.Println(err)
			return
		}
		text, err := r.Text()
		fmt.Println(text, err, served)
	}
	// Output:
	// ada <nil> 1
	// ada <nil> 1
}

// A line for each request, without its secrets.
func ExampleLogging() {
	server := adapters.Handler(http.NotFoundHandler())
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey || a.Key == "duration" {
			return slog.Attr{}
		}
		return a
	}}))
	s := requests.NewSession()
	s.Mount("https://api.example.com/", adapters.Chain(server, adapters.Logging(logger)))
	if _, err := s.Get(context.Background(), "https://api.example.com/users?token=s3cret"); err != nil {
		fmt.Println(err)
	}
	// Output: level=WARN msg=request method=GET url="https://api.example.com/users?token=***" status=404
}

// Five requests a second to each host, and up to ten at once after a pause.
func ExampleRateLimit() {
	limit, err := adapters.RateLimit(5, 10)
	if err != nil {
		fmt.Println(err)
		return
	}
	s := requests.NewSession()
	defer s.Close()
	s.Mount("https://api.example.com/", adapters.Chain(requests.NewHTTPAdapter(), limit))
	_, err = adapters.RateLimit(0, 10)
	fmt.Println(err)
	// Output: RateLimit: perSecond is 0: expected more than 0
}
