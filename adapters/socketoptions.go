package adapters

import (
	"time"

	"github.com/mountable/requests"
)

// SocketOptions sets socket options, by the platform's numbers, in the given order
// before connecting. They replace the default ones
// ([requests.DefaultSocketOptions]) and those of options further to the
// left; none at all is an empty list. Unlike in the toolbelt they hold for connections
// to proxies as well. Options of TCP are left out on Unix sockets. An option that the
// system refuses is [requests.ErrConnection].
func SocketOptions(options ...requests.SocketOption) requests.AdapterOption {
	list := requests.NewSocketOptionList(options...)
	return requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
		c.Options = list
		return nil
	})
}

// The toolbelt's defaults of [TCPKeepAlive].
const (
	DefaultKeepAliveIdle     = 60 * time.Second
	DefaultKeepAliveInterval = 20 * time.Second
	DefaultKeepAliveCount    = 5
)

// The most that Linux takes.
const (
	maxKeepAliveTime  = 32767 * time.Second
	maxKeepAliveCount = 127
)

// TCPKeepAlive makes the system notice a peer that is gone: after a connection has been
// idle for idle, it probes every interval, and gives up after count probes without an
// answer. What is not above zero is the default: 60 s, 20 s, 5. Times are rounded up to
// whole seconds; beyond the most that systems take, 32,767 s and 127, that is taken.
//
// It is added to the socket options there are, in the toolbelt's order: SO_KEEPALIVE,
// TCP_KEEPINTVL, TCP_KEEPCNT, TCP_KEEPIDLE. What a platform does not have is silently left out:
// Linux, macOS (where TCP_KEEPIDLE is called TCP_KEEPALIVE), Windows and the BSDs have all of them
// but OpenBSD, which has only the first. Plan 9 and WebAssembly have none.
func TCPKeepAlive(idle, interval time.Duration, count int) requests.AdapterOption {
	if count <= 0 {
		count = DefaultKeepAliveCount
	}
	more := keepAliveOptions(keepAliveSeconds(idle, DefaultKeepAliveIdle),
		keepAliveSeconds(interval, DefaultKeepAliveInterval), min(count, maxKeepAliveCount))
	return requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
		c.Options = c.Options.Append(more...)
		return nil
	})
}

func keepAliveSeconds(d, standard time.Duration) int {
	if d <= 0 {
		d = standard
	}
	d = min(d, maxKeepAliveTime)
	return int((d + time.Second - 1) / time.Second)
}

// keepAliveOptions lists what this platform has, in the toolbelt's order.
func keepAliveOptions(idle, interval, count int) []requests.SocketOption {
	var options []requests.SocketOption
	for _, o := range []requests.SocketOption{
		{Level: solSocket, Name: soKeepAlive, Int: 1},
		{Level: ipprotoTCP, Name: tcpKeepInterval, Int: interval},
		{Level: ipprotoTCP, Name: tcpKeepCount, Int: count},
		{Level: ipprotoTCP, Name: tcpKeepIdle, Int: idle},
	} {
		if o.Name != 0 {
			options = append(options, o)
		}
	}
	return options
}

const ipprotoTCP = 6 // everywhere
