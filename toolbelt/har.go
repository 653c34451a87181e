package toolbelt

import (
	"context"
	"encoding/json"
	"io"
	"sync"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wire"
)

// HAR records what goes over adapters as an HTTP Archive (HAR 1.2), which browsers and
// other tools show, with the timings of each exchange:
//
//	var har toolbelt.HAR
//	s.Mount("https://", har.Wrap(requests.NewHTTPAdapter()))
//	…
//	err := har.Save("session.har")
//
// Every hop is an entry: redirects, answered challenges, and failures, with the status 0
// and the error. Bodies are kept as they are read, in memory and decoded when they are
// written; one that is not read to its end is marked so, as is one of which no more is kept:
// beyond 256 MiB, or Limits.MaxBody of the call. Of a request's body that is a stream only the
// length is known. [requests.HTTPAdapter] repeats within one entry, that of the
// last try.
//
// Secrets are masked: Authorization and cookies, and whatever a header, parameter, form or
// JSON field called password, token, api_key and the like holds; [requests.AddSecretNames]
// adds names. [adapters.Cassette] replays the file.
//
// The zero value is ready, and safe for concurrent use once its field is set.
//
// [adapters.Cassette]: https://pkg.go.dev/github.com/mountable/requests/adapters#Cassette
type HAR struct {
	KeepSecrets bool // everything is recorded as it is: the file then holds passwords

	// mu protects the fields below, and the entries.
	mu      sync.Mutex
	entries []*harEntry
}

// harEntry is a hop as it is remembered.
type harEntry struct {
	started  time.Time
	request  *requests.PreparedRequest
	response *requests.Response // a copy with its own fields; nil where there is none
	timing   requests.Timing    // until the head had come, and from there to the end of the body
	failure  error
	body     []byte // undecoded
	complete bool
	took     time.Duration
}

// Wrap is a [requests.Wrapper]: what is sent over the adapter that it returns is recorded.
func (h *HAR) Wrap(base requests.Adapter) requests.Adapter { return &recorded{base, h} }

// Save writes the archive to the named file, readable by its owner only. An older file, or
// a link, is replaced once the new one is complete. An error is [requests.ErrFile].
func (h *HAR) Save(path string) error {
	text, err := h.encode()
	if err != nil {
		return err
	}
	return replaceFile(path, text)
}

func (h *HAR) encode() ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	w := newHARWriter(h.KeepSecrets)
	all := make([]harItem, len(h.entries))
	for i, e := range h.entries {
		all[i] = w.item(e)
	}
	file := map[string]any{"log": harLog{Version: "1.2", Creator: harCreator(), Entries: all}}
	return json.MarshalIndent(file, "", "  ")
}

// recorded is an adapter with a HAR in it.
type recorded struct {
	requests.Adapter
	har *HAR
}

// CloseIdle passes on.
func (a *recorded) CloseIdle() {
	if c, ok := a.Adapter.(interface{ CloseIdle() }); ok {
		c.CloseIdle()
	}
}

// Send implements [requests.Adapter].
func (a *recorded) Send(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
	if p == nil {
		return a.Adapter.Send(ctx, p, opts)
	}
	e := &harEntry{started: time.Now(), request: p.Clone()}
	a.har.add(e)
	r, err := a.Adapter.Send(ctx, p, opts)
	a.har.sent(e, r, err, opts.Limits.MaxBody)
	return r, err
}

func (h *HAR) add(e *harEntry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.entries = append(h.entries, e)
}

// maxKept is how much is kept of a body by default: as much as Response.Content takes.
const maxKept = 256 << 20

// sent notes what has come, and follows the body, of which it keeps so much.
func (h *HAR) sent(e *harEntry, r *requests.Response, err error, limit int64) {
	if limit <= 0 {
		limit = maxKept
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	e.took = time.Since(e.started)
	if err != nil || r == nil {
		e.failure, e.timing.FirstByte = err, e.took
		return
	}
	kept := *r
	kept.Headers = r.Headers.Clone()
	e.response, e.timing = &kept, r.Timing()
	if e.timing.Total() == 0 {
		e.timing.FirstByte = e.took // another kind of adapter
	}
	if r.Raw == nil {
		e.complete = true
		return
	}
	came := int64(0)
	body := wire.Tap(r.Raw, func(b []byte, how error) error {
		h.mu.Lock()
		defer h.mu.Unlock()
		came += int64(len(b))
		e.body = append(e.body, b[:min(int64(len(b)), limit-int64(len(e.body)))]...)
		e.complete = came <= limit && (e.complete || how == io.EOF)
		if how != nil {
			e.timing.Body = time.Since(e.started) - e.took
		}
		return nil
	})
	e.complete = body.Remaining() == 0
	r.Raw = body
}
