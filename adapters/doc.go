// Package adapters holds what can be mounted on a [requests.Session] beyond its own
// [requests.HTTPAdapter]:
//
//   - options that edit the connection of an HTTPAdapter: [Fingerprint], [SSLVersion],
//     [HostHeaderSSL], [SourceAddress], [SocketOptions], [TCPKeepAlive], [X509], [CA] and
//     their like. What are subclasses in the requests-toolbelt, of which a mount can have only
//     one, are values here: any number of them meet on one mount, on direct connections
//     and through every kind of proxy;
//   - adapters for other carriers: any [net/http.RoundTripper], a handler in the process,
//     Unix sockets, files, data URLs, a [Mock] and a [Cassette];
//   - wrappers that act around a send: [Authenticate], [Logging], [RateLimit], [Limit],
//     [Hedge], [Breaker], [SingleFlight], to be put together by [Chain].
//
// Constructors whose input can be wrong return an error of the kind
// [requests.ErrInvalidArgument] that names the argument. Everything here is safe for
// concurrent use.
package adapters

import (
	"fmt"

	"github.com/mountable/requests"
)

// invalid is the error of an argument that makes no sense.
func invalid(format string, args ...any) error {
	return &requests.Error{Kind: requests.ErrInvalidArgument, Detail: fmt.Sprintf(format, args...)}
}
