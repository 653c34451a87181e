package cookie

// Every entry is on two lists, and one that a server may push out on that of its site.
const (
	inJar = iota
	inPath
	inSite
	kinds
)

type links struct{ previous, next *entry }

// list is entries in the order in which they were added. It is threaded through one
// of the links of each entry, whose kind goes with every call.
type list struct{ first, last *entry }

func (l *list) push(e *entry, kind int) {
	e.links[kind].previous = l.last
	if l.last == nil {
		l.first = e
	} else {
		l.last.links[kind].next = e
	}
	l.last = e
}

func (l *list) drop(e *entry, kind int) {
	at := &e.links[kind]
	if at.previous == nil {
		l.first = at.next
	} else {
		at.previous.links[kind].next = at.next
	}
	if at.next == nil {
		l.last = at.previous
	} else {
		at.next.links[kind].previous = at.previous
	}
	*at = links{}
}

// heap is the entries that have an end, the one that ends first on top; container/heap
// would put each of them into an interface.
type heap []*entry

func (h heap) top() *entry {
	if len(h) == 0 {
		return nil
	}
	return h[0]
}

// fix puts an entry where its end belongs: it is new, or its end has changed.
func (h *heap) fix(e *entry) {
	switch {
	case e.Expires.IsZero():
		h.drop(e)
		return
	case e.heapAt < 0:
		e.heapAt = len(*h)
		*h = append(*h, e)
	}
	h.down(e.heapAt)
	h.up(e.heapAt)
}

func (h *heap) drop(e *entry) {
	i := e.heapAt
	if i < 0 {
		return
	}
	last := len(*h) - 1
	h.swap(i, last)
	(*h)[last] = nil
	*h = (*h)[:last]
	e.heapAt = -1
	if i < last {
		h.down(i)
		h.up(i)
	}
}

func (h *heap) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !h.before(i, parent) {
			return
		}
		h.swap(i, parent)
		i = parent
	}
}

func (h *heap) down(i int) {
	for {
		child := 2*i + 1
		if child >= len(*h) {
			return
		}
		if child+1 < len(*h) && h.before(child+1, child) {
			child++
		}
		if !h.before(child, i) {
			return
		}
		h.swap(i, child)
		i = child
	}
}

func (h *heap) before(i, k int) bool { return (*h)[i].Expires.Before((*h)[k].Expires) }

func (h *heap) swap(i, k int) {
	(*h)[i], (*h)[k] = (*h)[k], (*h)[i]
	(*h)[i].heapAt, (*h)[k].heapAt = i, k
}
