package interop

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var quiet = log.New(io.Discard, "", 0)

// A check sends something over a transport and shows what came of it. What is shown must be the same over every carrier.
type check struct {
	name      string
	protocols []string // h1, tls, h2; all three if nil
	serve     http.HandlerFunc
	run       func(t *testing.T, rt http.RoundTripper, url string) any
}

// deliberate lists where a carrier departs from http.Transport on purpose, by carrier and check; docs/guide/net-http.md
// has the reasons.
var deliberate = map[string][]string{}

// shows runs a check; a panic is a result like others.
func (c *check) shows(t *testing.T, rt http.RoundTripper, url string) (shown string) {
	defer func() {
		if v := recover(); v != nil {
			shown = fmt.Sprint("panic: ", v)
		}
	}()
	return fmt.Sprint(c.run(t, rt, url))
}

// TestContract runs every check over http.Transport and over the carriers of this library.
func TestContract(t *testing.T) {
	for _, c := range checks {
		protocols := c.protocols
		if protocols == nil {
			protocols = []string{"h1", "tls", "h2"}
		}
		for _, protocol := range protocols {
			t.Run(c.name+"/"+protocol, func(t *testing.T) {
				t.Parallel()
				url, config := serve(t, protocol, c.serve)
				h2 := protocol == "h2"
				want := c.shows(t, reference.make(t, config, h2), url)
				for _, carrier := range carriers {
					t.Run(carrier.name, func(t *testing.T) {
						got := c.shows(t, carrier.make(t, config, h2), url)
						if slices.Contains(deliberate[carrier.name], c.name) {
							return
						}
						if diff := cmp.Diff(want, got); diff != "" {
							t.Errorf("not as over http.Transport (-want +got)\n%s", diff)
						}
					})
				}
			})
		}
	}
}
