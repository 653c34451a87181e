// Package negotiate authenticates by Kerberos (RFC 4559, SPNEGO), towards origins and proxies.
//
//	cl := client.NewWithPassword("ada", "EXAMPLE.COM", "secret", config) // of gokrb5; or from a keytab or a ticket cache
//	s.Mount("https://intranet.example.com/", negotiate.Adapter(cl))
//
// The first 401 or 407 with a challenge of Negotiate is answered with a ticket for the service
// HTTP/host; from then on each request to that origin or proxy has one from the start.
//
// Some servers take the connection for the user's afterwards. So this is an adapter with connections
// of its own, which belong to the one user it was made for. Challenges are answered for the
// URLs of the mount only, as with adapters.Authenticate: a redirect neither brings credentials
// nor takes them along. Tickets are never delegated.
//
// Each ticket asks the server to prove who it is (RFC 4120 section 3.2.4). A proof that comes and is
// not right is an error and the response is not given out; that none comes is one with
// [Config].Mutual only. Proxies are not asked: TLS protects what goes through them.
package negotiate

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"sync"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/spnego"

	"github.com/mountable/requests"
)

// Config is who asks for tickets, and for what.
type Config struct {
	// Client is the user's, and the caller's to destroy.
	Client *client.Client
	// Service names the service of a host; "HTTP/" and the host if nil.
	Service func(host string) string
	// Mutual refuses each response to a ticket, but a 401 and a 407, in which the server has not
	// proved that it has the key of its service.
	Mutual bool
}

// Adapter returns an adapter that authenticates as the user of cl, which is the caller's to
// destroy. The options are those of its connections. It is safe for concurrent use. A nil cl
// makes every Send [requests.ErrInvalidArgument]. [requests.ErrRequest] is the error of a ticket
// that cannot be had, because the KDC is away for one, and says which and why; and of a server that
// has not proved who it is.
func Adapter(cl *client.Client, options ...requests.AdapterOption) requests.Adapter {
	return New(Config{Client: cl}, options...)
}

// New is [Adapter] with a [Config].
func New(c Config, options ...requests.AdapterOption) requests.Adapter {
	if c.Service == nil {
		c.Service = func(host string) string { return "HTTP/" + host }
	}
	tickets := &kerberos{client: c.Client, service: c.Service}
	own := &auth{ticket: tickets.token, mutual: c.Mutual, asked: map[string]bool{}}
	return &adapter{requests.NewHTTPAdapter(options...), own}
}

type adapter struct {
	*requests.HTTPAdapter
	auth *auth
}

// Send implements [requests.Adapter].
func (a *adapter) Send(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
	return requests.SendAuthenticated(ctx, a.HTTPAdapter, a.auth, p, opts)
}

const shown = "<negotiate.Adapter>"

// Format writes the type's name.
func (a *adapter) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, shown) }

// LogValue returns what Format writes.
func (a *adapter) LogValue() slog.Value { return slog.StringValue(shown) }

// kerberos gets tickets.
type kerberos struct {
	client  *client.Client
	service func(host string) string
}

// token is what is sent to a host, in base64, and what its answer has to prove. The ticket is the
// client's, which keeps it as long as it is valid. What a KDC sends is foreign, and whoever is on the
// way to it can answer: a panic of the package that reads it is an error.
func (k *kerberos) token(host string) (text string, wanted *proof, err error) {
	if k.client == nil {
		return "", nil, &requests.Error{Kind: requests.ErrInvalidArgument, Detail: "negotiate.Adapter(nil): expected a Kerberos client"}
	}
	service := k.service(host)
	defer func() {
		if v := recover(); v != nil {
			text, wanted, err = "", nil, k.failed(service, errors.New("what the KDC answers is malformed"))
		}
	}()
	return k.tokenFor(service)
}

func (k *kerberos) tokenFor(service string) (string, *proof, error) {
	if err := k.client.AffirmLogin(); err != nil {
		return "", nil, k.failed(service, err)
	}
	ticket, key, err := k.client.GetServiceTicket(service)
	if err != nil {
		return "", nil, k.failed(service, err)
	}
	flagsOfGSS := []int{gssapi.ContextFlagInteg, gssapi.ContextFlagConf, gssapi.ContextFlagMutual}
	request, err := spnego.NewKRB5TokenAPREQ(k.client, ticket, key, flagsOfGSS, []int{flags.APOptionMutualRequired})
	if err == nil {
		err = request.APReq.DecryptAuthenticator(key)
	}
	if err != nil {
		return "", nil, k.failed(service, err)
	}
	message, err := wrapped(&request)
	sent := request.APReq.Authenticator
	return base64.StdEncoding.EncodeToString(message), &proof{service, key, sent.CTime, sent.Cusec}, err
}

// wrapped puts a request of Kerberos into one of SPNEGO.
func wrapped(request *spnego.KRB5Token) ([]byte, error) {
	inner, err := request.Marshal()
	if err != nil {
		return nil, err
	}
	offer := spnego.NegTokenInit{MechTypes: []asn1.ObjectIdentifier{gssapi.OIDKRB5.OID()}, MechTokenBytes: inner}
	token := spnego.SPNEGOToken{Init: true, NegTokenInit: offer}
	return token.Marshal()
}

func (k *kerberos) failed(service string, err error) error {
	detail := fmt.Sprintf("negotiate: no ticket for %s from the KDC of %s", service, k.client.Credentials.Domain())
	return &requests.Error{Kind: requests.ErrRequest, Err: err, Detail: detail}
}

// auth answers challenges, and remembers who asks.
type auth struct {
	ticket func(host string) (string, *proof, error)
	mutual bool // a proof has to come

	// mu protects the fields below.
	mu    sync.Mutex
	asked map[string]bool // origins, and proxies by "scheme://host:port"
}

func (a *auth) asks(who string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asked[who]
}

func (a *auth) remember(who string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked[who] = true
}

// value is that of Authorization or Proxy-Authorization for a URL's host.
func (a *auth) value(address string) (string, *proof, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", nil, &requests.Error{Kind: requests.ErrInvalidURL, Detail: "negotiate: the URL cannot be read"}
	}
	token, wanted, err := a.ticket(u.Hostname())
	return "Negotiate " + token, wanted, err
}

// Authenticate implements [requests.Auth].
func (a *auth) Authenticate(p *requests.PreparedRequest) error {
	h := &hop{auth: a}
	p.SetProxyCredentials(a)
	p.Hooks = append(p.Hooks, h.respond)
	if !a.asks(p.Origin()) {
		return nil
	}
	return h.authorize(p)
}

// hop is one request and its answered challenges.
type hop struct {
	*auth
	sent   string // the Authorization that was made last, "" for none
	wanted *proof // what the response to it has to hold
}

func (h *hop) authorize(p *requests.PreparedRequest) error {
	value, wanted, err := h.value(p.URL)
	if err == nil {
		p.Headers.Set("Authorization", value)
		h.sent, h.wanted = value, wanted
	}
	return err
}

// respond is the hook that answers: once for a proxy that forwards, and once for the origin. Then
// it looks at the proof of the server.
func (h *hop) respond(ctx context.Context, r *requests.Response) (*requests.Response, error) {
	proxy := r.Auth().ForwardedBy()
	if r.StatusCode == 407 && proxy != "" && !r.Auth().SentProxyAuthorization() && offered(r, "Proxy-Authenticate") {
		h.remember(proxy)
		again, err := r.Auth().Answer(ctx, func(*requests.PreparedRequest) error { return nil })
		if err != nil {
			return nil, err
		}
		r = again
	}
	if r.StatusCode == 401 && !r.Request.Headers.Has("Authorization") && r.Auth().MayAnswer() && offered(r, "WWW-Authenticate") {
		h.remember(r.Request.Origin())
		again, err := r.Auth().Answer(ctx, h.authorize)
		if err != nil {
			return nil, err
		}
		r = again
	}
	if h.sent == "" || r.Request.Headers.Get("Authorization") != h.sent {
		return r, nil // a ticket of nobody, or the caller's own Authorization
	}
	return h.check(r)
}

// check compares what the server says of itself with what it has to prove. A refusal needs no proof:
// who refuses a ticket cannot have read it. Nor does what a proxy says instead of the server.
func (h *hop) check(r *requests.Response) (*requests.Response, error) {
	token := ""
	for _, c := range r.Auth().Challenges("WWW-Authenticate") {
		if strings.EqualFold(c.Scheme, "Negotiate") {
			token = c.Token
		}
	}
	switch {
	case r.StatusCode == 401 || r.StatusCode == 407, token == "" && !h.mutual:
		return r, nil
	case token == "":
		return nil, r.Auth().Fail(requests.ErrRequest, "negotiate: the server has not proved that it is "+h.wanted.service)
	}
	if err := h.wanted.verify(token); err != nil {
		return nil, r.Auth().Fail(requests.ErrRequest, "negotiate: what proves that the server is "+h.wanted.service+" is not right: "+err.Error())
	}
	return r, nil
}

// offered reports whether Negotiate is among the challenges.
func offered(r *requests.Response, field string) bool {
	for _, c := range r.Auth().Challenges(field) {
		if strings.EqualFold(c.Scheme, "Negotiate") {
			return true
		}
	}
	return false
}

// ProxyAuthorization implements [requests.ProxyCredentials].
func (a *auth) ProxyAuthorization(proxy string, _ *requests.PreparedRequest, _ string) (string, error) {
	if !a.asks(proxy) {
		return "", nil
	}
	value, _, err := a.value(proxy)
	return value, err
}

// ProxyChallenge implements [requests.ProxyCredentials]: the first 407 to CONNECT has an answer.
func (a *auth) ProxyChallenge(proxy string, r *requests.Response) (bool, error) {
	if a.asks(proxy) || !offered(r, "Proxy-Authenticate") {
		return false, nil
	}
	a.remember(proxy)
	return true, nil
}
