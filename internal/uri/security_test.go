package uri

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/mountable/requests/internal/cases"
	"github.com/mountable/requests/internal/wiretest"
)

// refusal is how a URL fares: in Prepare, and in Parse as it stands.
type refusal struct{ Prepare, Parse string }

func refusalOf(s string) refusal {
	_, prepared := Prepare(s, nil)
	_, parsed := Parse(s)
	return refusal{codeOf(prepared), codeOf(parsed)}
}

func codeOf(err error) string {
	var e *Error
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &e):
		return e.Code.String()
	}
	return "not an *Error"
}

func TestRule22ControlCharacters(t *testing.T) {
	for _, c := range []string{"\r", "\n", "\x00", "\t", "\x7f", "\r\nX: y"} {
		for _, s := range []string{"http://h" + c + "/", "http://h/a" + c, "http://h/?a" + c, "http://u" + c + "@h/", "http://h:8" + c + "0/"} {
			if _, err := Parse(s); err == nil {
				t.Errorf("Parse(%q) accepts a control character", s)
			}
			if got, err := Prepare(s, nil); err == nil && hasControl(got) {
				t.Errorf("Prepare(%q) = %q", s, got)
			}
			if got := RequestTarget(s); hasControl(got) || strings.Contains(got, " ") {
				t.Errorf("RequestTarget(%q) = %q", s, got)
			}
			if got, err := AbsoluteTarget(s); err == nil && (hasControl(got) || strings.Contains(got, " ")) {
				t.Errorf("AbsoluteTarget(%q) = %q", s, got)
			}
		}
	}
}

func TestRule23HostHeader(t *testing.T) {
	for url, want := range map[string][3]string{ // Host field, text for a proxy, address
		"http://example.com/":         {"example.com", "example.com", "example.com:80"},
		"http://example.com:80/":      {"example.com", "example.com:80", "example.com:80"},
		"https://example.com:80/":     {"example.com:80", "example.com:80", "example.com:80"},
		"https://EXAMPLE.com./":       {"example.com", "example.com.", "example.com.:443"},
		"http://[2001:DB8::1]:8080/":  {"[2001:db8::1]:8080", "[2001:db8::1]:8080", "[2001:db8::1]:8080"},
		"http://[fe80::1%25eth0]/":    {"[fe80::1]", "[fe80::1]", "[fe80::1%eth0]:80"},
		"http://u:p@h.test:8443/":     {"h.test:8443", "h.test:8443", "h.test:8443"},
		"http://127.0.0.1:0/":         {"127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"},
		"http://0x7f.1/":              {"127.0.0.1", "127.0.0.1", "127.0.0.1:80"},
		"https://b\u00fccher.example": {"xn--bcher-kva.example", "xn--bcher-kva.example", "xn--bcher-kva.example:443"},
	} {
		u, err := Parse(url)
		if err != nil {
			t.Errorf("Parse(%q): %v", url, err)
			continue
		}
		got := [3]string{u.HostHeader(), u.Netloc(), u.DialAddr()}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", url, diff)
		}
	}
}

func TestRule24Zone(t *testing.T) {
	for _, s := range []string{"http://[::1%25.example.com]/", "http://[::1%.example.com]/"} {
		u, err := Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		got := []string{u.Hostname(), u.HostHeader(), u.ServerName()}
		if diff := cmp.Diff([]string{"::1", "[::1]", "::1"}, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", s, diff)
		}
	}
}

func TestRule25Refused(t *testing.T) {
	const (
		ok, invalid, ambiguous = "ok", "invalid host", "ambiguous host"
		missing, port          = "no host supplied", "invalid port"
	)
	for s, want := range map[string]refusal{
		"http://good.test/":                      {ok, ok},
		"http:///path":                           {missing, missing},
		"http://?q":                              {missing, missing},
		"http://user:pw@/":                       {missing, missing},
		"http://:80/":                            {missing, missing},
		`http://good.test\@evil.test/`:           {ambiguous, ambiguous},
		`http://good.test\.evil.test/`:           {ambiguous, ambiguous},
		`http:\\good.test/`:                      {missing, missing},
		"http://good.test%2f@evil.test/":         {ok, ok}, // an escaped slash is plain user information
		"http://good.test%2fevil.test/":          {ambiguous, ambiguous},
		"http://good.test%40evil.test/":          {ambiguous, ambiguous},
		"http://good.test%5cevil.test/":          {ambiguous, ambiguous},
		"http://good.test%23evil.test/":          {ambiguous, ambiguous},
		"http://good.test%00evil.test/":          {ambiguous, ambiguous},
		"http://good.test%3a80/":                 {ambiguous, ambiguous},
		"http://exa%zzmple.test/":                {invalid, invalid},
		"http://a@b@evil.test/":                  {ok, ambiguous}, // prepared, the first @ is %40
		"http://[::1]@evil.test/":                {ok, ambiguous},
		"http://[::1]evil.test/":                 {invalid, invalid},
		"http://[::1":                            {invalid, invalid},
		"http://::1]/":                           {port, port},
		"http://[::1]]/":                         {invalid, invalid},
		"http://[evil.test]/":                    {invalid, invalid},
		"http://[::ffff:1.2.3.4.5]/":             {invalid, invalid},
		"http://[]/":                             {invalid, invalid},
		"http://[v1.evil]/":                      {invalid, invalid},
		"http://evil.test:80:80/":                {port, port},
		"http://evil.test:-80/":                  {port, port},
		"http://evil.test:65536/":                {port, port},
		"http://evil.test:99999999999999999999/": {port, port},
		"http://evil test/":                      {invalid, invalid},
		"http://evil|test/":                      {ambiguous, ambiguous},
		"http://evil\r\n.test/":                  {invalid, invalid},
		"http://good.test#@evil.test/":           {ok, ok}, // the host is good.test
		"http://good.test?@evil.test/":           {ok, ok},
	} {
		if diff := cmp.Diff(want, refusalOf(s)); diff != "" {
			t.Errorf("%q (-want +got)\n%s", s, diff)
		}
	}
}

func TestRule25OneHost(t *testing.T) {
	for s, want := range map[string]string{
		"http://good.test#@evil.test/":   "good.test",
		"http://good.test?@evil.test/":   "good.test",
		"http://good.test/@evil.test/":   "good.test",
		"http://good.test@evil.test/":    "evil.test",
		"http://good.test:80@evil.test/": "evil.test",
		"http://a@b@evil.test/":          "evil.test",
		"http://EVIL%2Etest/":            "evil.test",
		"http://2130706433/":             "127.0.0.1",
		"http://0x7f000001/":             "127.0.0.1",
		"http://017700000001/":           "127.0.0.1",
		"http://127.1/":                  "127.0.0.1",
		"http://0177.0.0.1:80/":          "127.0.0.1",
		"http://0x.0x0.0/":               "0.0.0.0",
		"http://1.2.3.4.test/":           "1.2.3.4.test",
		"http://a.0xg/":                  "a.0xg",
	} {
		prepared, err := Prepare(s, nil)
		if err != nil {
			t.Errorf("Prepare(%q): %v", s, err)
			continue
		}
		if u, err := Parse(prepared); err != nil || u.Host != want {
			t.Errorf("host of %q is %q (%v), want %q", prepared, u.Host, err, want)
		}
	}
}

func TestRule26IDNA(t *testing.T) {
	for host, want := range map[string]string{
		"xn--example-.com":             "", // stands for example.com
		"xn--.com":                     "",
		"xn--a.com":                    "",
		"XN--EXAMPLE-.com":             "",
		"www.xn--google-.com":          "",
		"xn--bcher-kva.example":        "xn--bcher-kva.example",
		"XN--BCHER-KVA.example":        "xn--bcher-kva.example",
		"b\u00fccher.example":          "xn--bcher-kva.example",
		"fa\u00df.de":                  "xn--fa-hia.de", // not fass.de
		"\uff45xample.com":             "",              // fullwidth
		"\u212a.com":                   "",              // the Kelvin sign is not a k
		"\u2603.net":                   "",              // a symbol
		"a\u00adb.com":                 "",              // soft hyphen
		"a\u200db.com":                 "",              // joiner without context
		"a\u3002b.com":                 "",              // ideographic full stop
		"\u0661\u06f1.com":             "",              // mixed digits
		"e\u0301.com":                  "",              // not composed
		strings.Repeat("\u00e9", 64):   "",
		"a_b.\u00e9.com":               "a_b.xn--9ca.com",
		"\u00e9_.com":                  "",
		"\u30b8\u30a7\u30fc\u30d4.jp":  "xn--hck7a7e7g.jp",
		"l\u00b7l.cat":                 "xn--ll-0ea.cat",
		"a\u00b7l.cat":                 "",
		"\u05d0\u0627.com":             "xn--4db8o.com",
		"a\u05d0.com":                  "", // left-to-right label with a right-to-left letter
		"\u30ab\u30fb\u30ab.jp":        "xn--lcka3v.jp",
		"x\u30fbx.jp":                  "",
		"\U0001f600.com":               "",
		"\u0130.com":                   "xn--i-9bb.com",
		"\u03a3\u03a3.gr":              "xn--3xab.gr",
		"xn--80ak6aa92e.com":           "xn--80ak6aa92e.com",
		"sub.xn--80ak6aa92e.com":       "sub.xn--80ak6aa92e.com",
		"xn--n3h.net":                  "xn--n3h.net",
		"\u0915\u094d\u200d\u0937.com": "xn--11b2ezcw70k.com",
	} {
		got, bad := normaliseHost(host)
		if bad != nil {
			got = ""
		}
		if got != want {
			t.Errorf("normaliseHost(%+q) = %q, want %q", host, got, want)
		}
	}
}

// TestRule26LongHost: a host is as long as it may be, or refused.
func TestRule26LongHost(t *testing.T) {
	got, want := map[string][3]bool{}, map[string][3]bool{}
	for host, ok := range map[string]bool{
		strings.Repeat("a", 1023):               true,
		strings.Repeat("a", 1024):               true,
		strings.Repeat("a", 1025):               false,
		strings.Repeat("A", 1025):               false,
		strings.Repeat("é.", 127) + "abcdefgh":  true, // each label is encoded as seven letters
		strings.Repeat("é.", 127) + "abcdefghi": false,
		strings.Repeat("a", 1024) + "%41":       false,
	} {
		url := "http://" + host
		_, parseErr := Parse(url)
		prepared, prepareErr := PrepareText(url, "")
		_, againErr := Parse(prepared)
		got[host] = [3]bool{parseErr == nil, prepareErr == nil, againErr == nil}
		want[host] = [3]bool{ok, ok, ok}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestRule26LinearTime(t *testing.T) {
	const size = 1 << 20 / shrink
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	for name, s := range map[string]string{
		"host":     "http://" + fill("a") + "/",
		"labels":   "http://" + fill("a.") + "/",
		"idna":     "http://" + fill("\u00e9") + "/",
		"idna dot": "http://" + fill("a.") + "\u00e9/",
		"punycode": "http://xn--" + fill("a") + "/",
		"puny dot": "http://" + fill("xn--a.") + "/",
		"at":       "http://" + fill("@") + "h/",
		"colon":    "http://" + fill(":") + "h/",
		"bracket":  "http://" + fill("[") + "/",
		"port":     "http://h:" + fill("0") + "1/",
		"dots":     "http://h/" + fill("../"),
		"deep":     "http://h/" + fill("a/") + fill("../"),
		"percent":  "http://h/" + fill("%"),
		"escape":   "http://h/" + fill("%41"),
		"zone":     "http://[::1%" + fill("a") + "]/",
		"blank":    fill(" ") + "http://h/",
		"plain":    "http://h/" + fill("a"),
	} {
		for what, f := range map[string]func(){
			"Prepare":         func() { Prepare(s, nil) },
			"Parse":           func() { Parse(s) },
			"Requote":         func() { Requote(s) },
			"Join":            func() { Join("http://h/a/b", s) },
			"ResolveRedirect": func() { ResolveRedirect("http://h/a", s, "") },
			"AbsoluteTarget":  func() { AbsoluteTarget(s) },
		} {
			limit := 50 * time.Millisecond * slowdown
			if took := fastest(limit, f); took > limit {
				t.Errorf("%s of 1 MB, %s, took %v, more than %v", what, name, took, limit)
			}
		}
	}
}

// fastest runs f until it is within the limit once, some times at most, by its thread's
// processor time: other programs take their share of the machine.
func fastest(limit time.Duration, f func()) time.Duration {
	best := time.Hour
	for range 10 {
		if best = min(best, wiretest.Spent(f)); best < limit {
			break
		}
	}
	return best
}

func TestRule39Redact(t *testing.T) {
	for _, s := range []string{
		"http://ada:sesame@h/", "http://ada:sesame@", "//ada:sesame@h", "ada:sesame@h:80", "http://ada:ses@sesame@h/",
		`http://h\ada:sesame@h/`, "http://ada:sesame@[::1/", "http://ada:sesame@h:x/", "HTTP://ada:sesame@h\r\n/", "ada:sesame@ h",
		"http:/ada:sesame@h/", "http:///ada:sesame@h/", `http:\\ada:sesame@h/`, "http://ada:ses/sesame@h/", "http://ada:ses?sesame@h/",
		" http://ada:sesame@h/", "x\thttp://ada:sesame@h/",
	} {
		if got := StripUserinfo(s); strings.Contains(got, "sesame") {
			t.Errorf("StripUserinfo(%q) = %q", s, got)
		}
		for _, err := range []error{second(Parse(s)), second(Prepare(s, nil)), second(PrependScheme(s, "http")), second(AbsoluteTarget(s))} {
			if err != nil && (strings.Contains(err.Error(), "sesame") || hasControl(err.Error())) {
				t.Errorf("error of %q: %v", s, err)
			}
		}
	}
}

func second[T any](_ T, err error) error { return err }

// corpusURL is one case of the public URL corpus.
type corpusURL struct {
	ID, Input, Base, Location, Host string
	Href                            string `json:"expected_href"`
	Failure                         bool
	NetHTTP                         struct{ Host string }
}

func corpus(t *testing.T) (absolute, relative []corpusURL) {
	t.Helper()
	var file struct{ Absolute, Relative []corpusURL }
	cases.Corpus(t, "urls.json", &file)
	return file.Absolute, file.Relative
}

// TestHostDifferential holds what other clients make of the host of the corpus
// URLs against the host used here. Refusing is always allowed, and so is staying
// with the host that sent a Location; a host that nobody else sees is not.
func TestHostDifferential(t *testing.T) {
	absolute, relative := corpus(t)
	for _, c := range absolute {
		if prepared, err := Prepare(c.Input, nil); err == nil {
			sameHost(t, c, prepared)
		}
		if _, err := Parse(c.Input); err == nil {
			sameHost(t, c, c.Input)
		}
	}
	for _, c := range relative {
		target, err := ResolveRedirect(c.Base, c.Location, "")
		if err == nil && !c.Failure && !staysAt(c.Base, target) {
			sameHost(t, c, target)
		}
	}
}

func staysAt(base, target string) bool {
	a, errA := Parse(base)
	b, errB := Parse(target)
	return errA == nil && errB == nil && SameOrigin(&a, &b)
}

func sameHost(t *testing.T, c corpusURL, url string) {
	t.Helper()
	u, err := Parse(url)
	if err != nil || !u.isWeb() || c.Failure && isNumericName(u.Host) {
		return
	}
	if c.Failure {
		t.Logf("%s: %q is used with host %q, where a browser refuses", c.ID, url, u.Host)
		return
	}
	browser, err := Parse(c.Href)
	if err != nil {
		t.Fatalf("%s: %v", c.ID, err)
	}
	if want := browser.Host; u.Host != want && !sameAddress(u.Host, want) {
		t.Errorf("%s: host of %q is %q, want %q", c.ID, url, u.Host, want)
	}
	text, err := splitText(url)
	if _, hostport, _ := text.userinfo(); err == nil {
		host, _, _, _ := splitHostPort(hostport)
		if name, bad := normaliseHost(host); bad != nil || canonical(name) != u.Host {
			t.Errorf("%s: %q has the host %q in its text, but %q is dialed", c.ID, url, host, u.Host)
		}
	}
}

func isNumericName(host string) bool {
	host = strings.TrimRight(host, ".")
	last := host[strings.LastIndexByte(host, '.')+1:]
	return last == "" || is(last[0], digit)
}

func sameAddress(a, b string) bool {
	x, errX := netip.ParseAddr(a)
	y, errY := netip.ParseAddr(b)
	return errX == nil && errY == nil && x == y
}

// TestRule25NumbersAreAddresses: a host that ends in a number is an IPv4 address, or
// refused, in every place a URL comes from; so are wildcards.
func TestRule25NumbersAreAddresses(t *testing.T) {
	for host, want := range map[string]string{
		"127.0.0.1": "127.0.0.1", "0177.0.0.1": "127.0.0.1", "127.1": "127.0.0.1", "2130706433": "127.0.0.1", "0x7f.1": "127.0.0.1",
		"0X7F.0.0.1.": "127.0.0.1", "%30177.0.0.1": "127.0.0.1", "1.test": "1.test", "1e1": "1e1", "0xg": "0xg", "a.1e1": "a.1e1",
		"256.256.256.256": "", "1.2.3.4.5": "", "1.2.3.4.5.": "", "1.2.3.08": "", "a.1": "", "b\u00fccher.1": "", "b\u00fccher.1.": "", "xn--bcher-kva.0x1": "", "b\u00fccher.1a": "xn--bcher-kva.1a", "a.09": "", "a.0xf": "", "a.0x": "",
		"4294967296": "", "1..2": "", "1.2.3.4..": "", "*": "", "*.test": "", ".test": "", "%2A.test": "", "a.test.%31": "",
	} {
		for way, read := range map[string]func(string) (string, error){
			"Prepare":  func(url string) (string, error) { return Prepare(url, nil) },
			"Parse":    func(url string) (string, error) { return url, nil },
			"Location": func(url string) (string, error) { return ResolveRedirect("http://a.test/", url, "") },
			"Location without scheme": func(url string) (string, error) {
				return ResolveRedirect("http://a.test/", strings.TrimPrefix(url, "http:"), "")
			},
		} {
			url, err := read("http://" + host + ":8080/x")
			if err == nil {
				var u URL
				if u, err = Parse(url); err == nil && u.Host != want {
					t.Errorf("%s: %q is %q, want %q", way, host, u.Host, want)
				}
			}
			if (err != nil) != (want == "") {
				t.Errorf("%s: %q: %v", way, host, err)
			}
			if target, bad := AbsoluteTarget(url); err == nil && target != "http://"+want+":8080/x" {
				t.Errorf("%s: a proxy is asked for %q, %v", way, target, bad)
			}
		}
	}
}

// TestRule25ASCIIHost: what is not a host alone is none, whatever may be cut off or escaped.
func TestRule25ASCIIHost(t *testing.T) {
	for host, want := range map[string]string{
		"a.test": "a.test", "A.Test.": "a.test.", "::1": "", "[::1]": "::1", "0x7f.1": "127.0.0.1", "b\u00fccher.example": "xn--bcher-kva.example",
		"a.test:80": "", "a.test:": "", ":80": "", "a:b": "", "u@a.test": "", "a%40b": "", "a%3a80": "", "a.test/": "", "a?b": "", "a#b": "", `a\b`: "", "a b": "", "a%2fb": "", "[::1]:80": "",
		"": "", "a<b": "", "a>b": "", "a|b": "", "a^b": "", "a%": "", "[": "", "]": "", "[a]": "", "a\x00": "",
	} {
		if got := ASCIIHost(host); got != want {
			t.Errorf("%q: %q, want %q", host, got, want)
		}
	}
}
