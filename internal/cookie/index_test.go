package cookie

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

// model is a jar that walks all its cookies for everything.
type model []Stored

func (m *model) put(c Stored) {
	for i, have := range *m {
		if have.Domain == c.Domain && have.Path == c.Path && have.Name == c.Name {
			c.seq = have.seq
			(*m)[i] = c
			return
		}
	}
	for _, have := range *m {
		c.seq = max(c.seq, have.seq+1)
	}
	*m = append(*m, c)
}

func (m *model) receive(from *origin, field string, rules Rules, now time.Time) {
	for c := range rules.parse([]string{field}, now) {
		s, ok := rules.admit(from, &c)
		switch {
		case !ok || !rules.Netscape && !from.secure && m.shadowsSecure(&s):
		case s.Expired(now):
			*m = slices.DeleteFunc(*m, func(have Stored) bool {
				return have.Domain == s.Domain && have.Path == s.Path && have.Name == s.Name
			})
		default:
			m.put(s)
		}
	}
}

func (m *model) shadowsSecure(c *Stored) bool {
	bare := strings.TrimPrefix(c.Domain, ".")
	return slices.ContainsFunc(*m, func(have Stored) bool {
		other := strings.TrimPrefix(have.Domain, ".")
		return have.Secure && have.trusted && have.Name == c.Name && pathMatches(c.Path, have.Path) &&
			(isBelow(bare, other) || isBelow(other, bare))
	})
}

// header is the line by RFC 6265bis, and by Netscape's rules its parts, sorted.
func (m *model) header(to *origin, rules Rules, now time.Time) string {
	var found []Stored
	for _, c := range *m {
		bare := strings.TrimPrefix(c.Domain, ".")
		if (c.Domain == "" || isBelow(to.host, bare)) && !c.Expired(now) && rules.reaches(&c, to) && pathMatches(to.path, c.Path) {
			found = append(found, c)
		}
	}
	slices.SortFunc(found, func(a, b Stored) int {
		return cmp.Or(cmp.Compare(len(b.Path), len(a.Path)), cmp.Compare(a.seq, b.seq))
	})
	var parts []string
	for _, c := range found {
		parts = append(parts, c.Name+"="+c.Value)
	}
	if rules.Netscape {
		slices.Sort(parts)
	}
	return strings.Join(parts, "; ")
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// TestIndexAgainstModel does the same to a jar and to one that walks all it has.
func TestIndexAgainstModel(t *testing.T) {
	deep := strings.Repeat("d.", maxLabels) + "a.test"
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		rules := Rules{Netscape: seed%3 == 2}
		now := time.Unix(recordedNow, 0)
		j, m := newJar(rules), model{}
		j.Clock = func() time.Time { return now }
		url := func() string {
			host := pick(r, "a.test", "x.a.test", "y.x.a.test", "b.test", "1.2.3.4", "co.uk", "m.co.uk")
			if seed%5 == 0 {
				host = pick(r, host, deep, "x."+deep)
			}
			return pick(r, "http://", "https://") + host + pick(r, "/", "/p", "/p/", "/p/q/r", "/pq", "/p//q", "//")
		}
		for range 400 {
			now = now.Add(time.Duration(r.IntN(3)) * time.Second)
			field := fmt.Sprintf("%s=%d%s%s%s%s", pick(r, "n", "m"), r.IntN(9), pick(r, "", "; Secure"), pick(r, "", "; Domain=a.test", "; Domain=x.a.test", "; Domain=co.uk"),
				pick(r, "", "; Path=/", "; Path=/p", "; Path=/p/", "; Path=/p/q"), pick(r, "", "; Max-Age=0", "; Max-Age=2", "; Max-Age=9"))
			from := url()
			at, _ := rules.parseOrigin(from)
			switch r.IntN(12) {
			case 0:
				c := ByHand(Cookie{Name: "n", Value: "h", Domain: pick(r, "", "a.test", ".a.test", "x.a.test"), Path: pick(r, "/", "/p"), Secure: r.IntN(2) == 0}, rules)
				j.Put(c)
				m.put(c)
			case 1:
				gone := func(c *Stored) bool { return c.Path == "/p" }
				j.RemoveIf(gone)
				m = slices.DeleteFunc(m, func(c Stored) bool { return gone(&c) })
			case 2:
				c := newJar(rules)
				j.CloneInto(&c.Jar)
				j = c
			default:
				j.receive(from, field)
				m.receive(&at, field, rules, now)
			}
			ask := url()
			to, _ := rules.parseOrigin(ask)
			for range 2 { // built, and remembered
				got := j.header(ask)
				if rules.Netscape {
					parts := strings.Split(got, "; ")
					slices.Sort(parts)
					got = strings.Join(parts, "; ")
				}
				if want := m.header(&to, rules, now); got != want {
					t.Fatalf("seed %d, after %q from %s: %s gets %q, want %q", seed, field, from, ask, got, want)
				}
			}
			if j.Len() != len(m) {
				t.Fatalf("seed %d, after %q from %s: %d cookies, want %d", seed, field, from, j.Len(), len(m))
			}
		}
	}
}

// TestEviction: at the bounds the expired go first, then the oldest; what a server did not
// bring above them goes one for one.
func TestEviction(t *testing.T) {
	now := time.Unix(recordedNow, 0)
	j := newJar(Rules{})
	j.Clock = func() time.Time { return now }
	names := func() (names []string) {
		for _, c := range j.Snapshot() {
			names = append(names, c.Name)
		}
		return names
	}
	for i := range maxOfSite {
		age := 99
		if i == 5 {
			age = 1
		}
		j.receive("http://one.test/", fmt.Sprintf("c%03d=1; Max-Age=%d", i, age))
	}
	now = now.Add(2 * time.Second)
	var got [][]string
	for _, name := range []string{"x", "y", "z"} {
		j.receive("http://one.test/", name+"=1")
		all := names()
		got = append(got, append(all[:6:6], all[len(all)-1]))
	}
	want := [][]string{
		{"c000", "c001", "c002", "c003", "c004", "c006", "x"}, {"c001", "c002", "c003", "c004", "c006", "c007", "y"}, {"c002", "c003", "c004", "c006", "c007", "c008", "z"},
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("first six and last after each new one (-want +got):\n%s", diff)
	}

	read := make([]Stored, 2*maxOfJar) // of a file
	for i := range read {
		read[i] = Stored{Cookie: Cookie{Name: fmt.Sprint("h", i), Domain: "two.test", Path: "/"}}
	}
	j.Put(read...)
	before := j.Len()
	j.receive("http://two.test/", "new=1")
	j.receive("http://two.test/", "new=2")
	j.receive("http://three.test/", "new=1")
	if j.Len() != before {
		t.Errorf("%d cookies, and %d once servers have set two", before, j.Len())
	}
}

// TestEvictionIsFair: a server that has a domain, and all below it, pushes out its own
// cookies only, and nobody's that were put in by hand.
func TestEvictionIsFair(t *testing.T) {
	for _, rules := range []Rules{{}, {Netscape: true}} {
		j := newJar(rules)
		hand := make([]Stored, maxOfJar+1)
		for i := range hand {
			hand[i] = ByHand(Cookie{Name: fmt.Sprint("h", i), Value: "1", Domain: "victim.test", Path: "/"}, rules)
		}
		j.Put(hand...)
		j.receive("http://victim.test/", "sid=1", "h0=2") // h0 stays the program's
		fill := func(format string, hosts int) {
			fields := make([]string, maxOfSite)
			for i := range fields {
				fields[i] = fmt.Sprintf("%d=1; Path=/", i)
			}
			for host := range hosts {
				j.receive(fmt.Sprintf(format, host), fields...)
			}
		}
		kept := func() (got [3]int) {
			for _, c := range j.Snapshot() {
				switch {
				case c.byHand:
					got[0]++
				case c.Domain == "victim.test":
					got[1]++
				default:
					got[2]++
				}
			}
			return got
		}
		var got [][3]int
		fill("http://h%d.evil.test/", 20)
		got = append(got, kept())
		fill("http://evil%d.co.uk/", 40)
		got = append(got, kept())
		want := [][3]int{{len(hand), 1, maxOfSite}, {len(hand), 1, maxOfJar - 1}}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("by hand, of the victim, others (-want +got):\n%s", diff)
		}
		j.RemoveIf(func(*Stored) bool { return true })
		if n := j.index.sites.size + len(j.index.sites.named); n > 0 {
			t.Errorf("%d left of the sites of an empty jar", n)
		}
	}
}

// TestEvictionSparesSecure: over http nobody pushes out a Secure cookie that came over https,
// neither one of its own site nor, with those of other sites, any; https pushes out others first.
func TestEvictionSparesSecure(t *testing.T) {
	fields := func(format string, n int) []string {
		all := make([]string, n)
		for i := range all {
			all[i] = fmt.Sprintf(format, i)
		}
		return all
	}
	secure := func(j *ruledJar) (n int) {
		for _, c := range j.Snapshot() {
			if c.guarded() {
				n++
			}
		}
		return n
	}
	j := newJar(Rules{})
	j.receive("https://a.test/", "first=1; Secure")
	j.receive("https://a.test/", fields("loose%d=1", maxOfSite)...)
	got := [][2]int{{j.Len(), secure(j)}}
	j.receive("http://b.a.test/", fields("evil%d=1; Secure; Path=/x", 2*maxOfSite)...)
	got = append(got, [2]int{j.Len(), secure(j)})
	j.receive("https://a.test/", fields("s%d=1; Secure", maxOfSite-1)...)
	j.receive("http://a.test/", fields("more%d=1", maxOfSite)...)
	got = append(got, [2]int{j.Len(), secure(j)})
	for i := range maxOfJar / maxOfSite {
		j.receive(fmt.Sprintf("http://e%d.test/", i), fields("e%d=1", maxOfSite-1)...)
	}
	got = append(got, [2]int{j.Len(), secure(j)})
	j.receive("https://a.test/", "first=1") // no longer Secure: it is the next to go
	j.receive("http://a.test/", "more=1")
	got = append(got, [2]int{j.Len(), secure(j)})
	want := [][2]int{{maxOfSite, 1}, {maxOfSite, 1}, {maxOfSite, maxOfSite}, {maxOfJar, maxOfSite}, {maxOfJar, maxOfSite - 1}}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("all, Secure over https (-want +got):\n%s", diff)
	}
	j.RemoveIf(func(*Stored) bool { return true })
	if diff := gocmp.Diff(0, len(j.index.sites.named)+len(j.index.secure.counts)); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
}

// TestLinear: what was quadratic is done for more than a slow machine could do that way.
func TestLinear(t *testing.T) {
	const n = 80_000
	j := newJar(Rules{})
	cookies := make([]Stored, n)
	for i := range cookies {
		cookies[i] = ByHand(Cookie{Name: "c", Domain: fmt.Sprintf("h%d.test", i), Path: "/", HostOnly: true}, Rules{})
	}
	j.Put(cookies...)
	if j.RemoveIf(func(c *Stored) bool { return c.seq%2 == 0 }) != n/2 || j.Len() != n/2 {
		t.Errorf("%d cookies", j.Len())
	}
}
