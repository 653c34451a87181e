package main

import (
	"net"
	"net/http"
	"net/http/httptest"

	"github.com/andybalholm/brotli"
	"github.com/mccutchen/go-httpbin/v2/httpbin"
)

// startServer serves httpbin on a free loopback port until stop is called.
func startServer() (url string, stop func(), err error) {
	mux := http.NewServeMux()
	mux.Handle("/", httpbin.New())
	mux.HandleFunc("/brotli", serveBrotli) // the one page this httpbin lacks
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: mux}}
	server.Start()
	return server.URL, server.Close, nil
}

func serveBrotli(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Encoding", "br")
	compressed := brotli.NewWriter(w)
	defer compressed.Close()
	_, _ = compressed.Write([]byte(`{"brotli": true}`))
}
