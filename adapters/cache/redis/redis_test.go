package redis_test

import (
	"bytes"
	"context"
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
	goredis "github.com/redis/go-redis/v9"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters/cache"
	"github.com/mountable/requests/adapters/cache/redis"
	"github.com/mountable/requests/internal/wiretest"
)

func TestMain(m *testing.M) {
	if socket := os.Getenv("CACHE_SOCKET"); socket != "" {
		otherProcess(socket)
		return
	}
	wiretest.Main(m)
}

// serve starts a Redis for the test, and returns its socket and how to kill it.
func serve(t testing.TB) (socket string, kill func()) {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("needs redis-server: apt-get install redis-server")
	}
	folder, err := os.MkdirTemp("", "redis") // short: a socket's path has 108 bytes
	if err != nil {
		t.Fatal(err)
	}
	socket = filepath.Join(folder, "s")
	cmd := exec.Command(program, "--port", "0", "--unixsocket", socket, "--save", "", "--dir", folder)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = os.RemoveAll(folder)
	})
	t.Cleanup(kill)
	awaitReady(t, out)
	return socket, kill
}

// awaitReady reads what the server says until it says that it is ready.
func awaitReady(t testing.TB, out io.Reader) {
	t.Helper()
	var said bytes.Buffer
	for buffer := make([]byte, 4096); !strings.Contains(said.String(), "eady to accept connections"); {
		n, err := out.Read(buffer)
		said.Write(buffer[:n])
		if err != nil {
			t.Fatalf("redis-server does not start: %s", &said)
		}
	}
}

func connect(socket string) *goredis.Client {
	return goredis.NewClient(&goredis.Options{Network: "unix", Addr: socket, MaxRetries: -1, DialerRetries: 1})
}

// origin answers with the URL it was asked for.
func origin(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
	return requests.NewResponse(p, 200, requests.Headers{{"Cache-Control", "max-age=60"}, {"Vary", "Accept"}}, io.NopCloser(strings.NewReader(p.URL+p.Headers.Get("Accept")))), nil
}

// get asks for a URL at random, and says what the cache did.
func get(a requests.Adapter, n int) (cache.Status, error) {
	url, accept := fmt.Sprintf("http://h.test/%d", n), fmt.Sprint(rand.N(2))
	p, err := (&requests.Request{URL: url, Headers: requests.Headers{{"Accept", accept}}}).Prepare()
	if err != nil {
		return 0, err
	}
	r, err := a.Send(context.Background(), p, requests.SendOptions{})
	if err != nil {
		return 0, err
	}
	if text, err := r.Text(); err != nil || text != url+accept {
		return 0, fmt.Errorf("asked for %s%s, got %q, %v", url, accept, text, err)
	}
	return cache.StatusOf(r), nil
}

// otherProcess uses the cache until its input ends.
func otherProcess(socket string) {
	client := connect(socket)
	a := cache.New(redis.Store(client, "http:"))(requests.AdapterFunc(origin))
	go func() {
		for {
			if _, err := get(a, rand.N(20)); err != nil {
				panic(err)
			}
			fmt.Println("used")
		}
	}()
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// TestStore is what holds of every store, with a time after which an entry has gone.
func TestStore(t *testing.T) {
	wiretest.NoLeak(t)
	socket, _ := serve(t)
	client := connect(socket)
	defer client.Close()
	s := redis.Store(client, "http:")
	ctx := t.Context()
	var got []string
	note := func() {
		data, err := s.Get(ctx, "k")
		got = append(got, fmt.Sprintf("%s %v", data, err))
	}
	note()
	for _, data := range []string{"1", "2"} {
		if err := s.Set(ctx, "k", []byte(data), time.Minute); err != nil {
			t.Fatal(err)
		}
		note()
	}
	ttl := client.TTL(ctx, "http:k").Val()
	for range 2 {
		if err := s.Delete(ctx, "k"); err != nil {
			t.Fatal(err)
		}
	}
	note()
	if diff := cmp.Diff([]string{" <nil>", "1 <nil>", "2 <nil>", " <nil>"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if ttl <= 0 || ttl > time.Minute {
		t.Errorf("the entry goes after %v", ttl)
	}
}

// TestProcesses: processes on one Redis never serve what belongs to another key, though some of them
// are killed while they use it.
func TestProcesses(t *testing.T) {
	wiretest.NoLeak(t)
	socket, _ := serve(t)
	client := connect(socket)
	defer client.Close()
	a := cache.New(redis.Store(client, "http:"))(requests.AdapterFunc(origin))
	hits := 0
	for range 3 {
		kill := startOther(t, socket)
		for range 200 {
			status, err := get(a, rand.N(20))
			if err != nil {
				t.Fatal(err)
			}
			if status == cache.Hit {
				hits++
			}
		}
		kill()
	}
	for n := range 20 {
		if _, err := get(a, n); err != nil {
			t.Error(err)
		}
	}
	if hits < 400 {
		t.Errorf("%d hits of 600", hits)
	}
}

// startOther starts another process on the same Redis, and waits until it uses it.
func startOther(t *testing.T, socket string) (kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "CACHE_SOCKET="+socket)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err = cmd.StdinPipe(); err != nil { // its end is that of the process, if this one dies
		t.Fatal(err)
	}
	if err = cmd.Start(); err != nil {
		t.Fatal(err)
	}
	kill = sync.OnceFunc(func() {
		_ = cmd.Process.Kill() // SIGKILL
		_ = cmd.Wait()
	})
	t.Cleanup(kill)
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	return kill
}

// TestGone: a Redis that has died is a miss, and is logged.
func TestGone(t *testing.T) {
	wiretest.NoLeak(t)
	socket, kill := serve(t)
	client := connect(socket)
	defer client.Close()
	var log bytes.Buffer
	a := cache.New(redis.Store(client, ""), cache.Logger(slog.New(slog.NewTextHandler(&log, nil))))(requests.AdapterFunc(origin))
	if _, err := get(a, 1); err != nil {
		t.Fatal(err)
	}
	kill()
	status, err := get(a, 1)
	if err != nil || status != cache.Miss || !strings.Contains(log.String(), "the store failed") {
		t.Errorf("got %v, %v, log %q", status, err, &log)
	}
}

// Several machines share a cache. Where Redis is away every request is a miss.
func ExampleStore() {
	client := goredis.NewClient(&goredis.Options{Network: "unix", Addr: "/run/redis/nobody.sock", MaxRetries: -1, DialerRetries: 1})
	defer client.Close()
	quiet := cache.Logger(slog.New(slog.DiscardHandler))
	s := requests.NewSession()
	defer s.Close()
	s.Mount("http://", cache.New(redis.Store(client, "http:"), quiet)(requests.AdapterFunc(origin)))
	r, err := s.Get(context.Background(), "http://h.test/", requests.Headers{{"Accept", "*/*"}})
	fmt.Println(r, cache.StatusOf(r), err)
	// Output: <Response [200]> miss <nil>
}
