package parity

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/cases"
)

// cookieCase is a series of replies into one jar, then what the jar sends.
type cookieCase struct {
	Steps []struct {
		URL       string   `json:"url"`
		SetCookie []string `json:"set_cookie"`
	} `json:"steps"`
	Queries []struct {
		URL      string  `json:"url"`
		Expected *string `json:"expected"`
	} `json:"queries"`
	Disabled bool `json:"disabled_in_source"`
	Optional bool `json:"optional"` // beyond RFC 6265, by RFC 6265bis
}

// TestCookies feeds Set-Cookie fields to a session's jar by way of replies, with the jar's own rules: RFC 6265bis.
func TestCookies(t *testing.T) {
	var file struct {
		Cases []json.RawMessage `json:"cases"`
	}
	cases.Corpus(t, "cookies.json", &file)
	tl := newTally(t)
	for _, raw := range file.Cases {
		runCase(t, tl, "cookies", caseID(t, raw), raw, func(t *testing.T, c cookieCase) string { return c.run(t) })
	}
}

func (c *cookieCase) run(t *testing.T) string {
	s := requests.NewSession()
	defer s.Close()
	s.TrustEnv = false
	for _, step := range c.Steps {
		if err := replyWithCookies(t.Context(), s, step.URL, step.SetCookie); err != nil {
			if c.Disabled {
				t.Skip("the suite that this case is of has disabled it, and no header here can hold it")
			}
			return err.Error()
		}
	}
	var wrong []string
	for _, q := range c.Queries {
		got := latin1(s.Cookies.Header(q.URL))
		want := value(q.Expected)
		if got != want {
			wrong = append(wrong, fmt.Sprintf("%s: sends %q, want %q", q.URL, got, want))
		}
	}
	switch {
	case len(wrong) > 0 && c.Disabled:
		t.Skip("the suite that this case is of has disabled it")
	case len(wrong) > 0 && c.Optional:
		t.Skip("the suite leaves this case to the implementation, which differs: " + strings.Join(wrong, "; "))
	}
	return strings.Join(wrong, "\n")
}

// replyWithCookies lets a stub answer a request to the URL with the given Set-Cookie fields.
func replyWithCookies(ctx context.Context, s *requests.Session, url string, fields []string) error {
	stub := requests.AdapterFunc(func(_ context.Context, p *requests.PreparedRequest, _ requests.SendOptions) (*requests.Response, error) {
		var headers requests.Headers
		for _, f := range fields {
			headers.Add("Set-Cookie", unlatin1(datesFromNow(f)))
		}
		return requests.NewResponse(p, 200, headers, nil), nil
	})
	s.Mount("http://", stub)
	s.Mount("https://", stub)
	_, err := s.Send(ctx, &requests.PreparedRequest{Method: "GET", URL: url}, requests.SendOptions{})
	return err
}

var nowPattern = regexp.MustCompile(`\{\{now\+(-?\d+)\}\}`)

// datesFromNow writes {{now+N}} as the HTTP-date N seconds from now.
func datesFromNow(s string) string {
	return nowPattern.ReplaceAllStringFunc(s, func(m string) string {
		n, _ := strconv.Atoi(nowPattern.FindStringSubmatch(m)[1])
		return time.Now().Add(time.Duration(n) * time.Second).UTC().Format(http.TimeFormat)
	})
}
