// Package prefix finds the value of the longest prefix of a text.
package prefix

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/mountable/requests/internal/ascii"
)

// Table finds the value of a text: the longest prefix wins, ASCII letter case aside; of
// two prefixes that differ in case only, the one put in first. Putting an old prefix in
// again replaces its value in place. A lookup walks a trie, so its cost does not depend on
// how many there are, and takes no lock: Put copies the path that it changes. The zero
// Table is empty. A zero value of V counts as none.
type Table[V comparable] struct {
	root  atomic.Pointer[node[V]]
	named atomic.Bool // whether a prefix names its scheme's own port
	hosts atomic.Bool // whether a prefix says more than a scheme

	// mu protects the fields below.
	mu      sync.Mutex
	entries []*Entry[V]          // longest first, then in the order they came
	exact   map[string]*Entry[V] // by prefix; nil while there are few
	folded  map[string]*Entry[V] // by lower-case prefix, the first that came; nil while there are few
}

// Entry is a prefix and its value.
type Entry[V comparable] struct {
	Prefix string
	Value  V
}

// Put gives a prefix its value.
func (t *Table[V]) Put(prefix string, value V) {
	t.mu.Lock()
	defer t.mu.Unlock()
	folded := ascii.Lower(prefix)
	m, first := t.find(prefix, folded)
	if m == nil {
		m = &Entry[V]{Prefix: prefix}
		t.add(m, folded)
	}
	if m.Value = value; first == nil {
		first = m
	}
	t.root.Store(t.root.Load().insert(folded, first.Value))
}

// add files a new prefix behind those that are at least as long.
func (t *Table[V]) add(m *Entry[V], folded string) {
	if namesOwnPort(m.Prefix) {
		t.named.Store(true)
	}
	if !isScheme(m.Prefix) {
		t.hosts.Store(true)
	}
	at, _ := slices.BinarySearchFunc(t.entries, m, func(other, m *Entry[V]) int {
		if len(other.Prefix) >= len(m.Prefix) {
			return -1
		}
		return 1
	})
	if t.entries == nil {
		t.entries = make([]*Entry[V], 0, few)
	}
	t.entries = slices.Insert(t.entries, at, m)
	t.index(m, folded)
}

// few entries are looked through: it takes less than to keep the maps, and nearly all tables have no more.
const few = 8

// find returns the entry of a prefix, and the first that came of those that are the same in lower case.
func (t *Table[V]) find(prefix, folded string) (exact, first *Entry[V]) {
	if t.exact != nil {
		return t.exact[prefix], t.folded[folded]
	}
	for _, m := range t.entries {
		if first == nil && ascii.Lower(m.Prefix) == folded {
			first = m
		}
		if m.Prefix == prefix {
			return m, first
		}
	}
	return nil, first
}

// index keeps the maps, once there are more than few entries.
func (t *Table[V]) index(m *Entry[V], folded string) {
	switch {
	case t.exact != nil:
		t.exact[m.Prefix] = m
		if t.folded[folded] == nil {
			t.folded[folded] = m
		}
	case len(t.entries) > few:
		t.exact, t.folded = map[string]*Entry[V]{}, map[string]*Entry[V]{}
		for _, other := range t.entries {
			t.index(other, ascii.Lower(other.Prefix))
		}
	}
}

// All returns the entries, longest prefix first.
func (t *Table[V]) All() []Entry[V] {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]Entry[V], len(t.entries))
	for i, m := range t.entries {
		all[i] = *m
	}
	return all
}

// Lookup returns the value of the longest prefix of text, the zero value if none.
func (t *Table[V]) Lookup(text string) V {
	found, _ := t.lookup(text, authority{}, -1)
	return found
}

// lookup is Lookup among the prefixes that are longer than above and end at a border of a,
// the authority of text. It returns the prefix's length as well.
func (t *Table[V]) lookup(text string, a authority, above int) (found V, length int) {
	var none V
	node, rest := t.root.Load(), text
	for node != nil && ascii.HasPrefixFold(rest, node.label) {
		rest = rest[len(node.label):]
		if n := len(text) - len(rest); n > above && a.isBorder(n) && node.value != none {
			found, length = node.value, n
		}
		if rest == "" {
			break
		}
		node = node.child(ascii.LowerByte(rest[0]))
	}
	return found, length
}

// node is a byte-wise radix node; keys are lower-cased ASCII.
type node[V comparable] struct {
	label    string
	value    V
	children []*node[V] // ordered by first byte of label
}

// insert returns a copy of the path to prefix, so that readers of the old trie
// are not disturbed.
func (n *node[V]) insert(prefix string, value V) *node[V] {
	if n == nil {
		return &node[V]{label: prefix, value: value}
	}
	common := commonPrefix(n.label, prefix)
	if common < len(n.label) {
		return n.split(common, prefix, value)
	}
	own := *n
	if common == len(prefix) {
		own.value = value
		return &own
	}
	own.children = slices.Clone(n.children)
	rest := prefix[common:]
	i, found := slices.BinarySearchFunc(own.children, rest[0], byFirstByte[V])
	if found {
		own.children[i] = own.children[i].insert(rest, value)
		return &own
	}
	own.children = slices.Insert(own.children, i, &node[V]{label: rest, value: value})
	return &own
}

// split makes a parent of n's label up to common, with n's rest and, unless the
// prefix ends there, the prefix's rest as children.
func (n *node[V]) split(common int, prefix string, value V) *node[V] {
	tail := *n
	tail.label = n.label[common:]
	parent := &node[V]{label: n.label[:common], children: append(make([]*node[V], 0, 2), &tail)}
	if common == len(prefix) {
		parent.value = value
		return parent
	}
	leaf := &node[V]{label: prefix[common:], value: value}
	if leaf.label[0] < tail.label[0] {
		parent.children = append(parent.children[:0], leaf, &tail)
	} else {
		parent.children = append(parent.children, leaf)
	}
	return parent
}

func (n *node[V]) child(first byte) *node[V] {
	lo, hi := 0, len(n.children)
	for lo < hi {
		mid := (lo + hi) / 2
		if n.children[mid].label[0] < first {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(n.children) && n.children[lo].label[0] == first {
		return n.children[lo]
	}
	return nil
}

func byFirstByte[V comparable](n *node[V], b byte) int { return int(n.label[0]) - int(b) }

func commonPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
