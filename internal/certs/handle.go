package certs

import "unique"

// Handle stands for a value: as short as a pointer, and as quick to copy, to compare and to
// hash. Handles of equal values are equal. The zero Handle is that of the zero value.
type Handle[T comparable] struct{ of unique.Handle[T] }

// HandleOf returns the Handle of v.
func HandleOf[T comparable](v T) Handle[T] {
	var zero T
	if v == zero {
		return Handle[T]{}
	}
	return Handle[T]{unique.Make(v)}
}

// Value returns what h stands for.
func (h Handle[T]) Value() (v T) {
	if h == (Handle[T]{}) {
		return v
	}
	return h.of.Value()
}
