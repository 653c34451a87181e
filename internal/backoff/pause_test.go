package backoff

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPause(t *testing.T) {
	for name, c := range map[string]struct {
		pause, deadline, context, cancel time.Duration // 0: none
		want                             string
	}{
		"none":                    {0, 0, 0, 0, "<nil> after 0s"},
		"all of it":               {time.Second, 0, 0, 0, "<nil> after 1s"},
		"within both ends":        {time.Second, 2 * time.Second, 2 * time.Second, 0, "<nil> after 1s"},
		"past the deadline":       {time.Second, time.Second, 0, 0, ErrPastDeadline.Error() + " after 0s"},
		"past the context":        {time.Second, 0, time.Second, 0, ErrPastContext.Error() + " after 0s"},
		"canceled on the way":     {time.Second, 0, 0, time.Second / 2, "context canceled after 500ms"},
		"a deadline that is over": {0, -1, 0, 0, ErrPastDeadline.Error() + " after 0s"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if c.context > 0 {
					ctx, cancel = context.WithTimeout(ctx, c.context)
					defer cancel()
				}
				if c.cancel > 0 {
					defer time.AfterFunc(c.cancel, cancel).Stop()
				}
				var deadline time.Time
				if c.deadline != 0 {
					deadline = start.Add(c.deadline)
				}
				err := Pause(ctx, c.pause, deadline)
				if diff := cmp.Diff(c.want, fmt.Sprintf("%v after %v", err, time.Since(start))); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		})
	}
}
