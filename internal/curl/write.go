package curl

import (
	"bytes"
	"encoding/base64"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mountable/requests/internal/coding"
	"github.com/mountable/requests/internal/secret"
	"github.com/mountable/requests/internal/uri"
)

// Request is a request that is to be written as a command.
type Request struct {
	Method, URL, Target string // Target is left out where it is that of the URL
	Headers             [][2]string
	Body                []byte
	None                bool // there is no body at all
	Streamed            bool // the body cannot be shown
	Trailers            bool // fields follow the body
	masked              bool
}

// maxArgument is less than what Linux takes in one argument (128 KiB).
const maxArgument = 64 << 10

// String writes the command, in the quotes of a POSIX shell. It sends the same fields, which
// curl would add to and leave out of by itself, and the same body: one that no argument can hold
// comes through a pipe. Without secrets they are masked.
func (r Request) String(secrets bool) string {
	if r.Target == uri.RequestTarget(r.URL) {
		r.Target = ""
	}
	if !secrets {
		r.mask()
	}
	w := &writer{out: []byte("curl")}
	w.method(&r)
	if strings.HasPrefix(r.URL, "-") {
		w.word("--url") // and not a flag
	}
	w.word(r.URL)
	if strings.ContainsAny(r.URL, "[]{}") {
		w.word("--globoff")
	}
	if strings.Contains(r.URL, "/.") {
		w.word("--path-as-is")
	}
	if r.Target != "" {
		w.word("--request-target", r.Target)
	}
	w.headers(&r)
	before := w.body(&r)
	return before + string(w.out) + w.remarks(&r)
}

// mask masks what is secret. Control characters are what no message holds.
func (r *Request) mask() {
	names, before := secret.Default(), *r
	r.URL, r.Target, r.Headers = secret.Clean(names.URL(r.URL)), secret.Clean(names.URL(r.Target)), names.Fields(r.Headers)
	kind, _ := get(r.Headers, "Content-Type")
	r.Body = names.Coded(kind, r.Body, r.plain)
	r.masked = r.URL != before.URL || !slices.Equal(r.Headers, before.Headers) || !bytes.Equal(r.Body, before.Body)
}

// plain is the body without its content codings.
func (r *Request) plain() ([]byte, error) {
	var codings []string
	for _, f := range r.Headers {
		if strings.EqualFold(f[0], "Content-Encoding") {
			codings = append(codings, f[1])
		}
	}
	if len(codings) == 0 {
		return r.Body, nil
	}
	body, err := coding.NewReader(bytes.NewReader(r.Body), codings, coding.Limits{})
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}

type writer struct {
	out []byte
}

// word appends words, quoted where a shell would see more than the word.
func (w *writer) word(words ...string) {
	for _, word := range words {
		w.out = append(w.out, ' ')
		w.out = append(w.out, quoted(word)...)
	}
}

const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:@%+=,"

func quoted(word string) string {
	if word != "" && strings.Trim(word, plain) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// method writes it where curl would choose another one.
func (w *writer) method(r *Request) {
	byCurl := "GET"
	if !r.None {
		byCurl = "POST"
	}
	switch {
	case r.Method == "HEAD" && r.None:
		w.word("--head")
	case r.Method != byCurl:
		w.word("-X", r.Method)
	}
}

func (w *writer) headers(r *Request) {
	for _, f := range r.Headers {
		switch {
		case strings.EqualFold(f[0], "Content-Length") && !r.None:
		case f[1] == "":
			w.word("-H", f[0]+";")
		default:
			w.word("-H", f[0]+": "+f[1])
		}
	}
	for _, name := range r.unasked() {
		if !has(r.Headers, name) {
			w.word("-H", name+":")
		}
	}
	if coding, ok := get(r.Headers, "Accept-Encoding"); ok && coding != "" && coding != "identity" {
		w.word("--compressed")
	}
}

// unasked are the fields that curl adds by itself.
func (r *Request) unasked() []string {
	names := []string{"User-Agent", "Accept"}
	if !r.None {
		names = append(names, "Content-Type", "Expect")
	}
	return names
}

func get(fields [][2]string, name string) (string, bool) {
	for _, f := range fields {
		if strings.EqualFold(f[0], name) {
			return f[1], true
		}
	}
	return "", false
}

func has(fields [][2]string, name string) bool {
	_, ok := get(fields, name)
	return ok
}

// body writes the body, and returns what has to stand before the command.
func (w *writer) body(r *Request) string {
	switch {
	case r.None:
	case r.Streamed:
		w.word("--data-binary", "@-")
	case isText(r.Body):
		w.word("--data-raw", string(r.Body))
	default:
		w.word("--data-binary", "@-")
		return "printf %s '" + base64.StdEncoding.EncodeToString(r.Body) + "' | base64 -d | "
	}
	return ""
}

// isText reports whether data can be an argument, and does nothing to a terminal.
func isText(data []byte) bool {
	if len(data) > maxArgument || !utf8.Valid(data) {
		return false
	}
	for _, r := range string(data) {
		if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r >= 0x7f && r < 0xa0 {
			return false
		}
	}
	return true
}

// remarks say, as a comment of the shell, what the command lacks.
func (w *writer) remarks(r *Request) string {
	var all []string
	if r.Streamed {
		all = append(all, "the body is a stream, which can be read only once: give it to the standard input of curl")
	}
	if r.Trailers {
		all = append(all, "curl cannot send the trailers")
	}
	if r.masked {
		all = append(all, "*** stands for a secret")
	}
	if len(all) == 0 {
		return ""
	}
	return " # " + strings.Join(all, "; ")
}
