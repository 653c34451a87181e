package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// works are what is measured, in the order of the table, and how often a round does it.
var works = []struct{ name, times, title string }{
	{"get1", "20000x", "small GET, one goroutine"},
	{"get64", "20000x", "small GET, 64 goroutines"},
	{"get256", "20000x", "small GET, 256 goroutines"},
	{"tls", "10000x", "small GET over TLS"},
	{"post", "10000x", "POST of small JSON"},
	{"http2", "10000x", "small GET over HTTP/2, one goroutine"},
	{"http2x64", "20000x", "small GET over HTTP/2, 64 goroutines"},
	{"roundtripper", "10000x", "small GET, below an http.Client"},
	{"1MiB", "50x", "1 MiB to memory"},
	{"100MiB", "1x", "100 MiB to memory"},
	{"file", "1x", "100 MiB to a file"},
	{"chunked", "1x", "100 MiB up, in chunks"},
	{"multipart", "1x", "multipart of a file of 100 MiB"},
}

// figures are those of one client and one work, by round.
type figures struct{ wall, cpu, bytes, allocs []float64 }

// measured is what a file of results holds.
type measured struct {
	about []string
	by    map[[2]string]*figures // work and client
	names []string               // of the clients, in the order they came
}

func parse(text string) *measured {
	m := &measured{by: map[[2]string]*figures{}}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		path, isResult := strings.CutPrefix(line, "BenchmarkCompare/")
		if !isResult {
			m.about = append(m.about, line)
			continue
		}
		words := strings.Fields(path)
		name := words[0]
		if i := strings.LastIndexByte(name, '-'); i > 0 {
			name = name[:i] // the number of processors
		}
		work, client, _ := strings.Cut(name, "/")
		m.add(work, client, words[2:])
	}
	return m
}

func (m *measured) add(work, client string, pairs []string) {
	if !slices.Contains(m.names, client) {
		m.names = append(m.names, client)
	}
	key := [2]string{work, client}
	if m.by[key] == nil {
		m.by[key] = new(figures)
	}
	f := m.by[key]
	for pair := range slices.Chunk(pairs, 2) {
		n, _ := strconv.ParseFloat(pair[0], 64)
		switch pair[len(pair)-1] {
		case "ns/op":
			f.wall = append(f.wall, n)
		case "cpu-ns/op":
			f.cpu = append(f.cpu, n)
		case "B/op":
			f.bytes = append(f.bytes, n)
		case "allocs/op":
			f.allocs = append(f.allocs, n)
		}
	}
}

// ratio is the median over the rounds of what one client took to what another took in the
// same round.
func ratio(a, b []float64) float64 {
	var ratios []float64
	for i := range min(len(a), len(b)) {
		ratios = append(ratios, a[i]/b[i])
	}
	return median(ratios)
}

func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	list = slices.Sorted(slices.Values(list))
	return (list[(len(list)-1)/2] + list[len(list)/2]) / 2
}

// standard is the client that the others are compared with.
const standard = "net-http"

const begin, end = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"

// into puts the tables between the marks of a page.
func (m *measured) into(page []byte) ([]byte, error) {
	before, rest, found := bytes.Cut(page, []byte(begin))
	_, after, closed := bytes.Cut(rest, []byte(end))
	if !found || !closed {
		return nil, errors.New("the page has no marks for the table")
	}
	return slices.Concat(before, []byte(begin), []byte(m.table()), []byte(end), after), nil
}

func (m *measured) table() string {
	var b strings.Builder
	b.WriteString("\n    " + strings.Join(m.about, "\n    ") + "\n\n")
	for _, w := range works {
		base := m.by[[2]string{w.name, standard}]
		if base == nil {
			continue
		}
		fmt.Fprintf(&b, "**%s**, %d rounds\n\n| client | time | processor time | allocations | bytes |\n| --- | --- | --- | --- | --- |\n", w.title, len(base.wall))
		for _, name := range m.names {
			if f := m.by[[2]string{w.name, name}]; f != nil {
				fmt.Fprintf(&b, "| %s | %.2f | %.2f | %.0f | %.0f |\n", shown(name), ratio(f.wall, base.wall), ratio(f.cpu, base.cpu), median(f.allocs), median(f.bytes))
			}
		}
		b.WriteString("\n")
	}
	return b.String() + m.targetTable()
}

// shown is the name of a client: a benchmark's has no blanks and no slashes.
func shown(name string) string {
	return strings.ReplaceAll(strings.Replace(name, "net-http", "net/http", 1), "_", " ")
}
