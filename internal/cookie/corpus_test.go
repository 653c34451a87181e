package cookie

import (
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/mountable/requests/internal/cases"
	"github.com/mountable/requests/internal/httpdate"
	"github.com/mountable/requests/internal/uri"
)

// cookieCorpusDepartures are the cases that are not kept, and why.
var cookieCorpusDepartures = map[string]string{
	"go-jar/basicsTests-703":   "net/http quotes a value with a comma; here values go back as they came",
	"derived/secure-from-http": "optional, and at odds with go-jar/basicsTests-460",
}

type corpusCookieCase struct {
	ID       string
	Disabled bool `json:"disabled_in_source"`
	Steps    []struct {
		URL       string
		SetCookie []string `json:"set_cookie"`
	}
	Queries []struct {
		URL      string
		Expected *string
	}
}

// namesNothing reports whether a field of the case sets a cookie without a name.
func (c *corpusCookieCase) namesNothing() bool {
	for _, s := range c.Steps {
		for _, field := range s.SetCookie {
			pair, _, _ := strings.Cut(field, ";")
			if name, _, ok := strings.Cut(pair, "="); pair != "" && (!ok || strings.TrimSpace(name) == "") {
				return true
			}
		}
	}
	return false
}

var relativeDate = regexp.MustCompile(`\{\{now\+(-?\d+)\}\}`)

// fillDates puts dates relative to now into a recorded field.
func fillDates(field string) string {
	return relativeDate.ReplaceAllStringFunc(field, func(s string) string {
		seconds, _ := strconv.Atoi(relativeDate.FindStringSubmatch(s)[1])
		return time.Now().Add(time.Duration(seconds) * time.Second).UTC().Format(http.TimeFormat)
	})
}

func prepared(t *testing.T, url string) string {
	t.Helper()
	p, err := uri.Prepare(url, nil)
	if err != nil {
		return url
	}
	return p
}

func TestCookieCorpus(t *testing.T) {
	var corpus struct{ Cases []corpusCookieCase }
	cases.Corpus(t, "cookies.json", &corpus)
	for _, c := range corpus.Cases {
		t.Run(c.ID, func(t *testing.T) {
			if c.Disabled {
				t.Skip("the suite that this case is of has disabled it")
			}
			j := newJar(Rules{})
			for _, s := range c.Steps {
				fields := latin1Bytes(s.SetCookie)
				for i := range fields {
					fields[i] = fillDates(fields[i])
				}
				j.receive(prepared(t, s.URL), fields...)
			}
			var want, got []string
			for _, q := range c.Queries {
				want = append(want, fmt.Sprintf("%s: %s", q.URL, orEmpty(q.Expected)))
				got = append(got, fmt.Sprintf("%s: %s", q.URL, latin1Text(j.header(prepared(t, q.URL)))))
			}
			diff := cmp.Diff(want, got)
			switch why := cookieCorpusDepartures[c.ID]; {
			case c.namesNothing(): // kept by RFC 6265bis, dropped by RFC 6265: testdata/parity/differences.txt has each
			case why != "" && diff == "":
				t.Errorf("passes, though %s", why)
			case why == "" && diff != "":
				t.Errorf("%v (-want +got):\n%s", c.Steps, diff)
			}
		})
	}
}

func TestCookieDateCorpus(t *testing.T) {
	var corpus struct {
		Dates []struct {
			Value    string
			Expected *string
		} `json:"cookie_dates"`
	}
	cases.Corpus(t, "extras.json", &corpus)
	for _, c := range corpus.Dates {
		got := ""
		if date, ok := httpdate.Cookie(c.Value); ok {
			got = date.Format(http.TimeFormat)
		}
		if diff := cmp.Diff(orEmpty(c.Expected), got); diff != "" {
			t.Errorf("httpdate.Cookie(%q) (-want +got):\n%s", c.Value, diff)
		}
	}
}
