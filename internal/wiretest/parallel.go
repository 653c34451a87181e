package wiretest

import (
	"sync"
	"testing"
)

// InParallel makes b.N calls on n goroutines.
func InParallel(b *testing.B, n int, call func() error) {
	if err := call(); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.ResetTimer()
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			for j := i; j < b.N; j += n {
				if err := call(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
}
