package http3

import (
	"cmp"
	"context"
	"crypto/tls"
	"sync"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/ascii"
)

// Upgrade sends https requests over HTTP/3 to the servers that say, by the field Alt-Svc of a response
// (RFC 7838), where they speak it, and all others over the adapter that it is around:
//
//	h3 := http3.New()
//	defer h3.Close()
//	s.Mount("https://", adapters.Chain(requests.NewHTTPAdapter(), http3.Upgrade(h3)))
//
// What a server says counts for its origin, as long as it says, and only where its certificate was
// verified for the origin's name; and for calls with the same Verify and Cert. The alternative has to
// prove with its certificate that it speaks for the origin. Where
// no connection to it can be had within a second, or half of Timeouts.Connect if that is less, the
// request goes over the other adapter at once, and so do all others for a while: a minute at first, twice as
// long each time, a day at most. So does a request for which there is a proxy, or whatever else has no meaning
// over UDP. A request that may have been acted on is not sent twice.
//
// The alternative is looked up, guarded and verified by h3: give it the options that the other
// adapter has. One on a host or port that they refuse in a URL, as adapters.AllowHosts and
// adapters.AllowPorts do, is not used. h3 is closed by its owner; several wrappers may share it.
func Upgrade(h3 *Adapter) requests.Wrapper {
	return func(base requests.Adapter) requests.Adapter {
		return &upgraded{Adapter: base, h3: h3, known: map[place]*alternative{}}
	}
}

const (
	// reach is how long a connection to an alternative may take: most handshakes are
	// done in a tenth of it, and nobody has to notice that UDP is blocked.
	reach = time.Second
	// mostOrigins bounds what is remembered.
	mostOrigins = 1000

	firstPause = time.Minute
	mostPause  = 24 * time.Hour
)

type upgraded struct {
	requests.Adapter
	h3 *Adapter

	// mu protects the fields below.
	mu    sync.Mutex
	known map[place]*alternative
}

// place is what an alternative counts for: an origin, and the way in which a call wants to be connected
// to it. A call that verifies otherwise, or shows another certificate, has its own.
type place = requests.ConnConfig

// alternative is where an origin speaks HTTP/3.
//
//	state    entered by                         left by
//	usable   learn                              its age, "clear", 421: forgotten; no connection: paused
//	paused   no connection                      the end of the pause: usable; its age, "clear": forgotten
type alternative struct {
	service
	until  time.Time     // when it is forgotten
	resume time.Time     // not to be tried before
	pause  time.Duration // that was last, 0 if the last try was good
}

// CloseIdle passes on.
func (u *upgraded) CloseIdle() {
	if c, ok := u.Adapter.(interface{ CloseIdle() }); ok {
		c.CloseIdle()
	}
}

// Send implements [requests.Adapter].
func (u *upgraded) Send(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
	if u.h3 == nil {
		return nil, &requests.Error{Kind: requests.ErrInvalidArgument, Request: p, Detail: "http3.Upgrade needs an adapter of http3.New"}
	}
	if ctx == nil || p == nil {
		return u.Adapter.Send(ctx, p, opts)
	}
	config, err := u.h3.config(p, opts)
	if err != nil { // there is a proxy, or the like: the other adapter knows what to say
		return u.Adapter.Send(ctx, p, opts)
	}
	if to, ok := u.find(config, time.Now()); ok && u.allowed(p, opts, config, to) {
		if r, err, sent := u.sendTo(ctx, p, opts, config, to); sent {
			return r, err
		}
	}
	r, err := u.Adapter.Send(ctx, p, opts)
	if err == nil && r != nil {
		u.learn(config, r, time.Now())
	}
	return r, err
}

// allowed reports whether the options of h3 let a request go to an alternative that is elsewhere, too: guards as
// adapters.AllowPorts and adapters.AllowHosts look at URLs, and the server has chosen this place.
func (u *upgraded) allowed(p *requests.PreparedRequest, opts requests.SendOptions, origin place, to service) bool {
	host := cmp.Or(to.host, origin.Host)
	if origin.Address != "" || host == origin.Host && to.port == origin.Port {
		return true
	}
	there := p.Clone()
	there.URL = "https://" + ascii.JoinHostPort(host, to.port) + "/"
	_, err := u.h3.config(there, opts)
	return err == nil
}

// sendTo sends p over HTTP/3. sent is false where it is still to be sent.
func (u *upgraded) sendTo(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions, origin place, to service) (r *requests.Response, err error, sent bool) {
	config := to.config(origin)
	if !u.reached(ctx, config, opts) {
		u.broke(origin, time.Now())
		return nil, nil, false
	}
	r, err = u.h3.send(ctx, p, opts, config)
	switch {
	case err != nil && mayFallBack(ctx, p, err):
		u.broke(origin, time.Now())
		return nil, nil, false
	case err != nil:
		return nil, err, true
	case r.StatusCode == 421: // not here (RFC 7838 section 6)
		u.forget(origin)
		if _, inMemory := p.Body(); inMemory { // of others, the upload may still be reading
			_ = r.Close()
			return nil, nil, false
		}
		return r, nil, true
	}
	u.good(origin)
	u.learn(origin, r, time.Now())
	return r, nil, true
}

// config is that of a connection to the alternative; an Address that an option gives stays.
func (s service) config(origin place) requests.ConnConfig {
	if origin.Address == "" {
		origin.Address = ascii.JoinHostPort(cmp.Or(s.host, origin.Host), s.port)
	}
	return origin
}

// mayFallBack reports whether p, which failed, can go over the other adapter, and rewinds it.
func mayFallBack(ctx context.Context, p *requests.PreparedRequest, err error) bool {
	e, ok := err.(*requests.Error)
	return ok && e.SafeToRetry() && ctx.Err() == nil && !e.Timeout() && p.Replayable() && p.Rewind() == nil
}

// reached reports whether there is a connection, or can be one soon.
func (u *upgraded) reached(ctx context.Context, config requests.ConnConfig, opts requests.SendOptions) bool {
	limit := reach
	if connect := opts.Timeouts.Connect; connect > 0 {
		limit = min(limit, connect/2)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return u.h3.conns.ready(ctx, config) == nil
}

// find returns where an origin may be spoken to.
func (u *upgraded) find(origin place, now time.Time) (service, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	a := u.known[origin]
	switch {
	case a == nil, now.Before(a.resume):
		return service{}, false
	case !now.Before(a.until):
		delete(u.known, origin)
		return service{}, false
	}
	return a.service, true
}

// learn remembers what a response says of its origin.
func (u *upgraded) learn(origin place, r *requests.Response, now time.Time) {
	if r.StatusCode == 421 || !proved(origin, r.TLS) {
		return
	}
	found, ok, clear := parseAltSvc(r.Headers.Values("Alt-Svc"))
	switch {
	case clear, ok && found.age <= 0:
		u.forget(origin)
	case ok:
		u.remember(origin, found, now)
	}
}

// proved reports whether a certificate that was verified, for the name that origin wants, stands behind a
// response. The adapter that brought it may have wanted less.
func proved(origin place, state *tls.ConnectionState) bool {
	if !origin.TLS.Verify.Enabled() || state == nil || len(state.VerifiedChains) == 0 || len(state.PeerCertificates) == 0 {
		return false
	}
	name := cmp.Or(origin.TLS.VerifyName, origin.TLS.ServerName, origin.Host)
	return origin.TLS.Fingerprint != "" || state.PeerCertificates[0].VerifyHostname(name) == nil
}

func (u *upgraded) remember(origin place, s service, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	a := u.known[origin]
	if a == nil || a.host != s.host || a.port != s.port {
		a = &alternative{}
		u.shrink(now)
	}
	a.service, a.until = s, now.Add(s.age)
	u.known[origin] = a
}

// shrink drops what is too old, and any other where that is not enough; mu is held.
func (u *upgraded) shrink(now time.Time) {
	if len(u.known) < mostOrigins {
		return
	}
	for origin, a := range u.known {
		if !now.Before(a.until) {
			delete(u.known, origin)
		}
	}
	for origin := range u.known {
		if len(u.known) < mostOrigins {
			return
		}
		delete(u.known, origin)
	}
}

func (u *upgraded) forget(origin place) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.known, origin)
}

// broke pauses an alternative.
func (u *upgraded) broke(origin place, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if a := u.known[origin]; a != nil && !now.Before(a.resume) {
		a.pause = min(max(2*a.pause, firstPause), mostPause)
		a.resume = now.Add(a.pause)
	}
}

// good ends the growth of the pauses.
func (u *upgraded) good(origin place) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if a := u.known[origin]; a != nil {
		a.pause = 0
	}
}
