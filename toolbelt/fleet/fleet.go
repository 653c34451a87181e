package fleet

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.opentelemetry.io/otel/metric"
)

// Fleet is one member's view of what a fleet shares. It is safe for concurrent use; Close ends it,
// after Run and the loops over Results have ended.
type Fleet struct {
	config
	conn *connection
	js   jetstream.JetStream
	acks jetstream.JetStream // for results: a message that was lost is stored again soon

	jobs, results, claims, dead jetstream.Stream
	bodies                      jetstream.ObjectStore
	control                     jetstream.KeyValue
	inline                      int      // bytes of a body that go with its head
	metrics                     *metrics // nil without a MeterProvider
}

// config is what Open is told, and then what the fleet was made with.
type config struct {
	name       string
	key        []byte
	aead       cipher.AEAD // nil without a key
	partitions int
	lease      time.Duration
	duplicates time.Duration
	replicas   int
	maxJobs    int64
	maxResults int64
	maxBody    int64

	meters      metric.MeterProvider
	metricHosts []string
}

// Option configures [Open]. What a fleet was made with stays: a process that opens it later with
// other settings for Lease, MaxJobs and the like uses those that are there.
type Option func(c *config)

// Name tells fleets on one server apart: letters, digits, "-" and "_". It is "fleet" by default.
func Name(name string) Option { return func(c *config) { c.name = name } }

// SealWith seals jobs, results and bodies with AES-GCM under a key of 16, 24 or 32 bytes, which all
// members must have. Without a key, jobs with secrets in their headers or user info in their URL
// are refused. Hosts, IDs, sizes and times stay readable for the server.
func SealWith(key []byte) Option { return func(c *config) { c.key = key } }

// Lease is how long a job that was taken waits for a sign of its worker before another one gets it:
// 30 seconds by default. Workers give the sign by themselves, every third of it, however long a
// request lasts.
func Lease(d time.Duration) Option { return func(c *config) { c.lease = d } }

// Duplicates is for how long after it was enqueued a job keeps another of its ID from the queue: 10
// minutes by default. Later the other is taken: what may be repeated is sent again, anything else is
// not, and the result that was first stays. A crawl needs a window as long as it lasts.
func Duplicates(d time.Duration) Option { return func(c *config) { c.duplicates = d } }

// Replicas is how many servers of a cluster keep each stream: 1 by default, 3 to survive one.
func Replicas(n int) Option { return func(c *config) { c.replicas = n } }

// MaxJobs bounds the queue, MaxResults the results that are kept. What is beyond is
// [requests.ErrLimit], of Enqueue and of Run. 0, the default, is no bound.
func MaxJobs(n int64) Option { return func(c *config) { c.maxJobs = n } }

// MaxResults bounds the results that are kept; see [MaxJobs].
func MaxResults(n int64) Option { return func(c *config) { c.maxResults = n } }

// MaxBody bounds the body of a job, and of a response, and what is read of one that is stored:
// 64 MiB by default. A longer one is [requests.ErrBodyTooLarge]. Both are in memory while they are
// sent. Whoever reads results needs as much as the workers have.
func MaxBody(n int64) Option { return func(c *config) { c.maxBody = n } }

// format is the version of what is on the streams; other versions are not read.
const format = "1"

// inlineBody is how long a body may be to travel with its head: the default limit of a server is
// 1 MiB for both, and longer messages slow its replication down.
const inlineBody = 1 << 20

const headRoom = 64 << 10 // of a message, for the head

const apiTimeout = 30 * time.Second // of one question to the server, whose machine may be busy

const storeTimeout = 5 * time.Second // of storing what can be stored again: a restarted server may have dropped it

// Open joins a fleet, which is made if it is not there.
func Open(ctx context.Context, where Server, options ...Option) (*Fleet, error) {
	f := &Fleet{config: config{name: "fleet", partitions: 16, lease: 30 * time.Second, duplicates: 10 * time.Minute, replicas: 1, maxBody: 64 << 20}}
	for _, o := range options {
		if o != nil {
			o(&f.config)
		}
	}
	if err := f.check(where); err != nil {
		return nil, err
	}
	conn, err := where.dial(ctx)
	if err != nil {
		return nil, err
	}
	f.conn = conn
	f.inline = min(inlineBody, max(0, int(conn.MaxPayload())-headRoom))
	if err = f.open(ctx); err == nil {
		err = f.measure()
	}
	if err != nil {
		f.Close()
		return nil, failure(err, "the fleet "+f.name+" cannot be opened")
	}
	return f, nil
}

func (c *config) check(where Server) error {
	switch {
	case where.dial == nil:
		return invalid("Open: a fleet needs a server: Embedded or Connect")
	case !isToken(c.name):
		return invalid("Name(%q): expected letters, digits, - and _", c.name)
	case c.lease < 100*time.Millisecond:
		return invalid("Lease(%v): expected 100ms or more", c.lease)
	case c.duplicates < 100*time.Millisecond:
		return invalid("Duplicates(%v): expected 100ms or more", c.duplicates)
	case c.replicas < 1 || c.maxJobs < 0 || c.maxResults < 0 || c.maxBody < 0:
		return invalid("Replicas, MaxJobs, MaxResults, MaxBody: less than nothing")
	}
	if err := checkHosts(c.metricHosts); err != nil || c.key == nil {
		return err
	}
	block, err := aes.NewCipher(c.key)
	if err != nil {
		return invalid("SealWith: a key of %d bytes: expected 16, 24 or 32", len(c.key))
	}
	c.aead, err = cipher.NewGCM(block)
	return err
}

// open makes what is not there, the stream of jobs first: it says what the fleet was made with.
func (f *Fleet) open(ctx context.Context) (err error) {
	if f.js, err = jetstream.New(f.conn.Conn, jetstream.WithDefaultTimeout(apiTimeout), jetstream.WithPublishAsyncMaxPending(maxPending), jetstream.WithPublishAsyncTimeout(apiTimeout)); err != nil {
		return err
	}
	if f.acks, err = jetstream.New(f.conn.Conn, jetstream.WithPublishAsyncMaxPending(maxPending), jetstream.WithPublishAsyncTimeout(storeTimeout)); err != nil {
		return err
	}
	limit := func(n int64) int64 {
		if n == 0 {
			return -1
		}
		return n
	}
	if f.jobs, err = f.stream(ctx, "jobs", jetstream.StreamConfig{Retention: jetstream.WorkQueuePolicy, MaxMsgs: limit(f.maxJobs), Duplicates: f.duplicates}); err != nil {
		return err
	}
	if err = f.agree(f.jobs.CachedInfo().Config.Metadata); err != nil {
		return err
	}
	if f.results, err = f.stream(ctx, "results", jetstream.StreamConfig{MaxMsgs: limit(f.maxResults)}); err != nil {
		return err
	}
	if f.claims, err = f.stream(ctx, "claims", jetstream.StreamConfig{}); err != nil {
		return err
	}
	if f.dead, err = f.stream(ctx, "dead", jetstream.StreamConfig{}); err != nil {
		return err
	}
	if f.control, err = f.bucket(ctx, "control"); err != nil {
		return err
	}
	f.bodies, err = f.js.ObjectStore(ctx, f.name+"-bodies")
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		f.bodies, err = f.js.CreateOrUpdateObjectStore(ctx, jetstream.ObjectStoreConfig{Bucket: f.name + "-bodies", Replicas: f.replicas})
	}
	return err
}

const maxPending = 4096 // messages on their way to the server at a time

// stream finds a stream, or makes it.
func (f *Fleet) stream(ctx context.Context, what string, c jetstream.StreamConfig) (jetstream.Stream, error) {
	c.Name, c.Subjects = f.name+"-"+what, []string{f.name + "." + what + ".>"}
	s, err := f.js.Stream(ctx, c.Name)
	if !errors.Is(err, jetstream.ErrStreamNotFound) {
		return s, err
	}
	c.Replicas, c.Discard, c.AllowDirect = f.replicas, jetstream.DiscardNew, f.replicas == 1 // others may be a moment late
	c.Metadata = map[string]string{"fleet-format": format, "fleet-partitions": strconv.Itoa(f.partitions), "fleet-lease": f.lease.String(), "fleet-key": f.keyCheck()}
	s, err = f.js.CreateStream(ctx, c)
	if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) { // another process was first, with other settings
		return f.js.Stream(ctx, c.Name)
	}
	return s, err
}

func (f *Fleet) bucket(ctx context.Context, what string) (jetstream.KeyValue, error) {
	name := f.name + "-" + what
	kv, err := f.js.KeyValue(ctx, name)
	if !errors.Is(err, jetstream.ErrBucketNotFound) {
		return kv, err
	}
	return f.js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: name, Replicas: f.replicas})
}

// agree takes over what the fleet was made with.
func (f *Fleet) agree(made map[string]string) error {
	if made["fleet-format"] != format {
		return invalid("the fleet %s is of version %q, and this program reads version %s: finish its jobs with a program of its version, or take another Name", f.name, made["fleet-format"], format)
	}
	if made["fleet-key"] != f.keyCheck() {
		return invalid("the fleet %s was made with another key, or without one: SealWith must have the same for all", f.name)
	}
	n, err := strconv.Atoi(made["fleet-partitions"])
	if err != nil || n < 1 {
		return invalid("the fleet %s has %q partitions", f.name, made["fleet-partitions"])
	}
	d, err := time.ParseDuration(made["fleet-lease"])
	if err != nil || d <= 0 {
		return invalid("the fleet %s has a lease of %q", f.name, made["fleet-lease"])
	}
	f.partitions, f.lease = n, d
	return nil
}

// URL is where other processes of the machine [Connect] to an embedded server, its token included.
func (f *Fleet) URL() string { return f.conn.url }

// Close closes the connection, and ends the server if it is embedded. Nothing that was stored is
// lost.
func (f *Fleet) Close() error {
	f.metrics.end()
	for _, js := range []jetstream.JetStream{f.js, f.acks} {
		if js != nil {
			js.CleanupPublisher()
		}
	}
	closed := make(chan struct{})
	f.conn.SetClosedHandler(func(*nats.Conn) { close(closed) })
	if f.conn.IsClosed() {
		return nil
	}
	if f.conn.IsConnected() {
		f.conn.FlushTimeout(apiTimeout) // acknowledgments that are on their way
	}
	f.conn.Close()
	<-closed
	if f.conn.end == nil {
		return nil
	}
	if err := f.conn.end(); err != nil {
		return fileError(err)
	}
	return nil
}

// Format writes the name of the fleet, and nothing of its key.
func (f Fleet) Format(s fmt.State, verb rune) { fmt.Fprintf(s, "fleet %s", f.name) }

// publish stores a message that must be the first of its subject. It reports false where there is
// another one already, and true where it is this one, from a try that seemed to have failed.
func (f *Fleet) publish(ctx context.Context, stream jetstream.Stream, m *nats.Msg) (bool, error) {
	if m.Header == nil {
		m.Header = nats.Header{}
	}
	m.Header.Set(jetstream.ExpectedLastSubjSeqHeader, "0")
	for {
		err := f.publishOnce(ctx, m)
		switch {
		case err == nil:
			return true, nil
		case isTaken(err):
			return f.isStored(ctx, stream, m)
		case ctx.Err() != nil || !isPassing(failure(err, "")):
			return false, failure(err, "the server did not store "+m.Subject)
		}
		if err := pause(ctx, reconnectWait); err != nil {
			return false, failure(err, "the server did not store "+m.Subject)
		}
	}
}

func (f *Fleet) publishOnce(ctx context.Context, m *nats.Msg) error {
	sent, err := f.acks.PublishMsgAsync(&nats.Msg{Subject: m.Subject, Header: m.Header, Data: m.Data})
	if err != nil {
		return err
	}
	select {
	case <-sent.Ok():
		return nil
	case err := <-sent.Err():
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// isStored reports whether the message of this subject is m. A server that is restarted meanwhile is asked again.
func (f *Fleet) isStored(ctx context.Context, stream jetstream.Stream, m *nats.Msg) (bool, error) {
	for {
		stored, err := f.lastOf(ctx, stream, m.Subject)
		if err == nil {
			return string(stored.Data) == string(m.Data), nil
		}
		if err = failure(err, "the server did not say whether it has stored "+m.Subject); ctx.Err() != nil || !isPassing(err) || pause(ctx, reconnectWait) != nil {
			return false, err
		}
	}
}

func (f *Fleet) lastOf(ctx context.Context, stream jetstream.Stream, subject string) (*jetstream.RawStreamMsg, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return stream.GetLastMsgForSubject(ctx, subject)
}
