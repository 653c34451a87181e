package parity

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/mountable/requests"
	"github.com/mountable/requests/internal/cases"
	"github.com/mountable/requests/internal/uri"
)

// urlCase is a URL, or a reference and its base, with what the WHATWG's rules make of it.
type urlCase struct {
	Input    string `json:"input"`
	Base     string `json:"base"`
	Location string `json:"location"`
	Href     string `json:"expected_href"`
	Failure  bool   `json:"failure"`
}

// TestURLs looks for disagreements about hosts. The WHATWG reads more as URLs than a client should, and repairs what
// Requests refuses, so a refusal is never wrong here; but a URL that is accepted must lead to the host a browser would
// connect to, and what has no host at all must be refused.
func TestURLs(t *testing.T) {
	var file struct {
		Absolute []json.RawMessage `json:"absolute"`
		Relative []json.RawMessage `json:"relative"`
	}
	cases.Corpus(t, "urls.json", &file)
	tl := newTally(t)
	for _, raw := range file.Absolute {
		runCase(t, tl, "urls/absolute", caseID(t, raw), raw, func(_ *testing.T, c urlCase) string {
			p, err := (&requests.Request{URL: c.Input}).Prepare()
			if err != nil {
				return ""
			}
			return c.check(p.URL)
		})
	}
	for _, raw := range file.Relative {
		runCase(t, tl, "urls/relative", caseID(t, raw), raw, func(_ *testing.T, c urlCase) string {
			target, err := uri.ResolveRedirect(c.Base, c.Location, "")
			if err != nil {
				return ""
			}
			return c.check(target)
		})
	}
}

// check compares the host of an accepted URL with the browser's.
func (c *urlCase) check(accepted string) string {
	u, err := uri.Parse(accepted)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https":
		return "" // no connection is made to it
	case u.Host == "":
		return fmt.Sprintf("%q is accepted without a host", accepted)
	case strings.ContainsAny(u.Host, "\\ \t\r\n\x00@/?#"):
		return fmt.Sprintf("%q is accepted with the host %q", accepted, u.Host)
	case c.Failure:
		return "" // more is accepted than by a browser; where to, nobody disagrees
	}
	want, err := url.Parse(c.Href)
	if err != nil {
		return ""
	}
	base, _ := uri.Parse(c.Base)
	got, browser := strings.Trim(u.Host, "[]"), strings.Trim(want.Hostname(), "[]")
	if c.Base != "" && got == base.Host {
		return "" // staying with the server that sent the reference gives nothing away
	}
	if !sameName(got, browser) {
		return fmt.Sprintf("%q leads to %q, in a browser to %q", accepted, got, want.Hostname())
	}
	return ""
}

// sameName compares hosts up to letter case and escapes, and addresses up to their form.
func sameName(a, b string) bool {
	x, errX := netip.ParseAddr(a)
	y, errY := netip.ParseAddr(b)
	if errX == nil && errY == nil {
		return x == y
	}
	return unescaped(a) == unescaped(b)
}

func unescaped(s string) string {
	plain, err := url.PathUnescape(s)
	if err != nil {
		plain = s
	}
	return strings.ToLower(plain)
}
