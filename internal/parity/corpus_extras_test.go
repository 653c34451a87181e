package parity

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/cases"
	"github.com/mountable/requests/internal/fieldvalue"
)

// TestExtras runs the small corpora: cookie dates, Link fields, digest responses and Retry-After.
func TestExtras(t *testing.T) {
	var file struct {
		CookieDates []json.RawMessage `json:"cookie_dates"`
		Link        []json.RawMessage `json:"link"`
		Digest      []json.RawMessage `json:"digest"`
		RetryAfter  []json.RawMessage `json:"retry_after"`
	}
	cases.Corpus(t, "extras.json", &file)
	tl := newTally(t)
	runNumbered(t, tl, "extras/cookie_dates", file.CookieDates, cookieDate)
	runNumbered(t, tl, "extras/link", file.Link, linkField)
	runNumbered(t, tl, "extras/digest", file.Digest, digestExample)
	runNumbered(t, tl, "extras/retry_after", file.RetryAfter, retryAfterField)
}

// runNumbered runs cases that have no id under their position.
func runNumbered[C any](t *testing.T, tl *tally, file string, cases []json.RawMessage, body func(t *testing.T, c C) string) {
	for n, raw := range cases {
		runCase(t, tl, file, fmt.Sprintf("%s-%03d", file, n+1), raw, body)
	}
}

type dateCase struct {
	Value    string  `json:"value"`
	Expected *string `json:"expected"`
}

// cookieDate lets a reply set a cookie that expires at the date, on the day before it: a jar keeps no cookie whose date
// is past, and none for longer than 400 days. A cookie whose date cannot be read lives as long as the session.
func cookieDate(t *testing.T, c dateCase) string {
	now := time.Date(2000, 1, 1, 0, 0, 1, 0, time.UTC)
	if c.Expected != nil {
		date, err := http.ParseTime(*c.Expected)
		if err != nil {
			return err.Error()
		}
		if eve := date.AddDate(0, 0, -1); eve.After(now) {
			now = eve
		}
	}
	wrong := "not run"
	atTime(t, now.Unix(), func() { wrong = checkDate(t, c) })
	return wrong
}

func checkDate(t *testing.T, c dateCase) string {
	s := requests.NewSession()
	defer s.Close()
	s.TrustEnv = false
	if err := replyWithCookies(t.Context(), s, "http://h.test/", []string{"a=1; Expires=" + c.Value}); err != nil {
		return err.Error()
	}
	cookie, err := s.Cookies.Find("a", "", "")
	if c.Expected == nil {
		if err != nil || !cookie.Expires.IsZero() {
			return fmt.Sprintf("%q is read as %v, %v; want it unread", c.Value, cookie.Expires, err)
		}
		return ""
	}
	want, perr := http.ParseTime(*c.Expected)
	if perr != nil {
		return perr.Error()
	}
	switch {
	case want.Before(time.Now()) && err != nil:
		return "" // past, and so not kept
	case err != nil:
		return fmt.Sprintf("%q: no cookie", c.Value)
	case !cookie.Expires.Equal(want):
		return fmt.Sprintf("%q is read as %v, want %v", c.Value, cookie.Expires.UTC(), want)
	}
	return ""
}

type linkCase struct {
	Value    string              `json:"value"`
	Requests []map[string]string `json:"expected_requests"`
	RFC      []map[string]any    `json:"expected"`
}

// linkField reads a Link field as Requests does, or by RFC 8288, whichever the case is about.
func linkField(t *testing.T, c linkCase) string {
	if c.Requests != nil {
		got := []any{}
		for _, link := range fieldvalue.ParseLinks(unlatin1(c.Value)) {
			members := map[string]any{}
			for _, kv := range link {
				members[kv[0]] = kv[1]
			}
			got = append(got, members)
		}
		return mismatch(toTree(t, c.Requests), toTree(t, got))
	}
	got := []any{}
	for _, link := range fieldvalue.WebLinks(unlatin1(c.Value)) {
		members := map[string]any{"target": link.Target, "rel": append([]string{}, link.Rel...)}
		for _, kv := range link.Params {
			members[kv[0]] = kv[1]
		}
		got = append(got, members)
	}
	return mismatch(toTree(t, append([]map[string]any{}, c.RFC...)), toTree(t, got))
}

type digestCase struct {
	Username, Password, Realm, Nonce, URI, QOP, NC, Cnonce, Method, Algorithm, Opaque, Response string
	Firm                                                                                        *bool
}

// digestExample computes the response of an RFC's example with the nonce that it gives.
func digestExample(t *testing.T, c digestCase) string {
	if c.Firm != nil && !*c.Firm {
		t.Skip("the corpus does not want this one taken for a test: the RFC's own values are wrong")
	}
	challenge := fmt.Sprintf(`Digest realm="%s", nonce="%s", opaque="%s", qop="%s", algorithm=%s`, c.Realm, c.Nonce, c.Opaque, c.QOP, c.Algorithm)
	d := requests.DigestAuth(c.Username, c.Password)
	d.ClientNonce = func() string { return c.Cnonce }
	header, err := answeredChallenge(t.Context(), d, c.Method, "http://h.test"+c.URI, challenge)
	if err != nil {
		return err.Error()
	}
	got := digestParams(header)
	want := map[string]string{"response": c.Response, "nc": c.NC, "cnonce": c.Cnonce, "uri": c.URI, "opaque": c.Opaque}
	for _, key := range sortedKeys(want) {
		if got[key] != want[key] {
			return fmt.Sprintf("%s is %q, want %q", key, got[key], want[key])
		}
	}
	return ""
}

// answeredChallenge returns the Authorization with which a 401 is answered.
func answeredChallenge(ctx context.Context, auth requests.Auth, method, url, challenge string) (header string, err error) {
	s := requests.NewSession()
	defer s.Close()
	s.TrustEnv = false
	s.Mount("http://", requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		if header = p.Headers.Get("Authorization"); header != "" {
			return requests.NewResponse(p, 200, nil, nil), nil
		}
		return requests.NewResponse(p, 401, requests.Headers{{"WWW-Authenticate", challenge}}, nil), nil
	}))
	_, err = s.Request(ctx, method, url, requests.Authenticate(auth))
	return header, err
}

type retryAfterCase struct {
	Value    string          `json:"value"`
	Expected *retryAfterWant `json:"expected"`
}

type retryAfterWant struct {
	Seconds *int   `json:"seconds"`
	Date    string `json:"date"`
	Capped  bool   `json:"capped"`
	Either  bool   `json:"either"`
}

// retryAfterField reads the field the way the retries do. Beyond 6 hours, the bound they keep, a wait is cut.
func retryAfterField(_ *testing.T, c retryAfterCase) string {
	now := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	wait, err := requests.Retry{}.State().ParseRetryAfter(c.Value, now)
	e := c.Expected
	switch {
	case e != nil && e.Either:
		return ""
	case e == nil && err == nil:
		return fmt.Sprintf("%q is read as %v, must be ignored", c.Value, wait)
	case e == nil:
		return ""
	case err != nil:
		return fmt.Sprintf("%q: %v", c.Value, err)
	case e.Seconds != nil && wait != time.Duration(*e.Seconds)*time.Second:
		return fmt.Sprintf("%q is read as %v, want %d s", c.Value, wait, *e.Seconds)
	case e.Capped && wait > 6*time.Hour:
		return fmt.Sprintf("%q is read as %v", c.Value, wait)
	}
	return e.checkDate(wait, now)
}

// checkDate wants the wait until a date, none where it is past.
func (e *retryAfterWant) checkDate(wait time.Duration, now time.Time) string {
	date, err := time.Parse(time.RFC3339, e.Date)
	if e.Date == "" || err != nil {
		return ""
	}
	if want := max(date.Sub(now), 0); wait != want {
		return fmt.Sprintf("%s is %v away, want %v", e.Date, wait, want)
	}
	return ""
}
