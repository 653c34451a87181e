//go:build plan9 || wasm

package adapters

// There are no socket options here, and what is 0 is left out.
const (
	solSocket       = 0
	soKeepAlive     = 0
	tcpKeepIdle     = 0
	tcpKeepInterval = 0
	tcpKeepCount    = 0
)
