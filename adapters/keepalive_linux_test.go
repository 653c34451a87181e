package adapters_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/internal/cases"
)

// TestTCPKeepAlive adds to whatever options there are, in the toolbelt's order.
func TestTCPKeepAlive(t *testing.T) {
	const socket, tcp = 1, 6
	small := requests.SocketOption{Level: socket, Name: 8, Int: 4096}
	noDelay := requests.SocketOption{Level: tcp, Name: 1, Int: 1}
	probes := func(idle, interval, count int) []requests.SocketOption {
		return []requests.SocketOption{{Level: socket, Name: 9, Int: 1}, {Level: tcp, Name: 5, Int: interval}, {Level: tcp, Name: 6, Int: count}, {Level: tcp, Name: 4, Int: idle}}
	}
	for name, c := range map[string]struct {
		options []requests.AdapterOption
		want    []requests.SocketOption
	}{
		"default":     {[]requests.AdapterOption{adapters.TCPKeepAlive(0, 0, 0)}, append([]requests.SocketOption{noDelay}, probes(60, 20, 5)...)},
		"given":       {[]requests.AdapterOption{adapters.TCPKeepAlive(2*time.Minute, 10*time.Second, 3)}, append([]requests.SocketOption{noDelay}, probes(120, 10, 3)...)},
		"behind list": {[]requests.AdapterOption{adapters.SocketOptions(small), adapters.TCPKeepAlive(0, 0, 2)}, append([]requests.SocketOption{small}, probes(60, 20, 2)...)},
		"before list": {[]requests.AdapterOption{adapters.TCPKeepAlive(0, 0, 0), adapters.SocketOptions(small)}, []requests.SocketOption{small}},
		"clamped":     {[]requests.AdapterOption{adapters.TCPKeepAlive(time.Millisecond, 100000*time.Second, 1000)}, append([]requests.SocketOption{noDelay}, probes(1, 32767, 127)...)},
		"negative":    {[]requests.AdapterOption{adapters.TCPKeepAlive(-1, -1, -1)}, append([]requests.SocketOption{noDelay}, probes(60, 20, 5)...)},
		"none":        {[]requests.AdapterOption{adapters.SocketOptions()}, nil},
		"standard":    {[]requests.AdapterOption{adapters.SocketOptions(requests.DefaultSocketOptions().All()...)}, []requests.SocketOption{noDelay}},
	} {
		got := plan(t, get("http://h.test/"), requests.SendOptions{}, c.options...).Options.All()
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}

// numbers are what the recordings call by name.
var numbers = map[string]int{
	"SOL_SOCKET": syscall.SOL_SOCKET, "SO_KEEPALIVE": syscall.SO_KEEPALIVE, "SO_RCVBUF": syscall.SO_RCVBUF, "SO_SNDBUF": syscall.SO_SNDBUF,
	"IPPROTO_TCP": syscall.IPPROTO_TCP, "TCP_NODELAY": syscall.TCP_NODELAY,
	"TCP_KEEPIDLE": syscall.TCP_KEEPIDLE, "TCP_KEEPINTVL": syscall.TCP_KEEPINTVL, "TCP_KEEPCNT": syscall.TCP_KEEPCNT,
}

func named(t *testing.T, list [][3]any) (options []requests.SocketOption) {
	for _, o := range list {
		level, ok := numbers[o[0].(string)]
		name, ok2 := numbers[o[1].(string)]
		if !ok || !ok2 {
			t.Fatalf("unknown option %v", o)
		}
		options = append(options, requests.SocketOption{Level: level, Name: name, Int: int(o[2].(float64))})
	}
	return options
}

// TestRecordedSocketOptions compares with what the toolbelt was recorded to set. An idle time of 0 is the default here,
// where Linux refuses it; what the toolbelt raises TypeError for, Go's types rule out.
func TestRecordedSocketOptions(t *testing.T) {
	type recorded struct {
		ID string
		In struct {
			Cls    string
			Kwargs struct {
				Idle, Interval, Count *int
				Options               *[][3]any `json:"socket_options"`
			}
		}
		Out   struct{ Options [][3]any }
		Error string
	}
	number := func(n *int) int {
		if n == nil {
			return 0
		}
		return *n
	}
	for _, c := range cases.Recorded[recorded](t, "toolbelt_socket_options") {
		k := c.In.Kwargs
		if c.Error != "" || k.Idle != nil && *k.Idle == 0 {
			continue
		}
		var options []requests.AdapterOption
		if k.Options != nil {
			options = append(options, adapters.SocketOptions(named(t, *k.Options)...))
		}
		if c.In.Cls == "TCPKeepAliveAdapter" {
			seconds := func(n *int) time.Duration { return time.Duration(number(n)) * time.Second }
			options = append(options, adapters.TCPKeepAlive(seconds(k.Idle), seconds(k.Interval), number(k.Count)))
		}
		got := plan(t, get("http://h.test/"), requests.SendOptions{}, options...).Options.All()
		if diff := cmp.Diff(named(t, c.Out.Options), got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.ID, diff)
		}
	}
}
