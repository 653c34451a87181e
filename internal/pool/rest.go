package pool

import (
	"sync"
	"time"
)

// Rest tells since when a connection that several share has been used by none.
type Rest struct {
	// mu protects the fields below.
	mu    sync.Mutex
	users int
	start time.Time // zero before the first has ended
}

// Begin is called when one more uses the connection, and End when one does no longer.
func (r *Rest) Begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.users++
}

// End is the end of a use.
func (r *Rest) End() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.users--; r.users == 0 {
		r.start = time.Now()
	}
}

// Since is zero while somebody uses the connection.
func (r *Rest) Since() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.users > 0 {
		return time.Time{}
	}
	return r.start
}
