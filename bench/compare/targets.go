package main

import (
	"fmt"
	"strings"
)

// target is what this library is to reach in one work: a ratio to a peer, or a number of allocations.
type target struct {
	work, peer string // without a peer it is about allocations
	cpu        bool   // of processor time, not of time
	most       float64
	between    string // what stands in between where it is missed
}

// What stands in between; docs/performance.md explains each.
const (
	calls    = "system calls"
	garbage  = "own work and garbage"
	tlsCalls = "the check through crypto/tls"
	copies   = "copies instead of splice"
	frames   = "records and frames"
	client   = "http.Client's own"
	server   = "the server"
	memory   = "page faults"
)

var targets = []target{
	{work: "get1", peer: standard, most: 0.50, between: calls},
	{work: "get1", peer: "fasthttp", most: 0.80, between: garbage},
	{work: "get1", most: 4, between: garbage},
	{work: "get64", peer: standard, most: 0.52, between: calls},
	{work: "get64", peer: standard, cpu: true, most: 0.52, between: garbage + ", " + calls},
	{work: "get64", peer: "fasthttp", most: 1.05, between: garbage},
	{work: "get256", peer: standard, most: 0.55, between: calls},
	{work: "get256", peer: standard, cpu: true, most: 0.48, between: garbage + ", " + calls},
	{work: "get256", peer: "fasthttp", most: 1.05, between: garbage},
	{work: "get1", peer: "fiber_3", most: 0.90, between: garbage},
	{work: "get1", peer: "resty_2", most: 0.48, between: calls},
	{work: "get1", peer: "resty_3", most: 0.48, between: calls},
	{work: "get1", peer: "carlmjohnson", most: 0.48, between: calls},
	{work: "get1", peer: "sling", most: 0.48, between: calls},
	{work: "get64", peer: "fiber_3", most: 0.90, between: garbage},
	{work: "get64", peer: "resty_2", most: 0.52, between: calls},
	{work: "get64", peer: "resty_3", most: 0.52, between: calls},
	{work: "get64", peer: "carlmjohnson", most: 0.52, between: calls},
	{work: "get64", peer: "sling", most: 0.52, between: calls},
	{work: "tls", peer: standard, most: 0.52, between: tlsCalls},
	{work: "tls", peer: "fasthttp", most: 1.0, between: tlsCalls},
	{work: "tls", most: 6, between: tlsCalls},
	{work: "post", peer: standard, most: 0.55, between: calls},
	{work: "post", most: 7, between: garbage},
	{work: "http2", peer: standard, most: 0.55, between: frames},
	{work: "http2x64", peer: standard, most: 0.55, between: frames},
	{work: "http2", most: 12, between: frames},
	{work: "roundtripper", peer: standard, most: 0.60, between: client},
	{work: "roundtripper", most: 16, between: client},
	{work: "1MiB", peer: standard, most: 0.50, between: memory},
	{work: "100MiB", peer: standard, most: 0.32, between: memory},
	{work: "chunked", peer: standard, most: 0.45, between: server},
	{work: "file", peer: standard, most: 0.65, between: copies},
	{work: "multipart", peer: standard, most: 0.33, between: server},
}

// ours is this library among the clients.
const ours = "requests"

// targetTable says which targets are reached, and by how much the others are missed.
func (m *measured) targetTable() string {
	var b strings.Builder
	b.WriteString("**Targets**\n\n| work | what | target | measured | |\n| --- | --- | --- | --- | --- |\n")
	for _, t := range targets {
		own := m.by[[2]string{t.work, ours}]
		if own == nil {
			continue
		}
		what, format, got := "allocations", "%.0f", median(own.allocs)
		if t.peer != "" {
			peer := m.by[[2]string{t.work, t.peer}]
			if peer == nil {
				continue
			}
			what, format, got = "time of "+shown(t.peer), "%.2f", ratio(own.wall, peer.wall)
			if t.cpu {
				what, got = "processor time of "+shown(t.peer), ratio(own.cpu, peer.cpu)
			}
		}
		fmt.Fprintf(&b, "| %s | %s | ≤ "+format+" | "+format+" | %s |\n", t.title(), what, t.most, got, t.verdict(format, got))
	}
	return b.String() + "\n"
}

// title is that of the work.
func (t *target) title() string {
	for _, w := range works {
		if w.name == t.work {
			return w.title
		}
	}
	return t.work
}

func (t *target) verdict(format string, got float64) string {
	if got <= t.most {
		return "reached"
	}
	return fmt.Sprintf("missed by "+format+": %s", got-t.most, t.between)
}
