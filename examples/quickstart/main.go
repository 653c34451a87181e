// Command quickstart drives a local httpbin through one requests.Session, and
// prints its code and what came of it.
//
//	go run ./examples/quickstart        starts its own server on a free loopback port
//	go run ./examples/quickstart URL    uses that httpbin instead
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/mountable/requests"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

const usage = `usage: quickstart [URL]

Takes a tour through the library: against a server of its own on a free port of this
machine, or against the httpbin at URL.
`

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("quickstart", flag.ContinueOnError)
	flags.SetOutput(io.Discard) // main prints the error
	flags.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	err := flags.Parse(args)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	if args = flags.Args(); len(args) > 1 {
		return fmt.Errorf("give at most one URL, not %d", len(args))
	}
	tour := &tour{out: os.Stdout, session: requests.NewSession()}
	defer tour.session.Close()
	if len(args) == 1 {
		tour.base = args[0]
		return tour.remote(ctx)
	}
	base, stop, err := startServer()
	if err != nil {
		return err
	}
	defer stop()
	tour.base = base
	return tour.local(ctx)
}

// local takes every stop of the tour against the server of this process.
func (t *tour) local(ctx context.Context) error {
	start := time.Now()
	t.printf("httpbin is listening on %s\n", t.base)
	stops := append(append(t.common(), t.carriers()...), t.brotli, t.refused)
	if err := t.visit(ctx, stops); err != nil {
		return err
	}
	t.printf("\n%d stops in %v, over one Session.\n", len(stops), time.Since(start).Round(time.Millisecond))
	return nil
}

// remote takes the stops that work against any httpbin, after one request that
// tells a wrong URL from a broken tour.
func (t *tour) remote(ctx context.Context) error {
	r, err := t.session.Get(ctx, t.base, requests.Timeout(10*time.Second))
	if err != nil {
		return fmt.Errorf("cannot use %q as an httpbin: %w", t.base, err)
	}
	if err := r.RaiseForStatus(); err != nil {
		return fmt.Errorf("cannot use %q as an httpbin: %w", t.base, err)
	}
	return t.visit(ctx, t.common())
}
