//go:build !unix

package cache

import "errors"

// pipe makes none: files that are pipes are Unix'.
func pipe(string) error { return errors.ErrUnsupported }
