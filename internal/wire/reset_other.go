//go:build !windows && !plan9

package wire

import "syscall"

var resets = []error{syscall.ECONNRESET, syscall.EPIPE}
