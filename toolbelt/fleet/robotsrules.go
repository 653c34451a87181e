package fleet

import (
	"cmp"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// robotRules are the groups of a robots.txt (RFC 9309 section 2.2), by the lower-case product token.
type robotRules struct {
	nothing bool // is allowed
	groups  map[string]*robotGroup
}

// robotGroup is what counts for a product: the blocks that its lines begin. Products share a block, so that a
// file takes no more than its length, whatever it repeats.
type robotGroup struct{ blocks []*robotBlock }

// robotBlock are the rules behind some lines of products.
type robotBlock struct {
	rules []robotRule
	delay time.Duration
}

type robotRule struct {
	pattern string
	allow   bool
}

// parseRobots reads a robots.txt. Whatever is not a rule is skipped, as section 2.2 wants it; groups of
// the same product are one.
func parseRobots(text string) *robotRules {
	all := &robotRules{groups: map[string]*robotGroup{}}
	current := &robotBlock{} // of nobody
	inRules := true
	lines := strings.FieldsFunc(strings.TrimPrefix(text, "\ufeff"), func(r rune) bool { return r == '\n' || r == '\r' })
	for _, line := range lines {
		line, _, _ = strings.Cut(line, "#")
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		if name == "user-agent" {
			if inRules {
				current, inRules = &robotBlock{}, false
			}
			all.group(value).begin(current)
			continue
		}
		inRules = current.add(name, value) || inRules
	}
	return all
}

// begin makes a block count for g.
func (g *robotGroup) begin(b *robotBlock) {
	if n := len(g.blocks); n == 0 || g.blocks[n-1] != b {
		g.blocks = append(g.blocks, b)
	}
}

// group is that of a product, or of all.
func (all *robotRules) group(agent string) *robotGroup {
	name := strings.ToLower(product(agent))
	if strings.HasPrefix(agent, "*") {
		name = "*"
	}
	g := all.groups[name]
	if g == nil {
		g = &robotGroup{}
		all.groups[name] = g
	}
	return g
}

// add takes a line, and reports whether it is one of the rules.
func (b *robotBlock) add(name, value string) bool {
	switch name {
	case "allow", "disallow":
		if value != "" {
			b.rules = append(b.rules, robotRule{normalPath(value), name == "allow"})
		}
		return true
	case "crawl-delay":
		if s, err := strconv.ParseFloat(value, 64); err == nil && s > 0 {
			b.delay = time.Duration(min(s, time.Hour.Seconds()) * float64(time.Second))
		}
		return true
	}
	return false
}

// of is the group for a product, that of "*" where it has none; nil without either.
func (all *robotRules) of(agent string) *robotGroup {
	if g := all.groups[strings.ToLower(agent)]; g != nil && agent != "" {
		return g
	}
	return all.groups["*"]
}

func (all *robotRules) delay(agent string) time.Duration {
	var delay time.Duration
	if g := all.of(agent); g != nil {
		for _, b := range g.blocks {
			delay = cmp.Or(b.delay, delay)
		}
	}
	return delay
}

// allows reports what the longest rule says that matches, of two as long the one that allows
// (section 2.2.2).
func (all *robotRules) allows(agent string, u *url.URL) bool {
	g := all.of(agent)
	if all.nothing || g == nil {
		return !all.nothing
	}
	path := u.EscapedPath()
	if path == "" {
		path = "/"
	}
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	path = normalPath(path)
	longest, allowed := -1, true
	for _, b := range g.blocks {
		for _, r := range b.rules {
			if n := len(r.pattern); (n > longest || n == longest && r.allow) && matchesPath(r.pattern, path) {
				longest, allowed = n, r.allow
			}
		}
	}
	return allowed
}

// matchesPath reports whether a pattern matches the start of a path: "*" is any text, and "$" at the end
// is the path's. The first place for each part between two "*" is as good as any other.
func matchesPath(pattern, path string) bool {
	pattern, whole := strings.CutSuffix(pattern, "$")
	parts := strings.Split(pattern, "*")
	if !strings.HasPrefix(path, parts[0]) {
		return false
	}
	path = path[len(parts[0]):]
	if len(parts) == 1 {
		return !whole || path == ""
	}
	last := len(parts) - 1
	for _, part := range parts[1:last] {
		i := strings.Index(path, part)
		if i < 0 {
			return false
		}
		path = path[i+len(part):]
	}
	if whole {
		return strings.HasSuffix(path, parts[last])
	}
	return strings.Contains(path, parts[last])
}

// normalPath writes octets one way (section 2.2.2): those that need no escape are bare, others are
// escaped in upper case.
func normalPath(path string) string {
	const bare = "-._~"
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		c := path[i]
		if c == '%' && i+2 < len(path) {
			if n, err := strconv.ParseUint(path[i+1:i+3], 16, 8); err == nil {
				if c = byte(n); isLetterOrDigit(c) || strings.IndexByte(bare, c) >= 0 {
					b.WriteByte(c)
				} else {
					b.WriteString(strings.ToUpper(path[i : i+3]))
				}
				i += 2
				continue
			}
		}
		if c <= ' ' || c >= 0x7f {
			b.WriteString("%" + strings.ToUpper(strconv.FormatUint(uint64(c)|0x100, 16)[1:]))
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

func isLetterOrDigit(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
