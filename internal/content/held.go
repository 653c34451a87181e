package content

import (
	"io"
	"sync"
)

// Held is the responses of a hop on which hooks are still at work.
type Held[R io.Closer] struct {
	// mu protects the fields below: a hook may send from several goroutines.
	mu   sync.Mutex
	all  []R
	over bool // the last hook has returned
}

// Add keeps r, until End. A nil h keeps nothing.
func (h *Held[R]) Add(r R) {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.over {
		h.all = append(h.all, r)
	}
}

// End lets go of the responses, and closes them if the hooks have failed.
func (h *Held[R]) End(failed bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if failed {
		for _, r := range h.all {
			_ = r.Close()
		}
	}
	h.all, h.over = nil, true
}
