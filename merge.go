package requests

import (
	"slices"
	"strings"
	"time"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/redirect"
	"github.com/mountable/requests/internal/uri"
)

// Settings are taken from the call, then from the session, then from the environment.
// A list of the call is laid over the session's (headers, params, cookies) or replaces it
// (hooks, proxies by key in proxy.go); of everything else the first one given counts.

// defaults is what a session adds to a request. The zero value adds nothing.
type defaults struct {
	base    string // relative URLs resolve against it
	headers Headers
	params  Params
	auth    Auth
	jar     *CookieJar
	hooks   []Hook
	hsts    *HSTS
	policy  *Policy
	netrc   *Session // whose netrc is consulted; nil for none
	beyond  bool     // the request is for another origin than that of base
}

// resolve returns the URL of a request for url, and keeps what is meant for the origin of
// the session's base from going to another one.
func (d *defaults) resolve(url string) string {
	if d.base == "" {
		return url
	}
	url = uri.Join(d.base, url)
	if leavesBase(d.base, url) && !d.policy.SettingsBeyondBase {
		d.beyond, d.auth, d.params = true, nil, nil
		d.headers = slices.DeleteFunc(d.headers.Clone(), func(f [2]string) bool {
			return !redirect.MayCross(f[0]) || strings.EqualFold(f[0], "Authorization")
		})
		d.jar = d.jar.bound(d.policy)
	}
	return url
}

// leavesBase reports whether what is meant for base must not go to url.
func leavesBase(base, url string) bool {
	from, errBase := uri.Prepare(base, nil)
	to, errURL := uri.Prepare(url, nil)
	if errBase != nil || errURL != nil {
		return true
	}
	leaves, err := uri.ShouldStripAuth(from, to)
	return leaves || err != nil
}

// MergeEnvironment fills in what opts leaves open from the session and, where
// TrustEnv is set, from the environment, for a request to url.
func (s *Session) MergeEnvironment(url string, opts SendOptions) (SendOptions, error) {
	to := newAddress(url)
	return s.mergeEnvironment(&to, opts)
}

func (s *Session) mergeEnvironment(to *address, opts SendOptions) (SendOptions, error) {
	if err := s.check(opts); err != nil {
		return opts, err
	}
	if err := s.mergeProxies(to, &opts); err != nil {
		return opts, err
	}
	opts.Verify, opts.environmentVerify = s.mergeVerify(opts.Verify)
	return s.mergeSession(opts), nil
}

// check refuses settings that make no sense, before anything is done with them.
func (s *Session) check(opts SendOptions) error {
	if s.MaxRedirects < 0 {
		return fail(ErrInvalidArgument, "Session.MaxRedirects is negative: %d", s.MaxRedirects)
	}
	for _, p := range [...]Proxies{opts.Proxies, s.Proxies} {
		if _, err := p.normal(); err != nil {
			return err
		}
	}
	return opts.Timeouts.or(s.Timeouts).check()
}

// mergeSession fills in what does not depend on the environment.
func (s *Session) mergeSession(opts SendOptions) SendOptions {
	opts.Stream = opts.Stream.or(toggle(s.Stream))
	opts.Redirects = opts.Redirects.or(On)
	opts.Timeouts = opts.Timeouts.or(s.timeouts())
	opts.Limits = opts.Limits.or(s.Limits)
	opts.Cert = opts.Cert.or(s.Cert)
	opts.policy, opts.merged, opts.trustEnv = &s.Policy, true, s.TrustEnv
	return opts
}

// mergeSend fills in the options of a prepared request that is sent by itself.
func (s *Session) mergeSend(p *PreparedRequest, opts SendOptions) (SendOptions, error) {
	if opts.merged {
		return opts, nil
	}
	given := opts.Proxies
	verify := opts.Verify
	opts, err := s.mergeEnvironment(p.at(), opts)
	if err != nil {
		return opts, err
	}
	if given == nil && s.Policy.EnvironmentProxiesFirst {
		opts.Proxies, err = s.resolveProxies(p.URL, s.Proxies)
	}
	if s.Policy.SendIgnoresEnvironmentCA {
		opts.Verify = verify.or(s.Verify)
	}
	return opts, err
}

// withDeadline starts the clock of Timeouts.Total, unless it is running.
func (s *Session) withDeadline(opts SendOptions) SendOptions {
	if opts.Deadline.IsZero() && limit(opts.Timeouts.Total) > 0 {
		opts.Deadline = time.Now().Add(opts.Timeouts.Total)
	}
	return opts
}

// mergeParams lays r's params over the session's: a name of both takes the
// session's place, with r's values.
func (r *Request) mergeParams(session Params) Params {
	if r.ReplaceParams || len(session) == 0 {
		return r.Params
	}
	merged := make(Params, 0, len(session)+len(r.Params))
	done := map[string]bool{}
	for _, kv := range session {
		switch {
		case done[kv[0]] || slices.Contains(r.WithoutParams, kv[0]):
		case r.Params.has(kv[0]):
			merged = append(merged, r.Params.only(kv[0])...)
			done[kv[0]] = true
		default:
			merged = append(merged, kv)
		}
	}
	for _, kv := range r.Params {
		if !done[kv[0]] {
			merged = append(merged, kv)
		}
	}
	return merged
}

func (p Params) has(name string) bool {
	return slices.ContainsFunc(p, func(kv [2]string) bool { return kv[0] == name })
}

func (p Params) only(name string) Params {
	return slices.DeleteFunc(slices.Clone(p), func(kv [2]string) bool { return kv[0] != name })
}

// overlay returns base with the fields of over: the first field of a name takes
// the place of base's, a repeated one follows at the end, as two fields of one
// name in a single literal are both meant.
func overlay(base, over Headers) Headers {
	if len(over) > fewFields {
		return overlayMany(base, over)
	}
	merged := make(Headers, len(base), len(base)+len(over)+4)
	copy(merged, base)
	for i, f := range over {
		if over[:i].Has(f[0]) {
			merged.Add(f[0], f[1])
			continue
		}
		merged.Set(f[0], f[1])
	}
	return merged
}

// fewFields is up to how many fields looking through all of them for each costs less than a map.
const fewFields = 32

// overlayMany is overlay in linear time.
func overlayMany(base, over Headers) Headers {
	first := make(map[string]int, len(over)) // in over, by name
	for i := len(over) - 1; i >= 0; i-- {
		first[ascii.Lower(over[i][0])] = i
	}
	merged := make(Headers, 0, len(base)+len(over)+4)
	placed := make([]bool, len(over))
	for _, f := range base {
		switch i, ok := first[ascii.Lower(f[0])]; {
		case !ok:
			merged = append(merged, f)
		case !placed[i]:
			merged, placed[i] = append(merged, over[i]), true
		}
	}
	for i, f := range over {
		if !placed[i] {
			merged = append(merged, f)
		}
	}
	return merged
}
