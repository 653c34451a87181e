package wire

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"
)

// TestIsReset finds each of the system's numbers below the wrappers of package net.
func TestIsReset(t *testing.T) {
	for _, reset := range resets {
		if err := fmt.Errorf("x: %w", &net.OpError{Op: "read", Err: os.NewSyscallError("recv", reset)}); !IsReset(err) {
			t.Errorf("%v is not a reset", err)
		}
	}
	for _, err := range []error{nil, io.EOF, errors.New("connection reset by peer"), os.ErrDeadlineExceeded} {
		if IsReset(err) {
			t.Errorf("%v is a reset", err)
		}
	}
}
