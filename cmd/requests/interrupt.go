package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"
)

// cleanup is how long an interrupted command has for removing what it began: a download's temporary
// file, for example. Then the program ends although something is still waited for.
const cleanup = time.Second

// interruptible ends run's context with the first signal, and returns the exit status. The second
// signal ends the program.
func interruptible(run func(ctx context.Context) int) int {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan int, 1)
	go func() { ended <- run(ctx) }()
	select {
	case status := <-ended:
		return status
	case s := <-signals:
		signal.Stop(signals)
		cancel()
		waitUpTo(cleanup, ended)
		return map[bool]int{true: terminated, false: interrupted}[s == syscall.SIGTERM]
	}
}

func waitUpTo(limit time.Duration, ended <-chan int) {
	select {
	case <-ended:
	case <-time.After(limit):
	}
}

// unlessInterrupted returns what read does, or that ctx has ended. A read of a terminal or a pipe
// cannot be taken back: it lasts until the program ends, which is what follows.
func unlessInterrupted[T any](ctx context.Context, read func() (T, error)) (value T, err error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := read()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		return value, ctx.Err()
	}
}

// askPassword reads a password from the terminal, which echoes again when it returns.
func askPassword(ctx context.Context, prompt string) (string, error) {
	fd := int(os.Stdin.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	fmt.Fprint(os.Stderr, prompt)
	password, err := unlessInterrupted(ctx, func() ([]byte, error) { return term.ReadPassword(fd) })
	if ctx.Err() != nil {
		_ = term.Restore(fd, before)
	}
	fmt.Fprintln(os.Stderr)
	return string(password), err
}
