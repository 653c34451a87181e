package requests

import "testing"

// Most machines have no netrc file: a request must not pay for looking.
func TestNetrcAbsentCostsNothing(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	s := NewSession()
	p := &PreparedRequest{URL: "http://h.test/"}
	got := testing.AllocsPerRun(100, func() {
		if auth, err := s.netrcAuth(p); auth != nil || err != nil {
			t.Fatal(auth, err)
		}
	})
	if got > 0 {
		t.Errorf("%v allocations", got)
	}
}
