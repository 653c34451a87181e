package dial

import "syscall"

func setOption(fd uintptr, o SocketOption) error {
	if len(o.Bytes) > 0 {
		return syscall.Setsockopt(syscall.Handle(fd), int32(o.Level), int32(o.Name), &o.Bytes[0], int32(len(o.Bytes)))
	}
	return syscall.SetsockoptInt(syscall.Handle(fd), o.Level, o.Name, o.Int)
}
