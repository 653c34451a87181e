package wire

import (
	"errors"
	"slices"
)

// IsReset reports whether err says, in the system's numbers, that the peer has ended the connection.
func IsReset(err error) bool {
	return slices.ContainsFunc(resets, func(reset error) bool { return errors.Is(err, reset) })
}
