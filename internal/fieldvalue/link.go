package fieldvalue

import (
	"slices"
	"strconv"
	"strings"
)

// Link is one link of a Link field the way Requests reads it: its parameters
// in order, "url" first.
type Link [][2]string

// Get returns the value of a parameter, "" if there is none.
func (l Link) Get(name string) string {
	if i := l.index(name); i >= 0 {
		return l[i][1]
	}
	return ""
}

// Key is what Response.links files a link under: its rel, else its URL.
func (l Link) Key() string {
	if i := l.index("rel"); i >= 0 && l[i][1] != "" {
		return l[i][1]
	}
	return l.Get("url")
}

func (l Link) index(name string) int {
	return slices.IndexFunc(l, func(p [2]string) bool { return p[0] == name })
}

const blankAndQuotes = ` '"`

// ParseLinks splits a Link value where a comma and blanks precede a "<", and
// each link at ";": the URL first, then parameters that must each have exactly
// one "="; from the first that has not, the rest of the link is dropped. Quotes
// and blanks around names and values go, a repeated name has its last value,
// in its first place. It is requests.utils.parse_header_links; WebLinks reads
// the same value by the book.
func ParseLinks(value string) []Link {
	links := []Link{}
	value = strings.Trim(value, blankAndQuotes)
	for value != "" {
		var one string
		one, value = cutLink(value)
		links = append(links, parseLink(one))
	}
	return links
}

// cutLink cuts at the first comma that is followed by blanks and "<". What is
// left begins with that "<".
func cutLink(value string) (one, rest string) {
	from := 0
	for {
		i := strings.IndexByte(value[from:], ',')
		if i < 0 {
			return value, ""
		}
		i += from
		from = i + 1
		for from < len(value) && value[from] == ' ' {
			from++
		}
		if from < len(value) && value[from] == '<' {
			return value[:i], value[from:]
		}
	}
}

func parseLink(one string) Link {
	target, params, more := strings.Cut(one, ";")
	link := Link{{"url", strings.Trim(target, "<>"+blankAndQuotes)}}
	index := map[string]int{"url": 0}
	for more {
		var param string
		param, params, more = strings.Cut(params, ";")
		name, value, ok := strings.Cut(param, "=")
		if !ok || strings.Contains(value, "=") {
			break
		}
		name, value = strings.Trim(name, blankAndQuotes), strings.Trim(value, blankAndQuotes)
		if i, ok := index[name]; ok {
			link[i][1] = value
			continue
		}
		index[name] = len(link)
		link = append(link, [2]string{name, value})
	}
	return link
}

// LinkTable returns the parameters of the links in Link fields, each under every one of its
// relation types in lower case, else under its target. Each field is read by itself: a
// malformed one does not take the others along.
func LinkTable(fields []string) map[string]map[string]string {
	links := map[string]map[string]string{}
	for _, l := range allWebLinks(fields) {
		params := l.Map()
		for _, rel := range l.Rel {
			links[strings.ToLower(rel)] = params
		}
		if len(l.Rel) == 0 {
			links[l.Target] = params
		}
	}
	return links
}

// LinkTableAsRequests is the table that Requests makes: each link under its Key.
func LinkTableAsRequests(fields []string) map[string]map[string]string {
	links := map[string]map[string]string{}
	for _, l := range ParseLinks(strings.Join(fields, ", ")) {
		links[l.Key()] = l.Map()
	}
	return links
}

// FindLink returns the target of the last link with a relation type, letter case aside. Of a
// link that names an anchor isAbout says whether it counts.
func FindLink(fields []string, rel string, isAbout func(anchor string) bool) (target string, ok bool) {
	isRel := func(s string) bool { return strings.EqualFold(s, rel) }
	for _, l := range slices.Backward(allWebLinks(fields)) {
		i := slices.IndexFunc(l.Params, func(kv [2]string) bool { return kv[0] == "anchor" })
		if slices.ContainsFunc(l.Rel, isRel) && (i < 0 || isAbout(l.Params[i][1])) {
			return l.Target, true
		}
	}
	return "", false
}

func allWebLinks(fields []string) (links []WebLink) {
	for _, value := range fields {
		links = append(links, WebLinks(value)...)
	}
	return links
}

// WebLink is a link as RFC 8288 defines it.
type WebLink struct {
	// Target is what stands between "<" and ">", which may be relative.
	Target string
	// Rel are the relation types of the first rel parameter, registered names
	// in lower case; nil without one.
	Rel []string
	// Params are the other parameters in order, names in lower case, quoted
	// strings and extended values ("title*", RFC 8187) decoded.
	Params [][2]string
}

// WebLinks reads a Link value by RFC 8288, appendix B.2: commas and semicolons
// inside <> and quoted strings belong to them, empty list elements are skipped.
// Reading stops where a link does not begin with "<" or does not end with ">".
func WebLinks(value string) []WebLink {
	links := []WebLink{}
	for {
		value = strings.TrimLeft(value, " \t,")
		if !strings.HasPrefix(value, "<") {
			return links
		}
		target, rest, ok := strings.Cut(value[1:], ">")
		if !ok {
			return links
		}
		link := WebLink{Target: target}
		value = link.params(rest)
		links = append(links, link)
		if _, value, ok = strings.Cut(value, ","); !ok {
			return links
		}
	}
}

// params reads the parameters of a link and returns what follows them.
func (l *WebLink) params(s string) string {
	seenRel := false
	for {
		s = strings.TrimLeft(s, " \t")
		if !strings.HasPrefix(s, ";") {
			return s
		}
		var name, value string
		name, value, s = cutParam(s[1:])
		switch {
		case name == "":
		case name != "rel":
			l.Params = append(l.Params, [2]string{name, extended(name, value)})
		case !seenRel:
			seenRel = true
			l.Rel = relations(value)
		}
	}
}

// cutParam reads one parameter and returns what follows it.
func cutParam(s string) (name, value, rest string) {
	i := strings.IndexAny(s, "=;,")
	if i < 0 {
		i = len(s)
	}
	name, s = strings.ToLower(strings.Trim(s[:i], " \t")), s[i:]
	if !strings.HasPrefix(s, "=") {
		return name, "", s
	}
	s = strings.TrimLeft(s[1:], " \t")
	if strings.HasPrefix(s, `"`) {
		value, rest = cutQuoted(s[1:])
		return name, value, rest
	}
	if i = strings.IndexAny(s, ";,"); i < 0 {
		i = len(s)
	}
	return name, unquoteSingle(strings.Trim(s[:i], " \t")), s[i:]
}

// unquoteSingle drops the apostrophes around a value: they are part of it by the book,
// and no relation type has any.
func unquoteSingle(s string) string {
	if len(s) > 1 && s[0] == '\'' && s[len(s)-1] == '\'' {
		return s[1 : len(s)-1]
	}
	return s
}

// cutQuoted reads a quoted string behind its first quote; the closing one may
// be missing at the end.
func cutQuoted(s string) (value, rest string) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return b.String(), s[i+1:]
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String(), ""
}

func relations(value string) []string {
	rels := strings.Fields(value)
	for i, rel := range rels {
		if !strings.Contains(rel, ":") { // an extension type is a URI
			rels[i] = strings.ToLower(rel)
		}
	}
	return rels
}

// extended decodes the value of a parameter whose name ends in "*": charset,
// language and percent-encoded text between apostrophes. A value that is not
// of this form, or in a charset RFC 8187 does not ask for, is left as it is.
func extended(name, value string) string {
	if !strings.HasSuffix(name, "*") {
		return value
	}
	charset, rest, ok := strings.Cut(value, "'")
	_, text, ok2 := strings.Cut(rest, "'")
	decoded, ok3 := percentDecode(text)
	if !ok || !ok2 || !ok3 {
		return value
	}
	switch strings.ToLower(charset) {
	case "utf-8":
		return strings.ToValidUTF8(decoded, "\ufffd")
	case "iso-8859-1":
		return latin1(decoded)
	}
	return value
}

func percentDecode(s string) (decoded string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' {
			v, err := strconv.ParseUint(s[i+1:min(i+3, len(s))], 16, 8)
			if err != nil || i+3 > len(s) {
				return "", false
			}
			c = byte(v)
			i += 2
		}
		b.WriteByte(c)
	}
	return b.String(), true
}

func latin1(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}

// Map returns the parameters by name.
func (l Link) Map() map[string]string {
	m := map[string]string{}
	for _, kv := range l {
		m[kv[0]] = kv[1]
	}
	return m
}

// Map returns the parameters by name, the first of several with one name (RFC 8288 section
// 3.4), and an extended one instead of its plain form; "url" is the target.
func (l *WebLink) Map() map[string]string {
	m := map[string]string{}
	for _, kv := range slices.Backward(l.Params) {
		m[kv[0]] = kv[1]
	}
	for _, kv := range slices.Backward(l.Params) {
		if plain, extended := strings.CutSuffix(kv[0], "*"); extended {
			m[plain] = kv[1]
		}
	}
	m["url"] = l.Target
	if l.Rel != nil {
		m["rel"] = strings.Join(l.Rel, " ")
	}
	return m
}
