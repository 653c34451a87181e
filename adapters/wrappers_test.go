package adapters_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests"
	"github.com/mountable/requests/adapters"
	"github.com/mountable/requests/adapters/adaptertest"
)

func TestWrappersContract(t *testing.T) {
	limit := must[requests.Wrapper](t)(adapters.RateLimit(math.Inf(1), 1))
	adaptertest.Run(t, func(t *testing.T, h http.Handler) (requests.Adapter, string) {
		return adapters.Chain(requests.NewHTTPAdapter(), adapters.Logging(slog.New(slog.DiscardHandler)), nil, limit), served(t, h).URL
	})
}

func TestChainOrder(t *testing.T) {
	var order []string
	note := func(name string) requests.Wrapper {
		return func(base requests.Adapter) requests.Adapter {
			return requests.AdapterFunc(func(ctx context.Context, p *requests.PreparedRequest, opts requests.SendOptions) (*requests.Response, error) {
				order = append(order, name)
				return base.Send(ctx, p, opts)
			})
		}
	}
	a := adapters.Chain(adapters.Data(), note("outer"), note("inner"))
	if _, err := a.Send(t.Context(), get("data:,x"), requests.SendOptions{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"outer", "inner"}, order); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestLogging: what is logged, at which level, and that no secret is.
func TestLogging(t *testing.T) {
	m := adapters.NewMock()
	m.On("GET", "https://h.test/").Reply(adapters.Reply{Headers: requests.Headers{{"Set-Cookie", "id=s3cret; Path=/"}, {"X", "y"}}})
	m.On("GET", "https://h.test/missing").Reply(adapters.Reply{Status: 404})
	m.On("GET", "https://h.test/broken").Reply(adapters.Reply{Err: errors.New("broken")})
	for _, level := range []slog.Level{slog.LevelInfo, slog.LevelDebug} {
		var out bytes.Buffer
		logger := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == "time" || a.Key == "duration" {
				return slog.Attr{}
			}
			return a
		}}))
		s := mocked(m)
		s.Mount("https://", adapters.Chain(m, adapters.Logging(logger)))
		for _, path := range []string{"?token=s3cret&q=1", "missing", "broken"} {
			_, _ = s.Get(t.Context(), "https://ada:s3cret@h.test/"+path, requests.Headers{{"X-Api-Key", "s3cret"}})
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		want := []string{
			`level=INFO msg=request method=GET url="https://***@h.test/?token=***&q=1" status=200`,
			`level=WARN msg=request method=GET url=https://***@h.test/missing status=404`,
			`level=ERROR msg=request method=GET url=https://***@h.test/broken error=`,
		}
		for i := range want {
			if !strings.HasPrefix(lines[i], want[i]) {
				t.Errorf("line %d is %s, expected %s", i, lines[i], want[i])
			}
		}
		if debug := strings.Contains(out.String(), "response.set-cookie=\"id=***; Path=/\""); debug != (level == slog.LevelDebug) {
			t.Errorf("%v: headers %t\n%s", level, debug, &out)
		}
		if strings.Contains(out.String(), "s3cret") {
			t.Errorf("a secret was logged:\n%s", &out)
		}
	}
}

// TestRateLimit sends through a limit of two a second, one at a time, per host.
func TestRateLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := adapters.NewMock()
		m.On("", "")
		a := adapters.Chain(m, must[requests.Wrapper](t)(adapters.RateLimit(2, 1)))
		start := time.Now()
		var got []time.Duration
		for _, url := range []string{"http://a.test/", "http://a.test/x", "http://b.test/", "http://A.TEST/", "https://a.test/"} {
			if _, err := a.Send(t.Context(), get(url), requests.SendOptions{}); err != nil {
				t.Fatal(err)
			}
			got = append(got, time.Since(start))
		}
		half := 500 * time.Millisecond
		if diff := cmp.Diff([]time.Duration{0, half, half, 2 * half, 2 * half}, got); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
		_, err := a.Send(t.Context(), get("http://a.test/"), requests.SendOptions{Deadline: time.Now().Add(100 * time.Millisecond)})
		if !errors.Is(err, requests.ErrTotalTimeout) || len(m.Sent()) != 5 {
			t.Errorf("%v, %d sent", err, len(m.Sent()))
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Millisecond, cancel)
		if _, err = a.Send(ctx, get("http://a.test/"), requests.SendOptions{}); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// TestRateLimitObeys: how long each reply makes the next request wait.
func TestRateLimitObeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			reply adapters.Reply
			want  time.Duration
		}{
			"nothing":        {adapters.Reply{}, 0},
			"seconds":        {adapters.Reply{Status: 429, Headers: requests.Headers{{"Retry-After", "30"}}}, 30 * time.Second},
			"twice":          {adapters.Reply{Status: 429, Headers: requests.Headers{{"Retry-After", "30"}, {"Retry-After", "30"}}}, 30 * time.Second},
			"the longer":     {adapters.Reply{Status: 503, Headers: requests.Headers{{"Retry-After", "30"}, {"Retry-After", "40"}}}, 40 * time.Second},
			"other status":   {adapters.Reply{Status: 200, Headers: requests.Headers{{"Retry-After", "30"}}}, 0},
			"nonsense":       {adapters.Reply{Status: 429, Headers: requests.Headers{{"Retry-After", "soon"}}}, 0},
			"for ever":       {adapters.Reply{Status: 429, Headers: requests.Headers{{"Retry-After", "8000000000"}}}, time.Hour},
			"field":          {adapters.Reply{Headers: requests.Headers{{"RateLimit", `"default";r=0;t=40`}}}, 40 * time.Second},
			"field, left":    {adapters.Reply{Headers: requests.Headers{{"RateLimit", `"default";r=1;t=40`}}}, 0},
			"older field":    {adapters.Reply{Headers: requests.Headers{{"RateLimit", "limit=9, remaining=0, reset=50"}}}, 50 * time.Second},
			"three fields":   {adapters.Reply{Headers: requests.Headers{{"RateLimit-Remaining", "0"}, {"RateLimit-Reset", "7"}}}, 7 * time.Second},
			"with X":         {adapters.Reply{Headers: requests.Headers{{"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", "8"}}}, 8 * time.Second},
			"fraction":       {adapters.Reply{Headers: requests.Headers{{"X-RateLimit-Remaining", "0.0"}, {"X-RateLimit-Reset", "2.5"}}}, 2 * time.Second},
			"without a time": {adapters.Reply{Headers: requests.Headers{{"RateLimit-Remaining", "0"}}}, 0},
		} {
			m := adapters.NewMock()
			m.On("", "").Reply(c.reply)
			a := adapters.Chain(m, must[requests.Wrapper](t)(adapters.RateLimit(math.Inf(1), 1)))
			if got := pause(t, a); got != c.want {
				t.Errorf("%s: waited %v, want %v", name, got, c.want)
			}
		}
		for _, c := range []struct {
			fields [2]string
			format func(time.Time) string
		}{
			{[2]string{"X", "Retry-After"}, func(t time.Time) string { return t.UTC().Format(http.TimeFormat) }},
			{[2]string{"X-RateLimit-Remaining", "X-RateLimit-Reset"}, func(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }},
		} {
			m := adapters.NewMock()
			reply := adapters.Reply{Status: 503, Headers: requests.Headers{{c.fields[0], "0"}, {c.fields[1], c.format(time.Now().Add(90 * time.Second))}}}
			m.On("", "").Reply(reply, adapters.Reply{})
			a := adapters.Chain(m, must[requests.Wrapper](t)(adapters.RateLimit(math.Inf(1), 1)))
			if got := pause(t, a); got != 90*time.Second {
				t.Errorf("%v: waited %v", c.fields, got)
			}
		}
		m := adapters.NewMock()
		m.On("", "").Reply(adapters.Reply{Status: 429, Headers: requests.Headers{{"Retry-After", "1.5"}}})
		if got := pause(t, adapters.Chain(m, must[requests.Wrapper](t)(adapters.RateLimit(math.Inf(1), 1)))); got != 1500*time.Millisecond {
			t.Errorf("a fraction: waited %v", got)
		}
	})
}

// pause is how long the second request has to wait.
func pause(t *testing.T, a requests.Adapter) time.Duration {
	t.Helper()
	start := time.Now()
	for range 2 {
		if _, err := a.Send(t.Context(), get("http://h.test/"), requests.SendOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	return time.Since(start)
}

func TestRateLimitWrongArguments(t *testing.T) {
	for _, c := range []struct {
		perSecond float64
		burst     int
		says      string
	}{{0, 1, "perSecond"}, {-1, 1, "perSecond"}, {math.NaN(), 1, "perSecond"}, {1, 0, "burst"}} {
		if _, err := adapters.RateLimit(c.perSecond, c.burst); !errors.Is(err, requests.ErrInvalidArgument) || !strings.Contains(fmt.Sprint(err), c.says) {
			t.Errorf("%v: %v", c, err)
		}
	}
}
