package fleet

import "context"

// window bounds the jobs that a run holds from one partition. Whatever it holds is late for others
// when its process is killed, and needs signs of life until then; what it does not hold it has to
// wait for.
//
//	a partition                 holds up to
//	any                         as many as there are workers, eight at least
//	which has more than that    eight more a worker, from what all partitions share
//
// So hosts that have to wait for their rate cannot use up what other partitions have.
type window struct {
	own, shared chan struct{}
	many        bool // the last question had as many jobs for an answer as it asked for
}

// place is what a job takes up: one element of a channel.
type place <-chan struct{}

func newWindow(workers int, shared chan struct{}) *window {
	return &window{own: make(chan struct{}, max(8, workers)), shared: shared}
}

// reserve waits for a quarter of the window's own places, for fewer and larger questions, and takes
// what else is free.
func (w *window) reserve(ctx context.Context) (places []place, err error) {
	shared := w.shared
	if !w.many {
		shared = nil
	}
	for len(places) < cap(w.own)/4 {
		select {
		case w.own <- struct{}{}:
			places = append(places, w.own)
		case shared <- struct{}{}:
			places = append(places, w.shared)
		case <-ctx.Done():
			w.free(places)
			return nil, context.Cause(ctx)
		}
	}
	for {
		select {
		case w.own <- struct{}{}:
			places = append(places, w.own)
		case shared <- struct{}{}:
			places = append(places, w.shared)
		default:
			return places, nil
		}
	}
}

func (w *window) free(places []place) {
	for _, p := range places {
		<-p
	}
}
