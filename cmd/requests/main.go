// Requests sends HTTP requests from the command line, with the request syntax of HTTPie:
//
//	requests [flags] [METHOD] URL [ITEM…]
//
//	requests pie.dev/get q==go X-Team:search
//	requests POST pie.dev/post name=ada age:=36 tags:='["a","b"]'
//	requests --form POST pie.dev/post name=ada photo@ada.png
//	requests --download https://example.com/report.pdf
//	requests --session work --auth ada:secret https://api.example.com/login
//
// An item is one of
//
//	Header:value   a header field; "Header:" leaves a default out, "Header;" sends an empty one
//	name==value    a parameter of the URL's query
//	name=value     a text of the JSON body, or a field of the form; a[b]=c and a[]=c nest in JSON
//	name:=json     any JSON
//	name@file      a file of a multipart form; name@file;type=text/plain says its type
//	@file          a file that is the body
//
// and =@, :=@, ==@, :@ take the value from a file. A backslash before a separator, or before a bracket,
// makes it text. A URL without scheme is http; ":3000/path" is on localhost. --help says what differs
// from HTTPie.
//
// The exit status is 0 for a response below 300, 3, 4 and 5 for those of the class, 1 for an error,
// 2 for a time limit, 6 for too many redirects, 64 for a command that makes no sense, and 130 where it
// was interrupted, whatever it waits for; 143 is that of SIGTERM.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/mountable/requests"
)

func main() {
	c := &command{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	c.stdoutTerminal, c.stderrTerminal = term.IsTerminal(int(os.Stdout.Fd())), term.IsTerminal(int(os.Stderr.Fd()))
	if info, err := os.Stdin.Stat(); err != nil || info.Mode()&os.ModeCharDevice != 0 {
		c.stdin = nil // a terminal, or nothing
	}
	if c.stderrTerminal && term.IsTerminal(int(os.Stdin.Fd())) {
		c.ask = askPassword
	}
	os.Exit(interruptible(func(ctx context.Context) int { return c.run(ctx, os.Args[1:]) }))
}

// command is one run.
type command struct {
	stdin          io.Reader // nil if there is nothing to be read
	stdout, stderr io.Writer
	stdoutTerminal bool
	stderrTerminal bool
	ask            func(ctx context.Context, prompt string) (string, error) // for a password; nil without a terminal
	opened         []io.Closer                                              // closed at the end
}

// The exit statuses, HTTPie's where it has them.
const (
	failed       = 1
	timedOut     = 2
	tooManyHops  = 6
	misused      = 64  // EX_USAGE of sysexits.h
	interrupted  = 130 // 128 and the number of the signal, as a shell has it
	terminated   = 143
	firstRefused = 300 // statuses from here on are an exit status by their class
)

// usageError is a command that makes no sense.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func misuse(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// run does what the arguments say and returns the exit status.
func (c *command) run(ctx context.Context, args []string) int {
	defer func() {
		for _, file := range c.opened {
			_ = file.Close()
		}
	}()
	status, err := c.try(ctx, args)
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(c.stderr, "requests: interrupted")
		return interrupted
	case err != nil:
		fmt.Fprintf(c.stderr, "requests: %v\n", err)
		return statusOf(err)
	}
	return status
}

func statusOf(err error) int {
	var usage *usageError
	var refused *requests.Error
	switch {
	case errors.Is(err, requests.ErrHTTP) && errors.As(err, &refused) && refused.Response != nil:
		return class(refused.Response)
	case errors.As(err, &usage):
		return misused
	case errors.Is(err, requests.ErrTimeout):
		return timedOut
	case errors.Is(err, requests.ErrTooManyRedirects):
		return tooManyHops
	case errors.Is(err, context.Canceled):
		return interrupted
	}
	return failed
}

// class is the exit status for a response.
func class(r *requests.Response) int {
	if r.StatusCode < firstRefused {
		return 0
	}
	return r.StatusCode / 100
}

func (c *command) try(ctx context.Context, args []string) (int, error) {
	f, err := parseFlags(args)
	if err != nil {
		return 0, err
	}
	switch {
	case f.help:
		return 0, f.usage(c.stdout)
	case f.version:
		_, err := fmt.Fprintln(c.stdout, requests.DefaultUserAgent())
		return 0, err
	case f.completion != "":
		return 0, f.complete(c.stdout)
	}
	return c.exchange(ctx, f)
}
