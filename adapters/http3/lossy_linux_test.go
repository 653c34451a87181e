package http3_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	quichttp3 "github.com/quic-go/quic-go/http3"
	"golang.org/x/sys/unix"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters/http3"
	"github.com/mountable/requests/internal/wiretest"
)

// A lossy path without a second machine: a TUN device has the address here, and what is sent to
// there comes back with both addresses swapped, so that a listener at here is reached by there, over
// the kernel's whole stack. The swap leaves all checksums as they are.
const (
	here  = "198.18.77.1" // of the network for benchmarks (RFC 2544)
	there = "198.18.77.2"
	loss  = 0.01
	delay = 25 * time.Millisecond // each way
)

// lossyPath sets the device up for the length of the test, and skips the test where that is not allowed.
func lossyPath(t *testing.T) {
	tun, name := openTUN(t)
	t.Cleanup(func() { _ = tun.Close() })
	if err := setAddress(name); err != nil {
		t.Skipf("a network device cannot be given an address: %v", err)
	}
	type packet struct {
		due  time.Time
		data []byte
	}
	queue := make(chan packet, 10_000)
	go func() {
		defer close(queue)
		random := rand.New(rand.NewPCG(1, 2))
		for {
			data := make([]byte, 2048)
			n, err := tun.Read(data)
			if err != nil {
				return
			}
			if n < 20 || data[0]>>4 != 4 || random.Float64() < loss {
				continue
			}
			swapAddresses(data)
			queue <- packet{time.Now().Add(delay), data[:n]}
		}
	}()
	var writer sync.WaitGroup
	writer.Go(func() {
		for p := range queue {
			time.Sleep(time.Until(p.due))
			_, _ = tun.Write(p.data)
		}
	})
	t.Cleanup(func() {
		_ = tun.Close()
		writer.Wait()
	})
}

func swapAddresses(ipv4 []byte) {
	var source [4]byte
	copy(source[:], ipv4[12:16])
	copy(ipv4[12:16], ipv4[16:20])
	copy(ipv4[16:20], source[:])
}

func openTUN(t *testing.T) (tun *os.File, name string) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Skipf("no TUN device: %v", err)
	}
	request, _ := unix.NewIfreq("lossy%d")
	request.SetUint16(unix.IFF_TUN | unix.IFF_NO_PI)
	if err := unix.IoctlIfreq(fd, unix.TUNSETIFF, request); err != nil {
		_ = unix.Close(fd)
		t.Skipf("a TUN device needs CAP_NET_ADMIN: %v", err)
	}
	return os.NewFile(uintptr(fd), "tun"), request.Name()
}

// setAddress gives the device the address here, in a network that has there as well, and brings it up.
func setAddress(name string) error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	set := func(request uint, value func(r *unix.Ifreq) error) error {
		r, err := unix.NewIfreq(name)
		if err == nil {
			err = value(r)
		}
		if err == nil {
			err = unix.IoctlIfreq(socket, request, r)
		}
		return err
	}
	address := func(text string) func(r *unix.Ifreq) error {
		return func(r *unix.Ifreq) error { return r.SetInet4Addr(net.ParseIP(text).To4()) }
	}
	if err := set(unix.SIOCSIFADDR, address(here)); err != nil {
		return err
	}
	if err := set(unix.SIOCSIFNETMASK, address("255.255.255.252")); err != nil {
		return err
	}
	return set(unix.SIOCSIFFLAGS, func(r *unix.Ifreq) error {
		r.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
		return nil
	})
}

// TestLossyPath compares ten downloads at once over HTTP/3 and over HTTP/2, one connection each, where
// one packet of a hundred is lost and a round trip takes 50 ms. Both servers have the congestion control
// that is the default of their kind, Cubic.
func TestLossyPath(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: the downloads wait for round trips of 50 ms, several seconds in all")
	}
	lossyPath(t)
	body := strings.Repeat("0123456789abcdef", 64<<10/16)
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
	certificate := &tls.Config{Certificates: []tls.Certificate{wiretest.TestCA().Issue(wiretest.Leaf{Hosts: []string{there}})}}
	clients := []lossyClient{
		{"HTTP/3", lossyHTTP3(t, handler, certificate), func() requests.Adapter { return http3.New(trusting()) }},
		{"HTTP/2", lossyHTTP2(t, handler, certificate), func() requests.Adapter { return requests.NewHTTPAdapter(requests.HTTP2(true), trusting()) }},
	}
	const rounds = 4
	took := make([]time.Duration, len(clients))
	for try := 0; try < 3 && took[0] >= took[1]; try++ { // the losses are at random, and the machine may be busy
		for range rounds {
			for i, c := range clients {
				took[i] += c.tenDownloads(t, body)
			}
		}
		t.Logf("%d rounds of ten downloads of %d KiB: HTTP/3 %v, HTTP/2 %v", (try+1)*rounds, len(body)>>10, took[0], took[1])
	}
	if took[0] >= took[1] {
		t.Errorf("HTTP/3 took %v, HTTP/2 %v", took[0], took[1])
	}
}

// lossyClient is a client and the address of its server, as seen over the lossy path.
type lossyClient struct {
	name, address string
	adapter       func() requests.Adapter
}

// tenDownloads takes the time of ten, with a connection that is made for them.
func (c *lossyClient) tenDownloads(t *testing.T, want string) time.Duration {
	a := c.adapter()
	defer a.Close()
	var group sync.WaitGroup
	start := time.Now()
	for i := range 10 {
		group.Go(func() {
			r, err := a.Send(t.Context(), prepared(t, "GET", fmt.Sprintf("https://%s/%d", c.address, i)), requests.SendOptions{})
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
				return
			}
			defer r.Close()
			if text, err := r.Content(); string(text) != want || err != nil {
				t.Errorf("%s: %d bytes, %v", c.name, len(text), err)
			}
			if !strings.HasPrefix(r.Proto, c.name) {
				t.Errorf("%s: it was %s", c.name, r.Proto)
			}
		})
	}
	group.Wait()
	return time.Since(start)
}

func lossyHTTP3(t *testing.T, h http.Handler, config *tls.Config) (address string) {
	socket, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.ParseIP(here)})
	if err != nil {
		t.Fatal(err)
	}
	server := &quichttp3.Server{Handler: h, TLSConfig: quichttp3.ConfigureTLSConfig(config)}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(socket) })
	t.Cleanup(func() {
		_ = server.Close()
		_ = socket.Close()
		serving.Wait()
	})
	return fmt.Sprintf("%s:%d", there, socket.LocalAddr().(*net.UDPAddr).Port)
}

func lossyHTTP2(t *testing.T, h http.Handler, config *tls.Config) (address string) {
	cubic := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) (err error) {
		_ = raw.Control(func(fd uintptr) { err = unix.SetsockoptString(int(fd), unix.IPPROTO_TCP, unix.TCP_CONGESTION, "cubic") })
		return err
	}}
	listener, err := cubic.Listen(t.Context(), "tcp4", here+":0")
	if err != nil {
		t.Fatal(err)
	}
	config = config.Clone()
	config.NextProtos = []string{"h2"}
	server := &http.Server{Handler: h, TLSConfig: config}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.ServeTLS(listener, "", "") })
	t.Cleanup(func() {
		_ = server.Close()
		serving.Wait()
	})
	return fmt.Sprintf("%s:%d", there, listener.Addr().(*net.TCPAddr).Port)
}
