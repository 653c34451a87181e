package certs

import (
	"crypto/x509"
	"os"
	"sync/atomic"
)

// Roots says how a server's certificate is checked, and against which authorities. The zero
// value says nothing.
type Roots struct {
	Mode Mode
	File string // a CA file or directory
	PEM  string // or the certificates themselves
	Pool *x509.CertPool
	Read *Bundle // what File held when the connection was planned
}

// Mode is whether certificates are checked.
type Mode uint8

// The modes.
const (
	Undecided  Mode = iota
	SystemOnly      // against the system's roots
	Off             // not at all
	Given           // against File, PEM or Pool
)

// String describes r: "on", "off" or the path of the bundle.
func (r Roots) String() string {
	switch {
	case r.Mode == Off:
		return "off"
	case r.File != "":
		return r.File
	case r.PEM != "":
		return "bundle given as PEM"
	case r.Pool != nil:
		return "bundle given as a pool"
	}
	return "on"
}

// Check finds a file that is not there.
func (r Roots) Check() error {
	if r.File == "" {
		return nil
	}
	_, err := os.Stat(r.File)
	return err
}

// Load returns the roots to verify against, nil for the system's.
func (r Roots) Load(s *Store) (*x509.CertPool, error) {
	var bundle *Bundle
	var err error
	switch {
	case r.Mode != Given:
		return nil, nil
	case r.Pool != nil:
		return r.Pool, nil
	case r.Read != nil:
		return r.Read.Pool, nil
	case r.File != "":
		bundle, err = s.Bundle(r.File)
	default:
		bundle, err = s.BundleBytes([]byte(r.PEM))
	}
	if err != nil {
		return nil, err
	}
	return bundle.Pool, nil
}

// Reread returns the roots of h with what their file holds now.
func Reread(h Handle[Roots], s *Store) (Handle[Roots], error) {
	r := h.Value()
	if r.File == "" {
		return h, nil
	}
	bundle, err := s.Bundle(r.File)
	r.Read = bundle
	return HandleOf(r), err
}

// Named makes the roots of a file that is named again and again. The zero Named is ready; it is
// safe for concurrent use.
type Named struct{ last atomic.Pointer[named] }

type named struct {
	file  string
	roots Handle[Roots]
}

// File returns the roots of the file.
func (n *Named) File(name string) Handle[Roots] {
	last := n.last.Load()
	if last == nil || last.file != name {
		last = &named{name, HandleOf(Roots{Mode: Given, File: name})}
		n.last.Store(last)
	}
	return last.roots
}
