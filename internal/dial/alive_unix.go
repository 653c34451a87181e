//go:build unix && !aix

package dial

import "syscall"

const canPeek = true

// nothingToRead is true for an open socket with an empty receive buffer; a
// read of no bytes is the peer's FIN.
func nothingToRead(fd uintptr) bool {
	var b [1]byte
	for {
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		if err != syscall.EINTR {
			return err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
		}
	}
}
