//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package toolbelt

import "syscall"

// osRelease is the kernel's release, "" where it cannot be told.
func osRelease() string {
	release, err := syscall.Sysctl("kern.osrelease")
	if err != nil {
		return ""
	}
	return release
}
