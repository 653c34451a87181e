package interop

import (
	"fmt"
	"io"
	"log"
	"net/http"
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

// deliberate lists where this library departs from http.Transport on purpose, by check and protocol; the guide has the
// reasons ("Under net/http").
var deliberate = map[string]bool{
	"cancellation with a cause/h2": true, // the cause is reachable over HTTP/2, too
	"headers/h2":                   true, // blanks around a value are cut, over HTTP/2, too
}

// notYet lists checks that do not hold yet, by check or check and protocol.
var notYet = map[string]bool{"empty responses": true, "connection close": true, "request line/h2": true}

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
				if notYet[c.name] || notYet[c.name+"/"+protocol] {
					t.Skip("does not hold yet")
				}
				url, config := serve(t, protocol, c.serve)
				h2 := protocol == "h2"
				want := c.shows(t, reference.make(t, config, h2), url)
				for _, carrier := range carriers {
					t.Run(carrier.name, func(t *testing.T) {
						got := c.shows(t, carrier.make(t, config, h2), url)
						if deliberate[c.name+"/"+protocol] {
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
