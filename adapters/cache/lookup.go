package cache

import (
	"context"
	"crypto/rand"
	"slices"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/fieldvalue"
	"github.com/mountable/requests/internal/uri"
)

// The store has, under the key of a URL, either the response to everybody's requests, or the
// index of several, each of which has a key of its own.

// lookup finds the response that may answer q, nil if there is none: one to who asks, or one that
// is for everybody.
func (c *cached) lookup(ctx context.Context, q *question) *entry {
	e, x := c.read(ctx, q.key)
	if q.index = x; x == nil {
		if q.trust != "" || q.who != "" && !c.forAll(e) {
			return nil
		}
		return e
	}
	if e, _ = c.read(ctx, q.variant(x, q.who)); e != nil || q.who == "" {
		return e
	}
	if e, _ = c.read(ctx, q.variant(x, "")); c.forAll(e) {
		return e
	}
	return nil
}

// forAll reports whether the server says that a response is not only for who asked for it.
func (c *cached) forAll(e *entry) bool {
	return e != nil && c.opens(parseDirectives(e.headers))
}

// opens reports whether a response to somebody may be used for others (section 3.5).
func (c *cached) opens(says directives) bool {
	return says.public || c.shared && (says.mustRevalidate || says.sMaxAge != absent)
}

// maxNames is how many fields may choose between the responses of one URL.
const maxNames = 16

// keep stores the response to q.
func (c *cached) keep(ctx context.Context, q *question, e *entry) {
	names, who := fieldvalue.Names(e.headers.Values("Vary")), q.who
	if who != "" && c.forAll(e) {
		who = ""
	}
	key, ttl := q.key, c.useful(e, time.Now())
	if len(names) > 0 || who != "" || q.trust != "" || q.index != nil {
		x := q.index.with(names)
		if x == nil {
			return
		}
		if !c.write(ctx, q.key, pack(q.key, nil, x), max(ttl, month)) {
			return
		}
		q.index, key = x, q.variant(x, who)
	}
	c.write(ctx, key, pack(key, e, nil), ttl)
}

// with returns an index with further names, nil if there would be too many.
func (x *index) with(names []string) *index {
	all := index{generation: rand.Text()}
	if x != nil {
		all.generation, all.names = x.generation, slices.Clone(x.names)
	}
	all.names = append(all.names, names...)
	slices.Sort(all.names)
	if all.names = slices.Compact(all.names); len(all.names) > maxNames {
		return nil
	}
	return &all
}

// patience is how long a store may take to keep or remove something.
const patience = 5 * time.Second

// read asks the store. What goes wrong is a miss.
func (c *cached) read(ctx context.Context, key string) (*entry, *index) {
	data, err := c.store.Get(ctx, key)
	if err == nil && data == nil {
		return nil, nil
	}
	var e *entry
	var x *index
	if err == nil {
		e, x, err = unpack(key, data)
	}
	if err != nil {
		c.complain(ctx, "read", err)
		return nil, nil
	}
	return e, x
}

// write keeps a record, though the request may be over, and reports whether it did.
func (c *cached) write(ctx context.Context, key string, data []byte, ttl time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	err := c.store.Set(ctx, key, data, ttl)
	if err != nil {
		c.complain(ctx, "write", err)
	}
	return err == nil
}

// forget removes what is stored of a URL, all variants.
func (c *cached) forget(ctx context.Context, key string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := c.store.Delete(ctx, key); err != nil {
		c.complain(ctx, "delete", err)
	}
}

func (c *cached) complain(ctx context.Context, operation string, err error) {
	if ctx.Err() == nil {
		c.log.WarnContext(ctx, "cache: the store failed", "operation", operation, "error", err)
	}
}

// invalidate removes what a request that changes something has made wrong (RFC 9111 section 4.4).
func (c *cached) invalidate(ctx context.Context, q *question, r *requests.Response) {
	c.forget(ctx, q.key)
	for _, field := range []string{"Location", "Content-Location"} {
		if url, ok := sameOrigin(q.p.URL, first(r.Headers, field)); ok {
			key, _ := c.keyOf(url, first(q.p.Headers, "Host"), uri.RequestTarget(url))
			c.forget(ctx, key)
		}
	}
}
