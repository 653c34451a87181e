package main

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/toolbelt"
)

// carriers are the stops about adapters and the toolbelt, which need pages of the tour's own server.
func (t *tour) carriers() []stop {
	return []stop{t.composed, t.busy, t.download, t.mock}
}

func (t *tour) composed(ctx context.Context) error {
	t.title("Adapter options and wrappers meet on one mount")
	alive := adapters.TCPKeepAlive(time.Minute, 10*time.Second, 3)
	source := adapters.SourceAddress(netip.MustParseAddr("127.0.0.1"))
	breaker, limit := adapters.Breaker(5, 30*time.Second), adapters.Limit(8)
	t.session.Mount(t.base+"/ip", adapters.Chain(requests.NewHTTPAdapter(alive, source), breaker, limit))
	r, err := t.session.Get(ctx, t.base+"/ip")
	if err != nil {
		return err
	}
	t.saw(r)
	return nil
}

func (t *tour) busy(ctx context.Context) error {
	t.title("A busy server is asked again when its Retry-After says")
	retry := requests.Retry{Total: 3, StatusForcelist: []int{503}}
	t.session.Mount(t.base+"/busy", requests.NewHTTPAdapter(requests.Retries(retry)))
	r, err := t.session.Get(ctx, t.base+"/busy")
	if err != nil {
		return err
	}
	t.printf("   before that: %v\n", r.Attempts)
	t.saw(r)
	return nil
}

func (t *tour) download(ctx context.Context) error {
	t.title("A download that breaks off goes on, and is checked")
	dir, err := os.MkdirTemp("", "quickstart")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path, err := toolbelt.Download(ctx, t.session, t.base+"/book", filepath.Join(dir, "book.txt"),
		toolbelt.KeepPartial(), toolbelt.Checksum("sha256", bookSum))
	if err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	t.printf("   %s has all %d bytes, in two responses\n", filepath.Base(path), info.Size())
	return nil
}

func (t *tour) mock(ctx context.Context) error {
	t.title("A mock stands in for a server")
	mock := adapters.NewMock()
	mock.On("GET", "https://api.test/users/*").Reply(adapters.Reply{JSON: map[string]string{"name": "Ada"}})
	t.session.Mount("https://api.test/", mock)
	r, err := t.session.Get(ctx, "https://api.test/users/1")
	if err != nil {
		return err
	}
	t.saw(r)
	err = mock.Check()
	t.printf("   what was expected and did not come: %v\n", err)
	return err
}
