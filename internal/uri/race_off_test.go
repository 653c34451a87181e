//go:build !race

package uri

// slowdown is how much longer a time limit is under the race detector.
const slowdown = 4
