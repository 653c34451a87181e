package fleet

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

var testKey = []byte("0123456789abcdef")

func shared(t *testing.T, f *Fleet, s *requests.Session) *Cookies {
	t.Helper()
	c, err := f.ShareCookies(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// eventually waits until a jar has what is wanted.
func eventually(t *testing.T, what string, want map[string]string, jar *requests.CookieJar) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		diff := cmp.Diff(want, jar.Map("", ""))
		if diff == "" {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s (-want +got):\n%s", what, diff)
		}
	}
}

// setter is an origin that sets the cookies its query names, and says which it was sent.
func setter(t *testing.T) *origin {
	return newOrigin(t, func(w http.ResponseWriter, r *http.Request) {
		for _, field := range r.URL.Query()["set"] {
			w.Header().Add("Set-Cookie", field)
		}
		fmt.Fprint(w, r.Header.Get("Cookie"))
	})
}

func get(t *testing.T, s *requests.Session, url string, set ...string) string {
	t.Helper()
	var params requests.Params
	for _, field := range set {
		params = append(params, [2]string{"set", field})
	}
	r, err := s.Get(t.Context(), url, params)
	if err != nil {
		t.Fatal(err)
	}
	text, err := r.Text()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestShareCookies: who logs in logs in for all, and who comes later, too; an end is one for all.
func TestShareCookies(t *testing.T) {
	wiretest.NoLeak(t)
	o := setter(t)
	one := open(t, Embedded(t.TempDir()), SealWith(testKey))
	two := open(t, Connect(one.URL()), SealWith(testKey))
	a, b, c := session(t), session(t), session(t)
	shared(t, one, a)
	shared(t, two, b)
	get(t, a, o.URL, "sid=1; HttpOnly; Path=/", "gone=1; Max-Age=3600")
	want := map[string]string{"sid": "1", "gone": "1"}
	if diff := cmp.Diff(want, a.Cookies.Map("", "")); diff != "" {
		t.Errorf("who was given them (-want +got):\n%s", diff)
	}
	eventually(t, "the other member", want, b.Cookies)
	if text := get(t, b, o.URL); text != "sid=1; gone=1" {
		t.Errorf("it sends %q", text)
	}
	shared(t, two, c)
	if diff := cmp.Diff(want, c.Cookies.Map("", "")); diff != "" {
		t.Errorf("one that comes later (-want +got):\n%s", diff)
	}
	get(t, b, o.URL, "gone=; Max-Age=0")
	for name, s := range map[string]*requests.Session{"a": a, "b": b, "c": c} {
		eventually(t, name+" after the end of one", map[string]string{"sid": "1"}, s.Cookies)
	}
	entry, err := one.js.KeyValue(t.Context(), "fleet-cookies")
	if err != nil {
		t.Fatal(err)
	}
	value, err := entry.Get(t.Context(), "127_2e0_2e0_2e1")
	if err != nil || strings.Contains(string(value.Value()), "sid") {
		t.Errorf("in the bucket: %v, %v", value, err)
	}
}

// TestShareCookiesAtOnce: members that are given cookies at the same time lose none.
func TestShareCookiesAtOnce(t *testing.T) {
	wiretest.NoLeak(t)
	const members, each = 4, 8
	o := setter(t)
	first := open(t, Embedded(t.TempDir()), SealWith(testKey))
	want := map[string]string{}
	var all []*requests.Session
	var setting sync.WaitGroup
	for m := range members {
		f := first
		if m > 0 {
			f = open(t, Connect(first.URL()), SealWith(testKey))
		}
		s := session(t)
		shared(t, f, s)
		all = append(all, s)
		for i := range each {
			name := fmt.Sprintf("c%d-%d", m, i)
			want[name] = "1"
			setting.Go(func() {
				if _, err := s.Get(t.Context(), o.URL, requests.Params{{"set", name + "=1"}}); err != nil {
					t.Error(err)
				}
			})
		}
	}
	setting.Wait()
	for m, s := range all {
		eventually(t, fmt.Sprintf("member %d", m), want, s.Cookies)
	}
}

// TestCookiesByHand: Set and Delete, what the jar had, a closed one, and bounds.
func TestCookiesByHand(t *testing.T) {
	wiretest.NoLeak(t)
	o := setter(t)
	f := open(t, Embedded(t.TempDir()), SealWith(testKey))
	a, b := session(t), session(t)
	if err := a.Cookies.Set(requests.Cookie{Name: "before", Value: "1", Domain: "h.example"}); err != nil {
		t.Fatal(err)
	}
	ca, cb := shared(t, f, a), shared(t, f, b)
	for _, domain := range []string{"www.h.example", ".h.example", "127.0.0.1", "::1", "other.co.uk"} {
		if err := ca.Set(t.Context(), requests.Cookie{Name: "n-" + domain[len(domain)-2:], Value: domain, Domain: domain}); err != nil {
			t.Fatal(domain, err)
		}
	}
	eventually(t, "by hand", map[string]string{"before": "1", "n-le": ".h.example", "n-.1": "127.0.0.1", "n-:1": "::1", "n-uk": "other.co.uk"}, b.Cookies)
	if err := cb.Delete(t.Context(), "", ".h.example", ""); err != nil {
		t.Fatal(err)
	}
	eventually(t, "after Delete", map[string]string{"before": "1", "n-le": "www.h.example", "n-.1": "127.0.0.1", "n-:1": "::1", "n-uk": "other.co.uk"}, a.Cookies)
	ca.longest = 20 << 10
	for i := range 30 {
		if err := ca.Set(t.Context(), requests.Cookie{Name: fmt.Sprint("long", i), Value: strings.Repeat("x", 1<<10), Domain: "h.big.example"}); err != nil {
			t.Fatal(i, err)
		}
	}
	kept := a.Cookies.Map("h.big.example", "")
	if n := len(kept); kept["long29"] == "" || kept["long0"] != "" || n < 8 || n > 20 {
		t.Errorf("%d cookies are kept: %.300q", n, slices.Sorted(maps.Keys(kept)))
	}
	ca.Close()
	get(t, a, o.URL, "own=1")
	if b.Cookies.Has("own") || !a.Cookies.Has("own") {
		t.Error("a closed one shares")
	}
}

// TestCookieFailures: what cannot be shared is an error, and its cookie is nobody's.
func TestCookieFailures(t *testing.T) {
	wiretest.NoLeak(t)
	o := setter(t)
	f := open(t, Embedded(t.TempDir()), SealWith(testKey))
	plain := open(t, Connect(f.URL()), Name("plain"))
	s := session(t)
	c := shared(t, f, s)
	share := func(f *Fleet, ctx context.Context, s *requests.Session) error {
		_, err := f.ShareCookies(ctx, s)
		return err
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	tests := map[string]struct {
		got  error
		want requests.Kind
	}{
		"no key":      {share(plain, t.Context(), session(t)), requests.ErrInvalidArgument},
		"no session":  {share(f, t.Context(), nil), requests.ErrInvalidArgument},
		"canceled":    {share(f, canceled, session(t)), requests.ErrCanceled},
		"no domain":   {c.Set(t.Context(), requests.Cookie{Name: "n"}), requests.ErrInvalidArgument},
		"no name":     {c.Set(t.Context(), requests.Cookie{Name: "a;b", Domain: "h.example"}), requests.ErrInvalidArgument},
		"a bad host":  {c.Set(t.Context(), requests.Cookie{Name: "n", Domain: "a b"}), requests.ErrInvalidArgument},
		"no deletion": {c.Delete(t.Context(), "n", "", ""), requests.ErrInvalidArgument},
		"a late set":  {c.Set(canceled, requests.Cookie{Name: "n", Domain: "h.example"}), requests.ErrCanceled},
	}
	for name, test := range tests {
		if !errors.Is(test.got, test.want) {
			t.Errorf("%s: %v, want a %v", name, test.got, test.want)
		}
	}
	if _, err := c.bucket.PutString(t.Context(), keyOf("127.0.0.1"), "forged"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(t.Context(), o.URL, requests.Params{{"set", "n=1"}}); !errors.Is(err, requests.ErrDecode) || s.Cookies.Has("n") {
		t.Errorf("over a forged value: %v, %v", err, s.Cookies.Map("", ""))
	}
	lost := open(t, Connect(f.URL()), SealWith(testKey))
	away := session(t)
	shared(t, lost, away)
	lost.Close()
	if text := get(t, away, o.URL); text != "" {
		t.Errorf("without a server it sends %q", text)
	}
	if _, err := away.Get(t.Context(), o.URL, requests.Params{{"set", "n=1"}}); !errors.Is(err, requests.ErrConnection) {
		t.Errorf("without a server its cookies are shared: %v", err)
	}
}
