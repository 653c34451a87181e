package dial

import (
	"net"
	"strings"
	"syscall"
)

const (
	ipBoundIf   = 25  // IP_BOUND_IF
	ipv6BoundIf = 125 // IPV6_BOUND_IF
)

func bindInterface(fd uintptr, network, name string) error {
	ifi, err := net.InterfaceByName(name)
	if err != nil {
		return err
	}
	if strings.HasSuffix(network, "6") {
		return syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IPV6, ipv6BoundIf, ifi.Index)
	}
	return syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, ipBoundIf, ifi.Index)
}
