package adapters_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

// TestTCPKeepAlive adds to whatever options there are, in the toolbelt's order.
func TestTCPKeepAlive(t *testing.T) {
	const socket, tcp = 1, 6
	option := must[requests.AdapterOption](t)
	small := requests.SocketOption{Level: socket, Name: 8, Int: 4096}
	noDelay := requests.SocketOption{Level: tcp, Name: 1, Int: 1}
	probes := func(idle, interval, count int) []requests.SocketOption {
		return []requests.SocketOption{{Level: socket, Name: 9, Int: 1}, {Level: tcp, Name: 5, Int: interval}, {Level: tcp, Name: 6, Int: count}, {Level: tcp, Name: 4, Int: idle}}
	}
	for name, c := range map[string]struct {
		options []requests.AdapterOption
		want    []requests.SocketOption
	}{
		"default":     {[]requests.AdapterOption{option(adapters.TCPKeepAlive(0, 0, 0))}, append([]requests.SocketOption{noDelay}, probes(60, 20, 5)...)},
		"given":       {[]requests.AdapterOption{option(adapters.TCPKeepAlive(2*time.Minute, 10*time.Second, 3))}, append([]requests.SocketOption{noDelay}, probes(120, 10, 3)...)},
		"behind list": {[]requests.AdapterOption{adapters.SocketOptions(small), option(adapters.TCPKeepAlive(0, 0, 2))}, append([]requests.SocketOption{small}, probes(60, 20, 2)...)},
		"before list": {[]requests.AdapterOption{option(adapters.TCPKeepAlive(0, 0, 0)), adapters.SocketOptions(small)}, []requests.SocketOption{small}},
		"none":        {[]requests.AdapterOption{adapters.SocketOptions()}, nil},
		"standard":    {[]requests.AdapterOption{adapters.SocketOptions(adapters.DefaultSocketOptions()...)}, []requests.SocketOption{noDelay}},
	} {
		got := plan(t, get("http://h.test/"), requests.SendOptions{}, c.options...).Options.All()
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}
