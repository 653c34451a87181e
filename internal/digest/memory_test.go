package digest

import (
	"strings"
	"testing"
)

// TestMemoryBounds: what servers can make a Memory keep is bounded.
func TestMemoryBounds(t *testing.T) {
	var m Memory
	for i := range 4 * maxSpaces {
		nonce := strings.Repeat("n", i+1)
		c := Find([]string{"Digest realm=r, qop=auth, nonce=" + nonce}, false)
		m.Learn("http://h"+nonce, c)
		m.Learn("http://one", c)
		if m.Take("http://one", nil) == nil {
			t.Fatal("the challenge of the space is not known")
		}
	}
	if len(m.spaces) > maxSpaces || len(m.spaces["http://one"].counts) > maxNonces {
		t.Errorf("%d spaces, %d nonces", len(m.spaces), len(m.spaces["http://one"].counts))
	}
}
