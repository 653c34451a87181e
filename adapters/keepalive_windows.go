package adapters

import "syscall"

// The names of ws2ipdef.h; Windows 10 version 1709 and later have them.
const (
	solSocket       = syscall.SOL_SOCKET
	soKeepAlive     = syscall.SO_KEEPALIVE
	tcpKeepIdle     = 3
	tcpKeepInterval = 17
	tcpKeepCount    = 16
)
