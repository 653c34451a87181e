package http3_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"

	quichttp3 "github.com/quic-go/quic-go/http3"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/adapters/http3"
	"github.com/mountable/requests/internal/wiretest"
)

func ExampleNew() {
	socket, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	server := &quichttp3.Server{
		TLSConfig: quichttp3.ConfigureTLSConfig(wiretest.TestCA().Server()),
		Handler:   http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "hello") }),
	}
	go func() { _ = server.Serve(socket) }()
	defer socket.Close()
	defer server.Close()

	s := requests.NewSession()
	defer s.Close()
	s.Mount("https://", http3.New())
	r, err := s.Get(context.Background(), "https://"+socket.LocalAddr().String()+"/", requests.CABundlePEM(wiretest.TestCA().PEM()))
	if err != nil {
		panic(err)
	}
	text, err := r.Text()
	fmt.Println(r.Proto, r.StatusCode, text, err)
	// Output: HTTP/3.0 200 hello <nil>
}

func ExampleUpgrade() {
	socket, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	hello := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Alt-Svc", fmt.Sprintf(`h3=":%d"; ma=86400`, socket.LocalAddr().(*net.UDPAddr).Port))
	}
	quic := &quichttp3.Server{TLSConfig: quichttp3.ConfigureTLSConfig(wiretest.TestCA().Server()), Handler: http.HandlerFunc(hello)}
	go func() { _ = quic.Serve(socket) }()
	defer socket.Close()
	defer quic.Close()
	tcp := httptest.NewUnstartedServer(http.HandlerFunc(hello))
	tcp.TLS = wiretest.TestCA().Server()
	tcp.StartTLS()
	defer tcp.Close()

	h3 := http3.New()
	defer h3.Close()
	s := requests.NewSession()
	defer s.Close()
	s.Mount("https://", adapters.Chain(requests.NewHTTPAdapter(), http3.Upgrade(h3)))
	for range 2 {
		r, err := s.Get(context.Background(), tcp.URL, requests.CABundlePEM(wiretest.TestCA().PEM()))
		if err != nil {
			panic(err)
		}
		fmt.Println(r.Proto)
	}
	// Output:
	// HTTP/1.1
	// HTTP/3.0
}
