// Package bench measures this library beside its peers, against servers in a process of
// their own: only the ratios of one run mean something. It is a module of its own, so that
// the peers are no dependency of the library.
//
//	go test -bench .                    every work and client once
//	go run ./compare -rounds 5          all of them in turn, five times over; writes results.txt,
//	                                    and the table and the chart of ../docs/performance.md
//	go run ./compare -draw              the table and the chart of results.txt as it is
package bench
