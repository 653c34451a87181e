package cache

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// panicky is a store whose methods panic where fails has their name.
type panicky struct {
	Store
	fails string
}

func (p *panicky) Get(ctx context.Context, key string) ([]byte, error) {
	p.may("get")
	return p.Store.Get(ctx, key)
}

func (p *panicky) Set(ctx context.Context, key string, data []byte, ttl time.Duration) error {
	p.may("set")
	return p.Store.Set(ctx, key, data, ttl)
}

func (p *panicky) Delete(ctx context.Context, key string) error {
	p.may("delete")
	return p.Store.Delete(ctx, key)
}

func (p *panicky) may(do string) {
	if p.fails == do {
		panic("the store's own")
	}
}

// TestRule53StorePanics: a panic of a store goes on to the caller, and the connection is free.
func TestRule53StorePanics(t *testing.T) {
	server := wiretest.Start(t, wiretest.Config{Handler: func(r *wiretest.Request) wiretest.Reply {
		fresh := [2]string{"Cache-Control", "max-age=60"}
		switch {
		case r.Target == "/stale" && r.Get("If-None-Match") != "":
			return wiretest.Send("HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n")
		case r.Target == "/stale":
			return wiretest.Text(200, "body", [2]string{"Cache-Control", "max-age=0"}, [2]string{"ETag", `"a"`})
		case r.Target == "/gone":
			return wiretest.Text(200, "body", [2]string{"Cache-Control", "max-age=0"})
		}
		return wiretest.Text(200, strings.Repeat("x", 100), fresh)
	}})
	for name, c := range map[string]struct {
		fails, method, path string
		headers             requests.Headers
		stream              bool
	}{
		"looking it up":           {fails: "get", method: "GET", path: "/"},
		"keeping it":              {fails: "set", method: "GET", path: "/"},
		"keeping what streams":    {fails: "set", method: "GET", path: "/", stream: true},
		"keeping what holds":      {fails: "set", method: "GET", path: "/stale"},
		"dropping what has gone":  {fails: "delete", method: "GET", path: "/gone", headers: requests.Headers{{"Cache-Control", "no-store"}}},
		"keeping what HEAD holds": {fails: "set", method: "HEAD", path: "/gone"},
		"invalidating":            {fails: "delete", method: "POST", path: "/"},
		"invalidating, streamed":  {fails: "delete", method: "POST", path: "/", stream: true},
	} {
		store, base := &panicky{Store: Memory(1 << 20)}, requests.NewHTTPAdapter(requests.PoolMaxSize(1))
		s := mounted(t, New(store)(base))
		get := func(method string, options ...requests.Option) (failed any) {
			defer func() { failed = recover() }()
			r, err := s.Request(t.Context(), method, server.URL(c.path), append(options, requests.Stream(c.stream))...)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			_, _ = r.Content()
			return nil
		}
		if strings.HasPrefix(c.path, "/stale") || c.path == "/gone" {
			get("GET")
		}
		store.fails = c.fails
		if v := get(c.method, c.headers); v != "the store's own" {
			t.Errorf("%s: recovered %v", name, v)
		}
		if stats := base.Stats(); stats.InUse != 0 {
			t.Errorf("%s: %d connections are in use", name, stats.InUse)
		}
		store.fails = ""
		if v := get("GET"); v != nil {
			t.Errorf("%s: then %v", name, v)
		}
	}
}

// landing is a store whose Get panics once a flight has begun after the question was asked.
type landing struct {
	Store
	calls int
	first func()
}

func (l *landing) Get(context.Context, string) ([]byte, error) {
	if l.calls++; l.calls == 1 {
		l.first()
	} else if l.calls == 2 {
		panic("the store's own")
	}
	return nil, nil
}

// TestRule53Flight: nobody waits for a request that the store has ended by a panic.
func TestRule53Flight(t *testing.T) {
	store := &landing{Store: Memory(1 << 20)}
	a := New(store)(requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		return requests.NewResponse(p, 200, nil, nil), nil
	}))
	store.first = func() { a.(*cached).landed.Add(1) } // as if another had ended meanwhile
	func() {
		defer func() {
			if v := recover(); v != "the store's own" {
				t.Errorf("recovered %v", v)
			}
		}()
		_, _ = a.Send(t.Context(), prepared(t, "http://h.test/"), requests.SendOptions{})
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := a.Send(ctx, prepared(t, "http://h.test/"), requests.SendOptions{}); err != nil {
		t.Error(err)
	}
}

// TestPlanted: what somebody else has put into the folder is neither waited for nor read into memory, and never
// followed.
func TestPlanted(t *testing.T) {
	const foreign, damaged = "not a regular one, or larger", "damaged"
	for name, c := range map[string]struct {
		plant func(file string) error
		told  string
	}{
		"a pipe": {pipe, foreign},
		"a sparse file": {func(file string) error {
			return errors.Join(os.WriteFile(file, nil, 0o600), os.Truncate(file, 1<<20+1))
		}, foreign},
		"a link":          {func(file string) error { return os.Symlink(os.Args[0], file) }, foreign},
		"a folder":        {func(file string) error { return os.Mkdir(file, 0o700) }, foreign},
		"an empty file":   {func(file string) error { return os.WriteFile(file, nil, 0o600) }, damaged},
		"something else":  {func(file string) error { return os.WriteFile(file, bytes.Repeat([]byte("x"), 1<<20), 0o600) }, damaged},
		"an index of all": {func(file string) error { return os.WriteFile(file, manyNames(filepath.Base(file)), 0o600) }, damaged},
	} {
		folder := t.TempDir()
		disk, err := Disk(folder, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		a := New(disk, Logger(slog.New(slog.NewTextHandler(&log, nil))))(requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
			return requests.NewResponse(p, 200, nil, nil), nil
		}))
		key, _ := a.(*cached).keyOf("http://h.test/", "", "/")
		file := filepath.Join(folder, key[:2], key)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := c.plant(file); err != nil {
			t.Logf("%s: not possible here: %v", name, err)
			continue
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		r, err := a.Send(ctx, prepared(t, "http://h.test/"), requests.SendOptions{})
		cancel()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := StatusOf(r); got != Miss || !strings.Contains(log.String(), c.told) {
			t.Errorf("%s: %v, told %q", name, got, log.String())
		}
	}
}

// manyNames is the record of an index that no cache writes.
func manyNames(key string) []byte {
	return pack(key, nil, &index{generation: "g", names: strings.Split(strings.Repeat("n ", 100_000), " ")})
}

// TestDiskEntryBound: what is larger than a whole store is not kept, and lets the entry before it go, but no other.
func TestDiskEntryBound(t *testing.T) {
	disk, err := Disk(t.TempDir(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	key, other := strings.Repeat("a", keyLength), strings.Repeat("b", keyLength)
	var got []int
	for _, c := range []struct {
		key  string
		size int
	}{{other, 100}, {key, 100}, {key, 1001}} {
		if err := disk.Set(t.Context(), c.key, make([]byte, c.size), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	for _, key := range []string{key, other} {
		data, err := disk.Get(t.Context(), key)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, len(data))
	}
	if diff := cmp.Diff([]int{0, 100}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestConnectionIsLinear: a Connection field of a whole head does not multiply with the fields of one.
func TestConnectionIsLinear(t *testing.T) {
	names := strings.Repeat("a,", 1<<20)
	h := requests.Headers{{"Connection", names + "x-hop"}, {"X-Hop", "1"}}
	for range 20_000 {
		h = append(h, [2]string{"X-Kept", "1"})
	}
	start := time.Now()
	if got := len(storedFields(h)); got != 20_000 {
		t.Errorf("%d fields are left", got)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
}
