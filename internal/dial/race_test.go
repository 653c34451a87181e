package dial

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestRace has addresses that accept, refuse or are silent, and tells which one won, and when: the next address is tried
// 250 ms after the one before it, or at once when all before it have failed.
func TestRace(t *testing.T) {
	type outcome struct {
		Won   string
		After time.Duration
	}
	for name, c := range map[string]struct {
		addrs string // one letter an address: a accepts, r refuses, s is silent
		want  outcome
	}{
		"the first accepts":      {"aa", outcome{"0", 0}},
		"the first refuses":      {"ra", outcome{"1", 0}},
		"two refuse":             {"rra", outcome{"2", 0}},
		"all refuse":             {"rrr", outcome{"2: refused", 0}},
		"the first is silent":    {"sa", outcome{"1", attemptDelay}},
		"two are silent":         {"ssa", outcome{"2", 2 * attemptDelay}},
		"silent, then one fails": {"sra", outcome{"2", 2 * attemptDelay}},
		"all are silent":         {"ss", outcome{context.DeadlineExceeded.Error(), time.Minute}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				begin := time.Now()
				won := raceOver(ctx, c.addrs)
				if diff := cmp.Diff(c.want, outcome{won, time.Since(begin)}); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			})
		})
	}
}

// raceOver returns the number of the address that won, or the error.
func raceOver(ctx context.Context, behavior string) string {
	var addrs []netip.AddrPort
	for i := range behavior {
		addrs = append(addrs, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(i)))
	}
	p := &Plan{Dial: func(ctx context.Context, _, addr string) (net.Conn, error) {
		_, number, _ := net.SplitHostPort(addr)
		switch behavior[number[0]-'0'] {
		case 'a':
			conn, peer := net.Pipe()
			peer.Close()
			return numbered{conn, number}, nil
		case 'r':
			return nil, errors.New(number + ": refused")
		}
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	conn, err := p.race(ctx, addrs, PhaseConnect)
	if err != nil {
		for e := errors.Unwrap(err); e != nil; e = errors.Unwrap(err) {
			err = e
		}
		return err.Error()
	}
	defer conn.Close()
	return conn.RemoteAddr().String()
}

// numbered is a connection that knows which address it is to.
type numbered struct {
	net.Conn
	number string
}

func (n numbered) RemoteAddr() net.Addr { return n }
func (n numbered) Network() string      { return "tcp" }
func (n numbered) String() string       { return n.number }
