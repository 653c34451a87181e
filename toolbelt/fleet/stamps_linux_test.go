package fleet

import (
	"encoding/binary"
	"net"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// stamped tells when the last bytes that were read had arrived, as the kernel saw it: a busy machine
// may give them to the program much later.
type stamped struct {
	net.Conn
	raw syscall.RawConn
	at  time.Time
}

func stamp(t testing.TB, c net.Conn) net.Conn {
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1) })
	}
	if err != nil {
		t.Error(err)
	}
	return &stamped{Conn: c, raw: raw}
}

// Read implements [net.Conn].
func (s *stamped) Read(p []byte) (n int, err error) {
	control := make([]byte, 64)
	var used int
	waited := s.raw.Read(func(fd uintptr) bool {
		n, used, _, _, err = syscall.Recvmsg(int(fd), p, control, 0)
		return err != syscall.EAGAIN
	})
	switch {
	case waited != nil:
		return 0, waited
	case err != nil:
		return 0, err
	case n == 0 && len(p) > 0:
		return s.Conn.Read(p) // the end, as net says it
	}
	messages, _ := syscall.ParseSocketControlMessage(control[:used])
	for _, m := range messages {
		if m.Header.Type == syscall.SCM_TIMESTAMPNS && len(m.Data) >= int(unsafe.Sizeof(syscall.Timespec{})) {
			s.at = time.Unix(int64(binary.NativeEndian.Uint64(m.Data)), int64(binary.NativeEndian.Uint64(m.Data[8:])))
		}
	}
	return n, nil
}

func (s *stamped) arrived() time.Time { return s.at }
