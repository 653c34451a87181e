// Package ntlm authenticates by NTLM, as Windows' servers and proxies without Kerberos ask for it.
//
//	s.Mount("https://intranet.example.com/", ntlm.Adapter(`CORP\ada`, "secret"))
//
// NTLM authenticates a connection, and not a request: three messages have to travel on one
// connection, and whatever travels on it afterwards is the user's. So this is an adapter with
// connections of its own, which belong to the one user it was made for, and carry one request
// at a time:
//
//	connection      what is sent                      what follows
//	new             the request                       200: nobody asks, it is the response
//	                                                  401 with a challenge of NTLM or Negotiate
//	challenged      the request without its body,     401 with the server's challenge
//	                and what the client can do
//	challenged      the request, and the answer       the response; the connection is the user's
//	authenticated   the request                       the response
//
// A challenge is answered for the URLs of the mount only, as with adapters.Authenticate: a
// redirect neither brings credentials nor takes them along. A proxy is answered the same (407): for
// plain http that it forwards, and for CONNECT, whose three messages go out on the connection that
// becomes the tunnel.
//
// NTLM protects passwords poorly and knows no mutual authentication: where there is a choice, take
// Kerberos, which is the module toolbelt/auth/negotiate.
package ntlm

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/Azure/go-ntlmssp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wire"
)

// maxIdle is how many connections wait for the next request: as many as an HTTPAdapter keeps.
const maxIdle = 10

// Adapter returns an adapter that authenticates as user: "DOMAIN\name", "name@domain" or a name.
// The options are those of its connections. HTTP/2 cannot carry NTLM and is not offered. It
// is safe for concurrent use.
func Adapter(user, password string, options ...requests.AdapterOption) requests.Adapter {
	one := []requests.AdapterOption{requests.PoolConnections(1), requests.PoolMaxSize(1), requests.ConfigureConn(withoutHTTP2)}
	return &adapter{user: user, password: password, options: slices.Concat(options, one)}
}

func withoutHTTP2(c *requests.ConnConfig, _ *requests.PreparedRequest) error {
	c.HTTP2 = requests.HTTP1Only
	return nil
}

// adapter has lanes, each an adapter with one connection for one request at a time: whatever is
// sent on a lane travels on the same connection.
type adapter struct {
	user, password string
	options        []requests.AdapterOption

	// mu protects the fields below.
	mu    sync.Mutex
	lanes []*lane // not sending; the body of a response may still be on the connection
}

// lane is an adapter, the origin that its connection leads to, and what is said on it.
type lane struct {
	*requests.HTTPAdapter
	origin string
	auth   *conversation
}

// Send implements [requests.Adapter].
func (a *adapter) Send(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
	l := a.take(originOf(p.URL))
	defer a.put(l)
	r, err := requests.SendAuthenticated(ctx, l.HTTPAdapter, l.auth, p, opts)
	if err == nil && l.auth.identified {
		r.SetValue(wire.Identified{}, true) // the request need not show it
	}
	return r, err
}

func originOf(url string) string {
	scheme, rest, _ := strings.Cut(url, "://")
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	return scheme + "://" + rest
}

// take returns a lane to an origin whose connection is free, the last used one first.
func (a *adapter) take(origin string) *lane {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i, l := range slices.Backward(a.lanes) {
		if l.origin == origin && l.Stats().InUse == 0 {
			a.lanes = slices.Delete(a.lanes, i, i+1)
			return l
		}
	}
	return &lane{requests.NewHTTPAdapter(a.options...), origin, &conversation{user: a.user, password: a.password}}
}

// put gives a lane back, instead of the one that was not used for longest if there are too many. A
// connection that is in use is closed when its response has been read.
func (a *adapter) put(l *lane) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lanes = append(a.lanes, l)
	if len(a.lanes) > maxIdle {
		_ = a.lanes[0].Close()
		a.lanes = slices.Delete(a.lanes, 0, 1)
	}
}

// CloseIdle closes the idle connections.
func (a *adapter) CloseIdle() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, l := range a.lanes {
		l.CloseIdle()
	}
}

// Close closes the idle connections; those in use are closed when their response has been
// read. The adapter may be used again.
func (a *adapter) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var failed error
	for _, l := range a.lanes {
		failed = errors.Join(failed, l.Close())
	}
	a.lanes = nil
	return failed
}

// Format writes whose adapter it is.
func (a *adapter) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, a.shown()) }

// LogValue returns what Format writes.
func (a *adapter) LogValue() slog.Value { return slog.StringValue(a.shown()) }

func (a *adapter) shown() string { return "<ntlm.Adapter [" + a.user + "]>" }

// conversation is what is said on one lane: one request at a time. It is the same value for all of
// them, so that what is said to a proxy does not make connections of their own.
type conversation struct {
	user, password string
	toProxy        string // the Proxy-Authorization of the next request
	toTunnel       string // the same of the next CONNECT; each is sent once
	identified     bool   // an origin has asked: what it sends on this lane may be for the user alone
}

// Authenticate implements [requests.Auth]: nothing is sent before it is asked for.
func (a *conversation) Authenticate(p *requests.PreparedRequest) error {
	a.toProxy, a.toTunnel = "", ""
	p.SetProxyCredentials(a)
	p.Hooks = append(p.Hooks, a.respond)
	return nil
}

// ProxyAuthorization implements [requests.ProxyCredentials].
func (a *conversation) ProxyAuthorization(_ string, p *requests.PreparedRequest, _ string) (string, error) {
	if p.Method != "CONNECT" {
		return a.toProxy, nil
	}
	value := a.toTunnel
	a.toTunnel = ""
	return value, nil
}

// ConnectionBound makes CONNECT go out again on the connection that the challenge came on.
func (a *conversation) ConnectionBound() bool { return true }

// ProxyChallenge implements [requests.ProxyCredentials]:
//
//	what was sent with CONNECT    what the 407 has       what is sent next
//	nothing                       NTLM or Negotiate      what the client can do
//	what the client can do        the challenge          the answer
//	the answer, or anything else  whatever               nothing: the proxy has refused the user
func (a *conversation) ProxyChallenge(_ string, r *requests.Response) (bool, error) {
	scheme, token := proxy.asks(r)
	sent := r.Request.Headers.Get("Proxy-Authorization")
	switch {
	case scheme == "", (sent != "") != (token != ""), len(r.History) > 1:
		return false, nil
	case token == "":
		offer, err := offer(scheme)
		a.toTunnel = offer
		return err == nil, err
	}
	answer, err := a.answer(token)
	if err != nil {
		return false, &requests.Error{Kind: requests.ErrProxy, Err: err, Detail: "ntlm: the challenge of the proxy cannot be answered"}
	}
	a.toTunnel = scheme + " " + answer
	return true, nil
}

// offer is the first message: what the client can do.
func offer(scheme string) (string, error) {
	message, err := ntlmssp.NewNegotiateMessage("", "")
	if err != nil {
		return "", &requests.Error{Kind: requests.ErrRequest, Err: err, Detail: "ntlm: there is no first message"}
	}
	return scheme + " " + base64.StdEncoding.EncodeToString(message), nil
}

// side is who asks: the origin, or a proxy.
type side struct {
	status    int
	challenge string
}

var (
	origin = side{401, "WWW-Authenticate"}
	proxy  = side{407, "Proxy-Authenticate"}
)

// respond is the hook that answers: the proxy first, which the origin is behind.
func (a *conversation) respond(ctx context.Context, r *requests.Response) (*requests.Response, error) {
	for _, s := range []side{proxy, origin} {
		if r.StatusCode != s.status || !s.mayAnswer(r) {
			continue
		}
		again, err := a.shake(ctx, r, s)
		if err != nil {
			return nil, err
		}
		r = again
	}
	return r, nil
}

func (s side) mayAnswer(r *requests.Response) bool {
	if s == proxy {
		return r.Auth().ForwardedBy() != ""
	}
	return r.Auth().MayAnswer() && !r.Request.Headers.Has("Authorization")
}

// shake makes the three messages of one handshake. What cannot be answered is left as it is.
func (a *conversation) shake(ctx context.Context, r *requests.Response, s side) (*requests.Response, error) {
	scheme, _ := s.asks(r)
	if scheme == "" {
		return r, nil
	}
	if !r.Request.Replayable() {
		return nil, r.Auth().Fail(requests.ErrUnrewindableBody, "ntlm: the body has been sent and cannot be sent again for the answer")
	}
	a.identified = a.identified || s == origin
	whole := r.Request
	challenged, err := a.begin(ctx, r, s, scheme)
	if err != nil {
		return nil, err
	}
	_, token := s.asks(challenged)
	challenged.Request = whole // with its body
	if challenged.StatusCode == s.status && token != "" {
		return a.finish(ctx, challenged, s, scheme, token)
	}
	if challenged.StatusCode == s.status || whole.ContentLength() == 0 {
		return challenged, nil
	}
	// The connection has authenticated before, or the server needs no credentials any more: what it
	// has taken is the request without its body.
	return challenged.Auth().Answer(ctx, func(*requests.PreparedRequest) error { return nil })
}

// begin sends the first message, without the body.
func (a *conversation) begin(ctx context.Context, r *requests.Response, s side, scheme string) (*requests.Response, error) {
	first, err := offer(scheme)
	if err != nil {
		return nil, err
	}
	return r.Auth().Answer(ctx, func(p *requests.PreparedRequest) error {
		p.SetBody(nil)
		p.Headers.Set("Content-Length", "0")
		a.say(p, s, first)
		return nil
	})
}

// finish answers the server's message with the third, and the body.
func (a *conversation) finish(ctx context.Context, challenged *requests.Response, s side, scheme, token string) (*requests.Response, error) {
	answer, err := a.answer(token)
	if err != nil {
		return nil, challenged.Auth().Fail(requests.ErrRequest, "ntlm: the challenge of the server cannot be answered: "+err.Error())
	}
	defer func() { a.toProxy = "" }()
	return challenged.Auth().Answer(ctx, func(p *requests.PreparedRequest) error {
		a.say(p, s, scheme+" "+answer)
		return nil
	})
}

// say has the next request say something to one side.
func (a *conversation) say(p *requests.PreparedRequest, s side, value string) {
	if s == origin {
		p.Headers.Set("Authorization", value)
		return
	}
	a.toProxy = value
}

// asks returns the scheme that is to be answered, NTLM before Negotiate, and its token.
func (s side) asks(r *requests.Response) (scheme, token string) {
	for _, c := range r.Auth().Challenges(s.challenge) {
		switch {
		case strings.EqualFold(c.Scheme, "NTLM"):
			return "NTLM", c.Token
		case strings.EqualFold(c.Scheme, "Negotiate") && (c.Token == "" || isNTLM(c.Token)):
			scheme, token = "Negotiate", cmp.Or(token, c.Token)
		}
	}
	return scheme, token
}

// isNTLM reports whether a token of Negotiate is a message of NTLM.
func isNTLM(token string) bool {
	message, err := base64.StdEncoding.DecodeString(token)
	return err == nil && strings.HasPrefix(string(message), "NTLMSSP\x00")
}

// answer is the third message. What the server sends is foreign: a panic of the package that
// reads it is an error.
func (a *conversation) answer(token string) (text string, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = errors.New("it is malformed")
		}
	}()
	challenge, err := base64.StdEncoding.DecodeString(token)
	if err != nil {
		return "", err
	}
	message, err := ntlmssp.NewAuthenticateMessage(challenge, a.user, a.password, nil)
	return base64.StdEncoding.EncodeToString(message), err
}
