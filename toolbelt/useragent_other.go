//go:build !unix && !windows

package toolbelt

func osRelease() string { return "" }
