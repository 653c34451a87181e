// Package secret knows what must not be shown: in errors, logs, dumps, recordings and by
// any verb of package fmt. It goes by names, those of headers, parameters, and fields of
// forms, JSON and XML, however their words are joined: client_secret, clientSecret,
// X-Client-Secret and CLIENTSECRET are one name. What has a secret name shows as [Mask].
//
// Where a name does not decide, it errs on the side of hiding.
package secret

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"
)

// Mask stands for a secret.
const Mask = "***"

// Names says which names are those of secrets: the ones this package knows, those of
// [Add], and its own. It does not change, so that goroutines may share it.
type Names struct {
	more map[string]bool // folded
	none bool
}

var (
	standard = &Names{}
	nothing  = &Names{none: true}
)

// Default returns the names of this package and of [Add].
func Default() *Names { return standard }

// None returns a Names by which nothing is secret.
func None() *Names { return nothing }

// With returns the names of n and further ones.
func (n *Names) With(names ...string) *Names { return &Names{folded(n.more, names), n.none} }

// added are the names of Add. A map here is never changed, but replaced under the lock.
var (
	added  atomic.Pointer[map[string]bool]
	adding sync.Mutex
)

// Add makes further names secret in the whole program. It may be called at any time: what
// is shown from then on has them masked. There is no way back.
func Add(names ...string) {
	adding.Lock()
	defer adding.Unlock()
	var old map[string]bool
	if p := added.Load(); p != nil {
		old = *p
	}
	all := folded(old, names)
	added.Store(&all)
}

func folded(old map[string]bool, names []string) map[string]bool {
	all := maps.Clone(old)
	if all == nil {
		all = map[string]bool{}
	}
	for _, name := range names {
		if f := join(words(name)); f != "" {
			all[f] = true
		}
	}
	return all
}

// chosen reports whether somebody added the name.
func (n *Names) chosen(folded string) bool {
	if n.more[folded] {
		return true
	}
	all := added.Load()
	return all != nil && (*all)[folded]
}

// maxURL bounds a URL that is shown, in bytes: a server may have chosen it.
const maxURL = 2048

// URL is [Names.URL] of the default names, cut at 2 KiB.
func URL(s string) string {
	s = standard.URL(s)
	if len(s) > maxURL {
		s = strings.ToValidUTF8(s[:maxURL], "") + "..."
	}
	return s
}

// Is is [Names.Is] of the default names.
func Is(name string) bool { return standard.Is(name) }
