package wiretest

import (
	"testing"
	"time"
)

// Patiently runs f until it returns nil, with a factor for its times that grows, and fails the test with the last error. For
// what has to happen within a limit that is short where the machine is quiet: a busy one may take a second to start what
// was meant to wait for ten milliseconds.
func Patiently(t testing.TB, f func(slower time.Duration) error) {
	t.Helper()
	var err error
	for _, slower := range []time.Duration{1, 10, 50} {
		if err = f(slower); err == nil {
			return
		}
	}
	t.Error(err)
}
