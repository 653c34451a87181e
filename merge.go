package requests

import (
	"slices"
	"strings"
	"time"

	"github.com/mountable/requests/internal/pairs"
	"github.com/mountable/requests/internal/proxyenv"
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
	codecs  Codecs
	policy  *Policy
	netrc   *Session // whose netrc is consulted; nil for none
	call    *call    // that is preparing; nil for none
	beyond  bool     // the request is for another origin than that of base
}

// resolve returns the URL of a request for url, and keeps what is meant for the origin of
// the session's base from going to another one.
func (d *defaults) resolve(url string) string {
	if d.base == "" {
		return url
	}
	url = uri.Join(d.base, url)
	if uri.LeavesBase(d.base, url) && !d.policy.SettingsBeyondBase {
		d.beyond, d.auth, d.params = true, nil, nil
		d.headers = slices.DeleteFunc(d.headers.Clone(), func(f [2]string) bool {
			return !redirect.MayCross(f[0]) || strings.EqualFold(f[0], "Authorization")
		})
		d.jar = d.jar.bound(d.policy)
	}
	return url
}

// MergeEnvironment fills in what opts leaves open from the session and, where
// TrustEnv is set, from the environment, for a request to url.
func (s *Session) MergeEnvironment(url string, opts SendOptions) (SendOptions, error) {
	to := uri.AddressOf(url)
	err := s.mergeEnvironment(&to, &opts)
	return opts, err
}

func (s *Session) mergeEnvironment(to *uri.Address, opts *SendOptions) error {
	if err := s.check(opts); err != nil {
		return err
	}
	if err := s.mergeProxies(to, opts); err != nil {
		return err
	}
	opts.Verify, opts.environmentVerify = s.mergeVerify(opts.Verify)
	s.mergeSession(opts)
	return nil
}

// mergeFor is mergeEnvironment for p. The session's Cert is kept from where its credentials
// do not go; what opts themselves have is meant for p.
func (s *Session) mergeFor(p *PreparedRequest, opts *SendOptions) error {
	given := opts.Cert
	err := s.mergeEnvironment(p.at(), opts)
	if p.beyond || p.strayed && !s.Policy.CertAcrossOrigins {
		opts.Cert = given
	}
	return err
}

// check refuses settings that make no sense, before anything is done with them.
func (s *Session) check(opts *SendOptions) error {
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
func (s *Session) mergeSession(opts *SendOptions) {
	opts.Stream = opts.Stream.or(toggle(s.Stream))
	opts.Redirects = opts.Redirects.or(On)
	opts.Timeouts = opts.Timeouts.or(s.timeouts())
	opts.Limits = opts.Limits.or(s.Limits)
	opts.Cert = opts.Cert.or(s.Cert)
	if opts.Codecs == nil {
		opts.Codecs = s.Codecs
	}
	opts.policy, opts.merged, opts.trustEnv = &s.Policy, true, s.TrustEnv
}

// mergeSend fills in the options of a prepared request that is sent by itself.
func (s *Session) mergeSend(p *PreparedRequest, opts *SendOptions) error {
	if opts.merged {
		return nil
	}
	given, verify := opts.Proxies, opts.Verify
	if err := s.mergeFor(p, opts); err != nil {
		return err
	}
	if given == nil && s.Policy.EnvironmentProxiesFirst {
		opts.Proxies = Proxies(s.asRequests().Resolve(p.URL, proxyenv.Table(s.Proxies)))
	}
	if s.Policy.SendIgnoresEnvironmentCA {
		opts.Verify = verify.or(s.Verify)
	}
	return nil
}

// startClock starts the clock of Timeouts.Total, unless it is running.
func (opts *SendOptions) startClock() {
	if opts.Deadline.IsZero() && limit(opts.Timeouts.Total) > 0 {
		opts.Deadline = time.Now().Add(opts.Timeouts.Total)
	}
}

// mergeParams lays r's params over the session's: a name of both takes the place of the
// session's, with r's values.
func (r *Request) mergeParams(session Params) Params {
	if r.ReplaceParams || len(session) == 0 {
		return r.Params
	}
	return pairs.Overlay(session, r.Params, r.WithoutParams)
}
