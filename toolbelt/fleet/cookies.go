package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/uri"
)

// Cookies are the cookies that the members of a fleet share: one logs in, and all are logged in. They
// are safe for concurrent use. Make them with [Fleet.ShareCookies], and close them before the Fleet.
//
// They lie in a bucket of the server, one value for each site (the registrable domain, or the address),
// sealed. Each process has a copy of them, the jar of its session, which follows the bucket:
//
//	event                           what happens
//	a request is prepared           the jar is asked; the server is not
//	a response sets cookies         they are added to the value of the site, compare and set, and to
//	                                the jar, before the call returns
//	another member has set some     they are in the jar a moment later
//	the server is away              responses without cookies are as ever; one with cookies waits
//	                                half a minute, or to the end of its ctx, and is an error then
//	a value is too long             an eighth of the cookies is dropped until it fits, first those of the domain
//	                                that was seen first; a jar's own bounds hold as ever
//
// What was changed in the jar by hand stays there, until another change of the site: use Set and Delete.
// Of two members that are given the same cookie at the same moment, one may have its own until the next
// change; the bucket has one of them for both.
type Cookies struct {
	f       *Fleet
	bucket  jetstream.KeyValue
	jar     *requests.CookieJar
	policy  *requests.Policy
	watcher jetstream.KeyWatcher
	unwatch context.CancelFunc
	longest int // bytes of the value of a site
	ended   chan struct{}
	closed  atomic.Bool

	// mu protects the field below, and changes of the jar.
	mu   sync.Mutex
	seen map[string]uint64 // the revision of each site that the jar has
}

// ShareCookies makes the jar of s a copy of the fleet's cookies, and adds a hook to s that shares
// what responses set. It returns when the jar has the cookies that the fleet has; those that are in
// the jar already are shared where the fleet has none of that domain, path and name. The rules of the
// jar and the Policy of s are kept. A session cookie is kept until it is deleted.
//
// Cookies are secrets: a fleet without a key ([SealWith]) is [requests.ErrInvalidArgument]. A copy of
// the session made by Clone shares what it receives, and sees nothing of the others.
func (f *Fleet) ShareCookies(ctx context.Context, s *requests.Session) (*Cookies, error) {
	switch {
	case s == nil:
		return nil, invalid("ShareCookies needs a session")
	case f.aead == nil:
		return nil, invalid("ShareCookies: cookies are secrets, and the fleet has no key: see SealWith")
	}
	bucket, err := f.bucket(ctx, "cookies")
	if err != nil {
		return nil, failure(err, "the cookies of the fleet cannot be read")
	}
	if s.Cookies == nil {
		s.Cookies = requests.NewCookieJar()
	}
	c := &Cookies{f: f, bucket: bucket, jar: s.Cookies, policy: &s.Policy, longest: int(f.conn.MaxPayload() / 2), ended: make(chan struct{}), seen: map[string]uint64{}}
	own := s.Cookies.Clone()
	watch, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.unwatch = cancel
	if c.watcher, err = bucket.WatchAll(watch); err != nil {
		cancel()
		return nil, failure(err, "the cookies of the fleet cannot be read")
	}
	known := make(chan struct{})
	go c.follow(known)
	select {
	case <-known:
		err = c.shareOwn(ctx, own)
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		c.Close()
		return nil, failure(err, "the cookies of the fleet cannot be read")
	}
	s.OnResponse(c.received)
	return c, nil
}

// Close ends the sharing: the session keeps the jar, and what it receives is its own. It returns when
// the goroutine that follows the bucket has ended.
func (c *Cookies) Close() error {
	if c.closed.Swap(true) {
		<-c.ended
		return nil
	}
	err := c.watcher.Stop()
	c.unwatch()
	<-c.ended
	if errors.Is(err, nats.ErrConnectionClosed) || errors.Is(err, nats.ErrBadSubscription) {
		return nil // the fleet was closed first
	}
	return failure(err, "the cookies were not let go in order")
}

// Set puts a cookie into the jars of all members, by the rules of [requests.CookieJar.Set]. Its
// Domain must not be empty.
func (c *Cookies) Set(ctx context.Context, cookie requests.Cookie) error {
	if strings.Trim(cookie.Domain, ".") == "" {
		return invalid("Cookies.Set: the cookie %q has no domain, and would be sent to every host", cookie.Name)
	}
	return c.change(ctx, uri.Site(cookie.Domain), func(jar *requests.CookieJar) error { return jar.Set(cookie) })
}

// Delete removes the cookies with that domain, path and name from the jars of all members, where an
// empty path or name stands for any. The domain is written as [requests.Cookie] has it.
func (c *Cookies) Delete(ctx context.Context, name, domain, path string) error {
	if strings.Trim(domain, ".") == "" {
		return invalid("Cookies.Delete needs a domain")
	}
	return c.change(ctx, uri.Site(domain), func(jar *requests.CookieJar) error {
		for cookie := range jar.All() {
			if cookie.Domain == domain && (name == "" || name == cookie.Name) && (path == "" || path == cookie.Path) {
				jar.Delete(cookie.Name, cookie.Domain, cookie.Path)
			}
		}
		return nil
	})
}

// received is the hook: it shares what a response sets, and those that hooks before it have answered.
func (c *Cookies) received(ctx context.Context, r *requests.Response) (*requests.Response, error) {
	for _, earlier := range r.History {
		if err := c.share(ctx, earlier); err != nil {
			return r, err
		}
	}
	return r, c.share(ctx, r)
}

func (c *Cookies) share(ctx context.Context, r *requests.Response) error {
	if c.closed.Load() || len(r.Headers.Values("Set-Cookie")) == 0 {
		return nil
	}
	u, err := url.Parse(r.URL)
	if err != nil || u.Hostname() == "" {
		return nil // of which a jar keeps nothing either
	}
	err = c.change(ctx, uri.Site(u.Hostname()), func(jar *requests.CookieJar) error { return c.store(ctx, jar, r) })
	if err != nil {
		return requests.CarrierError(r.Request, err)
	}
	return nil
}

// store stores the cookies of a response in a jar, by way of a session, which knows all rules.
func (c *Cookies) store(ctx context.Context, jar *requests.CookieJar, r *requests.Response) error {
	s := requests.NewSession()
	defer s.Close()
	s.Cookies, s.Policy, s.TrustEnv = jar, *c.policy, false
	prefix, _, _ := strings.Cut(r.URL, "://")
	s.Mount(prefix+"://", requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		var fields requests.Headers
		for _, value := range r.Headers.Values("Set-Cookie") {
			fields = append(fields, [2]string{"Set-Cookie", value})
		}
		return requests.NewResponse(p, 200, fields, nil), nil
	}))
	_, err := s.Get(ctx, r.URL)
	return err
}

// shareOwn shares what the jar had.
func (c *Cookies) shareOwn(ctx context.Context, own *requests.CookieJar) error {
	sites := map[string][]requests.Cookie{}
	for cookie := range own.All() {
		if strings.Trim(cookie.Domain, ".") != "" {
			sites[uri.Site(cookie.Domain)] = append(sites[uri.Site(cookie.Domain)], cookie)
		}
	}
	for site, cookies := range sites {
		err := c.change(ctx, site, func(jar *requests.CookieJar) error {
			there := jar.Clone()
			for _, cookie := range cookies {
				if _, err := there.Find(cookie.Name, cookie.Domain, cookie.Path); errors.Is(err, requests.ErrNoCookie) {
					if err := jar.Set(cookie); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// change edits the cookies of a site, against all others who do, and then those of the jar.
func (c *Cookies) change(ctx context.Context, site string, edit func(jar *requests.CookieJar) error) error {
	if back, ok := siteOfKey(keyOf(site)); !ok || back != site {
		return invalid("%q is not a host that has cookies", site)
	}
	ctx, cancel := context.WithTimeout(ctx, apiTimeout)
	defer cancel()
	for ctx.Err() == nil {
		err := c.changeOnce(ctx, site, edit)
		switch {
		case isTaken(err), errors.Is(err, jetstream.ErrKeyExists):
		case err == nil || errors.Is(err, nats.ErrConnectionClosed) || !isPassing(failure(err, "")):
			return failure(err, "the cookies cannot be shared")
		default:
			pause(ctx, reconnectWait)
		}
	}
	return failure(context.Cause(ctx), "the cookies cannot be shared")
}

func (c *Cookies) changeOnce(ctx context.Context, site string, edit func(jar *requests.CookieJar) error) error {
	jar := c.jar.Clone() // its rules
	jar.Clear()
	entry, err := c.bucket.Get(ctx, keyOf(site))
	switch {
	case errors.Is(err, jetstream.ErrKeyNotFound):
	case err != nil:
		return err
	default:
		if err := c.read(site, entry.Value(), jar); err != nil {
			return err
		}
	}
	if err := edit(jar); err != nil {
		return err
	}
	jar.ClearExpired()
	data, err := c.write(site, jar)
	if err != nil {
		return err
	}
	revision := uint64(0)
	if entry == nil {
		revision, err = c.bucket.Create(ctx, keyOf(site), data)
	} else {
		revision, err = c.bucket.Update(ctx, keyOf(site), data, entry.Revision())
	}
	if err == nil {
		c.take(site, revision, jar)
	}
	return err
}

// siteValue is the value of a site.
type siteValue struct {
	Site    string              `json:"site"`
	Cookies *requests.CookieJar `json:"cookies"` // which writes its secrets, as its cookies by themselves do not
}

// write seals the cookies of a site, and drops those from the jar that there is no space for, the first of its order.
func (c *Cookies) write(site string, jar *requests.CookieJar) ([]byte, error) {
	for {
		data, err := json.Marshal(siteValue{Site: site, Cookies: jar})
		if err != nil {
			return nil, damaged("the cookies of %s cannot be written", site)
		}
		if len(data) <= c.longest || jar.Len() == 0 {
			return c.f.seal("cookies "+site, data), nil
		}
		drop := (jar.Len() + 7) / 8
		for cookie := range jar.All() {
			if drop--; drop < 0 {
				break
			}
			jar.Delete(cookie.Name, cookie.Domain, cookie.Path)
		}
	}
}

// read puts the cookies of a value into a jar.
func (c *Cookies) read(site string, data []byte, jar *requests.CookieJar) error {
	plain, err := c.f.unseal("cookies "+site, data)
	if err != nil {
		return err
	}
	var value siteValue
	if err := json.Unmarshal(plain, &value); err != nil {
		return damaged("the cookies of %s are not cookies", site)
	}
	jar.Update(value.Cookies)
	return nil
}

// follow keeps the jar up to date until the watcher is stopped. known is closed when all that is
// there was read.
func (c *Cookies) follow(known chan struct{}) {
	defer close(c.ended)
	for e := range c.watcher.Updates() {
		if e == nil {
			close(known)
			continue
		}
		site, ok := siteOfKey(e.Key())
		if !ok {
			continue
		}
		jar := c.jar.Clone()
		jar.Clear()
		if e.Operation() == jetstream.KeyValuePut && c.read(site, e.Value(), jar) != nil {
			continue // it says nothing that could be trusted
		}
		c.take(site, e.Revision(), jar)
	}
}

// take makes the cookies of a site in the jar those of a newer revision.
func (c *Cookies) take(site string, revision uint64, from *requests.CookieJar) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if revision <= c.seen[site] {
		return
	}
	c.seen[site] = revision
	for cookie := range c.jar.All() {
		if cookie.Domain == "" || uri.Site(cookie.Domain) != site {
			continue
		}
		if _, err := from.Find(cookie.Name, cookie.Domain, cookie.Path); errors.Is(err, requests.ErrNoCookie) {
			c.jar.Delete(cookie.Name, cookie.Domain, cookie.Path)
		}
	}
	c.jar.Update(from)
}

// keyOf is the key of a site, and siteOfKey the inverse: a key has no ":", as addresses do.
func keyOf(site string) string { return hostToken("//" + bracketed(site)) }

func siteOfKey(key string) (string, bool) {
	site := strings.Trim(hostOf(key), "[]")
	return site, keyOf(site) == key
}

// bracketed is a host as a URL has it.
func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}
