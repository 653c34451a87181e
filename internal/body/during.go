package body

import (
	"context"
	"errors"
	"time"
)

// ErrOverdue is the end of the time that During had.
var ErrOverdue = errors.New("the time is over")

// During runs work on a goroutine of its own and returns when it has ended, or with ErrOverdue
// or the error of ctx, whichever comes first. work then goes on by itself. Should it panic while
// somebody waits, so does During. The zero deadline is none.
func During(ctx context.Context, deadline time.Time, work func()) error {
	done := make(chan struct{})
	var panicked any
	go func() {
		defer close(done)
		defer func() { panicked = recover() }()
		work()
	}()
	var over <-chan time.Time
	if !deadline.IsZero() {
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		over = timer.C
	}
	select {
	case <-done:
	case <-ctx.Done():
		return ctx.Err()
	case <-over:
		return ErrOverdue
	}
	if panicked != nil {
		panic(panicked)
	}
	return nil
}
