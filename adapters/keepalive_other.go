//go:build !linux && !darwin && !windows && !freebsd && !netbsd && !dragonfly && !plan9 && !wasm

package adapters

import "syscall"

// Only SO_KEEPALIVE is certain here; 0 is left out.
const (
	solSocket       = syscall.SOL_SOCKET
	soKeepAlive     = syscall.SO_KEEPALIVE
	tcpKeepIdle     = 0
	tcpKeepInterval = 0
	tcpKeepCount    = 0
)
