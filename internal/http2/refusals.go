package http2

import "errors"

// Refusals counts how often servers have refused a request unseen.
type Refusals struct{ all, vain int }

// How often a request that was refused is sent again: a few times where the connection
// served nobody, as it may go on like that for ever, and more often where it did, as a
// server that closes each connection after a number of requests has many to refuse when
// many come at once.
const (
	maxVain     = 3
	maxRefusals = 50
)

// Again counts a refusal, and reports whether the request may be sent again, whatever its
// method: the server ended the connection, or had too much to do, and says that it has not
// looked at it.
func (n *Refusals) Again(cause error) bool {
	n.all++
	if gone, ok := errors.AsType[*GoAwayError](cause); !ok || gone.Last == 0 {
		n.vain++
	}
	return n.vain <= maxVain && n.all <= maxRefusals
}
