package dial

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestDeadlines: which deadlines reach the socket.
func TestDeadlines(t *testing.T) {
	now := time.Now()
	early, later := now.Add(time.Hour), now.Add(2*time.Hour)
	early2 := early.Add(time.Nanosecond)
	gone, never := time.Unix(1, 0), time.Time{}
	fired := os.ErrDeadlineExceeded
	type d = deadlines
	want := func(t time.Time) func(*d) error { return func(d *d) error { return d.want(t) } }
	begin := (*d).begin
	end := func(d *d) error { d.end(nil); return nil }
	early1 := func(d *d) error {
		if !d.end(fired) {
			return errors.New("a deadline that fired early ended the call")
		}
		return nil
	}
	due := func(d *d) error {
		if d.end(fired) {
			return errors.New("a call went on past its deadline")
		}
		return nil
	}
	strict := (*d).beginStrict
	endStrict := func(d *d) error { d.endStrict(); return nil }
	for name, tt := range map[string]struct {
		steps []func(*d) error
		sets  []time.Time
		err   error // of the last step
	}{
		"none":                           {[]func(*d) error{begin, end}, nil, nil},
		"taken away before a call":       {[]func(*d) error{want(early), want(never), begin, end}, nil, nil},
		"set by the call":                {[]func(*d) error{want(early), begin, end}, []time.Time{early}, nil},
		"later ones wait":                {[]func(*d) error{want(early), begin, end, want(later), begin, end, want(never), begin, end}, []time.Time{early}, nil},
		"the same again":                 {[]func(*d) error{want(early), begin, end, want(never), want(early), begin}, []time.Time{early}, nil},
		"a sooner one":                   {[]func(*d) error{want(later), begin, end, want(early), begin, end}, []time.Time{later, early}, nil},
		"a sooner one in a call":         {[]func(*d) error{want(later), begin, want(early)}, []time.Time{later, early}, nil},
		"a later one in a call":          {[]func(*d) error{want(early), begin, want(later)}, []time.Time{early}, nil},
		"the past in a call":             {[]func(*d) error{begin, want(gone), due}, []time.Time{gone}, nil},
		"the past before a call":         {[]func(*d) error{want(gone), begin}, nil, fired},
		"the past, and no longer":        {[]func(*d) error{want(gone), want(later), begin}, []time.Time{later}, nil},
		"fired early, without a limit":   {[]func(*d) error{want(early), begin, want(never), early1, end}, []time.Time{early, never}, nil},
		"fired early, with another":      {[]func(*d) error{want(early), begin, want(later), early1}, []time.Time{early, later}, nil},
		"fired early, sooner again":      {[]func(*d) error{want(early), begin, want(later), early1, want(early2)}, []time.Time{early, later, early2}, nil},
		"canceled as it fired early":     {[]func(*d) error{want(early), begin, want(later), want(gone), due}, []time.Time{early, gone}, nil},
		"strict, with the same":          {[]func(*d) error{want(early), begin, end, strict, endStrict}, []time.Time{early}, nil},
		"strict, with a later one":       {[]func(*d) error{want(early), begin, end, want(later), strict}, []time.Time{early, later}, nil},
		"strict, later meanwhile":        {[]func(*d) error{want(early), strict, want(later)}, []time.Time{early, later}, nil},
		"strict, none meanwhile":         {[]func(*d) error{want(early), strict, want(never), endStrict}, []time.Time{early, never}, nil},
		"behind strict, later ones wait": {[]func(*d) error{want(early), strict, endStrict, want(later), begin}, []time.Time{early}, nil},
	} {
		var sets []time.Time
		d := &deadlines{set: func(t time.Time) error { sets = append(sets, t); return nil }}
		var err error
		for _, step := range tt.steps {
			err = step(d)
		}
		if diff := cmp.Diff(tt.sets, sets); diff != "" || err != tt.err {
			t.Errorf("%s: %v, want %v (-want +got)\n%s", name, err, tt.err, diff)
		}
	}
}

// sockets are a client's connection, in the clear or with TLS over it, and the server's side.
func sockets(t *testing.T, secured bool) (client net.Conn, below *timed, server net.Conn) {
	t.Helper()
	var cfg *tls.Config
	p := plan
	if secured {
		cfg = &tls.Config{Certificates: []tls.Certificate{testCA().issue(t, "127.0.0.1")}}
		p = func(ln net.Listener) *Plan {
			p := plan(ln)
			p.TLS = &TLS{Roots: testCA().pool()}
			return p
		}
	}
	c, server := idle(t, cfg, p)
	below, _ = beneath(c.Conn).(*timed)
	return c, below, server
}

// TestLaterDeadlines: calls that a deadline ends early, while a later one is wanted, or none, go on where they were.
func TestLaterDeadlines(t *testing.T) {
	for name, secured := range map[string]bool{"plain": false, "TLS": true} {
		t.Run(name, func(t *testing.T) {
			client, below, server := sockets(t, secured)
			passes := func(d *deadlines) { // waits until the deadline has fired, in a call
				for range 60_000 {
					d.mu.Lock()
					armed := !d.armed.IsZero()
					d.mu.Unlock()
					if !armed {
						return
					}
					time.Sleep(time.Millisecond)
				}
				t.Error("a deadline did not fire")
			}
			soon := func(d *deadlines) { // a deadline that a call has begun with, and which is not wanted any more
				d.mu.Lock()
				defer d.mu.Unlock()
				d.armed = time.Now().Add(20 * time.Millisecond)
				d.set(d.armed)
			}
			soon(&below.writes)
			text := bytes.Repeat([]byte("0123456789abcdef"), 1<<20)
			sent := make(chan error, 1)
			go func() {
				_, err := client.Write(text)
				sent <- err
			}()
			passes(&below.writes)
			got := make([]byte, len(text))
			if _, err := io.ReadFull(server, got); err != nil || !bytes.Equal(got, text) || <-sent != nil {
				t.Fatalf("not all of what was written came: %v", err)
			}
			soon(&below.reads)
			came := make(chan string, 1)
			go func() {
				b := make([]byte, 2)
				_, err := io.ReadFull(client, b)
				came <- string(b) + errText(err)
			}()
			passes(&below.reads)
			io.WriteString(server, "ok")
			if got := <-came; got != "ok" {
				t.Errorf("read %q", got)
			}
		})
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestSoonerDeadlines: one that is set during a call ends it, also where others, later ones, were set before.
func TestSoonerDeadlines(t *testing.T) {
	client, _, _ := sockets(t, false)
	text := make([]byte, 1<<20)
	for name, call := range map[string]func() error{
		"read":  func() error { _, err := client.Read(text); return err },
		"write": func() error { _, err := client.Write(text); return err },
		"file":  func() error { _, err := io.Copy(client, io.LimitReader(endless{}, 1<<30)); return err },
	} {
		for _, until := range []func() time.Time{
			func() time.Time { return past },
			func() time.Time { return time.Now().Add(10 * time.Millisecond) },
		} {
			client.SetDeadline(time.Now().Add(time.Hour))
			client.SetDeadline(time.Time{})
			ended := make(chan error)
			go func() {
				var err error
				for err == nil {
					err = call()
				}
				ended <- err
			}()
			client.SetDeadline(until())
			if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

// TestLimitsHold: a limit that is set over and over, as those of requests are, still ends what takes longer.
func TestLimitsHold(t *testing.T) {
	client, _, server := sockets(t, false)
	for range 100 {
		client.SetDeadline(time.Now().Add(time.Hour))
		io.WriteString(client, "x")
		if _, err := io.ReadFull(server, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		client.SetDeadline(time.Time{})
	}
	end := time.Now().Add(20 * time.Millisecond)
	client.SetReadDeadline(end)
	if _, err := client.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Now().Before(end) {
		t.Error(err)
	}
}

func BenchmarkDeadlines(b *testing.B) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	c, err := Dial(b.Context(), plan(ln))
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	b.ReportAllocs()
	for b.Loop() {
		_ = c.SetReadDeadline(time.Now().Add(time.Minute))
		_, _ = c.Read(nil)
		_ = c.SetReadDeadline(time.Time{})
	}
}

// TestBeneathTLS: what lies beneath a TLS connection can be asked for what programs ask a socket for.
func TestBeneathTLS(t *testing.T) {
	_, below, server := sockets(t, true)
	raw, err := below.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	open := false
	if err := raw.Control(func(uintptr) { open = true }); err != nil || !open {
		t.Errorf("no access to the socket: %v", err)
	}
	if err := below.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := server.(interface{ NetConn() net.Conn }).NetConn().Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the server did not learn of the end: %v", err)
	}
}

// TestNotASocket: what has neither says so, and does not panic.
func TestNotASocket(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	defer server.Close()
	c := &timed{Conn: client}
	if _, err := c.SyscallConn(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("SyscallConn: %v", err)
	}
	if err := c.CloseWrite(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("CloseWrite: %v", err)
	}
}
