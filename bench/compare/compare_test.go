package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestWritten: the page and the chart are those of the results that are kept.
func TestWritten(t *testing.T) {
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	m, text := parse(string(read(results))), read(page)
	want, err := m.into(text)
	if err != nil || !bytes.Equal(text, want) {
		t.Errorf("docs/performance.md has not the table of bench/results.txt (go run ./compare -draw): %v", err)
	}
	if !bytes.Equal(read(chart), m.draw()) {
		t.Error("docs/performance.svg is not the chart of bench/results.txt (go run ./compare -draw)")
	}
}

func TestRatio(t *testing.T) {
	if got := ratio([]float64{1, 4, 9, 1}, []float64{2, 2, 3}); got != 2 {
		t.Errorf("the median of 1/2, 4/2 and 9/3 is %v, want 2", got)
	}
}
