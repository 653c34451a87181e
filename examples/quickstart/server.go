package main

import (
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/andybalholm/brotli"
	"github.com/mccutchen/go-httpbin/v2/httpbin"
)

// startServer serves httpbin on a free loopback port until stop is called.
func startServer() (url string, stop func(), err error) {
	mux := http.NewServeMux()
	mux.Handle("/", httpbin.New())
	mux.HandleFunc("/brotli", serveBrotli) // what this httpbin lacks
	mux.HandleFunc("/busy", serveBusy())
	mux.HandleFunc("/book", serveBook())
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

// serveBusy turns two requests away and takes the third.
func serveBusy() http.HandlerFunc {
	var requests atomic.Int32
	return func(w http.ResponseWriter, _ *http.Request) {
		if requests.Add(1) <= 2 {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}
}

// book is what serveBook serves, and bookSum its checksum.
var (
	book    = strings.Repeat("It was a dark and stormy night. ", 4096)
	bookSum = func() string {
		sum := sha256.Sum256([]byte(book))
		return hex.EncodeToString(sum[:])
	}()
)

// serveBook breaks off the first response in its middle.
func serveBook() http.HandlerFunc {
	var requests atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"first edition"`)
		if requests.Add(1) > 1 {
			http.ServeContent(w, r, "book.txt", time.Time{}, strings.NewReader(book))
			return
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(book)))
		_, _ = w.Write([]byte(book[:len(book)/2]))
		panic(http.ErrAbortHandler)
	}
}
