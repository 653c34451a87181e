package requests_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/wiretest"
)

// TestRule27Lanes: rules 27 and 28: neither a bomb nor a tower of codings is unpacked.
func TestRule27Lanes(t *testing.T) {
	var bomb bytes.Buffer
	z, _ := gzip.NewWriterLevel(&bomb, gzip.BestSpeed)
	_, _ = io.CopyN(z, zero{}, 64<<20)
	z.Close()
	eachLane(t, func(t *testing.T, l lane) {
		s := l.session(t)
		codings := []string{"gzip", "gzip, gzip, gzip, gzip, gzip, gzip"}
		if raceDetector && (l.caller != "http.Client" || l.hop != "direct") {
			codings = codings[1:] // the race detector makes the other one slow
		}
		for _, coding := range codings {
			l.site.answering(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Encoding", coding)
				_, _ = w.Write(bomb.Bytes())
			})
			if _, err := l.send(t.Context(), s, "GET", l.at("example.com", "/"), nil, nil); !errors.Is(err, requests.ErrContentDecoding) {
				t.Errorf("%s: %v", coding, err)
			}
		}
	})
}

// TestRule29Lanes: a head without measure is an error, not memory.
func TestRule29Lanes(t *testing.T) {
	// A proxy of net/http refuses such a head before the client sees it.
	eachLaneOf(t, func(l lane) bool { return !l.forwarded() }, func(t *testing.T, l lane) {
		s := l.session(t)
		for name, fields := range map[string]func(http.Header){
			"many": func(h http.Header) {
				for i := range 1100 {
					h.Set(fmt.Sprintf("X-%d", i), "v")
				}
			},
			"long":         func(h http.Header) { h.Set("X", strings.Repeat("v", 300<<10)) },
			"many cookies": func(h http.Header) { h["Set-Cookie"] = slices.Repeat([]string{"a=b"}, 1100) },
		} {
			l.site.answering(func(w http.ResponseWriter, _ *http.Request) { fields(w.Header()) })
			if _, err := l.send(t.Context(), s, "POST", l.at("example.com", "/"), nil, nil); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
	})
}

// TestRule51Lanes: a body that cannot be sent again is an error where it would have to be.
func TestRule51Lanes(t *testing.T) {
	eachLane(t, func(t *testing.T, l lane) {
		s := l.session(t)
		for name, body := range map[string]func() io.Reader{
			"once":  func() io.Reader { return io.MultiReader(strings.NewReader("data")) },
			"again": func() io.Reader { return strings.NewReader("data") },
		} {
			text, err := l.send(t.Context(), s, "PUT", l.redirected(307, "example.com", "example.com"), nil, body())
			hops := l.site.took()
			for _, r := range hops {
				if r.body != "data" {
					t.Errorf("%s: %s got %q", name, r.at, r.body)
				}
			}
			// An http.Client that cannot rewind does not follow, and gives the redirect.
			followed := err == nil && text == "ok"
			if (name == "again") != followed || l.caller != "http.Client" && name == "once" && !errors.Is(err, requests.ErrUnrewindableBody) {
				t.Errorf("%s: %q, %v after %d hops", name, text, err, len(hops))
			}
		}
	})
}

// TestRule51Compressed: what is compressed while it is sent has the length that it was given with, the second time too, or
// the call fails.
func TestRule51Compressed(t *testing.T) {
	eachLaneOf(t, lane.bySession, func(t *testing.T, l lane) {
		s := l.session(t)
		for _, c := range []struct {
			name    string
			status  int
			lengths []int // each time
			kind    error
		}{
			{"as it was", 307, []int{5, 5}, nil},
			{"shorter", 200, []int{3}, requests.ErrBodyLength},
			{"longer", 200, []int{9}, requests.ErrBodyLength},
			{"shorter the second time", 308, []int{5, 0}, requests.ErrBodyLength},
		} {
			url := l.at("example.com", "/")
			if c.status != 200 {
				url = l.redirected(c.status, "example.com", "example.com")
			}
			r, err := s.Put(t.Context(), url, requests.Compress("gzip", &changing{lengths: c.lengths}))
			if !errors.Is(err, c.kind) || c.kind == nil && !r.OK() {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	})
}

// changing says that it has 5 bytes.
type changing struct {
	lengths []int
	read    int
}

func (c *changing) Len() int64 { return 5 }

func (c *changing) Rewind() error {
	c.lengths, c.read = c.lengths[1:], 0
	return nil
}

func (c *changing) Read(p []byte) (int, error) {
	if c.read == c.lengths[0] {
		return 0, io.EOF
	}
	c.read++
	p[0] = 'x'
	return 1, nil
}

// TestRule52Lanes: another certificate, or another CA, resumes nothing.
func TestRule52Lanes(t *testing.T) {
	eachLaneOf(t, func(l lane) bool { return l.scheme == "https" }, func(t *testing.T, l lane) {
		s := l.session(t)
		resumed := func() string {
			defer s.Close()
			text, err := l.send(t.Context(), s, "GET", l.at("example.com", "/"), nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			return text
		}
		l.site.answering(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.TLS.DidResume) })
		got := []string{resumed(), resumed()}
		s.Cert = requests.CertPEM(wiretest.PEM(wiretest.TestCA().Client("ada")))
		got = append(got, resumed(), resumed())
		s.Verify = requests.CABundlePEM(append(wiretest.TestCA().PEM(), wiretest.OtherCA().PEM()...))
		got = append(got, resumed(), resumed())
		if diff := cmp.Diff([]string{"false", "true", "false", "true", "false", "true"}, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

// TestRule53Lanes: after a panic of the caller's code nothing is in use.
func TestRule53Lanes(t *testing.T) {
	// A pool's workers hand a panic on to its caller: TestPoolPanicInJob.
	eachLaneOf(t, func(l lane) bool { return l.caller != "toolbelt" }, func(t *testing.T, l lane) {
		s := l.session(t)
		s.OnResponse(panickingHook)
		for _, body := range []any{nil, panickingBody{}} {
			var got any
			func() {
				defer func() { got = recover() }()
				_, err := l.send(t.Context(), s, "POST", l.at("example.com", "/"), nil, body)
				t.Errorf("no panic: %v", err)
			}()
			if got != thePanic {
				t.Errorf("got %v", got)
			}
		}
		adapter, err := s.Adapter(l.scheme + "://")
		if err != nil {
			t.Fatal(err)
		}
		if stats := adapter.(*requests.HTTPAdapter).Stats(); stats.InUse != 0 {
			t.Errorf("%d connections are in use", stats.InUse)
		}
	})
}
