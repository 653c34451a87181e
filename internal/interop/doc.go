// Package interop holds nothing but tests: the contract of net/http as a table of
// checks, run over http.Transport and over every transport of this library side by
// side, and real programs written for net/http on top of a Session. It is a module of
// its own so that nobody who uses requests depends on them.
package interop
