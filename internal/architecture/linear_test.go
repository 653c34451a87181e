package architecture

import (
	"fmt"
	"go/types"
	"maps"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mountable/requests/internal/wiretest"
)

// TestLinear: whoever sends twice as much makes no parser of foreign text work more than
// 2.5 times as long. Four times as much is compared, which has to take at most 2.5² times as
// long, in processor time, the best of some runs: a busy machine makes both slower. Where small
// sizes say otherwise, larger ones decide.
func TestLinear(t *testing.T) {
	if testing.Short() || raceDetector {
		t.Skip("the race detector changes the times that are measured")
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // the collector's part is not linear
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(512 << 20))
	for name, parse := range parsers {
		for _, unit := range nasty {
			var said string
			for _, size := range []int{16 << 10, 64 << 10, 256 << 10} {
				if said = compare(parse, repeat(unit, size), repeat(unit, 4*size)); said == "" {
					break
				}
			}
			if said != "" {
				t.Errorf("%s of %q: %s", name, unit, said)
			}
		}
	}
}

// compare says what parsing has taken, if four times as much has taken too long.
func compare(parse func(s string), once, fourTimes string) string {
	var short, long time.Duration
	for range 6 { // a run can be disturbed, but not each time
		short, long = best(short, wiretest.Spent(func() { parse(once) })), best(long, wiretest.Spent(func() { parse(fourTimes) }))
		if long < 500*time.Microsecond || float64(long) <= 2.5*2.5*float64(short) {
			return ""
		}
		if long > time.Second {
			break
		}
	}
	return fmt.Sprintf("%v for %d bytes, and %v for four times as many", short, len(once), long)
}

// best is the smaller one of a measured time, 0 before the first, and another.
func best(so, now time.Duration) time.Duration {
	if so == 0 {
		return max(1, now)
	}
	return max(1, min(so, now))
}

// nasty is what texts are made of that a parser may stumble over. Where there is a %d, each
// piece has a number of its own.
var nasty = []string{
	",", ";", "=", ":", `"`, `\"`, `\`, `="`, "<", "<,", "<a>;", `<a>;rel="`, ", ", " ", "\t", "\r\n", "\n", "\r\n ", "a", "a=b,", "a=b;", "a: b\r\n", `a="b",`, "a=b&", "%", "%41",
	"%zz", ".", "a.", "xn--", "ß", "/", "/../", "@", "[", "[::", "?", "#", "(", "{", "[{", `{"a":`, `"\u00`, "\x00", "\xff", "\x1b$B", "+AA-", "<a", "<!--", "&amp;", "--b\r\n", "\r\n--b",
	"--b\r\nA: b\r\n\r\nc\r\n", "Digest ", `Digest a="b",`, `Basic realm="`, "0\r\n", "1;a\r\nx\r\n", "1\r\nx\r\n", "machine a ", "machine a login b password c\n", "#", "# a\n", "*.", "0x", "1.",
	"k%d=v,", "k%d=v;", "k%d=v&", "k%d: v\r\n", "<l%d>;rel=r%d,", "a%d.", "h%d,", ";p%d=v", "machine h%d login l password p\n", "h%d.test\tFALSE\t/\tFALSE\t0\tn%d\tv%d\n", `{"k%d":`, `"k%d":1,`,
	".h%d.test \"20300101 00:00:00\"\n", `Digest realm="r%d", `,
}

func repeat(unit string, size int) string {
	if !strings.Contains(unit, "%d") {
		return strings.Repeat(unit, size/len(unit))
	}
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		b.WriteString(strings.ReplaceAll(unit, "%d", fmt.Sprint(i)))
	}
	return b.String()
}

// TestParsersAreMeasured: an exported function of internal packages that takes text is in the
// table, or in the list with the reason why not.
func TestParsersAreMeasured(t *testing.T) {
	found := map[string]bool{}
	for _, p := range load(t) {
		if !strings.HasPrefix(p.path, "internal/") {
			continue
		}
		for _, name := range p.takers() {
			found[name] = true
			if parsers[name] == nil && unmeasured(name) == "" {
				t.Errorf("%s takes text: measure it in TestLinear, or say why not", name)
			}
		}
	}
	for _, pattern := range slices.Sorted(maps.Keys(notMeasured)) {
		matches := func(name string) bool { ok, _ := filepath.Match(pattern, name); return ok }
		if !slices.ContainsFunc(slices.Collect(maps.Keys(found)), matches) {
			t.Errorf("the list has %s, which is not there", pattern)
		}
	}
}

// unmeasured is the reason why a function is not measured.
func unmeasured(name string) string {
	for pattern, reason := range notMeasured {
		if ok, _ := filepath.Match(pattern, name); ok {
			return reason
		}
	}
	return ""
}

// takers lists the exported functions and methods that take text: strings, bytes, or a reader.
func (p *pkg) takers() (names []string) {
	scope := p.types.Scope()
	for _, name := range scope.Names() {
		switch o := scope.Lookup(name).(type) {
		case *types.Func:
			if o.Exported() && takesText(o) {
				names = append(names, p.types.Name()+"."+name)
			}
		case *types.TypeName:
			named, ok := o.Type().(*types.Named)
			if !ok || !o.Exported() {
				continue
			}
			for m := range named.Methods() {
				if m.Exported() && takesText(m) {
					names = append(names, p.types.Name()+"."+name+"."+m.Name())
				}
			}
		}
	}
	return names
}

func takesText(f *types.Func) bool {
	for v := range f.Signature().Params().Variables() {
		switch types.TypeString(v.Type(), nil) {
		case "string", "[]byte", "[]string", "io.Reader", "io.ReadWriter", "*bufio.Reader":
			return true
		}
	}
	return false
}
