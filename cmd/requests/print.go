package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/mountable/requests"
)

// printer writes requests and responses, formatted, coloured and safe for a terminal as it is told.
type printer struct {
	io.Writer
	terminal bool // control characters would steer it
	format   bool
	colors   bool
	stream   bool // each line is printed when it is there
	begun    bool
	headed   bool // a head was printed, behind which a body ends with a line
}

// printer is one as the flags want it.
func (f *flags) printer(w io.Writer, terminal bool) *printer {
	p := newPrinter(w, terminal, f.pretty)
	p.stream = f.stream
	return p
}

func newPrinter(w io.Writer, terminal bool, pretty string) *printer {
	all := pretty == "all" || pretty == "" && terminal
	return &printer{Writer: w, terminal: terminal, format: all || pretty == "format", colors: all || pretty == "colors"}
}

const (
	bold  = "\x1b[1m"
	cyan  = "\x1b[36m"
	blue  = "\x1b[34m"
	reset = "\x1b[0m"
)

func (p *printer) paint(color, text string) string {
	if !p.colors {
		return text
	}
	return color + text + reset
}

// chain prints a response, and before it those that led to it if all are wanted.
func (p *printer) chain(r *requests.Response, all bool, wants string) error {
	hops := []*requests.Response{r}
	if all {
		hops = append(append([]*requests.Response{}, r.History...), r)
	}
	for _, hop := range hops {
		for _, part := range []func() error{
			func() error { return p.request(hop.Request, wants) },
			func() error { return p.response(hop, wants) },
			func() error { return p.meta(hop, wants) },
		} {
			if err := part(); err != nil {
				return err
			}
		}
	}
	return nil
}

// request prints the head and the body of a request, as far as they are wanted.
func (p *printer) request(r *requests.PreparedRequest, wants string) error {
	if strings.Contains(wants, "H") {
		u, err := url.Parse(r.URL)
		if err != nil {
			return err
		}
		fields := r.Headers
		if !fields.Has("Host") {
			fields = append(fields.Clone(), [2]string{"Host", u.Host})
		}
		if err := p.head(r.Method+" "+r.Target()+" HTTP/1.1", fields); err != nil {
			return err
		}
	}
	if !strings.Contains(wants, "B") {
		return nil
	}
	body, inMemory := r.Body()
	if !inMemory {
		return p.notice("the body is a stream")
	}
	if len(body) == 0 {
		return nil
	}
	return p.body(body, r.Headers.Get("Content-Type"))
}

// response prints the head and the body of a response, as far as they are wanted.
func (p *printer) response(r *requests.Response, wants string) error {
	if strings.Contains(wants, "h") {
		if err := p.head(strings.TrimRight(fmt.Sprintf("%s %d %s", r.Proto, r.StatusCode, r.Reason), " "), r.Headers); err != nil {
			return err
		}
	}
	if !strings.Contains(wants, "b") {
		return nil
	}
	return p.responseBody(r)
}

// responseBody prints a body:
//
//	formatted or colored                         the whole, as JSON in particular
//	the same with --stream, or an event stream   line by line
//	neither, on a terminal                       as it comes, without what steers the terminal
//	neither, elsewhere                           as it comes, byte for byte
func (p *printer) responseBody(r *requests.Response) error {
	kind := r.Headers.Get("Content-Type")
	switch pretty := p.format || p.colors; {
	case !pretty && !p.terminal:
		p.begun = true
		_, err := io.Copy(p, r)
		return err
	case !pretty:
		return p.flow(r)
	case p.stream || strings.HasPrefix(kind, "text/event-stream"):
		return p.lines(r, kind)
	}
	text, err := r.Text()
	if err != nil {
		return err
	}
	content, err := r.Content()
	if err != nil || len(content) == 0 {
		return err
	}
	if bytes.IndexByte(content, 0) < 0 {
		content = []byte(text) // what is text is shown in UTF-8
	}
	return p.body(content, kind)
}

// meta prints how long the response took.
func (p *printer) meta(r *requests.Response, wants string) error {
	if !strings.Contains(wants, "m") {
		return nil
	}
	space := ""
	if p.begun {
		space = "\n"
	}
	_, err := fmt.Fprintf(p, "%s%s: %.6fs\n", space, p.paint(cyan, "Elapsed time"), r.Elapsed.Seconds())
	return err
}

func (p *printer) head(first string, fields requests.Headers) error {
	var b strings.Builder
	if p.begun {
		b.WriteString("\n")
	}
	p.begun, p.headed = true, true
	b.WriteString(p.paint(bold, p.safe(first)) + "\n")
	for name, value := range fields.All() {
		b.WriteString(p.paint(cyan, p.safe(name)) + ": " + p.safe(value) + "\n")
	}
	_, err := io.WriteString(p, b.String()+"\n")
	return err
}

var member = regexp.MustCompile(`(?m)^( *)("(?:[^"\\]|\\.)*")(: )`)

func (p *printer) body(data []byte, kind string) error {
	p.begun = true
	if p.terminal && (bytes.IndexByte(data, 0) >= 0 || !utf8.Valid(data)) {
		return p.binary()
	}
	text := string(data)
	if p.format && strings.Contains(kind, "json") && mayIndent(data) {
		var b bytes.Buffer
		if json.Indent(&b, data, "", indent) == nil {
			text = b.String()
		}
	}
	text = p.safe(text)
	if p.colors && strings.Contains(kind, "json") {
		text = member.ReplaceAllString(text, "$1"+blue+"$2"+reset+"$3")
	}
	if (p.format || p.terminal || p.headed) && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	_, err := io.WriteString(p, text)
	return err
}

const (
	indent = "    "
	// maxIndented is how much longer than a body its lines may become. Each has as many indents as it is deep, so that
	// 60 kB can be 3 GB.
	maxIndented = 64 << 20
)

// mayIndent reports whether JSON stays in bounds when it is indented.
func mayIndent(data []byte) bool {
	depth, more, text := 0, 0, false
	for i := 0; i < len(data) && more <= maxIndented; i++ {
		switch c := data[i]; {
		case text && c == '\\':
			i++
			continue
		case c == '"':
			text = !text
			continue
		case text:
			continue
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth = max(0, depth-1)
		case c != ',':
			continue
		}
		more += 1 + depth*len(indent)
	}
	return more <= maxIndented
}

func (p *printer) notice(text string) error {
	_, err := fmt.Fprintf(p, "(%s)\n", text)
	return err
}

// safe takes the characters out that would steer a terminal; lines may end in CR LF.
func (p *printer) safe(s string) string {
	if !p.terminal {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || !unicode.IsControl(r) {
			return r
		}
		return '\ufffd'
	}, strings.ReplaceAll(s, "\r\n", "\n"))
}
