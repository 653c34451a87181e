package requests

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/mountable/requests/internal/h1"
)

// PoolConnections is how many pool keys (see [ConnConfig]) keep idle connections: 10 by
// default. With 0 no connection is kept; less makes every Send of the adapter [ErrInvalidArgument].
func PoolConnections(n int) AdapterOption {
	return unlessNegative("PoolConnections", n, func(a *HTTPAdapter) { a.config.Keys = cmp.Or(n, -1) }) // the pool's 0 is its default
}

// PoolMaxSize is how many idle connections a pool key keeps: 10 by default. With
// PoolBlock it is also how many may be open. With 0 no connection is kept and PoolBlock
// is without effect; in urllib3, 0 happens to mean "any number". Less makes every Send
// of the adapter [ErrInvalidArgument].
func PoolMaxSize(n int) AdapterOption {
	return unlessNegative("PoolMaxSize", n, func(a *HTTPAdapter) { a.config.PerKey = cmp.Or(n, -1) })
}

// unlessNegative is option, but for an argument below zero, which is refused.
func unlessNegative[T int | time.Duration](name string, argument T, option AdapterOption) AdapterOption {
	if argument < 0 {
		return refuseOption("%s(%v): the argument cannot be negative", name, argument)
	}
	return option
}

// PoolBlock makes requests wait for a connection where PoolMaxSize are in use, instead
// of opening one more and discarding it afterwards. They are served in
// the order they came. Timeouts.Pool bounds the wait ([ErrPoolTimeout]), as do
// Timeouts.Total and the context. A response that is streamed keeps its
// connection until it has been read or closed.
func PoolBlock(block bool) AdapterOption {
	return func(a *HTTPAdapter) { a.config.Block = block }
}

// HeadLimits bounds what a server may send around a body: the bytes and the fields of one
// head (256 KiB and 1,000 by default), the 1xx responses before it (20), and the bytes of a
// trailer section (64 KiB). Less than 0 is [ErrInvalidArgument], 0 the default.
func HeadLimits(bytes, fields, interim, trailerBytes int) AdapterOption {
	if min(bytes, fields, interim, trailerBytes) < 0 {
		return refuseOption("HeadLimits(%d, %d, %d, %d): a bound cannot be negative", bytes, fields, interim, trailerBytes)
	}
	return func(a *HTTPAdapter) {
		a.limits = h1.Limits{HeadBytes: bytes, Fields: fields, Interim: interim, TrailerBytes: trailerBytes}
	}
}

// PoolMaxAge closes connections older than d when they would be used again. Zero, the default,
// means no limit; less makes every Send of the adapter [ErrInvalidArgument].
func PoolMaxAge(d time.Duration) AdapterOption {
	return unlessNegative("PoolMaxAge", d, func(a *HTTPAdapter) { a.config.MaxAge = d })
}

// PoolMaxIdle closes connections that have been idle for longer than d, when the next request to
// their pool key comes. Zero, the default, means no limit; less makes every Send of the adapter
// [ErrInvalidArgument].
func PoolMaxIdle(d time.Duration) AdapterOption {
	return unlessNegative("PoolMaxIdle", d, func(a *HTTPAdapter) { a.config.MaxIdle = d })
}

// PoolStats is a picture of an adapter's connections. The counts begin when the adapter is made.
type PoolStats struct {
	Idle    int // connections waiting to be used again
	InUse   int // carrying a request, or being opened for one
	Waiting int // requests waiting for a connection

	Requests  uint64 // tries that had a connection, or the right to open one
	Opened    uint64 // times one was opened, or was to be
	Reused    uint64 // times an idle one was used
	Dead      uint64 // of these, found closed by the server and replaced
	Expired   uint64 // closed because of PoolMaxAge or PoolMaxIdle
	Evicted   uint64 // pool keys evicted because of PoolConnections
	Discarded uint64 // closed when given back because of PoolMaxSize, or their pool key was evicted

	Keys []PoolKeyStats // the most recently used first
}

// PoolKeyStats is the part of one pool key. Its counts are forgotten with the key.
type PoolKeyStats struct {
	Key            string // for people, without credentials
	Idle           int
	InUse          int
	Waiting        int
	Opened, Reused uint64
}

// Stats returns a picture of the adapter's connections.
func (a *HTTPAdapter) Stats() PoolStats {
	p := a.pool.Stats()
	s := PoolStats{
		Idle: p.Idle, InUse: p.InUse, Waiting: p.Waiting,
		Requests: p.Opened + p.Reused - p.Dead, Opened: p.Opened, Reused: p.Reused,
		Dead: p.Dead, Expired: p.Expired, Evicted: p.Evicted, Discarded: p.Discarded,
	}
	for _, k := range a.pool.Keys() {
		s.Keys = append(s.Keys, PoolKeyStats{k.Key.shown(), k.Idle, k.InUse, k.Waiting, k.Opened, k.Reused})
	}
	return s
}

// shown is the state of the pools: each pool key with its connections.
func (a *HTTPAdapter) shown() string {
	var b strings.Builder
	b.WriteString("HTTPAdapter(" + a.pool.String())
	for _, p := range a.Stats().Keys {
		fmt.Fprintf(&b, ", %s: idle %d, in use %d", p.Key, p.Idle, p.InUse)
	}
	return b.String() + ")"
}

// CloseIdle closes the idle connections and nothing else.
func (a *HTTPAdapter) CloseIdle() { closeAll(a.pool.CloseIdle()) }
