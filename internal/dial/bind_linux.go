package dial

import "syscall"

func bindInterface(fd uintptr, _ string, name string) error {
	return syscall.BindToDevice(int(fd), name)
}
