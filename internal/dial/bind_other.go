//go:build !linux && !darwin

package dial

import "errors"

func bindInterface(uintptr, string, string) error { return errors.ErrUnsupported }
