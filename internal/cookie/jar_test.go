package cookie

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests/internal/uri"
)

// ruledJar is a jar that is always used by the same rules.
type ruledJar struct {
	Jar
	rules Rules
}

func newJar(rules Rules) *ruledJar { return &ruledJar{rules: rules} }

func (j *ruledJar) receive(url string, fields ...string) { j.Receive(url, fields, j.rules) }

func (j *ruledJar) header(url string) string { return headerOf(&j.Jar, url, j.rules) }

func headerOf(j *Jar, url string, rules Rules) string {
	u, err := uri.Parse(url)
	if err != nil {
		return ""
	}
	return j.Header(&u, rules, true)
}

// set puts a cookie in by hand.
func (j *ruledJar) set(t testing.TB, c Cookie) {
	t.Helper()
	c, err := c.Check()
	if err != nil {
		t.Fatal(err)
	}
	j.Put(ByHand(c, j.rules))
}

func (j *ruledJar) cookies() []Cookie {
	var cookies []Cookie
	for _, c := range j.Snapshot() {
		cookies = append(cookies, c.Cookie)
	}
	return cookies
}

// lines shows the jar as "name=value domain path" lines.
func (j *ruledJar) lines() []string {
	var lines []string
	for _, c := range j.cookies() {
		lines = append(lines, fmt.Sprintf("%s=%s %s %s", c.Name, c.Value, c.Domain, c.Path))
	}
	return lines
}

// A remembered line is forgotten when the jar or the rules change, in whatever way.
func TestLineIsFresh(t *testing.T) {
	const u = "http://a.test/x/y"
	j := newJar(Rules{})
	var got []string
	steps := []func(){
		func() { j.receive(u, "a=1") },
		func() { j.set(t, Cookie{Name: "b", Value: "2"}) },
		func() { j.receive(u, "a=3") },
		func() { j.RemoveIf(func(c *Stored) bool { return c.Name == "b" }) },
		func() { j.set(t, Cookie{Name: "domain", Value: "2", Domain: ".a.test"}) },
		func() { j.rules.Netscape = true },
		func() { j.Clear() },
	}
	for _, step := range steps {
		step()
		got = append(got, j.header(u), j.header("http://a.test/"), j.header("http://sub.a.test/x"))
	}
	want := []string{
		"a=1", "", "",
		"a=1; b=2", "b=2", "b=2",
		"a=3; b=2", "b=2", "b=2",
		"a=3", "", "",
		"a=3; domain=2", "domain=2", "domain=2",
		"a=3; domain=2", "domain=2", "a=3; domain=2",
		"", "", "",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Header after each step (-want +got):\n%s", diff)
	}
}

// For the race detector: everything at once, by two sets of rules.
func TestJarConcurrently(t *testing.T) {
	j := newJar(Rules{})
	var wg sync.WaitGroup
	for n := range 64 {
		wg.Go(func() {
			u := fmt.Sprintf("http://h%d.test/p/", n%8)
			for i := range 50 {
				rules := Rules{Netscape: n%2 == 0 && i%2 == 0}
				j.Receive(u, []string{fmt.Sprintf("c%d=%d", i%5, i), "gone=; Max-Age=0"}, rules)
				headerOf(&j.Jar, u, rules)
				j.set(t, Cookie{Name: "hand", Value: "1", Domain: "h1.test"})
				switch i % 4 {
				case 0:
					var c Jar
					j.CloneInto(&c)
					j.Put(c.Snapshot()...)
				case 1:
					j.RemoveIf(func(c *Stored) bool { return c.Name == "c1" })
				case 2:
					_, _ = JSON(j.Snapshot())
				case 3:
					j.Match("http://h1.test", rules)
				}
			}
		})
	}
	wg.Wait()
	if diff := cmp.Diff(len(j.Snapshot()), j.Len()); diff != "" {
		t.Errorf("Len (-counted +got):\n%s", diff)
	}
}
