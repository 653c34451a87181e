package http2

import "sync"

// queue is content that has been received and not been read. The stream's window bounds it.
type queue struct {
	first, last *piece
	size        int
}

const pieceSize = 16 << 10

type piece struct {
	next *piece
	r, w int
	data [pieceSize]byte
}

var pieces = sync.Pool{New: func() any { return new(piece) }}

// add appends b.
func (q *queue) add(b []byte) {
	q.size += len(b)
	for len(b) > 0 {
		if q.last == nil || q.last.w == pieceSize {
			q.grow()
		}
		n := copy(q.last.data[q.last.w:], b)
		q.last.w += n
		b = b[n:]
	}
}

func (q *queue) grow() {
	p := pieces.Get().(*piece)
	p.next, p.r, p.w = nil, 0, 0
	if q.last == nil {
		q.first = p
	} else {
		q.last.next = p
	}
	q.last = p
}

// read takes bytes from the front.
func (q *queue) read(b []byte) (n int) {
	for n < len(b) && q.size > 0 {
		p := q.first
		m := copy(b[n:], p.data[p.r:p.w])
		p.r += m
		n += m
		q.size -= m
		if p.r == p.w {
			q.shift()
		}
	}
	return n
}

func (q *queue) shift() {
	p := q.first
	if q.first = p.next; q.first == nil {
		q.last = nil
	}
	pieces.Put(p)
}

// clear forgets everything.
func (q *queue) clear() {
	for q.first != nil {
		q.shift()
	}
	q.size = 0
}
