package hsts

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests/internal/uri"
)

// FuzzStore: whatever a server or a file says, what is known is written and read again, and
// no URL is changed but from http to https.
func FuzzStore(f *testing.F) {
	f.Add("https://www.example.com/", "max-age=1000; includeSubDomains", ".b.test \"29991231 10:00:00\"\n", "http://www.example.com:80/x")
	f.Add("https://[::1]/", `max-age="1"; x="a;b\"`, "127.0.0.1 \"unlimited\"", "http://u:80@h/")
	f.Fuzz(func(t *testing.T, url, field, file, target string) {
		s := New()
		s.Learn(url, []string{field}, func(string) error { return nil })
		_ = s.Read([]byte(file))
		text := s.Text()
		again := New()
		if err := again.Read(text); err != nil || !bytes.Equal(again.Text(), text) {
			t.Errorf("%q is read as %q, %v", text, again.Text(), err)
		}
		if got := s.Upgrade(target); got != target && (!strings.HasPrefix(got, "https://") || len(got) > len(target)+1) {
			t.Errorf("%q became %q", target, got)
		}
		for line := range strings.Lines(string(text)) {
			name, _, _ := strings.Cut(strings.TrimPrefix(line, "."), " ")
			if _, err := netip.ParseAddr(name); err == nil {
				t.Errorf("an address is known: %q", line)
			}
		}
	})
}

// TestLearn: only what comes over https, from a host whose certificate is good, is believed.
func TestLearn(t *testing.T) {
	good := func(string) error { return nil }
	bad := func(string) error { return errors.New("another host's") }
	for _, c := range []struct {
		url    string
		verify func(string) error
		want   bool
	}{{"https://a.test/", good, true}, {"http://a.test/", good, false}, {"https://a.test/", bad, false}, {"https://127.0.0.1/", good, false}, {"://", good, false}} {
		s := New()
		s.Learn(c.url, []string{"max-age=1000"}, c.verify)
		if got := bytes.Count(s.Text(), []byte("\n")) == 2; got != c.want {
			t.Errorf("%s: %v", c.url, got)
		}
	}
}

// TestReadKeeps: an old file takes nothing away from what a server has said since.
func TestReadKeeps(t *testing.T) {
	const past, later = `"20001231 10:00:00"`, `"29991231 10:00:00"`
	soon := time.Now().Add(time.Hour).UTC().Format(`"` + timeFormat + `"`)
	for _, c := range []struct{ text, want string }{
		{"a.test " + past, "a.test sub.a.test"},
		{"a.test " + soon, "a.test sub.a.test"},
		{"a.test " + later + "\na.test " + past, "a.test"},
		{".a.test " + later + "\na.test " + soon, "a.test sub.a.test"},
		{"b.test " + soon + "\nb.test " + past, "a.test sub.a.test b.test"},
		{"sub.a.test " + past + "\nb.test " + past, "a.test sub.a.test"},
	} {
		s := New()
		s.Learn("https://a.test/", []string{"max-age=86400; includeSubDomains"}, func(string) error { return nil })
		if err := s.Read([]byte(c.text)); err != nil {
			t.Error(err)
		}
		var known []string
		for _, host := range []string{"a.test", "sub.a.test", "b.test"} {
			if s.Upgrade("http://"+host+"/") != "http://"+host+"/" {
				known = append(known, host)
			}
		}
		if diff := cmp.Diff(c.want, strings.Join(known, " ")); diff != "" {
			t.Errorf("%q (-want +got)\n%s", c.text, diff)
		}
	}
}

// TestMakeRoom: a site with more hosts than a Store holds pushes out its own, however long they are to be remembered.
func TestMakeRoom(t *testing.T) {
	s := New()
	now := time.Now()
	for n := range 100 {
		s.set(fmt.Sprintf("site%d.test", n), host{now.Add(time.Hour), false})
		s.set(fmt.Sprintf("www.site%d.co.uk", n), host{now.Add(time.Hour), false})
	}
	for n := range maxHosts + 5000 {
		s.set(fmt.Sprintf("h%d.evil.test", n), host{now.Add(maxAge), false})
	}
	left := map[string]int{}
	for name := range s.hosts {
		left[uri.Site(name)]++
	}
	evil := left["evil.test"]
	if evil < maxHosts/2 || len(s.hosts) > maxHosts {
		t.Errorf("%d hosts of one site, %d of all", evil, len(s.hosts))
	}
	if diff := cmp.Diff(200, len(s.hosts)-evil); diff != "" {
		t.Errorf("of the other sites (-want +got)\n%s", diff)
	}
}
