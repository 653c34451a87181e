// Package interop holds nothing but tests: that recorders, mocks and SDKs written for
// net/http work on top of requests, and requests on top of them. It is a module of its
// own so that nobody who uses requests depends on them.
package interop
