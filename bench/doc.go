// Package bench measures this library against its peers on the same server in the
// same run: only the ratios mean something. It is a module of its own, so that the
// peers are no dependency of the library.
//
//	go test -bench . -benchmem
package bench
