package fleet

import (
	"context"
	"sync"
)

// slots are the workers of one Run, and who has them:
//
//	a job            when
//	waits            it was taken, or waits no longer for the rate of its host
//	has a slot       one is free; of several hosts that wait, the one with the fewest slots is next
//	gives it back    it is done, or has to wait for the rate of its host
//
// So what is slow, or limited, holds as many slots as it uses, and none while it waits.
type slots struct {
	// mu protects the fields below.
	mu      sync.Mutex
	free    int
	used    map[string]int
	waiting map[string][]chan struct{}
}

func newSlots(n int) *slots {
	return &slots{free: n, used: map[string]int{}, waiting: map[string][]chan struct{}{}}
}

// take waits for a slot.
func (s *slots) take(ctx context.Context, host string) error {
	s.mu.Lock()
	if s.free > 0 && len(s.waiting) == 0 {
		s.free--
		s.used[host]++
		s.mu.Unlock()
		return nil
	}
	turn := make(chan struct{})
	s.waiting[host] = append(s.waiting[host], turn)
	s.grant()
	s.mu.Unlock()
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		s.leave(host, turn)
		return context.Cause(ctx)
	}
}

// leave ends the waiting for a turn, or gives back what has come of it.
func (s *slots) leave(host string, turn chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := s.waiting[host]
	for i, t := range line {
		if t == turn {
			s.waiting[host] = append(line[:i:i], line[i+1:]...)
			if len(s.waiting[host]) == 0 {
				delete(s.waiting, host)
			}
			return
		}
	}
	s.put(host)
}

// give gives a slot back.
func (s *slots) give(host string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(host)
}

func (s *slots) put(host string) {
	if s.used[host]--; s.used[host] == 0 {
		delete(s.used, host)
	}
	s.free++
	s.grant()
}

// grant gives free slots to those who wait.
func (s *slots) grant() {
	for s.free > 0 && len(s.waiting) > 0 {
		host, fewest := "", -1
		for h := range s.waiting {
			if fewest < 0 || s.used[h] < fewest {
				host, fewest = h, s.used[h]
			}
			if fewest == 0 {
				break
			}
		}
		line := s.waiting[host]
		close(line[0])
		if s.waiting[host] = line[1:]; len(line) == 1 {
			delete(s.waiting, host)
		}
		s.free--
		s.used[host]++
	}
}

// turn is the slot of one job, for those who make it wait.
type turn struct {
	slots    *slots
	host     string
	admitted func() error // called when the waiting is over, right before it is sent; nil for nothing
}

type turnKey struct{}

// turnOf is the turn of the job that ctx belongs to, nil if it does to none.
func turnOf(ctx context.Context) *turn {
	t, _ := ctx.Value(turnKey{}).(*turn)
	return t
}

// yieldTurn gives back the slot of the job that ctx belongs to, if it does to one, for as long as
// wait takes.
func yieldTurn(ctx context.Context, wait func() error) error {
	t := turnOf(ctx)
	if t == nil {
		return wait()
	}
	t.slots.give(t.host)
	err := wait()
	if taken := t.slots.take(context.WithoutCancel(ctx), t.host); err == nil {
		err = taken
	}
	return err
}
