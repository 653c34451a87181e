//go:build !race

package uri

// A quiet machine keeps the rule's 50 ms for 1 MB; shared ones are given four times
// that.
const (
	slowdown = 4
	shrink   = 1
)
