package interop

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// rows are what was found when net/http's own tests and those of other libraries ran over a
// Session, by number, and what holds each of them now: checks of the contract, which run on
// every lane over every carrier, and tests, of this module ("Test…") or another package.
var rows = map[int][]string{
	1:  {"full duplex", "bodies both ways", "responses to a body that waits", "TestFullDuplex", "TestConversation", "TestResponsesToUploads", "TestResponsesToUploadsHTTP2"},
	2:  {"bodies both ways", "pipe both ways", "large file", "TestRoundTripperSendsOn", "TestRoundTripperBothWays"},
	3:  {"lengths that lie", "bodies", "TestLongerThanAnnounced", "TestRoundTripperOverlong"},
	4:  {"request line", "OPTIONS *", "TestRequestLineAsGiven"},
	5:  {"headers", "host", "host with a zone"},
	6:  {"HEAD", "dumped response"},
	7:  {"codings asked for", "gzip", "unknown codings"},
	8:  {"read after close"},
	9:  {"upgrade", "TestWebsocket", "TestWebsocketThroughProxies", "TestUpgrade", "TestUpgradeUnderHTTPClient"},
	10: {"trace", "trace of several requests", "trace of a redirect", "trace of a name", "trace of another try", "trace of a failure", "fields in a trace", "TestTrace"},
	11: {"interim responses", "trace of several requests", "TestInterimOnce"},
	12: {"request trailers", "TestReverseProxy", "TestTrailersFollow", "TestRoundTripperTrailers"},
	13: {"req.Cancel"},
	14: {"close idle connections"},
	15: {"responses to a body that waits", "early refusal of a slow body", "pipe both ways", "TestBlockingBody"},
	16: {"TestCookiesOfNamesLanes"},
	17: {"other schemes", "bad requests close their body"},
	18: {"response", "chunked response", "connection close", "dumped response", "empty responses and their connection"},
	19: {"bad requests close their body", "known words"},
	21: {"headers", "transfer encoding of the request"},
	22: {"CONNECT by the caller", "TestConnectByCaller", "TestConnectWithBody"},
	23: {"expect continue", "trace of a held back body", "TestExpectContinue"},
	24: {"cut body", "cut chunks", "cancellation", "client timeout", "no response", "unknown authority", "dial error"},
	25: {"headers"},
	26: {"bad headers"},
	27: {"empty responses"},
	28: {"suppressed user agent", "several user agents"},
	29: {"TestAdapterAddsNothing"},
	30: {"dead connections", "trace of another try"},
	31: {"many fields", "TestManyFieldsAreLinear"},
	32: {"cause in the body", "cancellation with a cause"},
	33: {"TestDialers", "TestDialer"},
}

// TestRows: what the table names exists. Row 20 was found to be none.
func TestRows(t *testing.T) {
	names := testNames(t)
	for _, c := range allChecks {
		names = append(names, c.name)
	}
	for n := range 33 {
		if n+1 != 20 && len(rows[n+1]) == 0 {
			t.Errorf("row %d has no check", n+1)
		}
		for _, name := range rows[n+1] {
			if !slices.Contains(names, name) {
				t.Errorf("row %d: there is no %q", n+1, name)
			}
		}
	}
}

// testNames lists the tests of the repository.
func testNames(t *testing.T) (names []string) {
	err := filepath.WalkDir("../..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for line := range strings.Lines(string(text)) {
			if name, found := strings.CutPrefix(line, "func Test"); found {
				name, _, _ = strings.Cut(name, "(")
				names = append(names, "Test"+name)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestAdapterAddsNothing: of its own, an adapter adds a User-Agent: no coding, no credentials
// of the URL, no cookies of an earlier response, whatever the method.
func TestAdapterAddsNothing(t *testing.T) {
	for _, l := range lanesOf(nil) {
		t.Run(l.String(), func(t *testing.T) {
			base, to := l.serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				http.SetCookie(w, &http.Cookie{Name: "k", Value: "v"})
				r.Header.Del("User-Agent")
				fmt.Fprint(w, r.Header)
			}))
			rt := adapterTransport(t, to)
			var got []string
			for _, method := range []string{"GET", "HEAD", "POST", "GET", "DELETE", "OPTIONS"} {
				req := get(t, method, strings.Replace(base, "://", "://ada:secret@", 1)+"/", nil)
				resp, err := rt.RoundTrip(req.WithContext(limited(t)))
				got = append(got, method+" "+textOf(resp, err))
			}
			want := []string{"GET map[]", "HEAD ", "POST map[Content-Length:[0]]", "GET map[]", "DELETE map[]", "OPTIONS map[]"}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestDialers: a dialer is asked for what http.Transport asks its own for, on every lane.
func TestDialers(t *testing.T) {
	for _, l := range lanesOf(nil) {
		t.Run(l.String(), func(t *testing.T) {
			base, to := l.serve(t, http.HandlerFunc(echo))
			dialed := func(c carrier) string {
				var mu sync.Mutex
				var asked []string
				to := to
				to.dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
					mu.Lock()
					defer mu.Unlock()
					asked = append(asked, network+" "+addr)
					return new(net.Dialer).DialContext(ctx, network, addr)
				}
				rt := c.make(t, to)
				for range 2 {
					if got := exchange(t, rt, get(t, "GET", base+"/", nil)); !strings.HasPrefix(got, "200 ") {
						t.Errorf("over %s: %s", c.name, got)
					}
				}
				mu.Lock()
				defer mu.Unlock()
				return strings.Join(asked, ", ")
			}
			want := dialed(reference)
			for _, c := range carriers {
				if diff := cmp.Diff(want, dialed(c)); diff != "" {
					t.Errorf("over %s (-want +got)\n%s", c.name, diff)
				}
			}
		})
	}
}
