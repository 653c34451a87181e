package requests_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
	"github.com/mountable/requests/toolbelt"
)

// proxyWays are the ways to say which proxies are used, and to send a request with them.
var proxyWays = map[string]func(ctx context.Context, s *requests.Session, url string, p requests.Proxies) error{
	"option": func(ctx context.Context, s *requests.Session, url string, p requests.Proxies) error {
		_, err := s.Get(ctx, url, p)
		return err
	},
	"Request": func(ctx context.Context, s *requests.Session, url string, p requests.Proxies) error {
		_, err := s.Do(ctx, &requests.Request{URL: url, Send: requests.SendOptions{Proxies: p}})
		return err
	},
	"session": func(ctx context.Context, s *requests.Session, url string, p requests.Proxies) error {
		s.Proxies = p
		_, err := s.Get(ctx, url)
		return err
	},
	"session's Send": func(ctx context.Context, s *requests.Session, url string, p requests.Proxies) error {
		s.Proxies = p
		prepared, err := s.Prepare(&requests.Request{URL: url})
		if err == nil {
			_, err = s.Send(ctx, prepared, requests.SendOptions{})
		}
		return err
	},
	"session, as Requests": func(ctx context.Context, s *requests.Session, url string, p requests.Proxies) error {
		s.Proxies, s.Policy = p, requests.PolicyRequests()
		_, err := s.Get(ctx, url)
		return err
	},
	"adapter": func(ctx context.Context, s *requests.Session, url string, p requests.Proxies) error {
		a, err := s.Adapter(url)
		if err != nil {
			return err
		}
		r, err := a.Send(ctx, &requests.PreparedRequest{Method: "GET", URL: url}, requests.SendOptions{Proxies: p})
		if err == nil {
			_, err = r.Content()
		}
		return err
	},
	"http.Client": func(ctx context.Context, s *requests.Session, url string, p requests.Proxies) error {
		s.Proxies = p
		req, err := http.NewRequestWithContext(ctx, "GET", url, nil)
		if err != nil {
			return err
		}
		r, err := (&http.Client{Transport: s.RoundTripper()}).Do(req)
		if err == nil {
			err = r.Body.Close()
		}
		return err
	},
	"Pool": func(ctx context.Context, s *requests.Session, url string, p requests.Proxies) error {
		s.Proxies = p
		responses, exceptions, err := toolbelt.Map(ctx, []*requests.Request{{URL: url}}, toolbelt.SharedSession(s))
		for range responses {
		}
		for result := range exceptions {
			err = errors.Join(err, result.Err)
		}
		return err
	},
}

// TestProxyKeys: letter case and an empty "://" in a key do not matter, and a key that can never match is an error,
// whoever names the proxies.
func TestProxyKeys(t *testing.T) {
	const url = "http://a.test:8080/x"
	for name, c := range map[string]struct {
		key     string
		through bool
		want    error
	}{
		"scheme":             {"http", true, nil},
		"upper case":         {"HTTP", true, nil},
		"scheme and slashes": {"http://", true, nil},
		"Http://":            {"Http://", true, nil},
		"host":               {"HTTP://A.Test", true, nil},
		"all":                {"ALL", true, nil},
		"all://":             {"all://", true, nil},
		"host of all":        {"All://a.test", true, nil},
		"another scheme":     {"ftp", false, nil},
		"another host":       {"http://b.test", false, nil},
		"socket":             {"http+unix", false, nil},
		"misspelled":         {"htp", false, requests.ErrInvalidArgument},
		"misspelled, host":   {"htps://a.test", false, requests.ErrInvalidArgument},
		"a proxy's scheme":   {"socks5", false, requests.ErrInvalidArgument},
		"host alone":         {"a.test", false, requests.ErrInvalidArgument},
		"host with port":     {"http://a.test:8080", false, requests.ErrInvalidArgument},
		"host with slash":    {"http://a.test/", false, requests.ErrInvalidArgument},
		"variable":           {"http_proxy", false, requests.ErrInvalidArgument},
		"star":               {"*", false, requests.ErrInvalidArgument},
		"nothing":            {"", false, requests.ErrInvalidArgument},
		"blank":              {"http ", false, requests.ErrInvalidArgument},
		"colon":              {"http:", false, requests.ErrInvalidArgument},
		"no scheme":          {"://a.test", false, requests.ErrInvalidArgument},
		"user":               {"http://sesame:sesame@a.test", false, requests.ErrInvalidArgument},
	} {
		for way, send := range proxyWays {
			proxy := wiretest.Origin(t)
			s := newSession(t)
			s.Mount("http://", requests.NewHTTPAdapter(requests.ResolveTo(map[string]string{"a.test": wiretest.Origin(t).Addr()})))
			err := send(t.Context(), s, url, requests.Proxies{c.key: proxy.URL("")})
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("%s, %s: %v, want %v", name, way, err, c.want)
			}
			if err != nil && (strings.Contains(err.Error(), "sesame") || !strings.Contains(err.Error(), "can never match")) {
				t.Errorf("%s, %s: %v", name, way, err)
			}
			if got := len(proxy.Requests()) > 0; got != c.through {
				t.Errorf("%s, %s: through the proxy %v, want %v", name, way, got, c.through)
			}
		}
	}
}

// TestProxyKeySpellings: of two spellings of one key the plain one counts, of two others none can be chosen.
func TestProxyKeySpellings(t *testing.T) {
	s := newSession(t)
	for name, c := range map[string]struct {
		proxies requests.Proxies
		want    string
	}{
		"plain":      {requests.Proxies{"HTTP": "http://a", "http": "http://b", "http://": "http://c"}, "http://b"},
		"equal":      {requests.Proxies{"HTTP": "http://a", "http://": "http://a"}, "http://a"},
		"IPv6":       {requests.Proxies{"http://[::1]": "http://a"}, ""},
		"two others": {requests.Proxies{"HTTP": "http://a", "http://": "http://b"}, "error"},
		"none":       {requests.Proxies{"HTTP": ""}, ""},
		"no_proxy":   {requests.Proxies{"NO_PROXY": "x"}, ""},
	} {
		d, err := s.ExplainProxy("http://h.test/", c.proxies)
		got := d.Proxy
		if err != nil {
			if got = "error"; !errors.Is(err, requests.ErrInvalidArgument) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
	if d, err := s.ExplainProxy("http://[::1]:8080/", requests.Proxies{"http://[::1]": "http://a"}); err != nil || d.Proxy != "http://a" {
		t.Errorf("an address in brackets: %v, %v", d, err)
	}
}

// TestNoProxyPolicy: lists are read as net/http does, and as Requests does if Policy says so.
func TestNoProxyPolicy(t *testing.T) {
	for _, c := range []struct{ url, list, want, requests string }{
		{"http://x.a.test/", "*.a.test", "", "http://e"},
		{"http://a.test/", ".a.test", "http://e", ""},
		{"http://[::1]/", "[::1]", "", "http://e"},
		{"http://10.0.0.1/", "0.0.0.0/0", "", "http://e"},
		{"http://localhost:8080/", "", "", "http://e"},
		{"http://127.0.0.1/", "", "", "http://e"},
		{"http://a.test/", "b.test,*", "", "http://e"},
		{"http://a.test/", "a.test:80", "", "http://e"},
	} {
		for name, setting := range map[string]func(t *testing.T, s *requests.Session) []requests.Option{
			"variable": func(t *testing.T, _ *requests.Session) []requests.Option { t.Setenv("no_proxy", c.list); return nil },
			"mixed":    func(t *testing.T, _ *requests.Session) []requests.Option { t.Setenv("No_Proxy", c.list); return nil },
			"session": func(_ *testing.T, s *requests.Session) []requests.Option {
				s.Proxies = requests.Proxies{"no_proxy": c.list}
				return nil
			},
			"call": func(*testing.T, *requests.Session) []requests.Option {
				return []requests.Option{requests.Proxies{"No_Proxy": c.list}}
			},
		} {
			t.Run(name+" "+c.list+" "+c.url, func(t *testing.T) {
				t.Setenv("http_proxy", "http://e")
				for _, asRequests := range []bool{false, true} {
					s := newSession(t)
					s.TrustEnv, s.Policy.NoProxyAsRequests = true, asRequests
					want := c.want
					if asRequests {
						want = c.requests
					}
					d, err := s.ExplainProxy(c.url, setting(t, s)...)
					if d.Proxy != want || err != nil {
						t.Errorf("as Requests %v: %v, %v; want %q", asRequests, d, err, want)
					}
				}
			})
		}
	}
}

// TestProxyErrorsSayWho: an error about a proxy names who has chosen it.
func TestProxyErrorsSayWho(t *testing.T) {
	refuses := wiretest.Origin(t, wiretest.Text(502, "no"))
	const closed = "http://127.0.0.1:1"
	for name, c := range map[string]struct {
		session, call requests.Proxies
		function      requests.ProxyFunc
		env           map[string]string
		url, want     string
	}{
		"environment":         {env: map[string]string{"http_proxy": closed}, url: "http://a.test/", want: "(the environment: http_proxy)"},
		"all of environment":  {env: map[string]string{"ALL_PROXY": closed}, url: "https://a.test/", want: "(the environment: ALL_PROXY)"},
		"session":             {session: requests.Proxies{"https": closed}, url: "https://a.test/", want: "(the session: https)"},
		"session, SOCKS":      {session: requests.Proxies{"all": "socks5h://127.0.0.1:1"}, url: "https://a.test/", want: "(the session: all)"},
		"call":                {call: requests.Proxies{"http://a.test": closed}, url: "http://a.test/", want: "(the request: http://a.test)"},
		"function":            {function: func(string) (string, error) { return closed, nil }, url: "http://a.test/", want: "(ProxyFunc)"},
		"refused tunnel":      {env: map[string]string{"https_proxy": refuses.URL("")}, url: "https://a.test/", want: "(the environment: https_proxy)"},
		"a URL that is wrong": {env: map[string]string{"HTTPS_PROXY": "ftp://a:sesame@b"}, url: "https://a.test/", want: "(the environment: HTTPS_PROXY)"},
	} {
		for _, policy := range []requests.Policy{{}, requests.PolicyRequests()} {
			t.Run(name, func(t *testing.T) {
				for variable, value := range c.env {
					t.Setenv(variable, value)
				}
				s := newSession(t)
				s.TrustEnv, s.Policy, s.Proxies, s.ProxyFunc = true, policy, c.session, c.function
				_, err := s.Get(t.Context(), c.url, c.call)
				if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "sesame") {
					t.Errorf("%v, want %s in it", err, c.want)
				}
			})
		}
	}
}

// TestNoProxyKey: "no_proxy" holds for the proxies it stands beside, and not for one that is
// named for the very host.
func TestNoProxyKey(t *testing.T) {
	both := requests.Proxies{"http": "http://p", "http://named.test": "http://n", "no_proxy": "a.test,named.test"}
	for name, c := range map[string]struct {
		session, call requests.Proxies
		url, want     string
		requests      string // with Policy.NoProxyAsRequests
	}{
		"covered, session":       {both, nil, "http://x.a.test/", "", "http://p"},
		"covered, call":          {nil, both, "http://a.test/", "", "http://p"},
		"not covered":            {nil, both, "http://b.test/", "http://p", "http://p"},
		"named, session":         {both, nil, "http://named.test/", "http://n", "http://n"},
		"named, call":            {nil, both, "http://named.test/", "http://n", "http://n"},
		"this machine is a host": {both, nil, "http://127.0.0.1/", "http://p", "http://p"},
		"all":                    {nil, requests.Proxies{"all": "http://p", "NO_PROXY": "*"}, "http://a.test/", "", "http://p"},
		"list of the call":       {both, requests.Proxies{"no_proxy": "b.test"}, "http://b.test/", "", "http://p"},
		"instead of the session": {both, requests.Proxies{"no_proxy": "b.test"}, "http://a.test/", "http://p", "http://p"},
		"proxy of the call":      {both, requests.Proxies{"http": "http://c"}, "http://a.test/", "http://c", "http://c"},
	} {
		for policy, want := range map[requests.Policy]string{{}: c.want, {NoProxyAsRequests: true}: c.requests} {
			s := newSession(t)
			s.Proxies, s.Policy = c.session, policy
			d, err := s.ExplainProxy(c.url, c.call)
			opts, err2 := s.MergeEnvironment(c.url, requests.SendOptions{Proxies: c.call})
			plan, err3 := requests.NewHTTPAdapter().Plan(noError((&requests.Request{URL: c.url}).Prepare()), opts)
			used := ""
			if plan.Proxy.Host != "" {
				used = plan.Proxy.Scheme + "://" + plan.Proxy.Host
			}
			if err = errors.Join(err, err2, err3); err != nil || d.Proxy != want || used != want {
				t.Errorf("%s, %v: %v, %q, %v; want %q", name, policy.NoProxyAsRequests, d, used, err, want)
			}
		}
	}
}
