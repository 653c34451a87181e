package adapters

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/bounded"
	"github.com/mountable/requests/internal/secret"
)

// maxCassette bounds the file that is replayed.
const maxCassette = 1 << 30

// CassetteMode says when a [Cassette] records.
type CassetteMode uint8

// The modes.
const (
	RecordOnce CassetteMode = iota // a new file is recorded; one that is there is replayed and nothing else
	RecordNew                      // what the file holds is replayed, the rest recorded
	RecordNone                     // nothing is sent: the file is replayed
	RecordAll                      // everything is sent, and the file written anew
)

// CassetteOption says how a [Cassette] records and replays.
type CassetteOption uint8

// The options.
const (
	CassetteBodies       CassetteOption = 1 << iota // bodies of requests are compared as well; otherwise method and URL decide
	CassetteKeepsSecrets                            // everything is recorded as it is: the file then holds passwords
)

// Cassette records what goes over an adapter into a file, and replays it from there:
//
//	tape, err := adapters.Cassette("testdata/users.json", adapters.RecordOnce)
//	s.Mount("https://", adapters.Chain(requests.NewHTTPAdapter(), tape))
//
// Each recorded exchange answers one request of its method and URL, in the order they
// were recorded. In the modes RecordOnce and RecordNone, a request the file has no response
// for is [requests.ErrConnection]. An exchange is recorded when the body of its response has
// come to its end, and the file is written then, as a whole, readable by its owner alone;
// a body that was cut short or never read, or is longer than 256 MiB, or Limits.MaxBody of
// the call, is not recorded.
//
// The file is JSON made for reading: headers are lines, bodies are text where they are
// text, content codings undone. Secrets are redacted: Authorization and cookies, and
// whatever a header, parameter, form or JSON field called password, token, api_key and the
// like holds; [requests.AddSecretNames] adds names. So a replayed response has no secrets
// either.
//
// The file may be an HTTP Archive (HAR 1.2) as well, of toolbelt.HAR or a browser: it is
// replayed, in the modes RecordOnce and RecordNone.
//
// A file that cannot be read, is not a cassette or is larger than 1 GiB is [requests.ErrFile]; RecordNone needs one.
func Cassette(path string, mode CassetteMode, options ...CassetteOption) (requests.Wrapper, error) {
	if path == "" {
		return nil, invalid("Cassette: path is empty: expected the name of a file")
	}
	if mode > RecordAll {
		return nil, invalid("Cassette: mode is %d: expected RecordOnce, RecordNew, RecordNone or RecordAll", mode)
	}
	c := &cassette{path: path, secrets: tapeSecrets()}
	for _, o := range options {
		c.bodies = c.bodies || o&CassetteBodies != 0
		if o&CassetteKeepsSecrets != 0 {
			c.secrets = secret.None()
		}
	}
	if err := c.load(mode); err != nil {
		return nil, err
	}
	return func(base requests.Adapter) requests.Adapter { return &taped{base, c} }, nil
}

// cassette is a file with what has been taken out of it and put into it.
type cassette struct {
	path    string
	secrets *secret.Names
	bodies  bool
	replays bool // what the file held may be replayed
	records bool

	// mu protects the fields below.
	mu        sync.Mutex
	exchanges []tapedExchange
	known     int // how many were in the file
	played    []bool
}

// tapeSecrets adds to the usual names the challenges of servers, whose nonces nobody can use again.
func tapeSecrets() *secret.Names {
	return secret.Default().With("WWW-Authenticate", "Proxy-Authenticate")
}

func (c *cassette) load(mode CassetteMode) error {
	c.replays, c.records = mode != RecordAll, mode != RecordNone
	if mode == RecordAll {
		return nil
	}
	data, err := bounded.ReadFile(c.path, maxCassette)
	if errors.Is(err, fs.ErrNotExist) && mode != RecordNone {
		return nil
	}
	switch {
	case err != nil:
	case !isArchive(data):
		c.exchanges, err = decodeTape(data)
	case mode == RecordNew:
		err = errors.New("it is an HTTP Archive, which can be replayed and not recorded into")
	default:
		c.exchanges, err = c.decodeArchive(data)
	}
	if err != nil {
		return &requests.Error{Kind: requests.ErrFile, Err: err, Detail: fmt.Sprintf("the cassette %s cannot be used", c.path)}
	}
	c.known, c.played = len(c.exchanges), make([]bool, len(c.exchanges))
	c.records = mode == RecordNew
	return nil
}

// taped is an adapter with a cassette in it.
type taped struct {
	requests.Adapter
	cassette *cassette
}

// CloseIdle passes on.
func (a *taped) CloseIdle() { closeIdle(a.Adapter) }

// Send implements [requests.Adapter].
func (a *taped) Send(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
	w := newWatch(ctx, opts)
	defer w.end()
	if failure := w.failure(p); failure != nil {
		return nil, failure
	}
	c := a.cassette
	asked, p, err := c.request(p, opts)
	if err != nil {
		return nil, err
	}
	if c.replays {
		if r, ok := c.replay(p, asked); ok {
			return r, nil
		}
	}
	if !c.records {
		return nil, &requests.Error{Kind: requests.ErrConnection, Request: p, Detail: c.unknown(asked)}
	}
	r, err := a.Adapter.Send(ctx, p, opts)
	if err == nil && r != nil {
		c.tap(asked, r, opts.Limits.MaxBody)
	}
	return r, err
}

// request writes down what is asked for, without its secrets. A body that can be read
// only once is read here, and sent from memory.
func (c *cassette) request(p *requests.PreparedRequest, opts requests.SendOptions) (tapedRequest, *requests.PreparedRequest, error) {
	sent, err := record(p, opts)
	if err != nil {
		return tapedRequest{}, p, err
	}
	if _, memory := p.Body(); !memory {
		framing := p.Headers.Clone()
		p = p.Clone()
		p.SetBody(sent.Body)
		p.Headers = framing
	}
	asked := tapedRequest{Method: p.Method, URL: strings.ToValidUTF8(c.secrets.URL(p.URL), "\ufffd"), Headers: tapedHeaders(c.secrets.Fields(p.Headers))}
	undo := func() ([]byte, error) { content, _, err := decoded(p.Headers, sent.Body); return content, err }
	asked.Body = tapedText(c.secrets.Coded(p.Headers.Get("Content-Type"), sent.Body, undo))
	return asked, p, nil
}

// fits reports whether the recorded request answers to the one asked for.
func (c *cassette) fits(recorded, asked *tapedRequest) bool {
	return recorded.Method == asked.Method && recorded.URL == asked.URL && (!c.bodies || string(recorded.Body) == string(asked.Body))
}

// replay returns the next recorded response, if there is one.
func (c *cassette) replay(p *requests.PreparedRequest, asked tapedRequest) (*requests.Response, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.known {
		if !c.played[i] && c.fits(&c.exchanges[i].Request, &asked) {
			c.played[i] = true
			return c.exchanges[i].Response.response(p), true
		}
	}
	return nil, false
}

// unknown says why nothing fits.
func (c *cassette) unknown(asked tapedRequest) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	used, method := 0, ""
	for i := range c.exchanges {
		switch e := &c.exchanges[i].Request; {
		case c.fits(e, &asked):
			used++
		case e.URL == asked.URL && e.Method == asked.Method:
			method = "; with that URL it holds another body"
		case e.URL == asked.URL && method == "":
			method = "; with that URL it holds " + e.Method
		}
	}
	if used > 0 {
		return fmt.Sprintf("the cassette %s holds %d responses to %s %s, all played", c.path, used, asked.Method, asked.URL)
	}
	return fmt.Sprintf("the cassette %s holds no response to %s %s%s", c.path, asked.Method, asked.URL, method)
}

// add records an exchange and writes the file.
func (c *cassette) add(e tapedExchange) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.exchanges = append(c.exchanges, e)
	return writeTape(c.path, c.exchanges)
}
