//go:build !unix || aix

package dial

// canPeek is false where a peek could block; Alive reads for a millisecond instead.
const canPeek = false

func nothingToRead(uintptr) bool { return true }

func somethingToRead(uintptr) bool { return false }
