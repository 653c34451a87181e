package dial

import (
	"io"
	"os"
)

// KeyLog appends the TLS secrets of connections to a file, for debugging. It is opened for
// each line, of which a connection has a few, so that no file stays open. What goes wrong
// must not break what is debugged.
type KeyLog string

// Writer is path as crypto/tls wants it: nil where there is none.
func (path KeyLog) Writer() io.Writer {
	if path == "" {
		return nil
	}
	return path
}

// Write appends a line.
func (path KeyLog) Write(line []byte) (int, error) {
	if file, err := os.OpenFile(string(path), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err == nil {
		_, _ = file.Write(line)
		_ = file.Close()
	}
	return len(line), nil
}
