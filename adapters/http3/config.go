package http3

import (
	"crypto/tls"

	"github.com/mountable/requests"
)

// config is the connection that p needs.
func (a *Adapter) config(p *requests.PreparedRequest, opts requests.SendOptions) (requests.ConnConfig, error) {
	if err := opts.Timeouts.Apply(new(requests.Request)); err != nil {
		return requests.ConnConfig{}, requests.CarrierError(p, err)
	}
	c, err := a.plan.Plan(p, opts)
	if err != nil {
		return c, requests.CarrierError(p, err)
	}
	if e := unfit(c); e != nil {
		e.Request = p
		return c, e
	}
	c.HTTP2, c.Options = requests.HTTP1Only, requests.SocketOptionList{}
	return c, nil
}

// unfit says what of c QUIC cannot do; nil for nothing.
func unfit(c requests.ConnConfig) *requests.Error {
	refuse := func(kind requests.Kind, detail string) *requests.Error {
		return &requests.Error{Kind: kind, Detail: "HTTP/3 " + detail}
	}
	switch {
	case c.Scheme != "https":
		return refuse(requests.ErrInvalidSchema, "is for https URLs, not "+c.Scheme)
	case c.Proxy.Scheme != "":
		return refuse(requests.ErrProxy, "cannot go through a proxy")
	case c.Network == "unix":
		return refuse(requests.ErrInvalidArgument, "cannot go through a Unix socket")
	case c.Dial != nil:
		return refuse(requests.ErrInvalidArgument, "opens its own sockets: Dial has no meaning")
	case c.Interface != "":
		return refuse(requests.ErrInvalidArgument, "cannot be bound to an interface")
	case c.Options != requests.DefaultSocketOptions() && len(c.Options.All()) > 0:
		return refuse(requests.ErrInvalidArgument, "has no TCP socket for options")
	case c.TLS.MaxVersion != 0 && c.TLS.MaxVersion < tls.VersionTLS13:
		return refuse(requests.ErrSSL, "needs TLS 1.3")
	}
	return nil
}

// lastCheck keeps the state with the chains that were found, and asks the configuration's own check.
type lastCheck struct {
	own      requests.TLSCheck
	state    tls.ConnectionState
	panicked error // what it has panicked with, on a goroutine of crypto/tls
}

// CheckTLS implements [requests.TLSCheck].
func (k *lastCheck) CheckTLS(state tls.ConnectionState) (err error) {
	defer func() {
		if isPanic(err) {
			k.panicked = err
		}
	}()
	defer catch(&err)
	k.state = state
	if k.own == nil {
		return nil
	}
	return k.own.CheckTLS(state)
}

// secured is the configuration of one handshake, and where its state is kept.
func secured(c requests.ConnConfig) (*tls.Config, *lastCheck, error) {
	check := &lastCheck{own: c.TLS.Check}
	c.TLS.Check = check
	config, err := c.TLS.Client(c.Host)
	if err != nil {
		return nil, nil, err
	}
	config.MinVersion, config.MaxVersion = tls.VersionTLS13, 0
	config.NextProtos = []string{"h3"}
	return config, check, nil
}
