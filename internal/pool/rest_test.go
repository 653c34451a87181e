package pool

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestRest: a connection rests from the end of its last use to the next.
func TestRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r Rest
		want := func(what string, since time.Time) {
			t.Helper()
			if got := r.Since(); !got.Equal(since) {
				t.Errorf("%s: since %v, want %v", what, got, since)
			}
		}
		want("new", time.Time{})
		r.Begin()
		r.Begin()
		time.Sleep(time.Second)
		r.End()
		want("one still uses it", time.Time{})
		time.Sleep(time.Second)
		r.End()
		ended := time.Now()
		time.Sleep(time.Second)
		want("nobody uses it", ended)
		r.Begin()
		want("used again", time.Time{})
	})
}
