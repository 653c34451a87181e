package cookie

import (
	"fmt"
	"testing"
)

// The rows of docs/performance.md about the jar; none of them walks it.
func BenchmarkJar(b *testing.B) {
	run := func(name string, f func(i int)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				f(i)
			}
		})
	}
	urls := func(format string, n int) []string {
		list := make([]string, n)
		for i := range list {
			list[i] = fmt.Sprintf(format, i)
		}
		return list
	}
	full := func(field string) *ruledJar {
		j := newJar(Rules{})
		for _, u := range urls("https://www.h%d.test/", maxOfJar) {
			j.receive(u, field)
		}
		return j
	}

	five := newJar(Rules{})
	for i := range 5 {
		five.receive("https://www.example.com/", fmt.Sprintf("cookie%d=value0123456789; Path=/", i))
	}
	rotating := [][]string{{"sid=31d4d96e407aad42; Path=/; Secure; HttpOnly; Max-Age=3600"}, {"sid=42daa704e69d4d13; Path=/; Secure; HttpOnly; Max-Age=3600"}}
	run("the line again", func(int) { five.header("https://www.example.com/api/v1/users?page=2") })
	run("the same Set-Cookie, and the line", func(int) {
		five.Receive("https://www.example.com/", rotating[0], Rules{})
		five.header("https://www.example.com/")
	})
	run("a Set-Cookie each time", func(i int) { five.Receive("https://www.example.com/", rotating[i%2], Rules{}) })
	run("a Set-Cookie each time, and the line", func(i int) {
		five.Receive("https://www.example.com/", rotating[i%2], Rules{})
		five.header("https://www.example.com/")
	})

	sites := urls("https://www.other%d.test/", 1<<16)
	fields := []string{"sid=1; Path=/; Secure"}
	j := full("sid=1; Path=/; Secure; Max-Age=99999")
	run("a new site at the bound", func(i int) { j.Receive(sites[i%len(sites)], fields, Rules{}) })
	j = full("sid=1; Path=/; Secure")
	plain := []string{"sid=1; Path=/; Max-Age=60"}
	j.receive("http://www.refresh.test/", plain...)
	run("a refresh over http", func(int) { j.Receive("http://www.refresh.test/", plain, Rules{}) })

	paths := urls("/p%d", 1<<16)
	j = newJar(Rules{})
	for _, p := range paths[:10000] {
		j.set(b, Cookie{Name: "c", Value: "v", Domain: "one.test", HostOnly: true, Path: p})
	}
	run("a new path among 10000", func(i int) {
		j.Put(ByHand(Cookie{Name: "c", Value: "v", Domain: "one.test", HostOnly: true, Path: paths[i%len(paths)]}, j.rules))
	})
	j = newJar(Rules{})
	for _, p := range paths[:10000] {
		j.set(b, Cookie{Name: "c", Value: "v", Domain: "one.test", HostOnly: true, Path: p})
	}
	run("a new path among 10000, by a server, and the line", func(i int) {
		j.Receive("http://one.test"+paths[i%len(paths)]+"/x", fields[:1:1], Rules{})
		j.header("http://one.test/p77/y")
	})
}
