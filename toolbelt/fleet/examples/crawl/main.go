// Command crawl crawls a site with several processes that share one queue, one rate and one login.
//
//	crawl [-pages 60] [-processes 4] [-rate 20]
//
// It serves a small site on loopback, which wants a login and has a robots.txt, and starts itself
// anew as the processes that fetch. It reads their results, finds the links in them, and enqueues
// these: the ID of a job keeps a page from being fetched twice. When all is fetched it prints what
// the site has seen.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

// processEnv names a process that fetches; the one that does not have it is the one that crawls.
const processEnv = "CRAWL_PROCESS"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if name := os.Getenv(processEnv); name != "" {
		err = work(ctx, name, os.Stdin, os.Stdout)
	} else {
		err = run(ctx, os.Args[1:], os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "crawl:", err)
		os.Exit(1)
	}
}

type settings struct {
	pages, processes int
	rate             float64
}

// parse reads the arguments; with -h it prints the usage and returns flag.ErrHelp.
func parse(args []string, out io.Writer) (o settings, err error) {
	flags := flag.NewFlagSet("crawl", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.Usage = func() {
		fmt.Fprintln(out, "usage: crawl [-pages N] [-processes N] [-rate N]\n\nServes a site on loopback and crawls it with processes that share a queue, a rate and a login.")
		flags.PrintDefaults()
	}
	flags.IntVar(&o.pages, "pages", 60, "the pages of the site")
	flags.IntVar(&o.processes, "processes", 4, "the processes that fetch them")
	flags.Float64Var(&o.rate, "rate", 20, "the requests a second to the site, of all processes together")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.pages < 1 || o.processes < 1 || !(o.rate > 0) || flags.NArg() > 0 {
		return o, errors.New("expected -pages and -processes of 1 or more, a -rate above 0, and no arguments: see -h")
	}
	return o, nil
}

func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parse(args, out)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	s := newSite(o.pages)
	url, stop, err := serve(s)
	if err != nil {
		return err
	}
	defer stop()
	found, err := crawl(ctx, o, url, out)
	if err != nil {
		return err
	}
	found.print(out)
	s.print(out)
	return nil
}

// serve serves on loopback until stop is called.
func serve(h http.Handler) (url string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &http.Server{Handler: h}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		server.Serve(l) // until it is closed
	}()
	return "http://" + l.Addr().String(), func() {
		server.Close()
		<-ended
	}, nil
}
