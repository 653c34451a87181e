package requests

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/mountable/requests/internal/ascii"
)

// mountTable finds the adapter of a URL: the longest prefix wins, ASCII letter
// case aside; of two prefixes that differ in case only, the one mounted first.
// Mounting an old prefix again replaces its adapter in place. A look-up walks a
// trie, so its cost does not depend on how many are mounted, and takes no lock:
// mounting copies the path it changes.
type mountTable struct {
	mu     sync.Mutex
	mounts []*mount          // longest first, then in order of mounting
	exact  map[string]*mount // by prefix
	folded map[string]*mount // by lower-case prefix, the first one mounted
	root   atomic.Pointer[mountNode]
}

type mount struct {
	prefix  string
	adapter Adapter
}

// checkPrefix panics where a prefix can never be that of a URL. It is empty, for every
// URL, or begins with a scheme or with a part of one. A dot in what would be the scheme, or
// digits behind its colon, are those of a host and port.
func checkPrefix(prefix string) {
	scheme, rest, _ := strings.Cut(prefix, ":")
	hostPort := rest != "" && '0' <= rest[0] && rest[0] <= '9'
	if prefix != "" && (!ascii.IsToken(scheme) || strings.Contains(scheme, ".") || hostPort) {
		panic(fmt.Sprintf("requests: Mount(%q): a prefix begins with a scheme, as in https://", redactURL(prefix)))
	}
}

func (t *mountTable) mount(prefix string, adapter Adapter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	folded := ascii.Lower(prefix)
	if m := t.exact[prefix]; m != nil {
		m.adapter = adapter
	} else {
		t.add(&mount{prefix, adapter}, folded)
	}
	t.root.Store(t.root.Load().insert(folded, t.folded[folded].adapter))
}

// add files a new prefix behind those that are at least as long.
func (t *mountTable) add(m *mount, folded string) {
	if t.exact == nil {
		t.exact, t.folded = map[string]*mount{}, map[string]*mount{}
	}
	t.exact[m.prefix] = m
	if t.folded[folded] == nil {
		t.folded[folded] = m
	}
	at, _ := slices.BinarySearchFunc(t.mounts, m, func(other, m *mount) int {
		if len(other.prefix) >= len(m.prefix) {
			return -1
		}
		return 1
	})
	t.mounts = slices.Insert(t.mounts, at, m)
}

// all returns the mounts, longest prefix first.
func (t *mountTable) all() []mount {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]mount, len(t.mounts))
	for i, m := range t.mounts {
		all[i] = *m
	}
	return all
}

// lookup returns the adapter of the longest prefix of url, nil if none.
func (t *mountTable) lookup(url string) Adapter {
	var found Adapter
	node, rest := t.root.Load(), url
	for node != nil && ascii.HasPrefixFold(rest, node.label) {
		rest = rest[len(node.label):]
		if node.adapter != nil {
			found = node.adapter
		}
		if rest == "" {
			break
		}
		node = node.child(ascii.LowerByte(rest[0]))
	}
	return found
}

// mountNode is a byte-wise radix node; keys are lower-cased ASCII.
type mountNode struct {
	label    string
	adapter  Adapter
	children []*mountNode // ordered by first byte of label
}

// insert returns a copy of the path to prefix, so that readers of the old trie
// are not disturbed.
func (n *mountNode) insert(prefix string, adapter Adapter) *mountNode {
	if n == nil {
		return &mountNode{label: prefix, adapter: adapter}
	}
	common := commonPrefix(n.label, prefix)
	if common < len(n.label) {
		return n.split(common, prefix, adapter)
	}
	node := *n
	if common == len(prefix) {
		node.adapter = adapter
		return &node
	}
	node.children = slices.Clone(n.children)
	rest := prefix[common:]
	i, found := slices.BinarySearchFunc(node.children, rest[0], byFirstByte)
	if found {
		node.children[i] = node.children[i].insert(rest, adapter)
		return &node
	}
	node.children = slices.Insert(node.children, i, &mountNode{label: rest, adapter: adapter})
	return &node
}

// split makes a parent of n's label up to common, with n's rest and, unless the
// prefix ends there, the prefix's rest as children.
func (n *mountNode) split(common int, prefix string, adapter Adapter) *mountNode {
	tail := *n
	tail.label = n.label[common:]
	parent := &mountNode{label: n.label[:common], children: []*mountNode{&tail}}
	if common == len(prefix) {
		parent.adapter = adapter
		return parent
	}
	leaf := &mountNode{label: prefix[common:], adapter: adapter}
	if leaf.label[0] < tail.label[0] {
		parent.children = []*mountNode{leaf, &tail}
	} else {
		parent.children = append(parent.children, leaf)
	}
	return parent
}

func (n *mountNode) child(first byte) *mountNode {
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

func byFirstByte(n *mountNode, b byte) int { return int(n.label[0]) - int(b) }

func commonPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}
