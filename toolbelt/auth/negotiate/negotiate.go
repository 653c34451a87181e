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
// nor takes them along. Tickets are never delegated. That the server is who it says it is, TLS
// has to tell.
package negotiate

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"sync"

	"github.com/jcmturner/gokrb5/v8/client"
	"github.com/jcmturner/gokrb5/v8/spnego"

	"github.com/mountable/requests"
)

// Adapter returns an adapter that authenticates as the user of cl, which is the caller's to
// destroy. The options are those of its connections. It is safe for concurrent use. A nil cl
// makes every Send [requests.ErrInvalidArgument]; a ticket that cannot be had, because the KDC is
// away for one, is [requests.ErrRequest] and says which and why.
func Adapter(cl *client.Client, options ...requests.AdapterOption) requests.Adapter {
	return AdapterFor(cl, func(host string) string { return "HTTP/" + host }, options...)
}

// AdapterFor is Adapter where the services have other names than HTTP/host.
func AdapterFor(cl *client.Client, service func(host string) string, options ...requests.AdapterOption) requests.Adapter {
	tickets := &kerberos{client: cl, service: service}
	return &adapter{requests.NewHTTPAdapter(options...), &auth{ticket: tickets.token, asked: map[string]bool{}}}
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

// token is what is sent to a host, in base64. The ticket is the client's, which keeps it as long
// as it is valid.
func (k *kerberos) token(host string) (string, error) {
	if k.client == nil {
		return "", &requests.Error{Kind: requests.ErrInvalidArgument, Detail: "negotiate.Adapter(nil): expected a Kerberos client"}
	}
	service := k.service(host)
	s := spnego.SPNEGOClient(k.client, service)
	if err := s.AcquireCred(); err != nil {
		return "", k.failed(service, err)
	}
	token, err := s.InitSecContext()
	if err != nil {
		return "", k.failed(service, err)
	}
	message, err := token.Marshal()
	if err != nil {
		return "", k.failed(service, err)
	}
	return base64.StdEncoding.EncodeToString(message), nil
}

func (k *kerberos) failed(service string, err error) error {
	detail := fmt.Sprintf("negotiate: no ticket for %s from the KDC of %s", service, k.client.Credentials.Domain())
	return &requests.Error{Kind: requests.ErrRequest, Err: err, Detail: detail}
}

// auth answers challenges, and remembers who asks.
type auth struct {
	ticket func(host string) (string, error)

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
func (a *auth) value(address string) (string, error) {
	u, err := url.Parse(address)
	if err != nil {
		return "", &requests.Error{Kind: requests.ErrInvalidURL, Detail: "negotiate: the URL cannot be read"}
	}
	token, err := a.ticket(u.Hostname())
	return "Negotiate " + token, err
}

// Authenticate implements [requests.Auth].
func (a *auth) Authenticate(p *requests.PreparedRequest) error {
	p.SetProxyCredentials(a)
	p.Hooks = append(p.Hooks, a.respond)
	if !a.asks(p.Origin()) {
		return nil
	}
	return a.authorize(p)
}

func (a *auth) authorize(p *requests.PreparedRequest) error {
	value, err := a.value(p.URL)
	if err == nil {
		p.Headers.Set("Authorization", value)
	}
	return err
}

// respond is the hook that answers: once for a proxy that forwards, and once for the origin.
func (a *auth) respond(ctx context.Context, r *requests.Response) (*requests.Response, error) {
	proxy := r.Auth().ForwardedBy()
	if r.StatusCode == 407 && proxy != "" && !r.Auth().SentProxyAuthorization() && offered(r, "Proxy-Authenticate") {
		a.remember(proxy)
		again, err := r.Auth().Answer(ctx, func(*requests.PreparedRequest) error { return nil })
		if err != nil {
			return nil, err
		}
		r = again
	}
	sent := r.Request.Headers.Has("Authorization")
	if r.StatusCode != 401 || sent || !r.Auth().MayAnswer() || !offered(r, "WWW-Authenticate") {
		return r, nil
	}
	a.remember(r.Request.Origin())
	return r.Auth().Answer(ctx, a.authorize)
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
	return a.value(proxy)
}

// ProxyChallenge implements [requests.ProxyCredentials]: the first 407 to CONNECT has an answer.
func (a *auth) ProxyChallenge(proxy string, r *requests.Response) (bool, error) {
	if a.asks(proxy) || !offered(r, "Proxy-Authenticate") {
		return false, nil
	}
	a.remember(proxy)
	return true, nil
}
