package curl

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/mountable/requests/internal/ascii"
	"github.com/mountable/requests/internal/uri"
)

// parser is a command that is being read.
type parser struct {
	Command
	method    string
	get, head bool
	literal   bool // [ ] { } in the URL mean nothing
	query     []string
	fileName  string // the name of the file that is uploaded
	uploads   bool
	uploaded  []byte
	isJSON    bool
	proxyUser string
	byShort   map[byte]*flag
	byLong    map[string]*flag
}

// Parse reads a command. Files that it names are read, regular ones only. Its errors name the
// flag, and never a value: that may be a secret.
func Parse(text string) (*Command, error) {
	words, err := split(text)
	if err != nil {
		return nil, err
	}
	if len(words) == 0 || path.Base(strings.TrimSuffix(words[0], ".exe")) != "curl" {
		return nil, errors.New("it does not begin with curl")
	}
	p := newParser()
	if err := p.words(words[1:]); err != nil {
		return nil, err
	}
	return &p.Command, p.finish()
}

func newParser() *parser {
	p := &parser{byShort: map[byte]*flag{}, byLong: map[string]*flag{}}
	all := flags()
	for _, name := range silent {
		f := flag{set: func(*parser, string) error { return nil }}
		if len(name) > 2 && name[1] == ':' {
			f.short, name = name[0], name[2:]
		}
		f.long, f.value = strings.CutSuffix(name, "=")
		all = append(all, f)
	}
	for i := range all {
		p.byShort[all[i].short], p.byLong[all[i].long] = &all[i], &all[i]
	}
	delete(p.byShort, 0)
	return p
}

// words reads what follows the name of the program.
func (p *parser) words(rest []string) error {
	for len(rest) > 0 {
		word := rest[0]
		rest = rest[1:]
		var err error
		switch {
		case word == "--": // no flags any more
			p.addresses = append(p.addresses, rest...)
			return nil
		case strings.HasPrefix(word, "--"):
			rest, err = p.long(word, rest)
		case strings.HasPrefix(word, "-") && len(word) > 1:
			rest, err = p.short(word, rest)
		default:
			err = p.url(word)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *parser) long(word string, rest []string) ([]string, error) {
	f := p.byLong[word[2:]]
	if f == nil {
		return nil, unknown(word, word[2:])
	}
	return p.run(f, word, rest)
}

// short reads a word of short flags; the value of one that has any may follow at once.
func (p *parser) short(word string, rest []string) ([]string, error) {
	for i := 1; i < len(word); i++ {
		f := p.byShort[word[i]]
		if f == nil {
			return nil, unknown("-"+firstRune(word[i:]), shortElsewhere[word[i]])
		}
		if f.value && i+1 < len(word) {
			return rest, p.apply(f, "-"+word[i:i+1], word[i+1:])
		}
		var err error
		if rest, err = p.run(f, "-"+word[i:i+1], rest); err != nil || f.value {
			return rest, err
		}
	}
	return rest, nil
}

func firstRune(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return s[:n]
}

func unknown(word, long string) error {
	name, _, _ := strings.Cut(word, "=")
	if hint := elsewhere[long]; hint != "" {
		return fmt.Errorf("%s is not for a request: %s", name, hint)
	}
	return fmt.Errorf("the flag %q is not known", name)
}

// run applies a flag, whose value is the first of rest if it has one.
func (p *parser) run(f *flag, name string, rest []string) ([]string, error) {
	value := ""
	if f.value {
		if len(rest) == 0 {
			return nil, fmt.Errorf("%s needs a value", name)
		}
		value, rest = rest[0], rest[1:]
	}
	return rest, p.apply(f, name, value)
}

func (p *parser) apply(f *flag, name, value string) error {
	if err := f.set(p, value); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func (p *parser) url(v string) error {
	p.addresses = append(p.addresses, v)
	return nil
}

// finish puts together what flags said in any order.
func (p *parser) finish() error {
	err := p.finishURL()
	if err == nil {
		err = p.finishBody()
	}
	if err == nil {
		err = p.finishAuth()
	}
	p.finishMethod()
	return err
}

func (p *parser) finishURL() error {
	if len(p.addresses) != 1 {
		return fmt.Errorf("it has %d URLs, and a request has one", len(p.addresses))
	}
	p.URL = p.addresses[0]
	if !p.literal {
		var err error
		if p.URL, err = unglobbed(p.URL); err != nil {
			return err
		}
	}
	if !strings.Contains(p.URL, "://") {
		p.URL = "http://" + p.URL
	}
	if p.uploads && strings.HasSuffix(p.URL, "/") {
		p.URL += url.PathEscape(path.Base(p.fileName))
	}
	if p.get && p.HasBody {
		p.query = append(p.query, string(p.Body))
		p.Body, p.HasBody = nil, false
	}
	if len(p.query) > 0 {
		p.URL = withQuery(p.URL, strings.Join(p.query, "&"))
	}
	return nil
}

// unglobbed takes the backslashes away that keep curl from reading [ ] { } as patterns.
// Brackets of an IPv6 address are none.
func unglobbed(address string) (string, error) {
	var out []byte
	for i := 0; i < len(address); i++ {
		c := address[i]
		special := strings.IndexByte("[]{}", c) >= 0
		switch {
		case c == '\\' && i+1 < len(address) && strings.IndexByte("[]{}", address[i+1]) >= 0:
			i++
			c = address[i]
		case special && (c == '{' || c == '}' || inPath(address[:i])):
			return "", errors.New("the URL has a pattern ({a,b} or [1-9]) and stands for several; with -g it is one")
		}
		out = append(out, c)
	}
	return string(out), nil
}

// inPath reports whether before has the whole authority of a URL in it.
func inPath(before string) bool {
	if _, rest, ok := strings.Cut(before, "://"); ok {
		before = rest
	}
	return strings.ContainsAny(before, "/?#")
}

func withQuery(address, query string) string {
	address, fragment, found := strings.Cut(address, "#")
	if found {
		fragment = "#" + fragment
	}
	separator := "?"
	if strings.Contains(address, "?") {
		separator = "&"
	}
	return address + separator + query + fragment
}

func (p *parser) finishMethod() {
	switch {
	case p.method != "":
		p.Method = p.method
	case p.uploads:
		p.Method = "PUT"
	case p.head:
		p.Method = "HEAD"
	case p.HasBody || len(p.Parts) > 0:
		p.Method = "POST"
	default:
		p.Method = "GET"
	}
}

func (p *parser) finishAuth() error {
	if p.User != "" && !strings.Contains(p.User, ":") {
		return errors.New("-u has no password, which curl would ask for: write it as name:password")
	}
	if err := p.userOfURL(); err != nil {
		return err
	}
	if p.User != "" && p.Scheme == "" {
		p.Scheme = "basic"
	}
	return p.finishProxy()
}

// userOfURL takes the credentials that the URL has, where no flag has any.
func (p *parser) userOfURL() error {
	u, err := uri.Parse(p.URL)
	if err != nil || !u.HasUser || p.User != "" || p.Bearer != "" {
		return nil // a URL that makes no sense is refused where it is sent
	}
	user, password, ok := u.Userinfo()
	if !ok {
		user = u.Username()
	}
	if strings.Contains(user, ":") {
		return errors.New("the user in the URL has a colon")
	}
	if user+password != "" {
		p.User = user + ":" + password
	}
	return nil
}

// finishProxy puts credentials into the URL of the proxy, so that their bytes are sent: a SOCKS
// proxy is sent them as they are, any other as Latin-1.
func (p *parser) finishProxy() error {
	if p.proxyUser != "" && p.Proxy == "" {
		return errors.New("--proxy-user without --proxy")
	}
	scheme, rest, found := strings.Cut(p.Proxy, "://")
	if !found {
		scheme, rest = "http", p.Proxy
	}
	at := strings.LastIndexByte(rest, '@') + 1
	name, password, _ := strings.Cut(p.proxyUser, ":")
	if p.proxyUser == "" {
		u, err := uri.Parse("http://" + rest)
		var ok bool
		if name, password, ok = u.Userinfo(); err != nil || !ok {
			return nil
		}
	}
	if !ascii.HasPrefixFold(scheme, "socks") {
		name, password = ByteChars(name), ByteChars(password)
	}
	p.Proxy = scheme + "://" + url.UserPassword(name, password).String() + "@" + rest[at:]
	return nil
}

// --- header fields ---

// header reads "Name: value", "Name:" to leave one out, and "Name;" for an empty value.
func (p *parser) header(v string) error {
	if strings.HasPrefix(v, "@") {
		return p.headerFile(v[1:])
	}
	name, value, found := strings.Cut(v, ":")
	if !found {
		name, found = strings.CutSuffix(v, ";")
		if !found {
			return errors.New("expected \"Name: value\", \"Name:\" or \"Name;\"")
		}
		p.Headers = append(p.Headers, [2]string{name, ""})
		return nil
	}
	if value = ascii.TrimBlanks(value); value == "" {
		p.Without = append(p.Without, name)
		return nil
	}
	p.Headers = append(p.Headers, [2]string{name, value})
	return nil
}

func (p *parser) headerFile(name string) error {
	content, err := readFile(name)
	if err != nil {
		return err
	}
	for line := range strings.SplitSeq(string(content), "\n") {
		if line = strings.TrimRight(line, "\r"); line == "" || line[0] == '#' || line[0] == '@' {
			continue
		}
		if err := p.header(line); err != nil {
			return err
		}
	}
	return nil
}

// has reports whether a header flag says something of a field.
func (p *parser) has(name string) bool {
	return has(p.Headers, name) || slices.ContainsFunc(p.Without, func(n string) bool { return strings.EqualFold(n, name) })
}

// field is a field with a flag of its own; an empty one leaves it out.
func (p *parser) field(name, v string) error {
	if v == "" {
		p.Without = append(p.Without, name)
		return nil
	}
	p.Headers = append(p.Headers, [2]string{name, v})
	return nil
}

func (p *parser) referer(v string) error {
	if strings.HasSuffix(v, ";auto") {
		return errors.New("\";auto\" is not known")
	}
	return p.field("Referer", v)
}

func (p *parser) continueAt(v string) error {
	if v == "-" || strings.Trim(v, "0123456789") != "" || v == "" {
		return errors.New("expected a number of bytes; toolbelt.Download goes on with a file")
	}
	return p.field("Range", "bytes="+v+"-")
}

func (p *parser) cookie(v string) error {
	if !strings.Contains(v, "=") {
		p.CookieFiles = append(p.CookieFiles, v)
		return nil
	}
	for pair := range strings.SplitSeq(v, ";") {
		if pair = ascii.TrimBlanks(pair); pair != "" {
			name, value, _ := strings.Cut(pair, "=")
			p.Cookies = append(p.Cookies, [2]string{name, value})
		}
	}
	return nil
}

// --- the rest ---

// cert reads "file" and "file:password".
func (p *parser) cert(v string) error {
	i := strings.LastIndexByte(v, ':')
	if i > 1 && v[i-1] != '\\' { // a letter before the colon is a drive
		p.Cert, p.Password = v[:i], v[i+1:]
		return nil
	}
	p.Cert = strings.ReplaceAll(v, `\:`, ":")
	return nil
}

func (p *parser) proxy(v string) error {
	p.Proxy, p.Direct = v, v == ""
	return nil
}

func (p *parser) urlQuery(v string) error {
	if strings.HasPrefix(v, "+") {
		p.query = append(p.query, v[1:])
		return nil
	}
	encoded, err := urlEncoded(v)
	p.query = append(p.query, string(encoded))
	return err
}

// maxRedirects takes a negative number for no bound.
func (p *parser) maxRedirects(v string) error {
	n, err := strconv.Atoi(v)
	if err != nil {
		return errors.New("expected a number of redirects")
	}
	if n < 0 {
		n = math.MaxInt
	}
	p.MaxRedirects = &n
	return nil
}

// seconds reads a number of seconds; 0 is no limit.
func seconds(v string) (time.Duration, error) {
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || !(n >= 0) || n > 1e9 {
		return 0, errors.New("expected a number of seconds")
	}
	return time.Duration(n * float64(time.Second)), nil
}
