package adapters

import "syscall"

const (
	solSocket       = syscall.SOL_SOCKET
	soKeepAlive     = syscall.SO_KEEPALIVE
	tcpKeepIdle     = syscall.TCP_KEEPIDLE
	tcpKeepInterval = syscall.TCP_KEEPINTVL
	tcpKeepCount    = syscall.TCP_KEEPCNT
)
