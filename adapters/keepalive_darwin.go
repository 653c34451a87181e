package adapters

import "syscall"

// The names of netinet/tcp.h; package syscall lacks the latter two.
const (
	solSocket       = syscall.SOL_SOCKET
	soKeepAlive     = syscall.SO_KEEPALIVE
	tcpKeepIdle     = 0x10  // TCP_KEEPALIVE
	tcpKeepInterval = 0x101 // TCP_KEEPINTVL
	tcpKeepCount    = 0x102 // TCP_KEEPCNT
)
