package http3_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"

	quichttp3 "github.com/quic-go/quic-go/http3"

	"github.com/mountable/requests"
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
