package bars

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDraw(t *testing.T) {
	const ms = time.Millisecond
	names := []string{"DNS", "Connect", "First byte"}
	full := strings.Repeat("█", 50)
	for name, c := range map[string]struct {
		took []time.Duration
		want []string
	}{
		"nothing": {[]time.Duration{0, 0, 0}, []string{"Total           0.0ms"}},
		"one":     {[]time.Duration{0, 2 * ms, 0}, []string{"Connect         2.0ms " + full, "Total           2.0ms"}},
		"halves": {[]time.Duration{ms, 0, ms}, []string{
			"DNS             1.0ms " + full[:75], "First byte      1.0ms " + strings.Repeat(" ", 25) + full[:75], "Total           2.0ms"}},
		"too short to see": {[]time.Duration{time.Nanosecond, 100 * ms, time.Nanosecond}, []string{
			"DNS             0.0ms █", "Connect       100.0ms " + strings.Repeat("█", 49), "First byte      0.0ms " + strings.Repeat(" ", 49) + "█", "Total         100.0ms"}},
		"negative": {[]time.Duration{-ms, 2 * ms, 0}, []string{"Connect         2.0ms " + full, "Total           2.0ms"}},
	} {
		if diff := cmp.Diff(c.want, strings.Split(Draw(names, c.took...), "\n")); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}
