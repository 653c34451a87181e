package requests

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/cookie"
	"github.com/mountable/requests/internal/uri"
)

// HSTS remembers which hosts have asked to be spoken to over https only (HTTP Strict
// Transport Security, RFC 6797). A session whose HSTS is set learns from the
// Strict-Transport-Security field of responses, and changes http to https in the URL of
// every request for such a host before anything is sent or looked up: those of calls, of
// redirects and of http.Clients over the session alike.
//
//	learned    over https with a verified certificate for the host; never over http, never
//	           for an IP address; from the first field of a response, if it is well-formed
//	forgotten  by max-age=0, and when max-age is over
//	matches    the host itself and, where includeSubDomains was said, all hosts below it;
//	           in any letter case, in Unicode or punycode, with or without a final dot
//	port       80 becomes the default one of https, any other stays
//
// An HSTS is safe for concurrent use, and may be shared by sessions. A nil one knows nothing.
type HSTS struct {
	// mu protects the fields below.
	mu    sync.Mutex
	hosts map[string]strictHost
}

// strictHost is what is known of a host.
type strictHost struct {
	until      time.Time
	subdomains bool
}

const (
	// maxStrictHosts bounds what servers can make an HSTS hold; the entries that end first
	// make room.
	maxStrictHosts = 10_000
	// maxStrictAge is more than any server means, and no overflow.
	maxStrictAge = 10 * 365 * 24 * time.Hour
)

// NewHSTS returns an HSTS that knows no host.
func NewHSTS() *HSTS { return &HSTS{hosts: map[string]strictHost{}} }

// learn notes what a response says of its host.
func (h *HSTS) learn(r *Response) {
	if h == nil || r.TLS == nil || len(r.TLS.VerifiedChains) == 0 || len(r.TLS.PeerCertificates) == 0 {
		return
	}
	field := r.Headers.Values("Strict-Transport-Security")
	if len(field) == 0 {
		return
	}
	at := newAddress(r.URL)
	host := strictName(&at.url)
	if at.err != nil || at.url.Scheme != "https" || host == "" || r.TLS.PeerCertificates[0].VerifyHostname(host) != nil {
		return
	}
	if age, subdomains, ok := parseStrict(field[0]); ok {
		h.set(host, strictHost{time.Now().Add(age), subdomains})
	}
}

// set keeps what is known of a host, and forgets it where that is over.
func (h *HSTS) set(host string, s strictHost) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.hosts == nil {
		h.hosts = map[string]strictHost{}
	}
	if !s.until.After(time.Now()) {
		delete(h.hosts, host)
		return
	}
	if _, known := h.hosts[host]; !known && len(h.hosts) >= maxStrictHosts {
		h.makeRoom()
	}
	h.hosts[host] = s
}

// makeRoom drops the tenth of the hosts that would be forgotten first.
func (h *HSTS) makeRoom() {
	names := slices.SortedFunc(maps.Keys(h.hosts), func(a, b string) int {
		return cmp.Or(h.hosts[a].until.Compare(h.hosts[b].until), cmp.Compare(a, b))
	})
	for _, name := range names[:len(names)/10+1] {
		delete(h.hosts, name)
	}
}

// upgrade returns the URL to be used for url, which is in normal form.
func (h *HSTS) upgrade(url string) string {
	if h == nil || !ascii.HasPrefixFold(url, "http:") {
		return url
	}
	u, err := uri.Parse(url)
	if err != nil || !h.knows(strictName(&u)) {
		return url
	}
	rest := url[len("http://"):]
	end := strings.IndexAny(rest+"/", "/?#")
	authority := rest[:end]
	if u.Port == 80 {
		authority = authority[:strings.LastIndexByte(authority, ':')]
	}
	return "https://" + authority + rest[end:]
}

// secured returns p, or a copy for https where its host wants that.
func (h *HSTS) secured(p *PreparedRequest) *PreparedRequest {
	if h == nil {
		return p
	}
	url := h.upgrade(p.URL)
	if url == p.URL {
		return p
	}
	c := p.Clone()
	c.setURL(url)
	return c
}

// knows reports whether the host, or one above it, has asked for https.
func (h *HSTS) knows(host string) bool {
	if host == "" {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	for own, name := true, host; ; own = false {
		if s, ok := h.hosts[name]; ok && (own || s.subdomains) && s.until.After(now) {
			return true
		}
		var below bool
		if _, name, below = strings.Cut(name, "."); !below {
			return false
		}
	}
}

// strictName is the name under which a URL's host is known, "" for an IP address.
func strictName(u *uri.URL) string {
	host := strings.TrimRight(ascii.Lower(u.Hostname()), ".")
	if _, err := netip.ParseAddr(host); err == nil {
		return ""
	}
	return host
}

// parseStrict reads a Strict-Transport-Security field (RFC 6797 section 6.1): max-age is
// needed, none of the directives may come twice, unknown ones are ignored.
func parseStrict(field string) (age time.Duration, subdomains, ok bool) {
	seen := map[string]bool{}
	for _, part := range splitDirectives(field) {
		if part = strings.Trim(part, " \t"); part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name = ascii.Lower(strings.TrimSpace(name))
		if !ascii.IsToken(name) || seen[name] {
			return 0, false, false
		}
		seen[name] = true
		switch name {
		case "max-age":
			if age, ok = strictAge(value); !ok {
				return 0, false, false
			}
		case "includesubdomains":
			subdomains = true
		}
	}
	return age, subdomains, ok
}

// splitDirectives cuts a field at the semicolons that no quotes hold.
func splitDirectives(field string) []string {
	quoted, escaped := false, false
	return strings.FieldsFunc(field, func(c rune) bool {
		switch {
		case escaped:
			escaped = false
		case c == '\\':
			escaped = quoted
		case c == '"':
			quoted = !quoted
		}
		return c == ';' && !quoted
	})
}

// strictAge reads digits, which may be in quotes.
func strictAge(text string) (time.Duration, bool) {
	text = strings.TrimSpace(text)
	if len(text) >= 2 && text[0] == '"' && text[len(text)-1] == '"' {
		text = text[1 : len(text)-1]
	}
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds > int64(maxStrictAge/time.Second) {
		return maxStrictAge, true
	}
	return time.Duration(seconds) * time.Second, true
}

// strictTime is how curl writes a time in its HSTS files.
const strictTime = "20060102 15:04:05"

// Save writes the hosts to the named file, in the format of curl's --hsts option: a line
// for each with its name, behind a dot where the hosts below it are meant as well, and the
// time in UTC until which it holds. Only the owner may read the file; it is replaced in one
// step. An error is [ErrFile].
func (h *HSTS) Save(name string) error {
	var b bytes.Buffer
	b.WriteString("# HSTS hosts, in the format of curl's --hsts\n")
	for host, s := range h.all() {
		dot := ""
		if s.subdomains {
			dot = "."
		}
		fmt.Fprintf(&b, "%s%s %q\n", dot, host, s.until.UTC().Format(strictTime))
	}
	return wrap(ErrFile, cookie.ReplaceFile(name, b.Bytes()), "the HSTS hosts cannot be saved")
}

// all yields the hosts that are known now, sorted.
func (h *HSTS) all() func(yield func(string, strictHost) bool) {
	known := map[string]strictHost{}
	if h != nil {
		h.mu.Lock()
		maps.Copy(known, h.hosts)
		h.mu.Unlock()
	}
	now := time.Now()
	return func(yield func(string, strictHost) bool) {
		for _, host := range slices.Sorted(maps.Keys(known)) {
			if known[host].until.After(now) && !yield(host, known[host]) {
				return
			}
		}
	}
}

// Load adds the hosts of a file that Save, or curl, has written. What is over is left out.
// On an error, which is [ErrFile], nothing is added.
func (h *HSTS) Load(name string) error {
	if h == nil {
		return fail(ErrInvalidArgument, "a nil HSTS cannot learn hosts")
	}
	data, err := cookie.ReadFile(name)
	if err != nil {
		return wrap(ErrFile, err, "the HSTS hosts cannot be loaded")
	}
	hosts, err := parseStrictFile(data)
	if err != nil {
		return wrap(ErrFile, err, fmt.Sprintf("the HSTS hosts of %q cannot be loaded", filepath.Base(name)))
	}
	for host, s := range hosts {
		h.set(host, s)
	}
	return nil
}

func parseStrictFile(data []byte) (map[string]strictHost, error) {
	hosts := map[string]strictHost{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		host, s, ok := parseStrictLine(line)
		if !ok || len(hosts) >= maxStrictHosts {
			return nil, fmt.Errorf("line %d is not a host and a time, or one too many", number)
		}
		hosts[host] = s
	}
	return hosts, lines.Err()
}

// parseStrictLine reads a host and a time; curl writes "unlimited" for one without end.
func parseStrictLine(line string) (string, strictHost, bool) {
	name, text, ok := strings.Cut(line, " ")
	name, subdomains := strings.CutPrefix(name, ".")
	u, err := uri.Parse("https://" + name)
	host := strictName(&u)
	if !ok || err != nil || host == "" || u.Path != "" || u.Port >= 0 || u.HasUser || u.HasQuery || u.HasFragment {
		return "", strictHost{}, false
	}
	until, err := time.Parse(strictTime, strings.Trim(text, `"`))
	if text == `"unlimited"` {
		until, err = time.Now().Add(maxStrictAge), nil
	}
	return host, strictHost{until, subdomains}, err == nil
}
