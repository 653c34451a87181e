package fieldvalue

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests/internal/cases"
	"github.com/mountable/requests/internal/wiretest"
)

func param(name, value string) Pair { return Pair{Name: name, Value: value, HasValue: true} }

func TestParseChallenges(t *testing.T) {
	digest := func(params ...Pair) Challenge { return Challenge{Scheme: "Digest", Params: params} }
	for _, tt := range []struct {
		name, value string
		want        []Challenge
	}{
		{"nothing", "", nil},
		{"commas only", " , ,\t,", nil},
		{"a scheme alone", "Negotiate", []Challenge{{Scheme: "Negotiate"}}},
		{"a token", "NTLM TlRMTVNTUAAC==", []Challenge{{Scheme: "NTLM", Token68: "TlRMTVNTUAAC=="}}},
		{"parameters", `Digest realm="r", nonce=n ,qop="auth,auth-int"`,
			[]Challenge{digest(param("realm", "r"), param("nonce", "n"), param("qop", "auth,auth-int"))}},
		{"blanks around =", `Digest realm = "r" , nonce	=n`, []Challenge{digest(param("realm", "r"), param("nonce", "n"))}},
		{"a tab after the scheme", "Digest\trealm=r", []Challenge{digest(param("realm", "r"))}},
		{"escapes", `Digest realm="a\"b\\c"`, []Challenge{digest(param("realm", `a"b\c`))}},
		{"an unfinished string", `Digest realm="a, b`, []Challenge{digest(param("realm", "a, b"))}},
		{"a backslash at the end", `Digest realm="a\`, []Challenge{digest(param("realm", `a\`))}},
		{"text after a string", `Digest realm="a"x, nonce=n`, []Challenge{digest(param("realm", "a"), param("nonce", "n"))}},
		{"parameters of nobody", `realm="r", Digest nonce=n`, []Challenge{digest(param("nonce", "n"))}},
		{"stray = and quote", `=x, "y, z", Digest nonce=n`, []Challenge{digest(param("nonce", "n"))}},
		{"several", `Newauth realm="apps", type=1, title="Login to \"apps\"", Negotiate, Basic realm="simple", NTLM abc`,
			[]Challenge{
				{Scheme: "Newauth", Params: []Pair{param("realm", "apps"), param("type", "1"), param("title", `Login to "apps"`)}},
				{Scheme: "Negotiate"},
				{Scheme: "Basic", Params: []Pair{param("realm", "simple")}},
				{Scheme: "NTLM", Token68: "abc"},
			}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, ParseChallenges(tt.value)); diff != "" {
				t.Errorf("ParseChallenges(%q) (-want +got):\n%s", tt.value, diff)
			}
		})
	}
}

func TestChallengeParam(t *testing.T) {
	c := ParseChallenges(`Digest NONCE=1, nonce=2`)[0]
	got, ok := c.Param("Nonce")
	if diff := cmp.Diff([]any{"2", true}, []any{got, ok}); diff != "" {
		t.Errorf("Param (-want +got):\n%s", diff)
	}
	if _, ok := c.Param("realm"); ok {
		t.Error("Param found a parameter that is not there")
	}
}

// Servers write these values: a hostile one must not cost more than its length.
func TestRule45ChallengesParseInLinearTime(t *testing.T) {
	for _, unit := range []string{"a ", "a,", "=", `"`, `\`, "a=", `a="`, `a="\`, "Digest x=y, ", "a b=", ", "} {
		value := strings.Repeat(unit, (256<<10)/len(unit))
		if took := wiretest.Spent(func() { ParseChallenges(value) }); took > 5*time.Second {
			t.Errorf("256 KiB of %q took %v", unit, took)
		}
	}
}

func FuzzParseChallenges(f *testing.F) {
	f.Add(`Basic realm="x", Digest realm="r\"", nonce=n, qop="auth,auth-int", Negotiate a==`)
	f.Add("Digest a=\"\\")
	for _, seed := range append(cases.FieldSeeds("WWW-Authenticate"), cases.FieldSeeds("Proxy-Authenticate")...) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		total := 0
		for _, c := range ParseChallenges(value) {
			if c.Scheme == "" || strings.ContainsAny(c.Scheme, " \t,=\"") {
				t.Errorf("scheme %q", c.Scheme)
			}
			total += len(c.Scheme) + len(c.Token68)
			for _, p := range c.Params {
				total += len(p.Name) + len(p.Value)
			}
		}
		if total > len(value) {
			t.Errorf("%d bytes of result from %d bytes", total, len(value))
		}
	})
}
