package cache

import (
	"context"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wire"
)

// bearer is an adapter that sends with a token of its own and says who asked.
func bearer(control string) requests.Adapter {
	return requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		own := p.Clone()
		if !own.Headers.Has("Authorization") {
			own.Headers.Set("Authorization", "Bearer root")
		}
		body := io.NopCloser(strings.NewReader(own.Headers.Get("Authorization")))
		return requests.NewResponse(own, 200, requests.Headers{{"Cache-Control", control}, {"Date", date(0)}}, body), nil
	})
}

// identifying is an adapter whose connections say who asks, and not its requests.
func identifying(control string) requests.Adapter {
	return requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		r := requests.NewResponse(p, 200, requests.Headers{{"Cache-Control", control}, {"Date", date(0)}}, io.NopCloser(strings.NewReader("ada")))
		r.SetValue(wire.Identified{}, true)
		return r, nil
	})
}

// TestCredentialsBelow: what an adapter below has sent with credentials is not what anybody gets
// who asks with none, unless the server says so.
func TestCredentialsBelow(t *testing.T) {
	got, want := map[string]Status{}, map[string]Status{}
	for name, c := range map[string]struct {
		below   requests.Adapter
		options []Option
		want    Status
	}{
		"private cache":             {bearer("max-age=60"), nil, Miss},
		"shared cache":              {bearer("max-age=60"), []Option{Shared()}, Miss},
		"shared cache, s-maxage":    {bearer("s-maxage=60"), []Option{Shared()}, Hit},
		"private cache, public":     {bearer("max-age=60, public"), nil, Hit},
		"by connection":             {identifying("max-age=60"), nil, Miss},
		"by connection, and shared": {identifying("max-age=60"), []Option{Shared()}, Miss},
		"by connection, public":     {identifying("max-age=60, public"), nil, Hit},
	} {
		a := New(Memory(1<<20), c.options...)(c.below)
		want[name] = c.want
		for range 2 {
			p, err := (&requests.Request{Method: "GET", URL: "http://origin.test/"}).Prepare()
			if err != nil {
				t.Fatal(err)
			}
			r, err := a.Send(t.Context(), p, requests.SendOptions{})
			if err != nil {
				t.Fatal(err)
			}
			got[name] = StatusOf(r)
		}
		a.Close()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestCloseMeanwhile: closing, and sending what is validated in the background, at the same time.
func TestCloseMeanwhile(t *testing.T) {
	a := New(Memory(1 << 20))(requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		h := requests.Headers{{"Cache-Control", "max-age=0, stale-while-revalidate=600"}, {"Date", date(0)}}
		return requests.NewResponse(p, 200, h, io.NopCloser(strings.NewReader("body"))), nil
	}))
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				p, err := (&requests.Request{Method: "GET", URL: "http://origin.test/"}).Prepare()
				if err != nil {
					t.Error(err)
					return
				}
				if r, err := a.Send(t.Context(), p, requests.SendOptions{}); err != nil || r.StatusCode != 200 {
					t.Error(r, err)
				}
				if err := a.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
