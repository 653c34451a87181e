package requests

import (
	"net"
	"time"

	"github.com/mountable/requests/internal/bars"
	"github.com/mountable/requests/internal/dial"
)

// Timing says where the time of one response went. The phases follow each other in the
// order of the fields; what did not take place is 0, as are the phases of opening a
// connection where one was reused.
type Timing struct {
	Wait      time.Duration // in the pool: for a connection that others hold, or are opening
	DNS       time.Duration // lookups, of the proxy's name if there is a proxy
	Connect   time.Duration // opening the socket
	Proxy     time.Duration // TLS, CONNECT or SOCKS with the proxy
	TLS       time.Duration // the handshake with the server
	FirstByte time.Duration // sending the request, and waiting for the first byte of a response
	Body      time.Duration // from there to the end of the body, or its Close; 0 before that

	Reused        bool     // the connection had carried a request before
	Local, Remote net.Addr // both ends of the connection, Remote the proxy's if there is one; nil where no address is known
}

// Timing returns where the time of r went: of the last try, if there were several, and
// without the redirects before it, which are in History. It is measured by [HTTPAdapter];
// of a response from another adapter FirstByte is all until its head had come. It is
// always there, and costs a request no allocation.
//
// A [net/http/httptrace] in the context reports the single events.
func (r *Response) Timing() Timing {
	s := &r.span
	t := Timing{Reused: s.reused, FirstByte: s.began.Sub(s.start) - s.leased}
	if t.Wait = s.leased; s.way != nil {
		t.Local, t.Remote = s.way.local, s.way.remote
		if !s.reused {
			took := s.way.took
			t.DNS, t.Connect, t.Proxy, t.TLS = took.Lookup, took.Connect, took.Proxy, took.TLS
			t.Wait = max(s.leased-took.Lookup-took.Connect-took.Proxy-took.TLS, 0)
		}
	}
	if over := r.content().Over(); !over.IsZero() && !s.start.IsZero() {
		t.Body = max(over.Sub(s.began), 0)
	}
	return t
}

// Total is the time of all phases together.
func (t Timing) Total() time.Duration {
	return t.Wait + t.DNS + t.Connect + t.Proxy + t.TLS + t.FirstByte + t.Body
}

// String draws the phases one below the other, as bars on one line of time:
//
//	10.0.0.7:50712 to 192.0.2.1:443, a new connection
//	DNS           2.1ms ███
//	Connect       8.4ms    ███████████
//	TLS          17.9ms               ████████████████████████
//	First byte    7.0ms                                       █████████
//	Body          1.2ms                                                ██
//	Total        36.6ms
func (t Timing) String() string {
	names := []string{"Wait", "DNS", "Connect", "Proxy", "TLS", "First byte", "Body"}
	return bars.Heading(t.Local, t.Remote, t.Reused) + bars.Draw(names, t.Wait, t.DNS, t.Connect, t.Proxy, t.TLS, t.FirstByte, t.Body)
}

// span is what Timing is made of.
type span struct {
	start  time.Time
	leased time.Duration // from start until there was a connection
	began  time.Time     // when the first byte had come
	way    *way          // nil for other adapters
	reused bool
}

// measured is what is known of the responses of other adapters.
func (s *span) measured(start time.Time, elapsed time.Duration) {
	if s.start.IsZero() {
		s.start, s.began = start, start.Add(elapsed)
	}
}

// way is what is remembered of how a connection was opened. It keeps nothing else of it.
type way struct {
	took          dial.Times
	local, remote net.Addr
}

func wayOf(c *dial.Conn) *way { return &way{*c.Took, c.LocalAddr(), c.RemoteAddr()} }
