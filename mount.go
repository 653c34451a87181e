package requests

import (
	"fmt"

	"github.com/mountable/requests/internal/uri"
)

// Mount makes adapter carry every URL that starts with prefix, letter case
// aside. The longest mounted prefix wins. Mounting an old prefix again replaces
// its adapter, which is not closed; mounting nil there leaves its URLs to shorter
// prefixes. A prefix begins with a scheme, as in "https://api.example.com/": Mount
// panics where it does not, because it would never be found. A host or port that it names it
// names whole: "https://api.test" is for every port of api.test, and not for
// "https://api.test.example/". A scheme's own port is the same named and left out. User
// info of a URL does not count. An IPv4 address is looked for in its dotted form, however a
// URL has it. Policy.MountsAsRequests compares texts.
func (s *Session) Mount(prefix string, adapter Adapter) {
	if !uri.MayBegin(prefix) {
		panic(fmt.Sprintf("requests: Mount(%q): a prefix begins with a scheme, as in https://", redactURL(prefix)))
	}
	s.mounts.Put(uri.WithDottedHost(prefix), adapter)
}

// Adapter returns the adapter that carries url, which is absolute, or [ErrInvalidSchema].
func (s *Session) Adapter(url string) (Adapter, error) {
	if a := s.mounts.Find(url, uri.WithDottedHost, s.Policy.MountsAsRequests); a != nil {
		return a, nil
	}
	return nil, fail(ErrInvalidSchema, "no adapter is mounted for %q%s", redactURL(url), s.mountHint(url))
}

// mountHint says what could be meant by a URL that no adapter carries.
func (s *Session) mountHint(url string) string {
	var prefixes []string
	for _, m := range s.mounts.All() {
		if m.Value != nil {
			prefixes = append(prefixes, redactURL(m.Prefix))
		}
	}
	if len(prefixes) == 0 {
		return ": the Session has none; NewSession makes one that has, and Mount adds more"
	}
	return uri.SchemeHint(url, prefixes)
}

// Prefixes returns the mounted prefixes in the order they are tried.
func (s *Session) Prefixes() []string {
	mounts := s.mounts.All()
	prefixes := make([]string, len(mounts))
	for i, m := range mounts {
		prefixes[i] = m.Prefix
	}
	return prefixes
}
