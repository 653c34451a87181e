package backoff

import (
	"fmt"
	"math"
)

// Count is a number of repeats; 0 is one that is not set.
type Count int

// Counts that are not numbers.
const (
	None      = math.MinInt32 + iota // there are no repeats
	Never                            // nor any, and nothing is said about them
	Unlimited                        // no cap
)

// Times returns the Count of n repeats, where 0 is none.
func Times(n int) Count {
	if n == 0 {
		return None
	}
	return Count(n)
}

// Int returns the number of repeats that are left; ok is false where there is no cap.
func (c Count) Int() (n int, ok bool) {
	switch c {
	case 0, Unlimited:
		return 0, false
	case None, Never:
		return 0, true
	}
	return int(c), true
}

// String shows c as Python would.
func (c Count) String() string {
	if c == Never {
		return "False"
	}
	n, ok := c.Int()
	if !ok {
		return "None"
	}
	return fmt.Sprint(n)
}

// Less counts one down. Below zero, the count is used up.
func (c Count) Less() Count {
	n, ok := c.Int()
	if !ok || n < 0 {
		return c
	}
	return Times(n - 1)
}
