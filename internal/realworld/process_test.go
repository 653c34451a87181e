//go:build realworld

package realworld

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// packages names the Debian package of each program.
var packages = map[string]string{
	"squid": "squid-openssl", "tinyproxy": "tinyproxy-bin", "microsocks": "microsocks", "nginx": "nginx-light", "curl": "curl",
	"openssl": "openssl", "node": "nodejs", "nghttpd": "nghttp2-server",
}

// program finds a program, or fails with the package to install.
func program(t *testing.T, name string) string {
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/local/sbin") {
		if path := filepath.Join(dir, name); executable(path) {
			return path
		}
	}
	t.Fatalf("%s is not installed: apt-get install %s", name, packages[name])
	return ""
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// freePort returns a port on which nothing listens just now.
func freePort(t *testing.T) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// start runs a program until the test ends and waits until it listens on ports.
func start(t *testing.T, ports []int, name string, args ...string) {
	cmd := exec.Command(program(t, name), args...)
	out := &lockedBuffer{}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() { stop(cmd, gone) })
	for _, port := range ports {
		waitFor(t, name, port, gone, out)
	}
}

// stop ends a program and its children: politely, then not.
func stop(cmd *exec.Cmd, gone <-chan struct{}) {
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
	select {
	case <-gone:
	case <-time.After(300 * time.Millisecond): // they have nothing to save
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	<-gone
}

func waitFor(t *testing.T, name string, port int, gone <-chan struct{}, out fmt.Stringer) {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", local(port))
		if err == nil {
			c.Close()
			return
		}
		select {
		case <-gone:
			t.Fatalf("%s ended at once:\n%s", name, out)
		default:
		}
	}
	t.Fatalf("%s does not listen on port %d:\n%s", name, port, out)
}

// write puts a file into dir, readable for the users that daemons change to.
func write(t *testing.T, dir, name, content string, mode os.FileMode) string {
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// workDir is a directory for a daemon's files, open to all.
func workDir(t *testing.T) string {
	dir, err := os.MkdirTemp("", "realworld")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
