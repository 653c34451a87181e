// Package hsts remembers which hosts have asked for https (RFC 6797).
package hsts

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/uri"
)

// Store is what is known of hosts. It is safe for concurrent use.
//
//	learned    over https, by the caller's word that the certificate is good for the host;
//	           from the first field, if it is well-formed; never for an IP address
//	forgotten  by max-age=0, and when max-age is over
//	matches    the host itself and, where includeSubDomains was said, all below it
//	port       80 becomes the default one of https, any other stays
type Store struct {
	// mu protects the fields below.
	mu    sync.Mutex
	hosts map[string]host
}

// host is what is known of one.
type host struct {
	until      time.Time
	subdomains bool
}

const (
	// maxHosts bounds what servers can make a Store hold; see makeRoom.
	maxHosts = 10_000
	// maxAge is more than any server means, and no overflow.
	maxAge = 10 * 365 * 24 * time.Hour
)

// New returns a Store that knows no host.
func New() *Store { return &Store{hosts: map[string]host{}} }

// Learn notes what the host of a URL has said in the values of its
// Strict-Transport-Security fields; verify is asked whether the connection's certificate
// is good for the host.
func (h *Store) Learn(url string, fields []string, verify func(host string) error) {
	if len(fields) == 0 {
		return
	}
	u, err := uri.Parse(url)
	if err != nil || u.Scheme != "https" {
		return
	}
	name := nameOf(&u)
	if name == "" || verify(name) != nil {
		return
	}
	if age, subdomains, ok := parse(fields[0]); ok {
		h.set(name, host{time.Now().Add(age), subdomains})
	}
}

// set keeps what is known of a host, and forgets it where that is over.
func (h *Store) set(name string, s host) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !s.until.After(time.Now()) {
		delete(h.hosts, name)
		return
	}
	h.keep(name, s)
}

// merge adds what a file knows of a host, unless more recent knowledge holds as long.
func (h *Store) merge(name string, s host) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.until.After(time.Now()) && s.until.After(h.hosts[name].until) {
		h.keep(name, s)
	}
}

// keep is called with the lock.
func (h *Store) keep(name string, s host) {
	if _, known := h.hosts[name]; !known && len(h.hosts) >= maxHosts {
		h.makeRoom()
	}
	h.hosts[name] = s
}

// makeRoom drops a tenth of the hosts: of the sites that have the most, and those first that would be forgotten
// first. A site that names its subdomains by the thousand pushes out its own.
func (h *Store) makeRoom() {
	names := slices.SortedFunc(maps.Keys(h.hosts), func(a, b string) int {
		return cmp.Or(h.hosts[b].until.Compare(h.hosts[a].until), cmp.Compare(b, a))
	})
	ofSite, later := map[string]int{}, map[string]int{} // later is how many of its site would be forgotten later
	for _, name := range names {
		site := uri.Site(name)
		later[name] = ofSite[site]
		ofSite[site]++
	}
	slices.Reverse(names)
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(later[b], later[a]) })
	for _, name := range names[:len(names)/10+1] {
		delete(h.hosts, name)
	}
}

// Upgrade returns the URL to be used for url, which is in normal form.
func (h *Store) Upgrade(url string) string {
	if !ascii.HasPrefixFold(url, "http:") {
		return url
	}
	u, err := uri.Parse(url)
	if err != nil || !h.knows(nameOf(&u)) {
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

// knows reports whether the host, or one above it, has asked for https.
func (h *Store) knows(name string) bool {
	if name == "" {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	for own := true; ; own = false {
		if s, ok := h.hosts[name]; ok && (own || s.subdomains) && s.until.After(now) {
			return true
		}
		var below bool
		if _, name, below = strings.Cut(name, "."); !below {
			return false
		}
	}
}

// nameOf is the name under which a URL's host is known, "" for an IP address.
func nameOf(u *uri.URL) string {
	name := strings.TrimRight(ascii.Lower(u.Hostname()), ".")
	if _, err := netip.ParseAddr(name); err == nil {
		return ""
	}
	return name
}

// parse reads a Strict-Transport-Security field (RFC 6797 section 6.1): max-age is
// needed, none of the directives may come twice, unknown ones are ignored.
func parse(field string) (age time.Duration, subdomains, ok bool) {
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
			if age, ok = parseAge(value); !ok {
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

// parseAge reads digits, which may be in quotes.
func parseAge(text string) (time.Duration, bool) {
	text = strings.TrimSpace(text)
	if len(text) >= 2 && text[0] == '"' && text[len(text)-1] == '"' {
		text = text[1 : len(text)-1]
	}
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seconds > int64(maxAge/time.Second) {
		return maxAge, true
	}
	return time.Duration(seconds) * time.Second, true
}

// timeFormat is how curl writes a time in its HSTS files.
const timeFormat = "20060102 15:04:05"

// Text returns the hosts in the format of curl's --hsts option: a line for each with its
// name, behind a dot where the hosts below it are meant as well, and the time in UTC until
// which it holds.
func (h *Store) Text() []byte {
	var b bytes.Buffer
	b.WriteString("# HSTS hosts, in the format of curl's --hsts\n")
	for name, s := range h.all() {
		dot := ""
		if s.subdomains {
			dot = "."
		}
		fmt.Fprintf(&b, "%s%s %q\n", dot, name, s.until.UTC().Format(timeFormat))
	}
	return b.Bytes()
}

// all yields the hosts that are known now, sorted.
func (h *Store) all() func(yield func(string, host) bool) {
	h.mu.Lock()
	known := maps.Clone(h.hosts)
	h.mu.Unlock()
	now := time.Now()
	return func(yield func(string, host) bool) {
		for _, name := range slices.Sorted(maps.Keys(known)) {
			if known[name].until.After(now) && !yield(name, known[name]) {
				return
			}
		}
	}
}

// Read adds the hosts of a text that Text, or curl, has made. What is over is left out, as is
// what ends before that which is known of the host. On an error nothing is added.
func (h *Store) Read(data []byte) error {
	hosts, err := parseText(data)
	if err != nil {
		return err
	}
	for name, s := range hosts {
		h.merge(name, s)
	}
	return nil
}

func parseText(data []byte) (map[string]host, error) {
	hosts := map[string]host{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	for number := 1; lines.Scan(); number++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		name, s, ok := parseLine(line)
		if !ok || len(hosts) >= maxHosts {
			return nil, fmt.Errorf("line %d is not a host and a time, or one too many", number)
		}
		if s.until.After(hosts[name].until) {
			hosts[name] = s
		}
	}
	return hosts, lines.Err()
}

// parseLine reads a host and a time; curl writes "unlimited" for one without end.
func parseLine(line string) (string, host, bool) {
	name, text, ok := strings.Cut(line, " ")
	name, subdomains := strings.CutPrefix(name, ".")
	u, err := uri.Parse("https://" + name)
	known := nameOf(&u)
	if !ok || err != nil || known == "" || u.Path != "" || u.Port >= 0 || u.HasUser || u.HasQuery || u.HasFragment {
		return "", host{}, false
	}
	until, err := time.Parse(timeFormat, strings.Trim(text, `"`))
	if text == `"unlimited"` {
		until, err = time.Now().Add(maxAge), nil
	}
	return known, host{until, subdomains}, err == nil
}
