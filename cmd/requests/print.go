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
	begun    bool
	headed   bool // a head was printed, behind which a body ends with a line
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

// response prints the head and the body of a response, as far as they are wanted. A body that is
// neither formatted nor shown on a terminal is copied as it comes.
func (p *printer) response(r *requests.Response, wants string) error {
	if strings.Contains(wants, "h") {
		if err := p.head(strings.TrimRight(fmt.Sprintf("%s %d %s", r.Proto, r.StatusCode, r.Reason), " "), r.Headers); err != nil {
			return err
		}
	}
	if !strings.Contains(wants, "b") {
		return nil
	}
	if !p.terminal && !p.format && !p.colors {
		p.begun = true
		_, err := io.Copy(p, r)
		return err
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
	return p.body(content, r.Headers.Get("Content-Type"))
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
		return p.notice("the body is binary and not shown on a terminal")
	}
	text := string(data)
	if p.format && strings.Contains(kind, "json") {
		var b bytes.Buffer
		if json.Indent(&b, data, "", "    ") == nil {
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
