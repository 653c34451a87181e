package interop

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// closing is a body that knows whether it was read and closed.
type closing struct {
	io.Reader
	mu            sync.Mutex
	wasRead, done bool
}

func (c *closing) Read(p []byte) (int, error) {
	c.mu.Lock()
	c.wasRead = true
	c.mu.Unlock()
	return c.Reader.Read(p)
}

func (c *closing) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done = true
	return nil
}

func (c *closing) closed() bool { c.mu.Lock(); defer c.mu.Unlock(); return c.done }
func (c *closing) read() bool   { c.mu.Lock(); defer c.mu.Unlock(); return c.wasRead }

// zeros gives bytes without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// newStranger is a TLS server whose certificate nobody trusts.
func newStranger(t *testing.T) string {
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = quiet
	server.TLS = strangeConfig(t)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

func tempFile(t *testing.T, size int) *os.File {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}
