// Package dial turns a [Plan] into a ready connection: TCP or a Unix socket, an
// HTTP or SOCKS proxy in between, TLS to the proxy and to the origin.
//
// A plan is complete: the package reads no environment variable, chooses no
// proxy, keeps no state and never tries twice. Each step (name lookup, connect,
// proxy handshake, TLS handshake) has its own time limit and ends at once when the
// context does. No goroutine outlives [Dial].
package dial
