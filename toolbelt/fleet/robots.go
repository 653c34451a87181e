package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/mountable/requests"
)

// ErrDisallowed is what [requests.ErrDenied] is for where robots.txt does not allow a URL: errors.Is
// finds it in what a [Fleet.Robots] adapter returns, and in [Result.Err]. Nothing was sent.
var ErrDisallowed = errors.New("robots.txt does not allow it")

// The bounds of RFC 9309.
const (
	robotsFor       = 24 * time.Hour // section 2.4: how long one may be used
	robotsRetry     = time.Minute    // for how long nothing is allowed on a server that did not give one
	robotsSize      = 500 << 10      // section 2.5: what is read at least; the rest is not
	robotsRedirects = 5              // section 2.3.1.2
	robotsFetch     = 30 * time.Second
	robotsKnown     = 10_000 // origins of which the rules are in memory
)

// Robots sends what robots.txt allows (RFC 9309) for the product that the request's User-Agent names,
// "crawler" in "crawler/1.0 (+http://h.example)", and refuses the rest with [ErrDisallowed], which is
// not tried again. The file is fetched through the wrapped adapter, without credentials, once for each
// origin and day by all members of the fleet together, which keep it in a bucket:
//
//	robots.txt                                   what it allows
//	2xx                                          what its first 500 KiB say
//	4xx, more than five redirects                everything
//	5xx, no response within 30 s, anything else  nothing, for a minute
//
// A Crawl-delay, up to an hour, is the interval of a [Fleet.RateLimit] of its own, which all members
// share. Put Robots inside a rate limit, so that a job that may not be repeated is claimed when
// its wait is over: limit(robots(adapter)).
func (f *Fleet) Robots(ctx context.Context) (requests.Wrapper, error) {
	bucket, err := f.bucket(ctx, "robots")
	if err != nil {
		return nil, failure(err, "the robots.txt of the fleet cannot be read")
	}
	return func(base requests.Adapter) requests.Adapter {
		if base == nil {
			base = requests.AdapterFunc(nil)
		}
		return &robots{Adapter: base, f: f, bucket: bucket, known: map[string]*robotsOrigin{}, delays: map[time.Duration]requests.Adapter{}}
	}, nil
}

type robots struct {
	requests.Adapter
	f      *Fleet
	bucket jetstream.KeyValue

	// mu protects the fields below.
	mu     sync.Mutex
	known  map[string]*robotsOrigin
	delays map[time.Duration]requests.Adapter
}

// robotsOrigin is what is known of one origin.
type robotsOrigin struct {
	turn chan struct{} // held by the one that asks for the rules

	// turn protects the fields below.
	rules *robotRules
	until time.Time
}

// CloseIdle passes on.
func (r *robots) CloseIdle() {
	if c, ok := r.Adapter.(interface{ CloseIdle() }); ok {
		c.CloseIdle()
	}
}

// Send implements [requests.Adapter].
func (r *robots) Send(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
	u, err := url.Parse(p.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Path == "/robots.txt" {
		return r.Adapter.Send(ctx, p, opts)
	}
	rules, err := r.rules(ctx, u, p, opts)
	if err != nil {
		return nil, requests.CarrierError(p, failure(err, "robots.txt was waited for"))
	}
	agent := product(p.Headers.Get("User-Agent"))
	if !rules.allows(agent, u) {
		return nil, &requests.Error{Kind: requests.ErrDenied, Request: p, Err: ErrDisallowed}
	}
	base, err := r.delayed(ctx, rules.delay(agent))
	if err != nil {
		return nil, requests.CarrierError(p, err)
	}
	return base.Send(ctx, p, opts)
}

// product is the product token of a User-Agent (RFC 9309 section 2.2.1).
func product(agent string) string {
	return agent[:len(agent)-len(strings.TrimLeft(agent, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"))]
}

// delayed is the adapter behind the rate limit of a Crawl-delay.
func (r *robots) delayed(ctx context.Context, delay time.Duration) (requests.Adapter, error) {
	if delay <= 0 {
		return r.Adapter, nil
	}
	r.mu.Lock()
	a := r.delays[delay]
	r.mu.Unlock()
	if a != nil {
		return a, nil
	}
	limit, err := r.f.RateLimit(ctx, 1/delay.Seconds())
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.delays[delay] == nil {
		r.delays[delay] = limit(r.Adapter)
	}
	return r.delays[delay], nil
}

// rules are those of the origin of u, which one request at a time asks for.
func (r *robots) rules(ctx context.Context, u *url.URL, p *requests.PreparedRequest, opts requests.SendOptions) (*robotRules, error) {
	key := u.Scheme + "." + hostToken(p.URL)
	o := r.origin(key)
	select {
	case o.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	defer func() { <-o.turn }()
	if o.rules != nil && time.Now().Before(o.until) {
		return o.rules, nil
	}
	file, err := r.file(ctx, key, func() (*robotsFile, error) { return r.fetch(ctx, u, p, opts) })
	if err != nil {
		return nil, err
	}
	o.rules, o.until = file.rules(), file.Until
	return o.rules, nil
}

func (r *robots) origin(key string) *robotsOrigin {
	r.mu.Lock()
	defer r.mu.Unlock()
	o := r.known[key]
	if o == nil {
		if len(r.known) >= robotsKnown {
			clear(r.known)
		}
		o = &robotsOrigin{turn: make(chan struct{}, 1)}
		r.known[key] = o
	}
	return o
}

// robotsFile is a robots.txt in the bucket: a line of JSON, and then the file.
type robotsFile struct {
	Until   time.Time `json:"until"`
	Asking  bool      `json:"asking,omitempty"` // a member is fetching it, until then
	Nothing bool      `json:"nothing,omitempty"`
	text    []byte
}

func (file *robotsFile) rules() *robotRules {
	if file.Nothing {
		return &robotRules{nothing: true}
	}
	return parseRobots(string(file.text))
}

// file is that of the bucket, which the first member to miss it fetches. Others wait for that one.
func (r *robots) file(ctx context.Context, key string, fetch func() (*robotsFile, error)) (*robotsFile, error) {
	for {
		entry, err := r.bucket.Get(ctx, key)
		if err != nil && !errors.Is(err, jetstream.ErrKeyNotFound) {
			return nil, err
		}
		file, revision := r.read(key, entry)
		switch {
		case file != nil && !file.Asking:
			return file, nil
		case file == nil:
			revision, err = r.write(ctx, key, &robotsFile{Asking: true, Until: time.Now().Add(robotsFetch + 5*time.Second)}, revision)
			if err == nil {
				return r.fetched(ctx, key, revision, fetch)
			}
			if !isTaken(err) && !errors.Is(err, jetstream.ErrKeyExists) {
				return nil, err
			}
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// fetched fetches the file and gives it to the others; where that fails, they fetch it themselves.
func (r *robots) fetched(ctx context.Context, key string, revision uint64, fetch func() (*robotsFile, error)) (*robotsFile, error) {
	file, err := fetch()
	store, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	if err != nil {
		r.bucket.Delete(store, key, jetstream.LastRevision(revision))
		return nil, err
	}
	r.write(store, key, file, revision)
	return file, nil
}

// read is the file of an entry, nil where there is none that counts.
func (r *robots) read(key string, entry jetstream.KeyValueEntry) (*robotsFile, uint64) {
	if entry == nil {
		return nil, 0
	}
	plain, err := r.f.unseal("robots "+key, entry.Value())
	if err != nil {
		return nil, entry.Revision()
	}
	head, text, _ := strings.Cut(string(plain), "\n")
	file := &robotsFile{text: []byte(text)}
	now := time.Now()
	if json.Unmarshal([]byte(head), file) != nil || !now.Before(file.Until) || file.Until.Sub(now) > robotsFor {
		return nil, entry.Revision()
	}
	return file, entry.Revision()
}

func (r *robots) write(ctx context.Context, key string, file *robotsFile, revision uint64) (uint64, error) {
	head, err := json.Marshal(file)
	if err != nil {
		return 0, err
	}
	data := r.f.seal("robots "+key, join2(head, file.text))
	if revision == 0 {
		return r.bucket.Create(ctx, key, data)
	}
	return r.bucket.Update(ctx, key, data, revision)
}

// fetch asks the origin for its file. The error is that of ctx alone.
func (r *robots) fetch(ctx context.Context, u *url.URL, p *requests.PreparedRequest, opts requests.SendOptions) (*robotsFile, error) {
	wait, cancel := context.WithTimeout(ctx, robotsFetch)
	defer cancel()
	opts.Interim = nil
	at := &url.URL{Scheme: u.Scheme, Host: u.Host, Path: "/robots.txt"}
	for range robotsRedirects + 1 {
		file, next, err := r.ask(wait, at, p.Headers.Get("User-Agent"), opts)
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case err != nil:
			return &robotsFile{Nothing: true, Until: time.Now().Add(robotsRetry)}, nil
		case next == nil:
			return file, nil
		}
		at = next
	}
	return &robotsFile{Until: time.Now().Add(robotsFor)}, nil
}

// ask asks once, and returns a file or where else it is.
func (r *robots) ask(ctx context.Context, at *url.URL, agent string, opts requests.SendOptions) (*robotsFile, *url.URL, error) {
	request := &requests.Request{URL: at.String()}
	if agent != "" {
		request.Headers = requests.Headers{{"User-Agent", agent}}
	}
	p, err := request.Prepare()
	if err != nil {
		return nil, nil, err
	}
	response, err := r.Adapter.Send(ctx, p, opts)
	if err != nil {
		return nil, nil, err
	}
	defer response.Close()
	switch status := response.StatusCode; {
	case status >= 200 && status < 300:
		text, err := io.ReadAll(io.LimitReader(response, robotsSize))
		return &robotsFile{Until: time.Now().Add(robotsFor), text: text}, nil, err
	case status >= 300 && status < 400 && response.Headers.Get("Location") != "":
		next, err := at.Parse(response.Headers.Get("Location"))
		if err == nil && next.Scheme != "http" && next.Scheme != "https" {
			err = fmt.Errorf("a redirect to the scheme %q", next.Scheme)
		}
		return nil, next, err
	case status >= 400 && status < 500:
		return &robotsFile{Until: time.Now().Add(robotsFor)}, nil, nil
	}
	return nil, nil, fmt.Errorf("status %d", response.StatusCode)
}
