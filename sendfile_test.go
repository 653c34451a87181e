package requests_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mountable/requests"
)

// slowServer takes the body of one request in small bites, and gives it.
func slowServer(t *testing.T) (url string, taken <-chan []byte) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	bodies := make(chan []byte, 1)
	go func() {
		var body bytes.Buffer
		defer func() { bodies <- body.Bytes() }()
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		c.(*net.TCPConn).SetReadBuffer(32 << 10)
		r, err := http.ReadRequest(bufio.NewReaderSize(c, 16))
		for err == nil {
			time.Sleep(10 * time.Millisecond)
			_, err = io.CopyN(&body, r.Body, 64<<10)
		}
	}()
	return "http://" + ln.Addr().String(), bodies
}

func bigFile(t *testing.T, size int) *os.File {
	t.Helper()
	var content bytes.Buffer
	filler := strings.Repeat("x", 1000)
	for i := 0; content.Len() < size; i++ {
		fmt.Fprintf(&content, "block %d %s\n", i, filler)
	}
	name := filepath.Join(t.TempDir(), "big")
	if err := os.WriteFile(name, content.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// TestSlowFileUpload: Timeouts.Read bounds each wait for progress and not the upload,
// also where the kernel moves the file.
func TestSlowFileUpload(t *testing.T) {
	f := bigFile(t, 6<<20)
	url, taken := slowServer(t)
	_, err := requests.Post(t.Context(), url, requests.Body(f), requests.Timeouts{Read: 400 * time.Millisecond})
	if !errors.Is(err, requests.ErrReadTimeout) { // of the reply, which never comes
		t.Errorf("got %v", err)
	}
	want, _ := os.ReadFile(f.Name())
	if got := <-taken; !bytes.Equal(got, want) {
		t.Errorf("%d bytes arrived, of %d, or others", len(got), len(want))
	}
}

func TestStalledFileUpload(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for name, timeouts := range map[string]requests.Timeouts{"read": {Read: 80 * time.Millisecond}, "total": {Total: 80 * time.Millisecond}} {
		_, err := requests.Post(t.Context(), "http://"+ln.Addr().String(), requests.Body(bigFile(t, 24<<20)), timeouts)
		if !errors.Is(err, requests.ErrTimeout) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
