package wire

import "syscall"

// Winsock has numbers of its own, which are not those that package syscall invents for the names of Unix. A write to a
// connection that the peer has ended is "aborted" or "reset".
var resets = []error{syscall.WSAECONNRESET, syscall.WSAECONNABORTED, syscall.ECONNRESET, syscall.EPIPE, syscall.ERROR_BROKEN_PIPE}
