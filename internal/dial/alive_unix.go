//go:build unix && !aix

package dial

import "syscall"

const canPeek = true

// nothingToRead is true for an open socket with an empty receive buffer; a
// read of no bytes is the peer's FIN.
func nothingToRead(fd uintptr) bool {
	_, err := peek(fd)
	return err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
}

// somethingToRead is true for a socket with bytes in its receive buffer.
func somethingToRead(fd uintptr) bool {
	n, err := peek(fd)
	return n > 0 && err == nil
}

func peek(fd uintptr) (n int, err error) {
	var b [1]byte
	for {
		if n, _, err = syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT); err != syscall.EINTR {
			return n, err
		}
	}
}
