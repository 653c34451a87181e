package certs

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Store loads bundles and client certificates from files and remembers them: a file is read again when its
// time, size or identity changed, and a bundle is parsed once for each content, whatever files hold it. Of a
// directory only its own time is looked at: files put there or renamed are noticed, one overwritten in place is
// not. The zero Store is ready; it is safe for concurrent use.
type Store struct {
	contents   memo[string, *Bundle] // by Bundle.Key
	paths      memo[string, loaded[*Bundle]]
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
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if known, ok := s.paths.get(path); ok && known.stamps[0].fresh(info) {
		return known.value, nil
	}
	contents, read, err := readBundle(path, info)
	if err != nil {
		return nil, err
	}
	b, err := s.parsed(contents)
	if err != nil {
		return nil, err
	}
	s.paths.put(path, loaded[*Bundle]{b, []stamp{read}})
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

// Identity is Source.Load, remembered. A source with a PasswordFunc is loaded each time: what it answers is
// not to be shared.
func (s *Store) Identity(src Source) (*Identity, error) {
	if src.PasswordFunc != nil {
		return src.Load()
	}
	key := src.key()
	if known, ok := s.identities.get(key); ok && known.fresh(src.files()) {
		return known.value, nil
	}
	id, stamps, err := src.load()
	if err != nil {
		return nil, err
	}
	s.identities.put(key, loaded[*Identity]{id, stamps})
	return id, nil
}

// identityKey keeps digests of what is secret.
type identityKey struct {
	certFile, keyFile string
	secrets           [sha256.Size]byte // of contents and password
}

func (s Source) key() identityKey {
	return identityKey{s.CertFile, s.KeyFile, sha256.Sum256([]byte(contentKey([][]byte{s.Cert, s.Key, []byte(s.Password)})))}
}

// files are the paths that load reads, in its order.
func (s Source) files() (paths []string) {
	if len(s.Cert) == 0 && s.CertFile != "" {
		paths = append(paths, s.CertFile)
	}
	if len(s.Key) == 0 && s.KeyFile != "" {
		paths = append(paths, s.KeyFile)
	}
	return paths
}

// loaded is what was made of files in a certain state.
type loaded[T any] struct {
	value  T
	stamps []stamp
}

// fresh reports whether the files are still in that state.
func (l loaded[T]) fresh(paths []string) bool {
	for i, s := range l.stamps {
		info, err := os.Stat(paths[i])
		if err != nil || !s.fresh(info) {
			return false
		}
	}
	return true
}

// memo is a small map for several goroutines. At its bound it is emptied, which costs time and nothing else.
type memo[K comparable, V any] struct {
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
func readBundle(path string, info os.FileInfo) ([][]byte, stamp, error) {
	if !info.IsDir() {
		content, read, err := readFile(path)
		return [][]byte{content}, read, err
	}
	read := stamp{info, time.Now()}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, read, err
	}
	var contents [][]byte
	for _, e := range entries {
		name := filepath.Join(path, e.Name())
		if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
			continue
		}
		if content, _, err := readFile(name); err == nil {
			contents = append(contents, content)
		}
	}
	return contents, read, nil
}
