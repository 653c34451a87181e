//go:build race

package uri

// Under the race detector the input is smaller and the limit longer: what would
// take quadratic time still takes far too long.
const (
	slowdown = 8
	shrink   = 8
)
