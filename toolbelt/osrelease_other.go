//go:build !darwin && !dragonfly && !freebsd && !linux && !netbsd && !openbsd && !windows

package toolbelt

func osRelease() string { return "" }
