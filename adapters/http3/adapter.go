package http3

import (
	"context"
	"net/http"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
)

// Adapter sends https requests over HTTP/3, without asking whether the server speaks it.
// Requests of one origin and the same settings share a connection; those beyond the number that
// the server takes at a time wait within Timeouts.Read. It is safe for concurrent use. Make one with [New].
type Adapter struct {
	plan    *requests.HTTPAdapter
	carrier requests.Adapter
	conns   *connections
}

// New returns an adapter with the options of [requests.NewHTTPAdapter] that are about the
// connection: certificates, addresses, lookups and guards count here as there. What has no
// meaning over UDP makes a Send fail with [requests.ErrInvalidArgument]: a Unix socket, a
// Dial function, an interface or socket options; a proxy makes it fail with
// [requests.ErrProxy]. The options of the pool and of retries have no effect; those are
// wrappers' business here.
func New(options ...requests.AdapterOption) *Adapter {
	a := &Adapter{plan: requests.NewHTTPAdapter(options...), conns: newConnections()}
	a.carrier = adapters.RoundTripper((*transport)(a.conns))
	return a
}

// Send implements [requests.Adapter].
func (a *Adapter) Send(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
	if ctx == nil || p == nil {
		return nil, &requests.Error{Kind: requests.ErrInvalidArgument, Detail: "Send needs a context and a prepared request"}
	}
	config, err := a.config(p, opts)
	if err != nil {
		return nil, err
	}
	return a.send(ctx, p, opts, config)
}

// sending is what the transport has to know of a send beside net/http's request, and what it
// gives back beside the response.
type sending struct {
	prepared *requests.PreparedRequest
	opts     requests.SendOptions
	config   requests.ConnConfig

	fields [][2]string // of the response, or of the interim response that is being passed on
}

type sendingKey struct{}

func sendingOf(req *http.Request) *sending {
	s, _ := req.Context().Value(sendingKey{}).(*sending)
	return s
}

// send sends p on a connection of config.
func (a *Adapter) send(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions, config requests.ConnConfig) (*requests.Response, error) {
	s := &sending{prepared: p, opts: opts, config: config}
	if interim := opts.Interim; interim != nil {
		opts.Interim = func(status int, _ requests.Headers) error { return interim(status, s.fields) }
	}
	resp, err := a.carrier.Send(context.WithValue(ctx, sendingKey{}, s), p, opts)
	if err != nil {
		return nil, err
	}
	resp.Headers = s.fields
	return resp, nil
}

// CloseIdle closes the connections that carry no request.
func (a *Adapter) CloseIdle() { a.conns.closeIdle(false) }

// Close closes the connections, those that carry requests once the last of these is over. The
// adapter may be used again.
func (a *Adapter) Close() error {
	a.conns.closeIdle(true)
	return nil
}

// Stats returns a picture of the adapter's connections.
func (a *Adapter) Stats() requests.PoolStats { return a.conns.stats() }
