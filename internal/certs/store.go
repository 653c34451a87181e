package certs

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Store loads bundles and client certificates from files and remembers them: a file is read again when its
// time, size or identity changed, in a directory of them too, and what files hold is parsed once for each content.
// Equal contents give one pointer, as long as they are remembered, so that pointers can be compared instead of
// contents. The zero Store is ready; it is safe for concurrent use.
type Store struct {
	contents   memo[string, *Bundle] // by Bundle.Key
	paths      memo[string, loaded[*Bundle]]
	people     memo[string, *Identity] // by Identity.Key
	identities memo[identityKey, loaded[*Identity]]
}

// Bundle loads the authorities in a PEM file, or in all files of a directory, whatever their names.
func (s *Store) Bundle(path string) (*Bundle, error) {
	b, err := s.bundle(path)
	if err != nil {
		return nil, &Error{What: "CA bundle", Path: path, Err: err}
	}
	return b, nil
}

func (s *Store) bundle(path string) (*Bundle, error) {
	if known, ok := s.paths.get(path); ok && known.fresh() {
		return known.value, nil
	}
	contents, stamps, err := readBundle(path)
	if err != nil {
		return nil, err
	}
	b, err := s.parsed(contents)
	if err != nil {
		return nil, err
	}
	s.paths.put(path, loaded[*Bundle]{b, stamps})
	return b, nil
}

// BundleBytes is ParseBundle, parsed once for each content.
func (s *Store) BundleBytes(content []byte) (*Bundle, error) {
	b, err := s.parsed([][]byte{content})
	if err != nil {
		return nil, &Error{What: "CA bundle", Err: err}
	}
	return b, nil
}

func (s *Store) parsed(contents [][]byte) (*Bundle, error) {
	key := contentKey(contents)
	if b, ok := s.contents.get(key); ok {
		return b, nil
	}
	b, err := parseBundle(contents)
	if err != nil {
		return nil, err
	}
	s.contents.put(key, b)
	return b, nil
}

// Identity is Source.Load, remembered. A source with a PasswordFunc and without an Owner is loaded each time:
// what one function answers is not for others.
func (s *Store) Identity(src Source) (*Identity, error) {
	if src.PasswordFunc != nil && src.Owner == nil {
		return src.Load()
	}
	key := src.key()
	if known, ok := s.identities.get(key); ok && known.fresh() {
		return known.value, nil
	}
	id, stamps, err := src.load()
	if err != nil {
		return nil, err
	}
	if same, ok := s.people.get(id.Key); ok {
		id = same
	} else {
		s.people.put(id.Key, id)
	}
	s.identities.put(key, loaded[*Identity]{id, stamps})
	return id, nil
}

// identityKey keeps digests of what is secret.
type identityKey struct {
	certFile, keyFile string
	secrets           [sha256.Size]byte // of contents and password
	owner             any
}

func (s Source) key() identityKey {
	secrets := sha256.Sum256([]byte(contentKey([][]byte{s.Cert, s.Key, []byte(s.Password)})))
	return identityKey{s.CertFile, s.KeyFile, secrets, s.Owner}
}

// loaded is what was made of files in a certain state.
type loaded[T any] struct {
	value  T
	stamps []stamp
}

// fresh reports whether the files are still in that state.
func (l loaded[T]) fresh() bool {
	for _, s := range l.stamps {
		info, err := os.Stat(s.path)
		if err != nil || !s.fresh(info) {
			return false
		}
	}
	return true
}

// memo is a small map for several goroutines. At its bound it is emptied, which costs time and nothing else.
type memo[K comparable, V any] struct {
	// mu protects the field below.
	mu sync.Mutex
	m  map[K]V
}

const maxRemembered = 128

func (m *memo[K, V]) get(key K) (V, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	v, ok := m.m[key]
	return v, ok
}

func (m *memo[K, V]) put(key K, v V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.m == nil || len(m.m) >= maxRemembered {
		m.m = map[K]V{}
	}
	m.m[key] = v
}

// readBundle reads one file, or all of a directory that can be read. Links are followed, sub-directories left out.
// The stamps are those of the directory and of each file.
func readBundle(path string) ([][]byte, []stamp, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, err
	}
	if !info.IsDir() {
		content, read, err := readFile(path)
		return [][]byte{content}, []stamp{read}, err
	}
	stamps := []stamp{{path, info, time.Now()}}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, nil, err
	}
	var contents [][]byte
	for _, e := range entries {
		name := filepath.Join(path, e.Name())
		if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
			continue
		}
		if content, read, err := readFile(name); err == nil {
			contents, stamps = append(contents, content), append(stamps, read)
		}
	}
	return contents, stamps, nil
}
