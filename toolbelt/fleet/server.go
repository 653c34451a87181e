package fleet

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/mountable/requests"
)

// Server is where a fleet keeps what it shares: [Embedded] or [Connect].
type Server struct {
	dial func(ctx context.Context) (*connection, error)
}

// connection is a connection and, where the server is our own, the server.
type connection struct {
	*nats.Conn
	url string
	end func() error // of our own server; nil without one
}

// Connect is a NATS server with JetStream, "nats://host:4222" for example, or several separated by
// commas. The options of nats.go give credentials and TLS. A connection that is lost is made again
// until the Fleet is closed.
func Connect(url string, options ...nats.Option) Server {
	return Server{func(ctx context.Context) (*connection, error) {
		c, err := connect(url, options...)
		if err != nil {
			return nil, failure(err, "the server of the fleet cannot be reached")
		}
		return &connection{Conn: c, url: url}, nil
	}}
}

func connect(url string, options ...nats.Option) (*nats.Conn, error) {
	all := []nats.Option{nats.Name("fleet"), nats.MaxReconnects(-1), nats.ReconnectWait(reconnectWait), nats.ReconnectJitter(0, 0), nats.Timeout(connectTimeout)}
	return nats.Connect(url, append(all, options...)...)
}

const (
	reconnectWait  = 250 * time.Millisecond // a restarted server is back within a second or two
	connectTimeout = 20 * time.Second       // a busy machine may need some of them for its own loopback
	startTimeout   = time.Minute            // a store of millions of messages is read at the start
	maxPayload     = 2 << 20                // a body of 1 MiB, and a head
)

// Embedded is a server in this process that keeps its files in dir, which only their owner can
// read. The first process to open dir is the server, and serves the others on the machine over
// loopback, with a token that lies in dir; when it ends, they wait for it in vain and have to be started
// anew. A crash of the process loses nothing
// that was stored; a power failure may lose what the system had not written yet, two minutes at most.
func Embedded(dir string) Server {
	return Server{func(ctx context.Context) (*connection, error) {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fileError(err)
		}
		lock := flock.New(filepath.Join(dir, "fleet.lock"), flock.SetPermissions(0o600))
		for {
			own, err := lock.TryLock()
			if err != nil {
				lock.Close()
				return nil, fileError(err)
			}
			if own {
				return embed(dir, lock)
			}
			if c := join(dir); c != nil {
				return c, lock.Close()
			}
			if err := pause(ctx, 20*time.Millisecond); err != nil {
				lock.Close()
				return nil, failure(err, "the server in "+dir+" did not start")
			}
		}
	}}
}

// join connects to the server of another process; nil if it is not there, or not yet.
func join(dir string) *connection {
	url, err := os.ReadFile(addressFile(dir))
	if err != nil {
		return nil
	}
	c, err := connect(string(url))
	if err != nil {
		return nil
	}
	return &connection{Conn: c, url: string(url)}
}

func addressFile(dir string) string { return filepath.Join(dir, "fleet.url") }

// embed starts the server, which ends with the connection.
func embed(dir string, lock *flock.Flock) (*connection, error) {
	stop, url, err := serve(dir, -1, rand.Text())
	if err != nil {
		lock.Close()
		return nil, err
	}
	end := func() error {
		err := os.Remove(addressFile(dir))
		stop()
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return errors.Join(err, lock.Close())
	}
	if err := writeAddress(dir, url); err != nil {
		end()
		return nil, fileError(err)
	}
	c, err := connect(url)
	if err != nil {
		end()
		return nil, failure(err, "the embedded server does not take connections")
	}
	return &connection{Conn: c, url: url, end: end}, nil
}

// writeAddress replaces the file in one step: whoever reads it reads all of it.
func writeAddress(dir, url string) error {
	name := addressFile(dir)
	if err := os.WriteFile(name+".new", []byte(url), 0o600); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

// serve starts a server on loopback; stop returns when it has ended.
func serve(dir string, port int, token string) (stop func(), url string, err error) {
	s, err := server.NewServer(&server.Options{
		ServerName: "fleet", Host: "127.0.0.1", Port: port, Authorization: token,
		JetStream: true, StoreDir: dir, MaxPayload: maxPayload, NoLog: true, NoSigs: true,
	})
	if err != nil {
		return nil, "", &requests.Error{Kind: requests.ErrFile, Err: err, Detail: "the embedded server does not start"}
	}
	go s.Start()
	stop = func() {
		s.Shutdown()
		s.WaitForShutdown()
	}
	if !s.ReadyForConnections(startTimeout) {
		stop()
		return nil, "", &requests.Error{Kind: requests.ErrConnectTimeout, Detail: fmt.Sprintf("the embedded server in %s was not ready within %v", dir, startTimeout)}
	}
	if !s.JetStreamEnabled() {
		stop()
		return nil, "", &requests.Error{Kind: requests.ErrFile, Detail: "the embedded server cannot keep its files in " + dir}
	}
	return stop, fmt.Sprintf("nats://%s@%s", token, s.Addr()), nil
}

func fileError(err error) error {
	return &requests.Error{Kind: requests.ErrFile, Err: err, Detail: "the directory of the fleet cannot be used"}
}

// pause waits, or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
