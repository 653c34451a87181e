//go:build unix

package toolbelt

import "golang.org/x/sys/unix"

// osRelease is the kernel's release, "" where it cannot be told.
func osRelease() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return ""
	}
	return unix.ByteSliceToString(name.Release[:])
}
