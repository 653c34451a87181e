package cookie

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRule33PublicSuffixes(t *testing.T) {
	tests := []struct {
		url, field string
		want       []string
	}{
		{"http://www.shop.co.uk/", "a=1; Domain=co.uk", nil},
		{"http://www.shop.co.uk/", "a=1; Domain=CO.UK", nil},
		{"http://www.shop.co.uk/", "a=1; Domain=.co.uk", nil},
		{"http://www.shop.co.uk/", "a=1; Domain=co.uk.", nil},
		{"http://www.shop.co.uk./", "a=1; Domain=co.uk.", nil},
		{"http://www.shop.co.uk/", "a=1; Domain=uk", nil},
		{"http://me.github.io/", "a=1; Domain=github.io", nil},
		{"http://www.shop.co.uk/", "a=1; Domain=op.co.uk", nil},
		{"http://www.shop.co.uk/", "a=1; Domain=1.2.3.4", nil},
		{"http://1.2.3.4/", "a=1; Domain=2.3.4", nil},
		{"http://1.2.3.4/", "a=1; Domain=.1.2.3.4", nil},
		{"http://[::1]/", "a=1; Domain=1", nil},
		{"http://1.2.3.4/", "a=1; Domain=1.2.3.4", []string{"a=1 1.2.3.4 /"}},
		{"http://co.uk/", "a=1; Domain=co.uk", []string{"a=1 co.uk /"}},
		{"http://www.shop.co.uk/", "a=1; Domain=Shop.CO.uk", []string{"a=1 .shop.co.uk /"}},
		{"http://www.shop.co.uk/", "a=1; Domain=", []string{"a=1 www.shop.co.uk /"}},
	}
	for _, tt := range tests {
		j := newJar(Rules{})
		j.receive(tt.url, tt.field)
		if diff := cmp.Diff(tt.want, j.lines()); diff != "" {
			t.Errorf("%s from %s (-want +got):\n%s", tt.field, tt.url, diff)
		}
	}
	j := newJar(Rules{AnySuffix: true})
	j.receive("http://www.shop.co.uk/", "a=1; Domain=co.uk")
	if diff := cmp.Diff("a=1", j.header("http://other.co.uk/")); diff != "" {
		t.Errorf("AnyDomain (-want +got):\n%s", diff)
	}
}

func TestRule24Zones(t *testing.T) {
	j := newJar(Rules{})
	j.receive("http://www.example.com/", "a=1; Domain=example.com")
	for _, url := range []string{"http://[fe80::1%25.example.com]/", "http://[fe80::1%25www.example.com]/"} {
		if got := j.header(url); got != "" {
			t.Errorf("Header(%s) = %q, want none", url, got)
		}
	}
}

func TestRule29SetCookieBounds(t *testing.T) {
	for _, rules := range []Rules{{}, {Netscape: true}} {
		j, one := newJar(rules), 0
		for host := range 20 {
			fields := make([]string, 300)
			for i := range fields {
				fields[i] = fmt.Sprintf("c%d=%d", i, i)
			}
			j.receive(fmt.Sprintf("http://h%d.test/", host), fields...)
			if host == 0 {
				one = j.Len()
			}
		}
		if diff := cmp.Diff([]int{maxOfSite, maxOfJar}, []int{one, j.Len()}); diff != "" {
			t.Errorf("cookies of a site, of all (-want +got):\n%s", diff)
		}
	}
}

// A server that makes and deletes cookies leaves nothing behind.
func TestDeletedCookiesLeaveNothing(t *testing.T) {
	for _, rules := range []Rules{{}, {Netscape: true}} {
		j := newJar(rules)
		for i := range maxOfJar + 200 {
			url := fmt.Sprintf("http://h%d.test/", i)
			path := fmt.Sprintf("; Path=/%d", i)
			j.receive(url, "a=1", "b=1; Max-Age=9")
			j.receive(url, "a=; Max-Age=0", "b=; Max-Age=0")
			j.receive("http://one.test/", "a=1"+path)
			j.receive("http://one.test/", "a=; Max-Age=0"+path)
		}
		places := len(j.index.domains) + len(j.index.paths)
		if places > 2*maxOfJar || len(j.index.hosts) > len(j.index.domains) || len(j.index.secure.counts) > 0 {
			t.Errorf("%d domains and paths kept, %d hosts, and %v", places, len(j.index.hosts), j.index.secure.counts)
		}
	}
}

func TestRule22CookieText(t *testing.T) {
	bad := []Cookie{
		{Name: ""}, {Name: "a b\r\nX: y"}, {Name: "a", Value: "1\r\nX: y"}, {Name: "a", Value: "\x00"}, {Name: "a;b"}, {Name: "a=b"},
		{Name: " a"}, {Name: "a", Path: "x"}, {Name: "a", Path: "/\n"}, {Name: "a", Domain: "x y"}, {Name: "a", Domain: "x/y"},
		{Name: "a", Domain: "x.test:80"}, {Name: "a", Domain: "u@x.test"}, {Name: "a", Domain: "."}, {Name: "a", Domain: "x\n.test"},
	}
	for _, c := range bad {
		if _, err := c.Check(); err == nil {
			t.Errorf("%#v passes", c)
		}
	}
	for _, field := range []string{"a=\x00", "a=1\rb", "a=1; Path=/\x01", "a\x7f=1"} {
		for _, rules := range []Rules{{}, {Netscape: true}} {
			server := newJar(rules)
			server.receive("http://h.test/", field)
			if server.Len() != 0 {
				t.Errorf("%q was kept", field)
			}
		}
	}
}

func TestSecureCookiesOverHTTP(t *testing.T) {
	const https, http = "https://www.a.test/x/y", "http://www.a.test/x/y"
	tests := []struct {
		name          string
		first, second string // fields set over https, then over http
		want          string // sent over https
	}{
		{"replaced", "s=1; Secure", "s=2", "s=1"},
		{"replaced by a Secure one", "s=1; Secure", "s=2; Secure", "s=1"},
		{"deleted", "s=1; Secure", "s=; Max-Age=0", "s=1"},
		{"shadowed by a longer path", "s=1; Secure; Path=/x", "s=2; Path=/x/y", "s=1"},
		{"shadowed by the parent domain", "s=1; Secure", "s=2; Domain=a.test", "s=1"},
		{"shadowed by a value without a name", "s=1; Secure", "=s=2", "s=1"},
		{"shadowed by a bare value", "s=1; Secure", "s", "s=1"},
		{"shadowed by a value with a blank", "s=1; Secure", "=\u2003s =2; Domain=a.test", "s=1"},
		{"shadowed by a name with blanks", "s=1; Secure", "\u00a0s\u2028=2", "s=1"},
		{"shadowed by a name with a blank of ISO-8859-1", "s=1; Secure; Domain=a.test", "\xa0s\x85=2", "s=1"},
		{"a value without a name is shadowed", "=s=1; Secure", "s=2", "s=1"},
		{"a value without a name is replaced", "=s=1; Secure", "=t=2", "s=1"},
		{"shadowed at a deep path", "s=1; Secure; Path=/", "=s=2; Path=" + strings.Repeat("/x", maxParts+1), "s=1"},
		{"another path", "s=1; Secure; Path=/x/y", "s=2; Path=/", "s=1; s=2"},
		{"another name", "s=1; Secure", "t=2", "s=1; t=2"},
		{"not Secure", "s=1", "s=2", "s=2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			j := newJar(Rules{})
			j.receive(https, tt.first)
			j.receive(http, tt.second)
			if diff := cmp.Diff(tt.want, j.header(https)); diff != "" {
				t.Errorf("Header (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCookiePrefixes(t *testing.T) {
	tests := []struct{ url, field, want string }{
		{"https://a.test/", "__Secure-n=1; Secure", "__Secure-n=1"},
		{"https://a.test/", "__Secure-n=1", ""},
		{"http://a.test/", "__Secure-n=1; Secure", ""},
		{"https://a.test/", "__Host-n=1; Secure; Path=/", "__Host-n=1"},
		{"https://a.test/", "__Host-n=1; Secure", ""},
		{"https://a.test/", "__Host-n=1; Secure; Path=/; Domain=a.test", ""},
		{"https://a.test/", "__Host-n=1; Path=/", ""},
		{"https://a.test/", "__hOST-n=1; Path=/", ""},
		{"https://a.test/", "__secure-n=1", ""},
		{"https://a.test/", "\u2000__Host-n=1; Path=/", ""},
		{"https://a.test/", "\xa0\ufeff__Secure-n=1", ""},
		{"https://a.test/", "=\x85__Host-n=1; Path=/; Secure", ""},
		{"https://a.test/", "\u3000__Secure-n=1; Secure", "\u3000__Secure-n=1"},
		{"https://a.test/", "==__Host-n=1", "=__Host-n=1"},
	}
	for _, tt := range tests {
		j := newJar(Rules{})
		j.receive(tt.url, tt.field)
		if diff := cmp.Diff(tt.want, j.header("https://a.test/")); diff != "" {
			t.Errorf("%s over %s (-want +got):\n%s", tt.field, tt.url, diff)
		}
	}
}

func TestCookieExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := newJar(Rules{})
		j.receive("http://a.test/", "a=1; Max-Age=10", "b=2; Max-Age=20", "c=3", "d=4; Max-Age=99999999999999999999")
		var got []string
		for range 4 {
			got = append(got, j.header("http://a.test/"))
			time.Sleep(10 * time.Second)
		}
		time.Sleep(maxAge)
		got = append(got, j.header("http://a.test/"))
		want := []string{"a=1; b=2; c=3; d=4", "b=2; c=3; d=4", "c=3; d=4", "c=3; d=4", "c=3"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Header every ten seconds, and after 400 days (-want +got):\n%s", diff)
		}
	})
}
