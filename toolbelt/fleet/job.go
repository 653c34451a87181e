package fleet

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/url"
	"reflect"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/secret"
	"github.com/mountable/requests/internal/uri"
)

// job is a request as it lies on the queue: a line of JSON, and then the body.
type job struct {
	Version string      `json:"v"`
	Method  string      `json:"method"`
	URL     string      `json:"url"`
	Headers [][2]string `json:"headers,omitempty"`
	Tags    []string    `json:"tags,omitempty"`
	Once    bool        `json:"once,omitempty"`   // it may not be repeated
	Object  bool        `json:"object,omitempty"` // the body is in the object store, under the ID
	Stored  string      `json:"stored,omitempty"` // or under this name, which is this message's alone

	id, host string
	body     []byte
}

// JobOption says something about the jobs of one [Fleet.Enqueue].
type JobOption func(e *enqueuing)

type enqueuing struct {
	tags   []string
	id     func(r *requests.Request) string
	repeat func(r *requests.Request) bool
}

// Tags marks the jobs, for [Fleet.Cancel]: letters, digits, "-" and "_".
func Tags(tags ...string) JobOption { return func(e *enqueuing) { e.tags = append(e.tags, tags...) } }

// JobID gives each job its ID: letters, digits, "-" and "_", up to 128 of them. An ID counts for one
// host and port: the same one on another host is another job. By default it is a
// digest of method, URL and body, so that what is the same request is one job. With "", too, a job
// has that.
func JobID(id func(r *requests.Request) string) JobOption {
	return func(e *enqueuing) { e.id = id }
}

// Repeatable says which jobs may be sent again after a crash, when nobody knows whether they have
// arrived. By default those are of the methods that RFC 9110 section 9.2.2 calls idempotent.
func Repeatable(may func(r *requests.Request) bool) JobOption {
	return func(e *enqueuing) { e.repeat = may }
}

// Enqueue puts jobs on the queue and returns how many are new there. They are prepared without a
// session: what the session of a worker has is added when they are sent. Each is stored when
// Enqueue returns. On an error those before it are stored, and the whole sequence can be given
// again: what is there already is not stored twice.
//
// A job with a secret header, or user info in its URL, is [requests.ErrInvalidArgument] unless the
// fleet has a key ([SealWith]); URL and body are otherwise put there as they are. So is one with
// what a job cannot take along: Trailers, Hooks, [requests.AsIs], Send but for its Codecs, and
// WithoutHeaders, WithoutParams and ReplaceParams, which are about a session.
func (f *Fleet) Enqueue(ctx context.Context, jobs iter.Seq[*requests.Request], options ...JobOption) (int, error) {
	e := &enqueuing{}
	for _, o := range options {
		if o != nil {
			o(e)
		}
	}
	if jobs == nil {
		return 0, invalid("Enqueue needs jobs")
	}
	for _, t := range e.tags {
		if !isToken(t) {
			return 0, invalid("Tags(%q): expected letters, digits, - and _", t)
		}
	}
	epoch, err := f.epoch(ctx)
	if err != nil {
		return 0, err
	}
	line := &pipeline{f: f, ctx: ctx}
	for r := range jobs {
		m, object, err := f.message(ctx, r, e, epoch)
		if err == nil {
			err = line.send(m, object)
		}
		if err != nil {
			return line.stored, firstError(line.wait(0), err)
		}
	}
	err = line.wait(0)
	return line.stored, err
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// pipeline keeps messages on their way to the server, in order.
type pipeline struct {
	f      *Fleet
	ctx    context.Context
	sent   []onItsWay
	stored int
}

// onItsWay is a message and the name of its long body, "" without one.
type onItsWay struct {
	jetstream.PubAckFuture
	object string
}

const pipelined = 512 // jobs on their way; the server takes a hundred thousand a second or less

func (l *pipeline) send(m *nats.Msg, object string) error {
	sent, err := l.f.js.PublishMsgAsync(m)
	if err != nil {
		return firstError(failure(err, "the job was not stored"), l.forget(object))
	}
	l.sent = append(l.sent, onItsWay{sent, object})
	if len(l.sent) >= pipelined {
		return l.wait(pipelined / 2)
	}
	return nil
}

// wait waits until no more than n are on their way, and to the end of all after an error.
func (l *pipeline) wait(n int) (failed error) {
	for len(l.sent) > n || failed != nil && len(l.sent) > 0 {
		err := l.acknowledged(l.sent[0])
		l.sent = l.sent[1:]
		if failed == nil && err != nil {
			failed = failure(err, "the job was not stored")
		}
	}
	return failed
}

func (l *pipeline) acknowledged(sent onItsWay) error {
	select {
	case ack := <-sent.Ok():
		if ack.Duplicate {
			return l.forget(sent.object)
		}
		l.stored++
		l.f.metrics.enqueue(l.ctx)
		return nil
	case err := <-sent.Err():
		switch {
		case isTaken(err):
			return l.forget(sent.object)
		case isFull(err):
			l.forget(sent.object)
		}
		return err // the message may be there after all, and needs its body
	case <-l.ctx.Done():
		return context.Cause(l.ctx)
	}
}

// forget deletes the long body of a message that was not stored, as there is such a job already.
func (l *pipeline) forget(object string) error {
	if object == "" {
		return nil
	}
	return failure(l.f.bodies.Delete(l.ctx, object), "the body of a job that is there already cannot be deleted")
}

// message makes the message of one job. A long body is stored first, under a name of its own: a job
// of the same ID that is on the queue keeps the body it has.
func (f *Fleet) message(ctx context.Context, r *requests.Request, e *enqueuing, epoch string) (m *nats.Msg, object string, err error) {
	j, err := f.job(r, e)
	if err != nil {
		return nil, "", err
	}
	body := j.body
	if len(body) > f.inline {
		j.Object, j.Stored, j.body = true, j.id+"."+rand.Text(), nil
	}
	if m, err = f.envelope(j, epoch); err != nil || !j.Object {
		return m, "", err
	}
	return m, j.Stored, f.keep(ctx, j.Stored, body)
}

// envelope writes a job as the message that it is on the queue.
func (f *Fleet) envelope(j *job, epoch string) (*nats.Msg, error) {
	head, err := json.Marshal(j)
	if err != nil {
		return nil, damaged("the job cannot be written: %v", err)
	}
	m := nats.NewMsg(f.subject("jobs", fmt.Sprint(f.partition(j.host)), j.host, j.id))
	m.Data = f.seal("job "+j.id, join2(head, j.body))
	m.Header.Set(jetstream.MsgIDHeader, epoch+j.host+"."+j.id)
	m.Header.Set(jetstream.ExpectedLastSubjSeqHeader, "0")
	if len(m.Data) > int(f.conn.MaxPayload())-headRoom/2 {
		return nil, &requests.Error{Kind: requests.ErrBodyTooLarge, Detail: fmt.Sprintf("the job %s has %d bytes without its body, more than the server takes", j.id, len(m.Data))}
	}
	return m, nil
}

func join2(head, body []byte) []byte {
	return append(append(append(make([]byte, 0, len(head)+1+len(body)), head...), '\n'), body...)
}

// job prepares a request.
func (f *Fleet) job(r *requests.Request, e *enqueuing) (*job, error) {
	if r == nil {
		return nil, invalid("a job is nil")
	}
	p, err := r.Prepare()
	if err != nil {
		return nil, err
	}
	if lost := lostBy(r, p); lost != "" {
		return nil, invalid("a job cannot have %s", lost)
	}
	j := &job{Version: format, Method: p.Method, URL: p.URL, Tags: e.tags, Once: !mayRepeat(p.Method)}
	if e.repeat != nil {
		j.Once = !e.repeat(r)
	}
	if j.body, err = f.read(p); err != nil {
		return nil, err
	}
	for name, value := range p.Headers.All() {
		if !isFraming(name) {
			j.Headers = append(j.Headers, [2]string{name, value})
		}
	}
	if e.id != nil {
		j.id = e.id(r)
	}
	if j.id == "" {
		j.id = hex.EncodeToString(f.mac(j.Method, j.URL, string(j.body))[:16])
	}
	j.host = hostToken(j.URL)
	return j, f.allowed(j)
}

// isFraming reports whether a field belongs to one sending, and is made again for each.
func isFraming(name string) bool {
	return strings.EqualFold(name, "Content-Length") || strings.EqualFold(name, "Transfer-Encoding")
}

// mayRepeat reports whether a method is idempotent (RFC 9110 section 9.2.2).
func mayRepeat(method string) bool {
	switch method {
	case "GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE":
		return true
	}
	return false
}

// read reads the body into memory.
func (f *Fleet) read(p *requests.PreparedRequest) ([]byte, error) {
	body, ok := p.Body()
	if !ok {
		stream := p.OpenBody()
		defer stream.Close()
		var err error
		if body, err = io.ReadAll(io.LimitReader(stream, f.maxBody+1)); err != nil {
			return nil, requests.CarrierError(p, err)
		}
	}
	if int64(len(body)) > f.maxBody {
		return nil, &requests.Error{Kind: requests.ErrBodyTooLarge, Request: p, Detail: fmt.Sprintf("the body of the job has more than %d bytes: see MaxBody", f.maxBody)}
	}
	return body, nil
}

// lostBy names what of r a job would not take along, "" for nothing.
func lostBy(r *requests.Request, p *requests.PreparedRequest) string {
	settings := r.Send
	settings.Codecs = nil // which have made the body
	switch {
	case p.Target() != uri.RequestTarget(p.URL):
		return "a target AsIs, beside its URL"
	case p.Trailers != nil:
		return "Trailers, which are a function"
	case len(r.Hooks) > 0:
		return "Hooks, which are functions: the session of the worker has them"
	case !reflect.ValueOf(settings).IsZero():
		return "settings of the call: the session of the worker has them"
	case len(r.WithoutHeaders) > 0 || len(r.WithoutParams) > 0 || r.ReplaceParams:
		return "WithoutHeaders, WithoutParams or ReplaceParams, which are about a session"
	}
	return ""
}

// allowed refuses what must not lie on the stream as it is.
func (f *Fleet) allowed(j *job) error {
	if !isToken(j.id) {
		return invalid("JobID: %q is not of letters, digits, - and _ alone, or longer than %d", j.id, maxToken)
	}
	if f.aead != nil {
		return nil
	}
	for _, h := range j.Headers {
		if secret.Is(h[0]) {
			return invalid("a job has the secret header %s, and the fleet has no key: see SealWith", h[0])
		}
	}
	if u, err := url.Parse(j.URL); err == nil && u.User != nil {
		return invalid("a job has user info in its URL, and the fleet has no key: see SealWith")
	}
	return nil
}

// decode reads a job as it was delivered.
func (f *Fleet) decode(id, host string, data []byte) (*job, error) {
	plain, err := f.unseal("job "+id, data)
	if err != nil {
		return nil, err
	}
	j := &job{id: id, host: host}
	head, body, ok := bytes.Cut(plain, []byte("\n"))
	if err := json.Unmarshal(head, j); err != nil || !ok {
		return nil, damaged("the job %s is not one", id)
	}
	if j.Version == format && hostToken(j.URL) != host { // sealing is for an ID, which counts for one host
		return nil, damaged("the job %s is one for another host", id)
	}
	j.body = body
	return j, nil
}

// object is the name of the job's long body.
func (j *job) object() string {
	if j.Stored != "" {
		return j.Stored
	}
	return j.id
}

// keep stores a long body.
func (f *Fleet) keep(ctx context.Context, name string, body []byte) error {
	_, err := f.bodies.PutBytes(ctx, name, f.seal("body "+name, body))
	return failure(err, "the body was not stored")
}

// fetchBody reads a long body. Whoever reaches the server can store a longer one than members do.
func (f *Fleet) fetchBody(ctx context.Context, name string) ([]byte, error) {
	stored, err := f.bodies.Get(ctx, name)
	if err != nil {
		return nil, failure(err, "the body of "+name+" cannot be read")
	}
	defer stored.Close()
	most := f.maxBody + sealing
	data, err := io.ReadAll(io.LimitReader(stored, most+1))
	switch {
	case err != nil:
		return nil, failure(err, "the body of "+name+" cannot be read")
	case int64(len(data)) > most:
		return nil, &requests.Error{Kind: requests.ErrBodyTooLarge, Detail: fmt.Sprintf("the body of %s has more than %d bytes: see MaxBody", name, f.maxBody)}
	}
	return f.unseal("body "+name, data)
}

// subject joins the parts of a subject.
func (f *Fleet) subject(parts ...string) string { return f.name + "." + strings.Join(parts, ".") }

// partition is where the jobs of a host lie: one host cannot hold back those of other partitions.
func (f *Fleet) partition(host string) int {
	sum := uint32(2166136261) // FNV-1a
	for i := range len(host) {
		sum = (sum ^ uint32(host[i])) * 16777619
	}
	return int(sum % uint32(f.partitions))
}

// hostToken is the host and port of a URL as a part of a subject: what is not a letter, a digit or
// "-" is "_" and two hexadecimal digits.
func hostToken(rawURL string) string {
	host := ""
	if u, err := url.Parse(rawURL); err == nil {
		host = strings.ToLower(u.Host)
	}
	var b strings.Builder
	for i := range len(host) {
		if c := host[i]; c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "_%02x", c)
		}
	}
	if b.Len() == 0 {
		return "_"
	}
	return b.String()
}

// hostOf is the inverse of hostToken.
func hostOf(token string) string {
	var b strings.Builder
	for i := 0; i < len(token); i++ {
		if token[i] != '_' || i+2 >= len(token) {
			b.WriteByte(token[i])
			continue
		}
		c, err := hex.DecodeString(token[i+1 : i+3])
		if err == nil {
			b.Write(c)
		}
		i += 2
	}
	return strings.TrimPrefix(b.String(), "_")
}
