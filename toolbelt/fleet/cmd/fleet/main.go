// Command fleet shows and steers a fleet:
//
//	fleet [-url nats://h:4222 | -dir DIR] [-name fleet] [-json] [-hosts] [-every 1s] COMMAND
//
//	watch        print the counts until interrupted
//	status       print them once
//	pause        let the workers finish what they send, and begin nothing
//	resume       go on
//	cancel TAG   cancel the jobs with a tag
//	purge        delete all jobs and results
//
// The key of a sealed fleet is read from FLEET_KEY, in hexadecimal.
package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/mountable/requests/toolbelt/fleet"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "fleet:", err)
		os.Exit(1)
	}
}

type settings struct {
	url, dir, name string
	json, hosts    bool
	every          time.Duration
}

const usage = `usage: fleet [flags] COMMAND

  watch        print the counts until interrupted
  status       print them once
  pause        let the workers finish what they send, and begin nothing
  resume       go on
  cancel TAG   cancel the jobs with a tag
  purge        delete all jobs and results

The key of a sealed fleet is read from FLEET_KEY, in hexadecimal. Flags:
`

func run(ctx context.Context, args []string, out io.Writer) error {
	var s settings
	flags := flag.NewFlagSet("fleet", flag.ContinueOnError)
	flags.StringVar(&s.url, "url", "nats://127.0.0.1:4222", "the server")
	flags.StringVar(&s.dir, "dir", "", "the directory of an embedded server, instead of -url")
	flags.StringVar(&s.name, "name", "fleet", "the name of the fleet")
	flags.BoolVar(&s.json, "json", false, "print JSON, a line at a time")
	flags.BoolVar(&s.hosts, "hosts", false, "count each host, too")
	flags.DurationVar(&s.every, "every", time.Second, "how often watch prints")
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), usage)
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil // it has been printed
	} else if err != nil {
		return err
	}
	f, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer f.Close()
	switch command := flags.Arg(0); {
	case command == "watch":
		return s.watch(ctx, f, out)
	case command == "status":
		return s.print(ctx, f, out)
	case command == "pause":
		return f.Pause(ctx)
	case command == "resume":
		return f.Resume(ctx)
	case command == "cancel" && flags.NArg() == 2:
		return f.Cancel(ctx, flags.Arg(1))
	case command == "purge":
		return f.Purge(ctx)
	}
	return fmt.Errorf("expected one of: watch, status, pause, resume, cancel TAG, purge")
}

func (s *settings) open(ctx context.Context) (*fleet.Fleet, error) {
	where := fleet.Connect(s.url)
	if s.dir != "" {
		where = fleet.Embedded(s.dir)
	}
	options := []fleet.Option{fleet.Name(s.name)}
	if text := os.Getenv("FLEET_KEY"); text != "" {
		key, err := hex.DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("FLEET_KEY is not in hexadecimal")
		}
		options = append(options, fleet.SealWith(key))
	}
	return fleet.Open(ctx, where, options...)
}

func (s *settings) watch(ctx context.Context, f *fleet.Fleet, out io.Writer) error {
	tick := time.NewTicker(max(s.every, 100*time.Millisecond))
	defer tick.Stop()
	for {
		if err := s.print(ctx, f, out); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// print writes the counts as one line, and one more for each host.
func (s *settings) print(ctx context.Context, f *fleet.Fleet, out io.Writer) error {
	status, err := f.Status(ctx)
	if err != nil {
		return err
	}
	var hosts map[string]fleet.Status
	if s.hosts {
		if hosts, err = f.Hosts(ctx); err != nil {
			return err
		}
	}
	if s.json {
		return json.NewEncoder(out).Encode(struct {
			fleet.Status
			Hosts map[string]fleet.Status `json:"hosts,omitempty"`
		}{status, hosts})
	}
	line := func(name string, c fleet.Status) {
		fmt.Fprintf(out, "%-30s %10d waiting %10d running %10d done %10d failed\n", name, c.Waiting, c.Running, c.Done, c.Failed)
	}
	name := s.name
	if status.Paused {
		name += " (paused)"
	}
	line(name, status)
	for host, c := range hosts {
		line("  "+host, c)
	}
	return nil
}
