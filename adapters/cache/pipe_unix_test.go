//go:build unix

package cache

import "syscall"

// pipe makes one that nobody writes to.
func pipe(file string) error { return syscall.Mkfifo(file, 0o600) }
