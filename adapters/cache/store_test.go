package cache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
)

func key(name string) string { return digest(name) }

func get1(t *testing.T, s Store, name string) string {
	t.Helper()
	data, err := s.Get(t.Context(), key(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func set1(t *testing.T, s Store, name, data string) {
	t.Helper()
	if err := s.Set(t.Context(), key(name), []byte(data), time.Minute); err != nil {
		t.Fatal(err)
	}
}

// TestStores is what holds of every store.
func TestStores(t *testing.T) {
	disk, err := Disk(t.TempDir(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for name, s := range map[string]Store{"memory": Memory(1 << 20), "disk": disk} {
		t.Run(name, func(t *testing.T) {
			got := []string{get1(t, s, "a")}
			set1(t, s, "a", "1")
			set1(t, s, "b", "2")
			got = append(got, get1(t, s, "a"), get1(t, s, "b"))
			set1(t, s, "a", "3")
			got = append(got, get1(t, s, "a"))
			for range 2 {
				if err := s.Delete(t.Context(), key("a")); err != nil {
					t.Error(err)
				}
			}
			got = append(got, get1(t, s, "a"), get1(t, s, "b"))
			if diff := cmp.Diff([]string{"", "1", "2", "3", "", "2"}, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestMemoryBound: what was not used for longest goes.
func TestMemoryBound(t *testing.T) {
	s := Memory(3 * (overhead + keyLength + 10))
	for _, name := range []string{"a", "b", "c"} {
		set1(t, s, name, "0123456789")
	}
	get1(t, s, "a")
	set1(t, s, "d", "0123456789")
	set1(t, s, "too long", strings.Repeat("x", 5000))
	var left []string
	for _, name := range []string{"a", "b", "c", "d", "too long"} {
		if get1(t, s, name) != "" {
			left = append(left, name)
		}
	}
	if diff := cmp.Diff([]string{"a", "c", "d"}, left); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestDiskBound: what was not used for longest goes, and nothing that is not the store's.
func TestDiskBound(t *testing.T) {
	folder := t.TempDir()
	s, err := Disk(folder, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(folder, "diary.txt")
	if err := os.WriteFile(foreign, make([]byte, 20_000), 0o600); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-24 * time.Hour)
	orphan := filepath.Join(folder, temporary+"1")
	if err := os.WriteFile(orphan, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		name := fmt.Sprint(i)
		set1(t, s, name, strings.Repeat("x", 1000))
		if err := os.Chtimes(s.(*diskStore).path(key(name)), long, long.Add(time.Duration(i)*time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	_ = os.Chtimes(orphan, long, long)
	get1(t, s, "0") // used again
	for _, name := range []string{"new", "newer"} {
		set1(t, s, name, strings.Repeat("x", 1000))
	}
	got := []bool{get1(t, s, "0") != "", get1(t, s, "1") != "", get1(t, s, "newer") != "", exists(foreign), exists(orphan)}
	if diff := cmp.Diff([]bool{true, false, true, true, false}, got); diff != "" {
		t.Errorf("used again, oldest, newest, not the store's, left by a killed process (-want +got)\n%s", diff)
	}
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func TestDiskArguments(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		folder string
		max    int64
		want   error
	}{{"", 1, requests.ErrInvalidArgument}, {t.TempDir(), 0, requests.ErrInvalidArgument}, {file, 1, requests.ErrFile}} {
		if _, err := Disk(c.folder, c.max); !errors.Is(err, c.want) {
			t.Errorf("Disk(%q, %d): got %v, want %v", c.folder, c.max, err, c.want)
		}
	}
}

// faulty is a store that fails, or returns what it was not asked for.
type faulty struct {
	Store
	get func(data []byte) ([]byte, error)
	err error // of the others
}

func (f *faulty) Get(ctx context.Context, key string) ([]byte, error) {
	data, err := f.Store.Get(ctx, key)
	if err == nil && data != nil {
		return f.get(data)
	}
	return data, err
}

func (f *faulty) Set(ctx context.Context, key string, data []byte, ttl time.Duration) error {
	if f.err != nil {
		return f.err
	}
	return f.Store.Set(ctx, key, data, ttl)
}

// TestFaultyStores: a store that fails is a miss, is logged, and loses no response.
func TestFaultyStores(t *testing.T) {
	whole := func(data []byte) ([]byte, error) { return data, nil }
	other := pack(key("other"), &entry{status: 200, body: []byte("of another key")}, nil)
	for name, c := range map[string]struct {
		store faulty
		log   string
	}{
		"Get fails":            {faulty{get: func([]byte) ([]byte, error) { return nil, errors.New("lost") }}, "lost"},
		"Set fails":            {faulty{get: whole, err: errors.New("disk full")}, "disk full"},
		"another key's":        {faulty{get: func([]byte) ([]byte, error) { return other, nil }}, "damaged"},
		"not a record":         {faulty{get: func([]byte) ([]byte, error) { return []byte("hello"), nil }}, "damaged"},
		"a record cut short":   {faulty{get: func(data []byte) ([]byte, error) { return data[:len(data)-1], nil }}, "damaged"},
		"a record with a flip": {faulty{get: flipped}, "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			c.store.Store = Memory(1 << 20)
			origin := requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
				return requests.NewResponse(p, 200, control("max-age=60"), io.NopCloser(strings.NewReader("right"))), nil
			})
			a := New(&c.store, Logger(slog.New(slog.NewTextHandler(&log, nil))))(origin)
			for range 2 {
				r, err := a.Send(t.Context(), prepared(t, "http://h.test/"), requests.SendOptions{})
				if err != nil {
					t.Fatal(err)
				}
				body, _ := r.Text()
				if diff := cmp.Diff([]any{Miss, "right"}, []any{StatusOf(r), body}); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
			}
			if !strings.Contains(log.String(), c.log) {
				t.Errorf("log %q does not say %q", &log, c.log)
			}
		})
	}
}

func flipped(data []byte) ([]byte, error) {
	own := bytes.Clone(data)
	own[len(own)-1] ^= 1
	return own, nil
}

func prepared(t testing.TB, url string, options ...requests.Option) *requests.PreparedRequest {
	t.Helper()
	r := &requests.Request{URL: url}
	if err := requests.JoinOptions(options...).Apply(r); err != nil {
		t.Fatal(err)
	}
	p, err := r.Prepare()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestRecords: what is packed is unpacked, and nothing else, cut at every offset and with
// every bit flipped.
func TestRecords(t *testing.T) {
	now := time.Unix(1, 5)
	e := &entry{times: times{now, now}, status: 200, reason: "OK", proto: "HTTP/1.1", headers: requests.Headers{{"A", "b"}, {"", ""}}, body: []byte("body")}
	x := &index{generation: "g", names: []string{"accept", "b"}}
	for _, data := range [][]byte{pack("k", e, nil), pack("k", nil, x)} {
		gotEntry, gotIndex, err := unpack("k", data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(data, pack("k", gotEntry, gotIndex)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		for i := range data {
			if _, _, err := unpack("k", data[:i]); err == nil {
				t.Errorf("the first %d bytes are taken for a record", i)
			}
			for bit := range 8 {
				own := bytes.Clone(data)
				own[i] ^= 1 << bit
				if _, _, err := unpack("k", own); err == nil {
					t.Errorf("byte %d with bit %d flipped is taken for a record", i, bit)
				}
			}
		}
	}
}

func FuzzUnpack(f *testing.F) {
	f.Add([]byte("\x01kE"))
	f.Add(pack("k", nil, &index{generation: "g", names: []string{"a"}})[8:])
	f.Fuzz(func(t *testing.T, content []byte) {
		r := &reader{data: content}
		_, _ = r.entry(), r.end()
		_, _, _ = unpack("k", content)
	})
}

// TestDiskProcesses: processes share a folder, are killed while they write, and nobody is
// given what belongs to another key.
func TestDiskProcesses(t *testing.T) {
	folder := t.TempDir()
	s, err := Disk(folder, sharedSize)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		kill := startWriter(t, folder)
		exchange(t, s, 50)
		kill()
	}
	if s, err = Disk(folder, sharedSize); err != nil {
		t.Fatal(err)
	}
	exchange(t, s, 50)
}

// sharedSize is that of a store which has to forget something now and then.
const sharedSize = 128 << 10

// startWriter starts another process that uses the folder, and waits until it does.
func startWriter(t *testing.T, folder string) (kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "CACHE_WRITER="+folder)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err = cmd.StdinPipe(); err != nil { // its end is that of the writer, if this process dies
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Error(err)
	}
	return func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}

// writer is the other process: it uses the folder until it is killed.
func writer(folder string) {
	s, err := Disk(folder, sharedSize)
	if err != nil {
		panic(err)
	}
	go func() {
		for {
			_ = use(s)
			fmt.Println("used")
		}
	}()
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// use sets or gets something at random, and compares what comes with its key.
func use(s Store) error {
	k := key(fmt.Sprint(rand.N(50)))
	if rand.N(2) == 0 {
		e := &entry{status: 200, proto: "HTTP/1.1", body: bytes.Repeat([]byte(k), 1+rand.N(100))}
		return s.Set(context.Background(), k, pack(k, e, nil), time.Minute)
	}
	data, err := s.Get(context.Background(), k)
	if err != nil || data == nil {
		return err
	}
	e, _, err := unpack(k, data)
	if err == nil && !bytes.HasPrefix(e.body, []byte(k)) {
		err = errors.New("the body of another key")
	}
	return err
}

// exchange uses a store at the same time as others do.
func exchange(t *testing.T, s Store, n int) {
	t.Helper()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range n {
				if err := use(s); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
