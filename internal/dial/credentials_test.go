package dial

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var (
	errNoHeader    = errors.New("no header")
	errNoChallenge = errors.New("no challenge")
)

// countedCredentials send how many challenges they have seen, and answer so many.
type countedCredentials struct {
	answers, seen int
	bound         bool
	headerErr     error
	challengeErr  error
	sent          []string
}

func (c *countedCredentials) Header() ([][2]string, error) {
	return [][2]string{{"Proxy-Authorization", string(rune('a' + c.seen))}}, c.headerErr
}

func (c *countedCredentials) Challenge(reply *ProxyReply, sent [][2]string) (bool, error) {
	c.seen++
	c.sent = append(c.sent, sent[0][1])
	return c.seen <= c.answers, c.challengeErr
}

func (c *countedCredentials) Bound() bool { return c.bound }

// TestDialWith has a row for each line of the table at DialWith: how many tunnels were asked
// for, how many challenges were shown, and what came of it.
func TestDialWith(t *testing.T) {
	const (
		first = "HTTP/1.1 407 No\r\nProxy-Authenticate: Basic realm=r\r\nProxy-Authenticate: Digest nonce=n\r\nContent-Length: 0\r\n\r\n"
		stale = "HTTP/1.1 407 No\r\nProxy-Authenticate: Digest nonce=n, stale=TRUE\r\nContent-Length: 0\r\n\r\n"
		other = "HTTP/1.1 407 No\r\nProxy-Authenticate: Other stale=true\r\nContent-Length: 0\r\n\r\n"
		open  = "HTTP/1.1 200 OK\r\n\r\n"
	)
	for name, c := range map[string]struct {
		replies     []string // the last one repeats
		credentials countedCredentials
		want        string
		asked, seen int
	}{
		"a tunnel":                      {[]string{open}, countedCredentials{}, "", 1, 0},
		"another refusal":               {[]string{"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"}, countedCredentials{}, "Tunnel connection failed: 403 No", 1, 0},
		"no answer":                     {[]string{first}, countedCredentials{}, "Tunnel connection failed: 407 No", 1, 1},
		"an answer":                     {[]string{first, open}, countedCredentials{answers: 9}, "", 2, 1},
		"an answer that is refused":     {[]string{first, first, open}, countedCredentials{answers: 9}, "Tunnel connection failed: 407 No", 2, 1},
		"stale":                         {[]string{first, stale, stale, open}, countedCredentials{answers: 9}, "", 4, 3},
		"stale is Digest's alone":       {[]string{first, other, open}, countedCredentials{answers: 9}, "Tunnel connection failed: 407 No", 2, 1},
		"stale for ever":                {[]string{stale}, countedCredentials{answers: 99}, "Tunnel connection failed: 407 No", maxTunnelAnswers + 1, maxTunnelAnswers},
		"credentials that fail":         {[]string{open}, countedCredentials{headerErr: errNoHeader}, "no header", 0, 0},
		"credentials that fail, later":  {[]string{first}, countedCredentials{challengeErr: errNoChallenge}, "no challenge", 1, 1},
		"credentials that give up then": {[]string{first, stale, open}, countedCredentials{answers: 1}, "Tunnel connection failed: 407 No", 2, 2},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			proxy := serve(t, func(conn net.Conn) {
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
					return
				}
				n := int(asked.Add(1))
				io.WriteString(conn, c.replies[min(n, len(c.replies))-1])
			})
			addr := proxy.Addr().(*net.TCPAddr)
			plan := &Plan{Host: "h.test", Port: 443, Proxy: &Proxy{Scheme: "http", Host: "127.0.0.1", Port: addr.Port, Tunnel: true, Header: [][2]string{{"X-Own", "1"}}}}
			conn, err := DialWith(context.Background(), plan, &c.credentials)
			got := ""
			if err == nil {
				conn.Close()
			} else if e, ok := errors.AsType[*TunnelError](err); ok {
				got = e.Error()
			} else {
				got = err.Error()
			}
			if got != c.want || int(asked.Load()) != c.asked || c.credentials.seen != c.seen {
				t.Errorf("%q after %d CONNECTs and %d challenges, want %q, %d, %d", got, asked.Load(), c.credentials.seen, c.want, c.asked, c.seen)
			}
			for i, sent := range c.credentials.sent {
				if diff := cmp.Diff(string(rune('a'+i)), sent); diff != "" {
					t.Errorf("challenge %d is to what was sent with it (-want +got)\n%s", i, diff)
				}
			}
		})
	}
}

// TestDialWithBound: bound credentials answer on the connection of the challenge, unless the proxy
// closes it with its first 407 or after it.
func TestDialWithBound(t *testing.T) {
	const (
		kept   = "HTTP/1.1 407 No\r\nProxy-Authenticate: NTLM\r\nContent-Length: 4\r\n\r\nbody"
		chunks = "HTTP/1.1 407 No\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
		closed = "HTTP/1.1 407 No\r\nProxy-Connection: close\r\nContent-Length: 0\r\n\r\n"
		until  = "HTTP/1.1 407 No\r\n\r\nbody"
		early  = kept + "more"
		old    = "HTTP/1.0 407 No\r\nContent-Length: 0\r\n\r\n"
		older  = "HTTP/1.0 407 No\r\nProxy-Connection: Keep-Alive\r\nContent-Length: 0\r\n\r\n"
		open   = "HTTP/1.1 200 OK\r\n\r\n"
		hangup = ""
	)
	for name, c := range map[string]struct {
		conns   [][]string // the replies on each connection; after the last one it is closed
		answers int
		err     error
		want    string
		asked   []string // the credentials of each CONNECT, by connection
	}{
		"no challenge":              {[][]string{{open}}, 9, nil, "", []string{"1a"}},
		"two answers":               {[][]string{{kept, chunks, open}}, 9, nil, "", []string{"1a", "1b", "1c"}},
		"HTTP/1.0 that keeps":       {[][]string{{older, open}}, 9, nil, "", []string{"1a", "1b"}},
		"closed with the first":     {[][]string{{closed}, {kept, open}}, 9, nil, "", []string{"1a", "2b", "2c"}},
		"without a length":          {[][]string{{until}, {open}}, 9, nil, "", []string{"1a", "2b"}},
		"more than was announced":   {[][]string{{early}, {open}}, 9, nil, "", []string{"1a", "2b"}},
		"HTTP/1.0":                  {[][]string{{old}, {open}}, 9, nil, "", []string{"1a", "2b"}},
		"closed after the first":    {[][]string{{kept, hangup}, {kept, open}}, 9, nil, "", []string{"1a", "1b", "2b", "2c"}},
		"closed after the second":   {[][]string{{kept, kept, hangup}}, 9, nil, "proxy tunnel h.test:443: connection closed without a response", []string{"1a", "1b", "1c"}},
		"closed with the second":    {[][]string{{kept, closed}}, 9, nil, "Tunnel connection failed: 407 No", []string{"1a", "1b"}},
		"refused":                   {[][]string{{kept, kept}}, 1, nil, "Tunnel connection failed: 407 No", []string{"1a", "1b"}},
		"refused for ever":          {[][]string{{kept, kept, kept, kept, kept}}, 9, nil, "Tunnel connection failed: 407 No", []string{"1a", "1b", "1c", "1d"}},
		"credentials that fail":     {[][]string{{kept, open}}, 9, errNoChallenge, "no challenge", []string{"1a"}},
		"something else than a 407": {[][]string{{kept, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"}}, 9, nil, "Tunnel connection failed: 403 No", []string{"1a", "1b"}},
	} {
		t.Run(name, func(t *testing.T) {
			asked := make(chan string, 20)
			var conns atomic.Int32
			proxy := serve(t, func(conn net.Conn) {
				n, in := int(conns.Add(1)), bufio.NewReader(conn)
				if n > len(c.conns) {
					return
				}
				for _, reply := range c.conns[n-1] {
					r, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					asked <- strconv.Itoa(n) + r.Header.Get("Proxy-Authorization")
					io.WriteString(conn, reply)
				}
			})
			addr := proxy.Addr().(*net.TCPAddr)
			plan := &Plan{Host: "h.test", Port: 443, Proxy: &Proxy{Scheme: "http", Host: "127.0.0.1", Port: addr.Port, Tunnel: true, Header: [][2]string{{"X-Own", "1"}}}}
			conn, err := DialWith(context.Background(), plan, &countedCredentials{answers: c.answers, bound: true, challengeErr: c.err})
			got := ""
			if err == nil {
				conn.Close()
			} else if e, ok := errors.AsType[*TunnelError](err); ok {
				got = e.Error()
			} else {
				got = err.Error()
			}
			var saw []string
			for len(asked) > 0 {
				saw = append(saw, <-asked)
			}
			if diff := cmp.Diff(append([]string{c.want}, c.asked...), append([]string{got}, saw...)); diff != "" {
				t.Errorf("the end, and the CONNECTs (-want +got)\n%s", diff)
			}
		})
	}
}
