//go:build !unix && !windows

package dial

import "errors"

func setOption(uintptr, SocketOption) error { return errors.ErrUnsupported }
