package adapters_test

import (
	"math"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

// FuzzHostHeader: whatever a Host header holds, the name for TLS is a host name or an address, or it is refused.
func FuzzHostHeader(f *testing.F) {
	for _, seed := range []string{"example.org", "a:80", "[::1]:443", "[::1", "a b", "", ":", "A.B", "[fe80::1%25lo]", "x\x00"} {
		f.Add(seed)
	}
	a := requests.NewHTTPAdapter(adapters.HostHeaderSSL())
	f.Fuzz(func(t *testing.T, host string) {
		plan, err := a.Plan(get("https://10.0.0.1/", [2]string{"Host", host}), requests.SendOptions{})
		name := plan.TLS.ServerName
		if err != nil || name == "" {
			return
		}
		if _, bad := netip.ParseAddr(name); bad != nil && (strings.ContainsAny(name, ":/ @[]") || strings.ToLower(name) != name) {
			t.Errorf("%q gives the name %q", host, name)
		}
	})
}

// FuzzData: every data: URL is a reply or an invalid URL, and the media type is fit for a header.
func FuzzData(f *testing.F) {
	for _, seed := range []string{"data:,x", "data:a/b;base64,aGk=", "data:;base64,%", "data:%0a,x", "x", "data:;charset=x;base64 ,a"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, url string) {
		r, err := adapters.Data().Send(t.Context(), get(url), requests.SendOptions{})
		if err != nil {
			return
		}
		if kind := r.Headers.Get("Content-Type"); kind == "" || strings.ContainsAny(kind, "\r\n\x00") {
			t.Errorf("%q has the type %q", url, kind)
		}
		if _, err := r.Content(); err != nil {
			t.Error(err)
		}
	})
}

// FuzzRateLimit: no field makes the next request wait for more than an hour.
func FuzzRateLimit(f *testing.F) {
	f.Add("30", `"a";r=0;t=40`, "0", "99999999999")
	f.Add("Fri, 31 Dec 9999 23:59:59 GMT", "remaining=0, reset=-1", "0.0", "1e9")
	f.Fuzz(func(t *testing.T, after, limit, remaining, reset string) {
		synctest.Test(t, func(t *testing.T) {
			m := adapters.NewMock()
			headers := requests.Headers{{"Retry-After", after}, {"RateLimit", limit}, {"X-RateLimit-Remaining", remaining}, {"X-RateLimit-Reset", reset}}
			m.On("", "").Reply(adapters.Reply{Status: 429, Headers: headers}, adapters.Reply{})
			a := adapters.Chain(m, must[requests.Wrapper](t)(adapters.RateLimit(math.Inf(1), 1)))
			if got := pause(t, a); got > time.Hour {
				t.Errorf("waited %v", got)
			}
		})
	})
}
