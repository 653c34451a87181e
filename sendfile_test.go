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
	"github.com/mountable/requests/internal/wiretest"
)

// slowServer takes the body of one request in small bites with pauses between them, gives it, and responds.
func slowServer(t *testing.T, pause time.Duration) (url string, taken <-chan []byte) {
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
			time.Sleep(pause)
			_, err = io.CopyN(&body, r.Body, 256<<10)
		}
		io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
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

// TestSlowFileUpload: Timeouts.Read bounds each wait for progress and not the upload, also where the kernel moves the
// file. The slower the machine, the more patient the limit, and the server.
func TestSlowFileUpload(t *testing.T) {
	f := bigFile(t, 24<<20)
	want, _ := os.ReadFile(f.Name())
	wiretest.Patiently(t, func(slower time.Duration) error {
		limit := slower * 400 * time.Millisecond
		url, taken := slowServer(t, slower*10*time.Millisecond)
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		_, err := requests.Post(t.Context(), url, requests.Body(f), requests.Timeouts{Read: limit})
		switch got := <-taken; {
		case err == nil && !bytes.Equal(got, want):
			t.Errorf("%d bytes arrived, of %d, or others", len(got), len(want))
		case err == nil && time.Since(start) < limit:
			t.Error("the upload was not slow")
		}
		return err
	})
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
