package dial

import (
	"syscall"
	"unsafe"
)

// queued asks for what is in the send queue, sent or not: SIOCOUTQ of tcp(7), which the
// standard library has no call for.
func queued(fd uintptr) int64 {
	var n int32
	if _, _, failed := syscall.Syscall(syscall.SYS_IOCTL, fd, syscall.TIOCOUTQ, uintptr(unsafe.Pointer(&n))); failed != 0 {
		return 0
	}
	return int64(n)
}
