package interop

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var quiet = log.New(io.Discard, "", 0)

// A check sends something over a transport and shows what came of it. What is shown must be the same over every carrier.
type check struct {
	name      string
	protocols []string // h1, tls, h2; all three if nil
	except    func(lane) bool
	serve     http.HandlerFunc
	run       func(t *testing.T, rt http.RoundTripper, url string) any
}

var allChecks = slices.Concat(checks, exchangeChecks, transportChecks, rowChecks, traceChecks)

// shows runs a check; a panic is a result like others.
func (c *check) shows(t *testing.T, rt http.RoundTripper, url string) (shown string) {
	defer func() {
		if v := recover(); v != nil {
			shown = fmt.Sprint("panic: ", v)
		}
	}()
	return fmt.Sprint(c.run(t, rt, url))
}

// TestContract runs every check over http.Transport and over the carriers of this library,
// on every lane.
func TestContract(t *testing.T) {
	for _, c := range allChecks {
		for _, l := range lanesOf(c.protocols) {
			if c.except != nil && c.except(l) {
				continue
			}
			t.Run(c.name+"/"+l.String(), func(t *testing.T) {
				t.Parallel()
				url, link := l.serve(t, c.serve)
				want := c.shows(t, reference.make(t, link), url)
				for _, carrier := range carriers {
					t.Run(carrier.name, func(t *testing.T) {
						diff := cmp.Diff(departing(c.name, l, carrier, want), c.shows(t, carrier.make(t, link), url))
						for again := 0; again < 3 && diff != ""; again++ {
							diff = c.differs(t, l, carrier)
						}
						if diff != "" {
							t.Errorf("not as over http.Transport, or as it is to differ from that (-want +got)\n%s", diff)
						}
					})
				}
			})
		}
	}
}

// differs runs a check again, on a server of its own, over http.Transport and over the carrier. What
// is said at one moment by goroutines of the server, of a proxy and of http.Transport comes in no
// certain order, and once in some thousand runs in another one; a fault comes each time.
func (c *check) differs(t *testing.T, l lane, carrier carrier) string {
	url, link := l.serve(t, c.serve)
	want := c.shows(t, reference.make(t, link), url)
	return cmp.Diff(departing(c.name, l, carrier, want), c.shows(t, carrier.make(t, link), url))
}

// TestCanceledBodyIsNotWhole lets a server end a body as if it were whole when the client
// cancels it, which http.Transport may read to the end.
func TestCanceledBodyIsNotWhole(t *testing.T) {
	for _, protocol := range []string{"h1", "tls", "h2"} {
		url, link := serve(t, protocol, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w, "part")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		}))
		for _, carrier := range carriers {
			t.Run(protocol+"/"+carrier.name, func(t *testing.T) {
				rt := carrier.make(t, link)
				for range 20 {
					ctx, cancel := context.WithCancel(limited(t))
					resp, err := rt.RoundTrip(get(t, "GET", url, nil).WithContext(ctx))
					if err == nil {
						_, _ = io.ReadFull(resp.Body, make([]byte, 4))
						time.AfterFunc(time.Millisecond, cancel)
						_, err = io.ReadAll(resp.Body)
						resp.Body.Close()
					}
					cancel()
					if err != context.Canceled {
						t.Fatal(err)
					}
				}
			})
		}
	}
}
