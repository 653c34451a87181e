package dial

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// Connections that a dial function returns may have no deadlines: channels of an SSH
// connection, for example. pumped gives them some:
//
//	Read    waits for what the pump, one goroutine a connection, has read
//	        past the deadline       os.ErrDeadlineExceeded, nothing is lost
//	Write   past the deadline       closes the connection, os.ErrDeadlineExceeded
//	Close   ends the pump with the read it is in, and all that wait
type pumped struct {
	net.Conn
	pieces chan []byte   // what the pump has read; closed at its end
	taken  chan struct{} // the last piece has been used up: the pump may go on
	failed error         // why the pump ended; set before pieces is closed, as panicked is

	panicked any // by Read of the connection; it goes on in Read of this one

	closing sync.Once
	closed  chan struct{}

	reading sync.Mutex // held by Read
	rest    []byte     // of the last piece

	// mu protects the fields below.
	mu      sync.Mutex
	read    deadline
	write   time.Time
	writes  int         // under way
	cutting *time.Timer // closes the connection under them
}

// deadline is a channel that is closed once a time has passed.
type deadline struct {
	timer *time.Timer
	past  chan struct{}
}

func (d *deadline) set(t time.Time) {
	if d.timer != nil && !d.timer.Stop() {
		<-d.past // the timer has fired: its channel is used up
	}
	d.timer = nil
	if d.past == nil || isClosed(d.past) {
		d.past = make(chan struct{})
	}
	if t.IsZero() {
		return
	}
	past := d.past
	if wait := time.Until(t); wait > 0 {
		d.timer = time.AfterFunc(wait, func() { close(past) })
		return
	}
	close(past)
}

func isClosed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// withDeadlines returns conn, or where it has no deadlines one that has.
func withDeadlines(conn net.Conn) net.Conn {
	if conn.SetDeadline(time.Time{}) == nil {
		return conn
	}
	p := &pumped{Conn: conn, pieces: make(chan []byte), taken: make(chan struct{}), closed: make(chan struct{})}
	p.read.set(time.Time{})
	go p.pump()
	return p
}

// pump reads ahead, one piece at a time.
func (p *pumped) pump() {
	p.failed = errors.New("Read of the dial function's connection ended its goroutine")
	defer func() {
		p.panicked = recover()
		close(p.pieces)
	}()
	buf := make([]byte, 16<<10)
	for {
		n, err := p.Conn.Read(buf)
		if n > 0 && !p.pass(buf[:n]) {
			err = net.ErrClosed
		}
		if err != nil {
			p.failed = err
			return
		}
	}
}

// pass hands a piece over and waits until it has been used up.
func (p *pumped) pass(piece []byte) bool {
	select {
	case p.pieces <- piece:
	case <-p.closed:
		return false
	}
	select {
	case <-p.taken:
		return true
	case <-p.closed:
		return false
	}
}

func (p *pumped) Read(b []byte) (int, error) {
	p.reading.Lock()
	defer p.reading.Unlock()
	p.mu.Lock()
	past := p.read.past
	p.mu.Unlock()
	switch {
	case isClosed(p.closed):
		return 0, net.ErrClosed
	case isClosed(past):
		return 0, os.ErrDeadlineExceeded
	case len(b) == 0:
		return 0, nil
	case len(p.rest) > 0:
		return p.take(b), nil
	}
	select {
	case piece, ok := <-p.pieces:
		switch {
		case !ok && p.panicked != nil:
			panic(p.panicked)
		case !ok:
			return 0, p.failed
		}
		p.rest = piece
		return p.take(b), nil
	case <-past:
		return 0, os.ErrDeadlineExceeded
	case <-p.closed:
		return 0, net.ErrClosed
	}
}

// take copies from the last piece, and lets the pump go on behind its end.
func (p *pumped) take(b []byte) int {
	n := copy(b, p.rest)
	if p.rest = p.rest[n:]; len(p.rest) == 0 {
		select {
		case p.taken <- struct{}{}:
		case <-p.closed:
		}
	}
	return n
}

func (p *pumped) Write(b []byte) (int, error) {
	if p.writing(1) {
		p.writing(-1)
		return 0, os.ErrDeadlineExceeded
	}
	n, err := p.Conn.Write(b)
	if late := p.writing(-1); late && err != nil {
		err = os.ErrDeadlineExceeded
	}
	return n, err
}

// writing counts the writes under way, and reports whether they are past the deadline.
func (p *pumped) writing(more int) (late bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writes += more
	p.armWrite()
	return !p.write.IsZero() && !time.Now().Before(p.write)
}

// armWrite makes the deadline close the connection while there are writes. mu is held.
func (p *pumped) armWrite() {
	if p.cutting != nil {
		p.cutting.Stop()
		p.cutting = nil
	}
	if p.writes > 0 && !p.write.IsZero() {
		p.cutting = time.AfterFunc(time.Until(p.write), func() { p.Conn.Close() })
	}
}

func (p *pumped) Close() error {
	err := net.ErrClosed
	p.closing.Do(func() {
		close(p.closed)
		err = p.Conn.Close()
		p.SetDeadline(time.Time{})
	})
	return err
}

func (p *pumped) SetReadDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.read.set(t)
	return nil
}

func (p *pumped) SetWriteDeadline(t time.Time) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.write = t
	p.armWrite()
	return nil
}

func (p *pumped) SetDeadline(t time.Time) error {
	p.SetReadDeadline(t)
	return p.SetWriteDeadline(t)
}
