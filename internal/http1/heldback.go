package http1

import "time"

// heldBack sends the head and waits until the body may follow.
func (u *upload) heldBack() error {
	if u.wait <= 0 {
		return nil
	}
	if err := u.flushHead(); err != nil {
		return err
	}
	if !u.framing.tunnel {
		u.trace.wait100()
	}
	timer := time.NewTimer(u.wait)
	defer timer.Stop()
	select {
	case <-u.goOn:
	case <-timer.C:
	case <-u.stop:
	}
	if u.proceed(); u.cut.Load() {
		return errStopped
	}
	return nil
}

func (u *upload) flushHead() error {
	u.writing.Lock()
	defer u.writing.Unlock()
	return u.flush()
}

// proceed lets a body that is held back go.
func (u *upload) proceed() {
	if u == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if !u.went {
		u.went = true
		close(u.goOn)
	}
}

// deny keeps back a body that is still held back, and reports whether it was.
func (u *upload) deny() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.wait <= 0 || u.went {
		return false
	}
	u.went, u.denied = true, true
	u.abort()
	return true
}

// keptBack reports whether nothing of the body was wanted.
func (u *upload) keptBack() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.denied
}
