package http3_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/textproto"
	"testing"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// panics are callbacks that panic, but where well is closed.
type panics struct{ well chan struct{} }

func (p *panics) may() {
	select {
	case <-p.well:
	default:
		panic("the caller's own")
	}
}

func (p *panics) CheckAddress(string, netip.AddrPort) error { p.may(); return nil }
func (p *panics) CheckTLS(tls.ConnectionState) error        { p.may(); return nil }
func (p *panics) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	p.may()
	return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
}

// TestRule53Panics: a panic of the caller's code, on whichever goroutine it is called, goes on to the caller, and the
// connection is free.
func TestRule53Panics(t *testing.T) {
	base := served(t, wiretest.TestCA().Server(), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusEarlyHints)
		_, _ = io.Copy(w, r.Body)
	}))
	edit := func(e func(c *requests.ConnConfig, p *panics)) func(p *panics) requests.AdapterOption {
		return func(p *panics) requests.AdapterOption {
			return requests.ConfigureConn(func(c *requests.ConnConfig, _ *requests.PreparedRequest) error { e(c, p); return nil })
		}
	}
	ordinary := edit(func(*requests.ConnConfig, *panics) {})
	for name, c := range map[string]struct {
		option func(p *panics) requests.AdapterOption
		trace  func(p *panics) *httptrace.ClientTrace
		opts   func(p *panics) requests.SendOptions
	}{
		"a guard": {option: edit(func(c *requests.ConnConfig, p *panics) { c.Guard = p })},
		"a check": {option: edit(func(c *requests.ConnConfig, p *panics) { c.TLS.Check = p })},
		"a resolver": {option: edit(func(c *requests.ConnConfig, p *panics) {
			c.Resolver, c.TLS.VerifyName, c.Host = p, "127.0.0.1", "name.test"
		})},
		"an editor": {option: edit(func(_ *requests.ConnConfig, p *panics) { p.may() })},
		"GetConn": {trace: func(p *panics) *httptrace.ClientTrace {
			return &httptrace.ClientTrace{GetConn: func(string) { p.may() }}
		}},
		"GotConn": {trace: func(p *panics) *httptrace.ClientTrace {
			return &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { p.may() }}
		}},
		"Got1xx": {trace: func(p *panics) *httptrace.ClientTrace {
			return &httptrace.ClientTrace{Got1xxResponse: func(int, textproto.MIMEHeader) error { p.may(); return nil }}
		}},
		"OnInterim": {opts: func(p *panics) requests.SendOptions {
			return requests.SendOptions{Interim: func(int, requests.Headers) error { p.may(); return nil }}
		}},
	} {
		p := &panics{make(chan struct{})}
		option := ordinary
		if c.option != nil {
			option = c.option
		}
		a := opened(t, option(p))
		ctx, opts := t.Context(), requests.SendOptions{}
		if c.trace != nil {
			ctx = httptrace.WithClientTrace(ctx, c.trace(p))
		}
		if c.opts != nil {
			opts = c.opts(p)
		}
		send := func() (got any) {
			defer func() {
				if v := recover(); v != nil {
					got = v
				}
			}()
			r, err := a.Send(ctx, prepared(t, "POST", base+"/", requests.Body("body")), opts)
			if err != nil {
				return err
			}
			defer r.Close()
			text, err := r.Text()
			return errors.Join(err, map[bool]error{false: errors.New(text)}[text == "body"])
		}
		if got := send(); got != "the caller's own" {
			t.Errorf("%s: %v", name, got)
		}
		for deadline := time.Now().Add(10 * time.Second); a.Stats().InUse != 0; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: %+v", name, a.Stats())
			}
		}
		close(p.well)
		if got := send(); got != nil {
			t.Errorf("%s: then %v", name, got)
		}
	}
}
