package backoff

import (
	"context"
	"errors"
	"time"
)

// The ends that are known before a pause begins.
var (
	ErrPastDeadline = errors.New("the pause would outlast the deadline of the request")
	ErrPastContext  = errors.New("the pause would outlast the context")
)

// Pause waits until d is over, or ctx, whose error it returns then. A pause that would outlast the deadline, or ctx's own,
// is not begun: its end is known, so it is told at once. The zero deadline is none.
func Pause(ctx context.Context, d time.Duration, deadline time.Time) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if !deadline.IsZero() && time.Until(deadline) <= d {
		return ErrPastDeadline
	}
	if end, ok := ctx.Deadline(); ok && time.Until(end) <= d {
		return ErrPastContext
	}
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
