package requests

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests/internal/uri"
)

// layered is a row of the table of rule 47.
type layered struct {
	request, session Proxies
	env              map[string]string
	function         ProxyFunc
}

func TestRule47Precedence(t *testing.T) {
	env := map[string]string{"http_proxy": "http://e", "https_proxy": "http://es", "no_proxy": "direct.test"}
	for name, c := range map[string]struct {
		layered
		url, want, requests string // requests: the choice with Policy.EnvironmentProxiesFirst
	}{
		"nothing":              {layered{}, "http://a.test/", "", ""},
		"environment":          {layered{env: env}, "http://a.test/", "http://e", "http://e"},
		"all of environment":   {layered{env: map[string]string{"ALL_PROXY": "http://x"}}, "http://a.test/", "http://x", "http://x"},
		"no_proxy":             {layered{env: env}, "http://sub.direct.test/", "", ""},
		"session":              {layered{env: env, session: Proxies{"http": "http://s"}}, "http://a.test/", "http://s", "http://e"},
		"session all":          {layered{env: env, session: Proxies{"all": "http://s"}}, "http://a.test/", "http://s", "http://e"},
		"session says none":    {layered{env: env, session: Proxies{"all": ""}}, "http://a.test/", "", "http://e"},
		"session, other":       {layered{env: env, session: Proxies{"ftp": "http://s"}}, "http://a.test/", "http://e", "http://e"},
		"session, no_proxy":    {layered{env: env, session: Proxies{"http": "http://s"}}, "http://direct.test/", "http://s", "http://s"},
		"session's no_proxy":   {layered{env: env, session: Proxies{"no_proxy": "a.test"}}, "http://a.test/", "", "http://e"},
		"request":              {layered{env: env, request: Proxies{"http": "http://r"}, session: Proxies{"http": "http://s"}}, "http://a.test/", "http://r", "http://r"},
		"request all":          {layered{env: env, request: Proxies{"all": "http://r"}, session: Proxies{"http": "http://s"}}, "http://a.test/", "http://r", "http://e"},
		"request says none":    {layered{env: env, request: NoProxy.(Proxies), session: Proxies{"http": "http://s"}}, "http://a.test/", "", ""},
		"request none for all": {layered{env: env, request: Proxies{"all": ""}, session: Proxies{"http": "http://s"}}, "http://a.test/", "", ""},
		"request for a host":   {layered{env: env, request: Proxies{"http://a.test": "http://r"}}, "http://a.test:8080/", "http://r", "http://r"},
		"request, other host":  {layered{env: env, request: Proxies{"http://b.test": "http://r"}}, "http://a.test/", "http://e", "http://e"},
		"request no_proxy":     {layered{env: env, request: Proxies{"no_proxy": "a.test"}}, "http://a.test/", "", ""},
		"request no_proxy, 2":  {layered{env: env, request: Proxies{"no_proxy": "a.test"}}, "http://direct.test/", "http://e", "http://e"},
		"function":             {layered{env: env, function: constant("http://f"), session: Proxies{"http": "http://s"}}, "http://a.test/", "http://f", "http://f"},
		"function says none":   {layered{env: env, function: constant(""), session: Proxies{"http": "http://s"}}, "http://a.test/", "", ""},
		"request and function": {layered{env: env, function: constant("http://f"), request: Proxies{"http": "http://r"}}, "http://a.test/", "http://r", "http://r"},
	} {
		t.Run(name, func(t *testing.T) {
			clearProxyEnvironment(t, c.env)
			for _, policy := range []bool{false, true} {
				want := c.want
				if policy {
					want = c.requests
				}
				s := &Session{TrustEnv: true, Proxies: c.session, ProxyFunc: c.function}
				s.Policy.EnvironmentProxiesFirst = policy
				if got := chosen(t, s, c.url, c.request); got != want {
					t.Errorf("EnvironmentProxiesFirst=%v: proxy %q, want %q", policy, got, want)
				}
				if sent := chosenBySend(t, s, c.url, c.request); !policy && sent != want {
					t.Errorf("Send: proxy %q, want %q", sent, want)
				}
				d, err := s.ExplainProxy(c.url, c.request)
				if err != nil || d.Proxy != want {
					t.Errorf("EnvironmentProxiesFirst=%v: explained as %v, %v; want %q", policy, d, err, want)
				}
			}
		})
	}
}

func constant(proxy string) ProxyFunc { return func(string) (string, error) { return proxy, nil } }

func chosen(t *testing.T, s *Session, url string, given Proxies) string {
	t.Helper()
	before := maps.Clone(s.Proxies)
	opts, err := s.MergeEnvironment(url, SendOptions{Proxies: given})
	if err != nil {
		t.Fatal(err)
	}
	u, err := uri.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, s.Proxies); diff != "" {
		t.Errorf("the session's proxies were changed (-want +got)\n%s", diff)
	}
	return selectProxy(&u, opts.Proxies)
}

// chosenBySend is chosen for a prepared request that is sent by itself.
func chosenBySend(t *testing.T, s *Session, url string, given Proxies) string {
	t.Helper()
	p, err := s.Prepare(&Request{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	opts := SendOptions{Proxies: given}
	if err := s.mergeSend(p, &opts); err != nil {
		t.Fatal(err)
	}
	return selectProxy(&p.at().URL, opts.Proxies)
}

func TestTrustEnvOff(t *testing.T) {
	clearProxyEnvironment(t, map[string]string{"http_proxy": "http://e"})
	for _, policy := range []bool{false, true} {
		s := &Session{}
		s.Policy.EnvironmentProxiesFirst = policy
		if got := chosen(t, s, "http://a.test/", nil); got != "" {
			t.Errorf("proxy %q without TrustEnv", got)
		}
	}
}

func TestRule41CGI(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		want string
	}{
		"upper":      {map[string]string{"HTTP_PROXY": "http://evil"}, ""},
		"mixed":      {map[string]string{"Http_Proxy": "http://evil"}, ""},
		"lower":      {map[string]string{"HTTP_PROXY": "http://evil", "http_proxy": "http://e"}, "http://e"},
		"all stands": {map[string]string{"HTTP_PROXY": "http://evil", "ALL_PROXY": "http://x"}, "http://x"},
	} {
		t.Run(name, func(t *testing.T) {
			clearProxyEnvironment(t, c.env)
			t.Setenv("REQUEST_METHOD", "GET")
			for _, policy := range []bool{false, true} {
				s := &Session{TrustEnv: true}
				s.Policy.EnvironmentProxiesFirst = policy
				if got := chosen(t, s, "http://a.test/", nil); got != c.want {
					t.Errorf("EnvironmentProxiesFirst=%v: proxy %q, want %q", policy, got, c.want)
				}
			}
			if got, err := ProxyFromEnvironment("http://a.test/"); err != nil || got != c.want {
				t.Errorf("ProxyFromEnvironment: %q, %v, want %q", got, err, c.want)
			}
		})
	}
}

func TestEnvironmentVariables(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		want string
	}{
		"lower over upper":   {map[string]string{"https_proxy": "http://l", "HTTPS_PROXY": "http://u"}, "http://l"},
		"empty lower":        {map[string]string{"https_proxy": "", "HTTPS_PROXY": "http://u"}, ""},
		"mixed":              {map[string]string{"Https_Proxy": "http://m"}, "http://m"},
		"mixed all":          {map[string]string{"All_Proxy": "http://m"}, "http://m"},
		"scheme over all":    {map[string]string{"all_proxy": "http://a", "HTTPS_PROXY": "http://u"}, "http://u"},
		"other scheme":       {map[string]string{"http_proxy": "http://a"}, ""},
		"no_proxy lower":     {map[string]string{"https_proxy": "http://l", "no_proxy": "x.test"}, ""},
		"no_proxy upper":     {map[string]string{"https_proxy": "http://l", "NO_PROXY": "x.test"}, ""},
		"no_proxy empty":     {map[string]string{"https_proxy": "http://l", "no_proxy": "", "NO_PROXY": "x.test"}, ""},
		"no_proxy mixed":     {map[string]string{"https_proxy": "http://l", "No_Proxy": "x.test"}, ""},
		"no_proxy mixed 2":   {map[string]string{"https_proxy": "http://l", "nO_pROXY": "x.test"}, ""},
		"no_proxy mixed 3":   {map[string]string{"https_proxy": "http://l", "NO_PROXY": "y.test", "No_Proxy": "x.test"}, "http://l"},
		"no_proxy lower won": {map[string]string{"https_proxy": "http://l", "no_proxy": "y.test", "NO_PROXY": "x.test"}, "http://l"},
	} {
		t.Run(name, func(t *testing.T) {
			clearProxyEnvironment(t, c.env)
			if got := chosen(t, &Session{TrustEnv: true}, "https://x.test/", nil); got != c.want {
				t.Errorf("proxy %q, want %q", got, c.want)
			}
			if got, err := ProxyFromEnvironment("https://x.test/"); err != nil || got != c.want {
				t.Errorf("ProxyFromEnvironment: %q, %v, want %q", got, err, c.want)
			}
		})
	}
}

func TestRule24NoProxy(t *testing.T) {
	for _, c := range []struct {
		url, list string
		want      bool
	}{
		{"http://[fe80::1%25.example.com]/", ".example.com", false},
		{"http://[fe80::1%25.example.com]/", "example.com", false},
		{"http://[fe80::1%25eth0]/", "fe80::1", true},
		{"http://[fe80::1%25eth0]/", "fe80::/10", true},
		{"http://[fd00::1]/", "fe80::/10", false},
		{"http://[fd00::1]/", "fd00::/129", false},
		{"http://[fd00::1]/", "0.0.0.0/1", false},
		{"http://10.0.0.1/", "fd00::/8", false},
		{"http://10.0.0.1/", "10.0.0.0/33", false},
		{"http://0xa.1/", "10.0.0.1", true},
		{"http://a.test%2F.direct.test/", "direct.test", false},
		{"http://direct.test@evil.test/", "direct.test", false},
		{"http://evil.test#.direct.test", "direct.test", false},
		{"http://notdirect.test/", "direct.test", false},
		{"http://b\u00fccher.test/", "B\u00fccher.test", true},
	} {
		if got, _ := new(Session).asRequests().Direct(c.url, c.list); got != c.want {
			t.Errorf("no_proxy=%q: bypass of %s is %v, want %v", c.list, c.url, got, c.want)
		}
	}
}

func TestRedirectProxies(t *testing.T) {
	env := map[string]string{"http_proxy": "http://e", "https_proxy": "http://es", "no_proxy": "direct.test"}
	for name, c := range map[string]struct {
		layered
		first, target, want string
	}{
		"to another scheme":    {layered{env: env}, "http://a.test/", "https://a.test/", "http://es"},
		"out of no_proxy":      {layered{env: env}, "http://direct.test/", "http://a.test/", "http://e"},
		"into no_proxy":        {layered{env: env}, "http://a.test/", "http://direct.test/", ""},
		"into no_proxy, https": {layered{env: env}, "http://a.test/", "https://direct.test/", ""},
		"request":              {layered{env: env, request: Proxies{"http": "http://r"}}, "http://a.test/", "http://b.test/", "http://r"},
		"request, then env":    {layered{env: env, request: Proxies{"http": "http://r"}}, "http://a.test/", "https://b.test/", "http://es"},
		"request none":         {layered{env: env, request: NoProxy.(Proxies)}, "http://a.test/", "https://b.test/", ""},
		"session":              {layered{env: env, session: Proxies{"https": "http://s"}}, "http://a.test/", "https://b.test/", "http://s"},
		"function asked again": {layered{env: env, function: byHost}, "http://a.test/", "http://b.test/", "http://b.test.proxy"},
		"function and request": {layered{function: byHost, request: Proxies{"http": "http://r"}}, "https://a.test/", "http://b.test/", "http://r"},
	} {
		t.Run(name, func(t *testing.T) {
			clearProxyEnvironment(t, c.env)
			s := &Session{TrustEnv: true, Proxies: c.session, ProxyFunc: c.function}
			opts, err := s.MergeEnvironment(c.first, SendOptions{Proxies: c.request})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.redirectProxies(at(c.target), &opts); err != nil {
				t.Fatal(err)
			}
			u, err := uri.Parse(c.target)
			if err != nil {
				t.Fatal(err)
			}
			if got := selectProxy(&u, opts.Proxies); got != c.want {
				t.Errorf("proxy %q, want %q", got, c.want)
			}
		})
	}
}

func byHost(url string) (string, error) {
	u, err := uri.Parse(url)
	return "http://" + u.Host + ".proxy", err
}

func TestParseProxy(t *testing.T) {
	for text, want := range map[string]string{
		"http://p:3128":                   "http p 3128 []",
		"p.test":                          "http p.test 80 []",
		"p.test:3128":                     "http p.test 3128 []",
		"10.0.0.1:8080":                   "http 10.0.0.1 8080 []",
		"https://p":                       "https p 443 []",
		"HTTP://P.test/path?x#y":          "http p.test 80 []",
		"socks5://p":                      "socks5 p 1080 []",
		"SOCKS5H://u:p@P.test:9050":       "socks5h p.test 9050 [Basic dTpw]",
		"socks4a://[::1]:1":               "socks4a ::1 1 []",
		"http://us%20er:p%40ss@p":         "http p 80 [Basic dXMgZXI6cEBzcw==]",
		"http://user@p":                   "http p 80 []",
		"http://user:@p":                  "http p 80 [Basic dXNlcjo=]",
		"http://:pw@p":                    "http p 80 []",
		"http://[fe80::1%25eth0]:3128":    "http fe80::1%eth0 3128 []",
		"http://b\u00fccher.test":         "http xn--bcher-kva.test 80 []",
		"proxy:3128":                      "http proxy 3128 []",
		"localhost:3128":                  "http localhost 3128 []",
		"user:pw@p.test:1":                "http p.test 1 [Basic dXNlcjpwdw==]",
		"[::1]:3128":                      "http ::1 3128 []",
		"//p:3128":                        "http p 3128 []",
		"p:3128/":                         "http p 3128 []",
		" \thttp://p:3128 ":               "http p 3128 []",
		" p:3128 ":                        "http p 3128 []",
		"http:/p:3128":                    "error",
		"http//p:3128":                    "error",
		"http:p:3128":                     "error",
		"proxy:port":                      "error",
		"":                                "error",
		"http://":                         "error",
		"http:///x":                       "error",
		"ftp://p":                         "error",
		"socks://p":                       "error",
		"socks6://p":                      "error",
		"http://p:99999":                  "error",
		"http://p q":                      "error",
		`http://p\@evil`:                  "error",
		"http://p%2f@evil%2f":             "error",
		"http://p\r\nX: y":                "error",
		"http://sesame:sesame@[::1":       "error",
		"socks5://sesame:sesame@a|b:1080": "error",
	} {
		got := "error"
		p, err := parseProxy(text)
		if err == nil {
			got = fmt.Sprintf("%s %s %d [%s]", p.Scheme, p.Host, p.Port, proxyAuthorization(&p))
		} else if !errors.Is(err, ErrInvalidProxyURL) || strings.Contains(err.Error(), "sesame") {
			t.Errorf("parseProxy(%q): %v", text, err)
		}
		if got != want {
			t.Errorf("parseProxy(%q) = %s, %v; want %s", text, got, err, want)
		}
	}
}

func TestExplainProxy(t *testing.T) {
	clearProxyEnvironment(t, map[string]string{"HTTP_PROXY": "http://ada:sesame@e.test:3128", "NO_PROXY": "localhost,.direct.test"})
	s := NewSession()
	s.Proxies = Proxies{"https": "socks5h://s.test"}
	for url, want := range map[string]string{
		"http://u:sesame@A.test":   "http://***@a.test/ goes through http://***@e.test:3128 (the environment: HTTP_PROXY)",
		"http://x.direct.test/":    "http://x.direct.test/ goes directly (the environment: HTTP_PROXY, but not for .direct.test)",
		"https://a.test/x":         "https://a.test/x goes through socks5h://s.test (the session: https)",
		"http+unix://%2Frun%2Fx/y": "http+unix://%2Frun%2Fx/y goes directly (no proxy is named)",
	} {
		d, err := s.ExplainProxy(url)
		if err != nil {
			t.Fatal(err)
		}
		for _, got := range []string{fmt.Sprint(d), fmt.Sprintf("%v", d), fmt.Sprintf("%#v", d)} {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		}
	}
	s.HSTS = NewHSTS()
	hosts := filepath.Join(t.TempDir(), "hsts")
	if err := errors.Join(os.WriteFile(hosts, []byte("strict.test \"20990101 00:00:00\"\n"), 0o600), s.HSTS.Load(hosts)); err != nil {
		t.Fatal(err)
	}
	if d, err := s.ExplainProxy("http://strict.test/"); err != nil || d.URL != "https://strict.test/" || d.Proxy != "socks5h://s.test" {
		t.Errorf("a host that wants https only: %v, %v", d, err)
	}
	if _, err := s.ExplainProxy("http://a.test/", Proxies{"http": "http://:3128"}); !errors.Is(err, ErrInvalidProxyURL) {
		t.Errorf("a proxy without host: %v", err)
	}
	if d, err := s.ExplainProxy("http://a.test/", NoProxy); err != nil || d.Proxy != "" || d.Source != DecidedByRequest {
		t.Errorf("NoProxy: %v, %v", d, err)
	}
}

func TestNoProxyConfiguredAllocatesNothing(t *testing.T) {
	clearProxyEnvironment(t, nil)
	s, to := &Session{TrustEnv: true}, at("http://a.test/x")
	if n := testing.AllocsPerRun(100, func() { var opts SendOptions; s.mergeProxies(to, &opts) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkRequestProxies(b *testing.B) {
	s, to := &Session{TrustEnv: true}, at("http://a.test/x")
	b.ReportAllocs()
	for b.Loop() {
		var opts SendOptions
		s.mergeProxies(to, &opts)
	}
}
