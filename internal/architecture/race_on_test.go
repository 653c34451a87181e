//go:build race

package architecture

// raceDetector reports whether the tests run under the race detector.
const raceDetector = true
