//go:build !linux

package wiretest

import "time"

// Spent returns the time that f takes.
func Spent(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}
