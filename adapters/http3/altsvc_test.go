package http3

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestParseAltSvc: the first alternative that speaks HTTP/3, whatever stands beside it.
func TestParseAltSvc(t *testing.T) {
	type result struct {
		Host      string
		Port      int
		Age       time.Duration
		OK, Clear bool
	}
	nothing := result{}
	for _, c := range []struct {
		values []string
		want   result
	}{
		{nil, nothing},
		{[]string{""}, nothing},
		{[]string{`h3=":443"`}, result{"", 443, defaultAge, true, false}},
		{[]string{`h3=":443"; ma=60`}, result{"", 443, time.Minute, true, false}},
		{[]string{`h3=":443";MA="60";persist=1`}, result{"", 443, time.Minute, true, false}},
		{[]string{`h2=":1", h3-29=":2", h3="alt.test:443"; persist=1; ma=5 , h3=":9"`}, result{"alt.test", 443, 5 * time.Second, true, false}},
		{[]string{`h2=":1"`, `h3=":7"`}, result{"", 7, defaultAge, true, false}},
		{[]string{`h3="[2001:db8::1]:443"`}, result{"2001:db8::1", 443, defaultAge, true, false}},
		{[]string{`h3="[::1]:8443"; ma=1`}, result{"::1", 8443, time.Second, true, false}},
		{[]string{`h3="192.0.2.1:443"`}, result{"192.0.2.1", 443, defaultAge, true, false}},
		{[]string{`h3="[::1]"`, `h3="::1:443"`, `h3="[::1:443"`, `h3="::1]:443"`, `h3="[::1]x:443"`, `h3="[]:443"`, `h3="[::1]:0"`, `h3="[::1]:65536"`, `h3="[::1]:-1"`}, nothing},
		{[]string{`h3="[fe80::1%eth0]:443"`, `h3="[fe80::1%25eth0]:443"`, `h3="[127.0.0.1]:443"`, `h3="[[::1]]:443"`, `h3="a%2eb:443"`, `h3="b\u00fccher.test:443"`}, nothing},
		{[]string{`h3=":443"; ma=99999999999999999999`}, result{"", 443, mostAge, true, false}},
		{[]string{`h3=":443"; ma=0`}, result{"", 443, 0, true, false}},
		{[]string{`clear`}, result{Clear: true}},
		{[]string{`h3=":443"`, ` clear `}, result{Clear: true}},
		{[]string{`h3=":443"; ma=-1`}, nothing},
		{[]string{`h3=":443"; ma=x, h3=":8"`}, result{"", 8, defaultAge, true, false}},
		{[]string{`h3=":0"`, `h3=":65536"`, `h3=":99999999999999999999"`, `h3=":"`, `h3=""`, `h3="a"`, `h3=443`, `h3`, `=":1"`}, nothing},
		{[]string{`h3="a/b:1"`, `h3="u@a:1"`, `h3="a b:1"`, `h3="a\"b:1"`, `h3=":1`, `H3=":1"`}, nothing},
		{[]string{`w="a, b", h3=":4"`}, result{"", 4, defaultAge, true, false}},
	} {
		s, ok, clear := parseAltSvc(c.values)
		if !ok {
			s = service{}
		}
		if diff := cmp.Diff(c.want, result{s.host, s.port, s.age, ok, clear}); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.values, diff)
		}
	}
}

// FuzzParseAltSvc: what is found can be dialed, and for a bounded time.
func FuzzParseAltSvc(f *testing.F) {
	for _, seed := range []string{`h3=":443"; ma=60, h2="a:1"`, "clear", `h3="[::1]:1";ma="1"`} {
		for cut := range len(seed) + 1 {
			f.Add(seed[:cut])
		}
	}
	f.Fuzz(func(t *testing.T, value string) {
		s, ok, clear := parseAltSvc([]string{value})
		if ok && (clear || s.port < 1 || s.port > 65535 || s.age < 0 || s.age > mostAge) {
			t.Errorf("%q: %+v, %v", value, s, clear)
		}
	})
}

// TestPauses: an alternative that cannot be reached is left alone for longer and longer, and what
// is remembered is bounded.
func TestPauses(t *testing.T) {
	u := &upgraded{known: map[place]*alternative{}}
	h := place{Host: "h.test", Port: 443}
	now := time.Now()
	u.remember(h, service{port: 1, age: 30 * 24 * time.Hour}, now)
	var got []time.Duration
	for range 13 {
		u.broke(h, now)
		u.broke(h, now) // by a request that was on its way
		a := u.known[h]
		if _, ok := u.find(h, a.resume.Add(-1)); ok {
			t.Error("found while it is paused")
		}
		got = append(got, a.resume.Sub(now))
		now = a.resume
	}
	m := time.Minute
	if diff := cmp.Diff([]time.Duration{m, 2 * m, 4 * m, 8 * m, 16 * m, 32 * m, 64 * m, 128 * m, 256 * m, 512 * m, 1024 * m, 1440 * m, 1440 * m}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if u.good(h); u.known[h].pause != 0 {
		t.Error("a good one is remembered as bad")
	}
	if _, ok := u.find(h, now.Add(60*24*time.Hour)); ok || len(u.known) != 0 {
		t.Error("found when it is too old")
	}
	for i := range 3 * mostOrigins {
		u.remember(place{Port: i}, service{port: 1, age: time.Hour}, now)
	}
	if len(u.known) > mostOrigins {
		t.Errorf("%d origins", len(u.known))
	}
}
