//go:build !linux

package wiretest

import "testing"

// Blackhole skips the test: only on Linux it is known how to make one.
func Blackhole(t testing.TB) string {
	t.Helper()
	t.Skip("no address that swallows connections on this system")
	return ""
}
