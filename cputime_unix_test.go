//go:build unix

package requests_test

import (
	"syscall"
	"time"
)

// processorTime is how long this process has been running on the processors.
func processorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
